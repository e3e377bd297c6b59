/**
 * The hot methods are served in two ways: gRPC over HTTP/2 without the adapter for all protocols, everything else with
 * it. Two servers of the same beginning are given the same calls, one in either way, and must give the same answers. What either decoder makes of bytes that are no message
 * stands in `test/wire`.
 */
import type { ClientHttp2Session } from 'node:http2';
import { create, fromBinary, type Message, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { beforeEach, describe, expect } from 'vitest';
import {
  DeleteRequestSchema,
  ExistsRequestSchema,
  GetRequestSchema,
  IncrementRequestSchema,
  KvService,
  PutRequestSchema,
  ScanRequestSchema,
  ScanResponseSchema,
} from '../../gen/kelp/v1/kv_pb.ts';
import { hotMethodByPath } from '../../src/server/unary/hot-methods.ts';
import { openSession, post, replyOf } from '../support/bare-http2.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { startTestServer } from '../support/test-server.ts';
import { fuzz } from './fuzz.ts';
import { validRequests } from './request-inputs.ts';

interface Request {
  readonly path: string;
  readonly binary: Uint8Array;
}

interface Answer {
  readonly status: unknown;
  readonly message: unknown;
  readonly details: unknown;
  readonly body: string;
}

const SCAN_PATH = `/${KvService.typeName}/Scan`;
const hotRequests = validRequests.filter(({ path }) => hotMethodByPath.has(path));
const KEYS = ['a', 'b', 'c/1', 'c/2', 'grüße', 'n'];

let direct: ClientHttp2Session;
let adapted: ClientHttp2Session;
/** Of the last page that had one. */
let pageToken: string;

beforeEach(async () => {
  [direct, adapted] = [await openServer(), await openServer()];
  pageToken = '';
});

describe('both ways of a hot call', () => {
  fuzz('answer alike to calls that clients make', 500, async (random) => {
    const answer = await sameAnswer(random.pick(calls)(random));
    if (answer.path === SCAN_PATH && answer.body.length > 0) {
      pageToken = fromBinary(ScanResponseSchema, answer.body.subarray(5)).nextPageToken || pageToken;
    }
  });

  fuzz('answer alike to any fields', 200, async (random) => {
    await sameAnswer(random.pick(hotRequests));
  });
});

async function openServer(): Promise<ClientHttp2Session> {
  const storeOptions = { clock: new ManualClock(), random: new SeededRandom(1) };
  const server = await startTestServer({ storeOptions });
  return openSession(server.url);
}

async function sameAnswer(request: Request): Promise<{ readonly path: string; readonly body: Buffer }> {
  const [fast, slow] = await Promise.all([
    answerOf(direct, request, {}),
    // It is not compressed all the same, and left to the adapter.
    answerOf(adapted, request, { 'grpc-encoding': 'gzip' }),
  ]);
  expect(fast).toEqual(slow);
  return { path: request.path, body: Buffer.from(fast.body, 'hex') };
}

async function answerOf(
  session: ClientHttp2Session,
  { path, binary }: Request,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const stream = post(session, path, 'application/grpc', headers);
  stream.end(encodeEnvelope(0, binary));
  const { headers: reply, body } = await replyOf(stream);
  return {
    status: reply['grpc-status'],
    message: reply['grpc-message'],
    details: reply['grpc-status-details-bin'],
    body: body.toString('hex'),
  };
}

function request<Shape extends Message>(
  name: string,
  schema: GenMessage<Shape>,
  init: MessageInitShape<GenMessage<Shape>>,
): Request {
  return { path: `/${KvService.typeName}/${name}`, binary: toBinary(schema, create(schema, init)) };
}

const calls: readonly ((random: SeededRandom) => Request)[] = [
  (random) =>
    request('Get', GetRequestSchema, {
      key: random.pick(KEYS),
      revision: random.chance(0.3) ? BigInt(random.below(300)) : 0n,
      refreshTtl: random.chance(0.2),
    }),
  (random) =>
    request('Put', PutRequestSchema, {
      key: random.pick(KEYS),
      value: random.bytes(random.pick([0, 1, 50, 5000])),
      ...(random.chance(0.3) && { ttl: { seconds: BigInt(random.below(3) - 1), nanos: 1_000_000 } }),
      ...(random.chance(0.1) && { leaseId: 5n }),
      ...(random.chance(0.5) && { condition: randomCondition(random) }),
      returnPrevious: random.chance(0.5),
    }),
  (random) =>
    request('Delete', DeleteRequestSchema, {
      key: random.pick(KEYS),
      ...(random.chance(0.3) && { condition: randomCondition(random) }),
      returnPrevious: random.chance(0.5),
    }),
  (random) => request('Exists', ExistsRequestSchema, { keys: KEYS.filter(() => random.chance(0.6)) }),
  (random) =>
    request('Scan', ScanRequestSchema, {
      ...(random.chance(0.5) && {
        range: random.pick([{ prefix: 'c/' }, { start: 'b', end: 'd' }, { end: 'c' }]),
      }),
      limit: random.pick([0, 1, 2, 100, -1]),
      pageToken: random.chance(0.3) ? pageToken : '',
      revision: random.chance(0.2) ? BigInt(random.below(300)) : 0n,
      reverse: random.chance(0.3),
      keysOnly: random.chance(0.3),
      countOnly: random.chance(0.1),
    }),
  (random) =>
    request('Increment', IncrementRequestSchema, {
      key: random.pick(['n', 'n', 'a']),
      delta: random.pick([1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]),
      ...(random.chance(0.2) && { ttl: { seconds: 1n } }),
    }),
];

function randomCondition(random: SeededRandom) {
  const condition = random.pick([
    { case: 'mustExist' as const, value: true },
    { case: 'mustNotExist' as const, value: true },
    { case: 'modRevisionEquals' as const, value: BigInt(random.below(100)) },
  ]);
  return { condition };
}
