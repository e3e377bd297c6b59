/** The operations of batches are counted by kind and outcome for the metrics, and by stream for the log. */
import { type Transport, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { grpcCode, nameOfCode } from '../../../src/grpc-code.ts';
import type { CallTable } from '../../../src/server/calls/call-table.ts';
import { startTestServer } from '../../support/test-server.ts';
import { metricsOf } from '../metrics/exposition.ts';
import { type Operation, batch, get, put, startPipeline, texts, turns } from './pipeline-harness.ts';

const METRIC = 'kelp_calls_total';
/** What the labels of operations begin with. */
const LABELS = `${METRIC}{door="pipeline",`;

async function countsAt(url: string): Promise<Record<string, number>> {
  const metric = (await metricsOf(url)).find(({ name }) => name === METRIC);
  expect(metric?.type).toBe('counter');
  const samples = metric?.samples.filter(({ name, value }) => name.startsWith(LABELS) && value > 0) ?? [];
  return Object.fromEntries(samples.map(({ name, value }) => [name.slice(LABELS.length, -1), value]));
}

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  'Connect, HTTP/2': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' }),
};

describe.each(Object.entries(transports))('over %s', (_, makeTransport) => {
  test('a scrape tells of all operations, and the line of a stream of its own', async () => {
    const server = await startTestServer();
    const kv = createClient(KvService, makeTransport(server.url));
    const run = async (...batches: Operation[][]): Promise<void> => {
      const requests = (async function* () {
        for (const each of batches) yield batch(...each);
      })();
      for await (const { results } of kv.pipeline(requests)) expect(results.length).toBeGreaterThan(0);
    };
    expect(await countsAt(server.url)).toEqual({});
    await run(
      [put('a'), put('b'), get('a'), put('', 'no key'), { case: 'touch', value: { key: 'absent' } }],
      [get('a'), { case: undefined }, { case: 'exists', value: { keys: ['a', 'b'] } }],
    );
    await run([get('a')]);
    expect(await countsAt(server.url)).toEqual({
      'method="Get",code="Ok"': 3,
      'method="Put",code="Ok"': 2,
      'method="Put",code="InvalidArgument"': 1,
      'method="Touch",code="NotFound"': 1,
      'method="Exists",code="Ok"': 1,
      'method="other",code="InvalidArgument"': 1,
    });
    await server.log.line(({ operations }) => operations === 1);
    const first = await server.log.line(({ operations }) => operations === 8);
    expect(first).toMatchObject({ msg: 'call', code: 'Ok', failedOperations: 3 });
    await kv.get({ key: 'a' });
    const line = await server.log.line(
      ({ msg, method }) => msg === 'call' && String(method).endsWith('/Get'),
    );
    expect(line).not.toHaveProperty('operations');
  });
});

describe('an operation is counted by how it ended', () => {
  const countsOf = ({ meters }: CallTable): string[] =>
    meters.used.flatMap(({ method, countByCode }) =>
      Object.values(grpcCode)
        .filter((code) => countByCode[code] !== 0)
        .map((code) => `${method} ${nameOfCode(code)} ${countByCode[code]}`),
    );

  test('when the log has told what became of it', async () => {
    const { simulated, disk, store, table, call, replies, send } = await startPipeline();
    simulated.injectFault({ call: 'sync', at: 1, pathEnd: '.log', isPermanent: true });
    disk.hold();
    send(batch(put('a'), put('', 'no key'), get('a')));
    await turns();
    expect(countsOf(table)).toEqual([]);
    expect(call.operationTally).toEqual({ operations: 3, failedOperations: 0 });
    disk.release();
    expect(texts(await replies.next())).toHaveLength(3);
    expect(countsOf(table)).toEqual(['Get Unavailable 1', 'Put InvalidArgument 1', 'Put Unavailable 1']);
    expect(call.operationTally).toEqual({ operations: 3, failedOperations: 3 });
    await store.close().catch(() => undefined);
  });

  test('also where its client is gone', async () => {
    const { disk, store, table, call, send } = await startPipeline();
    disk.hold();
    send(batch(put('a'), put('b')));
    await turns();
    call.close();
    disk.release();
    await turns();
    expect(countsOf(table)).toEqual(['Put Ok 2']);
    await store.close();
  });
});
