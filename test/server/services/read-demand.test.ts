/** How new a read must be, as every request that reads may say it: a store that is alone meets it, or refuses it at once. */
import { create } from '@bufbuild/protobuf';
import { type Client, Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { HashService } from '../../../gen/kelp/v1/hash_pb.ts';
import { KvService, PipelineRequestSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import { ListService } from '../../../gen/kelp/v1/list_pb.ts';
import { SetOperation, SetService } from '../../../gen/kelp/v1/set_pb.ts';
import { SketchService } from '../../../gen/kelp/v1/sketch_pb.ts';
import { SortedSetService } from '../../../gen/kelp/v1/sorted_set_pb.ts';
import { Consistency } from '../../../gen/kelp/v1/types_pb.ts';
import { hashMethods } from '../../../src/server/services/data-types/hash.ts';
import { listMethods } from '../../../src/server/services/data-types/list.ts';
import { setMethods } from '../../../src/server/services/data-types/set.ts';
import { sketchMethods } from '../../../src/server/services/data-types/sketch.ts';
import { sortedSetMethods } from '../../../src/server/services/data-types/sorted-set.ts';
import { kvMethods } from '../../../src/server/services/kv/kv.ts';
import type { Operation } from './pipeline-harness.ts';
import { startTestServer } from '../../support/test-server.ts';
import { restClient } from '../rest/rest-client.ts';

interface Demand {
  readonly consistency?: Consistency;
  readonly minRevision?: bigint;
}

type Calls = Awaited<ReturnType<typeof started>>;
type Read = (calls: Calls, demand: Demand) => Promise<unknown>;

const x = new TextEncoder().encode('x');
const { UNION } = SetOperation;

/** By the paths of their methods. */
const reads: Readonly<Record<string, Read>> = {
  'KvService/Get': ({ kv }, demand) => kv.get({ key: 'k', ...demand }),
  'KvService/Exists': ({ kv }, demand) => kv.exists({ keys: ['k'], ...demand }),
  'KvService/Scan': ({ kv }, demand) => kv.scan({ ...demand }),
  'KvService/ScanStream': ({ kv }, demand) => allOf(kv.scanStream({ ...demand })),
  'KvService/Keys': ({ kv }, demand) => kv.keys({ pattern: '*', ...demand }),
  'HashService/Get': ({ hash }, demand) => hash.get({ key: 'h', ...demand }),
  'HashService/Scan': ({ hash }, demand) => hash.scan({ key: 'h', ...demand }),
  'ListService/Range': ({ list }, demand) => list.range({ key: 'l', ...demand }),
  'SetService/Contains': ({ set }, demand) => set.contains({ key: 's', members: [x], ...demand }),
  'SetService/Scan': ({ set }, demand) => set.scan({ key: 's', ...demand }),
  'SetService/Combine': ({ set }, demand) => set.combine({ keys: ['s'], operation: UNION, ...demand }),
  'SortedSetService/Score': ({ sorted }, demand) => sorted.score({ key: 'z', members: [x], ...demand }),
  'SortedSetService/Rank': ({ sorted }, demand) => sorted.rank({ key: 'z', member: x, ...demand }),
  'SortedSetService/Range': ({ sorted }, demand) => sorted.range({ key: 'z', ...demand }),
  'SortedSetService/Combine': ({ sorted }, demand) =>
    sorted.combine({ keys: ['z'], operation: UNION, ...demand }),
  'SketchService/HllCount': ({ sketch }, demand) => sketch.hllCount({ keys: ['p'], ...demand }),
  'SketchService/BloomContains': ({ sketch }, demand) =>
    sketch.bloomContains({ key: 'b', elements: [x], ...demand }),
};

async function started(isJson = false) {
  const { url } = await startTestServer();
  const transport = isJson
    ? createConnectTransport({ baseUrl: url, httpVersion: '2', useBinaryFormat: false })
    : createGrpcTransport({ baseUrl: url });
  const kv = createClient(KvService, transport);
  expect(await kv.put({ key: 'k', value: x })).toMatchObject({ revision: 1n });
  return {
    url,
    kv,
    hash: createClient(HashService, transport),
    list: createClient(ListService, transport),
    set: createClient(SetService, transport),
    sorted: createClient(SortedSetService, transport),
    sketch: createClient(SketchService, transport),
  };
}

async function allOf<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

describe('every read', () => {
  test('may say how new it must be', () => {
    const methods = [kvMethods, hashMethods, listMethods, setMethods, sortedSetMethods, sketchMethods];
    const described = methods
      .flatMap((each) => Object.values(each))
      .filter(({ desc }) => desc.input.fields.some(({ name }) => name === 'consistency'));
    expect(described.map(({ desc }) => `${desc.parent.name}/${desc.name}`).sort()).toEqual(
      Object.keys(reads).sort(),
    );
    const readingOnly = methods
      .flatMap((each) => Object.values(each))
      .filter((each) => each.runsAt === 'caughtUp');
    for (const { desc } of readingOnly) {
      const names = desc.input.fields.map(({ name }) => name);
      expect(names, desc.name).toEqual(expect.arrayContaining(['consistency', 'min_revision']));
    }
  });

  test('is served whatever is asked for that the store has', async () => {
    const calls = await started();
    for (const read of Object.values(reads)) {
      for (const consistency of [Consistency.UNSPECIFIED, Consistency.LINEARIZABLE, Consistency.LOCAL]) {
        await read(calls, { consistency, minRevision: 1n });
        await read(calls, { consistency });
      }
    }
  });

  test.each([false, true])('is refused a revision that is not there, as JSON: %s', async (isJson) => {
    const calls = await started(isJson);
    for (const read of Object.values(reads)) {
      const error = await failureOf(read(calls, { minRevision: 2n }));
      expect(error.code).toBe(Code.OutOfRange);
      expect(error.rawMessage).toBe('min_revision is 2, which has not been reached; the newest is 1');
      expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
        {
          reason: ErrorReason.REVISION_FUTURE,
          info: { value: { requestedRevision: 2n, newestRevision: 1n } },
        },
      ]);
    }
  });

  test('is refused what is no consistency and no revision', async () => {
    const calls = await started();
    for (const read of Object.values(reads)) {
      const unknown = await failureOf(read(calls, { consistency: 3 as Consistency }));
      expect([unknown.code, unknown.rawMessage]).toEqual([
        Code.InvalidArgument,
        'consistency is 3, which is not known; it must be CONSISTENCY_LINEARIZABLE or CONSISTENCY_LOCAL',
      ]);
      const negative = await failureOf(read(calls, { minRevision: -1n }));
      expect([negative.code, negative.rawMessage]).toEqual([
        Code.InvalidArgument,
        'min_revision is -1; it must be 0 to 9007199254740991',
      ]);
    }
  });
});

test('an operation of a pipeline that is refused for it fails alone', async () => {
  const { kv } = await started();
  const results = await pipelined(kv, [
    { case: 'get', value: { key: 'k', minRevision: 2n } },
    { case: 'exists', value: { keys: ['k'], consistency: 7 as Consistency } },
    { case: 'get', value: { key: 'k', minRevision: 1n, consistency: Consistency.LOCAL } },
    { case: 'exists', value: { keys: ['k'], minRevision: 1n } },
  ]);
  expect(results.map(({ case: kind }) => kind)).toEqual(['failure', 'failure', 'get', 'exists']);
  expect(results.slice(0, 2).map(({ value }) => value)).toMatchObject([
    { code: Code.OutOfRange, detail: { reason: ErrorReason.REVISION_FUTURE } },
    { code: Code.InvalidArgument },
  ]);
});

async function pipelined(kv: Client<typeof KvService>, operations: readonly Operation[]) {
  async function* requests() {
    yield create(PipelineRequestSchema, { operations: operations.map((operation) => ({ operation })) });
  }
  const replies = await allOf(kv.pipeline(requests()));
  return replies.flatMap(({ results }) => results.map(({ result }) => result));
}

test.each(['/v1/keys/k', '/v1/keys'])('REST takes both as parameters of GET %s', async (path) => {
  const { url } = await started();
  const send = restClient(url);
  const statusOf = async (query: string): Promise<number> => (await send(`${path}?${query}`)).status;
  expect(await statusOf('consistency=local&min_revision=1')).toBe(200);
  expect(await statusOf('consistency=linearizable')).toBe(200);
  const future = await send(`${path}?min_revision=2`);
  expect([future.status, JSON.parse(future.text)]).toMatchObject([400, { code: 'revisionFuture' }]);
  const unknown = await send(`${path}?consistency=weak`);
  expect([unknown.status, JSON.parse(unknown.text)]).toMatchObject([
    400,
    { detail: 'the parameter consistency must be linearizable or local, not "weak"' },
  ]);
});
