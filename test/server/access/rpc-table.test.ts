/** Who may do what over RPC: each method, asked by all principals through every protocol. */
import { isDeepStrictEqual } from 'node:util';
import { Code } from '@connectrpc/connect';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { type PipelineResponse, KvService, PipelineOperationSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import { rpcEndpoints } from '../../../src/server/connect/rpc-endpoints.ts';
import { servedServices } from '../../../src/server/services/services.ts';
import { ServerState } from '../../../src/server/health/server-state.ts';
import { CallMeters } from '../../../src/server/metrics/calls/call-meters.ts';
import { serverDefaults } from '../../../src/limits.ts';
import { startTestServer } from '../../support/test-server.ts';
import { expectedOutcome, type Outcome, type Principal } from './principals.ts';
import { openSituation } from './situation.ts';
import { type AskRpc, type Fields, rpcClient, rpcDoors } from './rpc-door.ts';
import { pathOf, pipelineRows, type RpcRow, rpcRows } from './rpc-rows.ts';

/** Thousands of calls. */
const TABLE_MS_MAX = 180_000;

test('every method that is served has a row', () => {
  const services = servedServices(serverDefaults, {
    version: '',
    activity: () => expect.unreachable(),
    access: () => expect.unreachable(),
    node: () => undefined,
    areRatesLimited: false,
    audit: { accessChanged: () => undefined, adminCalled: () => undefined },
  });
  const served = rpcEndpoints({
    store: () => undefined,
    state: new ServerState(),
    services,
    openReflection: false,
    meters: new CallMeters(),
    logger: pino({ level: 'silent' }),
  });
  expect([...new Set(rpcRows.map(({ method }) => pathOf(method)))].sort()).toEqual([...served.keys()].sort());
  const operations = PipelineOperationSchema.oneofs.find(({ name }) => name === 'operation')?.fields ?? [];
  expect(new Set(pipelineRows.map(({ operation }) => operation?.case))).toEqual(
    new Set(operations.map(({ name }) => name)),
  );
});

test.each(rpcDoors)(
  'over %s each call is allowed, or refused without a change, as its rule says',
  async (door) => {
    const server = await startTestServer();
    const { principals, fingerprint, restore } = await openSituation(server.url);
    const wrong: string[] = [];
    for (const who of principals) {
      const calls = callsOf(who, rpcClient(server, door, who.authorization));
      const check = async ({ name, expected, orFails, run }: TableCall): Promise<void> => {
        const outcome = outcomeOf(await run(), orFails);
        if (outcome !== expected) wrong.push(`${who.name}: ${name}: ${outcome}, not ${expected}`);
      };
      const before = await fingerprint();
      await Promise.all(calls.filter(({ expected }) => expected !== 'allowed').map(check));
      if (!isDeepStrictEqual(await fingerprint(), before)) wrong.push(`${who.name}: has changed something`);
      for (const call of calls) if (call.expected === 'allowed') await check(call);
      await restore();
    }
    expect(wrong).toEqual([]);
  },
  TABLE_MS_MAX,
);

test('an operation of a pipeline that is refused says nothing against the others', async () => {
  const server = await startTestServer();
  const { principals } = await openSituation(server.url);
  const writer = principals.find(({ name }) => name === 'walt');
  const ask = rpcClient(server, 'gRPC', writer?.authorization);
  const put = (key: string): Fields => ({
    operation: { case: 'put', value: { key, value: Buffer.from('x') } },
  });
  const { reply } = await ask(KvService.method.pipeline, {
    operations: [put('a/1'), put('b/1'), { operation: { case: 'get', value: { key: 'a/1' } } }, put('a/2')],
  });
  const { results } = reply as PipelineResponse;
  expect(
    results.map(({ result }) => (result.case === 'failure' ? Code[result.value.code] : result.case)),
  ).toEqual(['put', 'PermissionDenied', 'PermissionDenied', 'put']);
});

interface TableCall {
  readonly name: string;
  readonly expected: Outcome;
  readonly orFails: readonly string[];
  /** @returns the name of a code. */
  readonly run: () => Promise<string>;
}

/** Of those who are not let in by wrong credentials one call of each method tells all. */
function rowsFor(who: Principal): readonly RpcRow[] {
  if (who.user !== '' || who.authorization === undefined) return rpcRows;
  return rpcRows.filter(({ method }, index) => rpcRows[index - 1]?.method !== method);
}

function callsOf(who: Principal, ask: AskRpc): TableCall[] {
  const calls = rowsFor(who).map(({ method, about, request, need, orFails }) => ({
    name: `${pathOf(method)} ${about}`,
    expected: expectedOutcome(who, need),
    orFails,
    run: async () => (await ask(method, request)).code,
  }));
  const operations = pipelineRows.map(({ operation, about, need, orFails }) => ({
    name: `in a pipeline: ${about}`,
    expected: expectedOutcome(who, need),
    orFails,
    run: async () => {
      const { code, reply } = await ask(KvService.method.pipeline, { operations: [{ operation }] });
      const result = (reply as PipelineResponse | undefined)?.results[0]?.result;
      return result?.case === 'failure' ? (Code[result.value.code] ?? '') : code;
    },
  }));
  return [...calls, ...operations];
}

function outcomeOf(code: string, orFails: readonly string[]): string {
  if (code === 'Unauthenticated') return 'unauthenticated';
  if (code === 'PermissionDenied') return 'denied';
  return code === 'Ok' || orFails.includes(code) ? 'allowed' : code;
}
