/**
 * Unary methods are served in two ways: gRPC over HTTP/2 without the adapter for all protocols, everything else with it.
 * Two servers of the same beginning are given the same calls, one in either way, and must give the same answers. What
 * either decoder makes of bytes that are no message stands in `test/wire`.
 */
import type { ClientHttp2Session } from 'node:http2';
import {
  create,
  type DescService,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { beforeEach, describe, expect } from 'vitest';
import {
  DeleteRangeRequestSchema,
  DeleteRequestSchema,
  ExistsRequestSchema,
  GetRequestSchema,
  IncrementRequestSchema,
  KeysRequestSchema,
  KvService,
  PutRequestSchema,
  type Relation,
  ScanRequestSchema,
  ScanResponseSchema,
  TouchRequestSchema,
  TxnRequestSchema,
} from '../../gen/kelp/v1/kv_pb.ts';
import {
  GrantRequestSchema,
  LeaseService,
  LeaseServiceGetRequestSchema,
  ListRequestSchema,
  RenewRequestSchema,
  RevokeRequestSchema,
} from '../../gen/kelp/v1/lease_pb.ts';
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
/** Not of the administrator: those tell of the process. */
const unaryRequests = validRequests.filter(
  ({ method }) =>
    method.methodKind === 'unary' && [KvService, LeaseService].some((each) => each === method.parent),
);
const KEYS = ['a', 'b', 'c/1', 'c/2', 'grüße', 'n'];

let direct: ClientHttp2Session;
let adapted: ClientHttp2Session;
/** Of the last page that had one. */
let pageToken: string;

beforeEach(async () => {
  [direct, adapted] = [await openServer(), await openServer()];
  pageToken = '';
});

describe('both ways of a unary call', () => {
  fuzz('answer alike to calls that clients make', 500, async (random) => {
    const answer = await sameAnswer(random.pick(calls)(random));
    if (answer.path === SCAN_PATH && answer.body.length > 0) {
      pageToken = fromBinary(ScanResponseSchema, answer.body.subarray(5)).nextPageToken || pageToken;
    }
  });

  fuzz('answer alike to any fields', 200, async (random) => {
    await sameAnswer(random.pick(unaryRequests));
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
  service: DescService = KvService,
): Request {
  return { path: `/${service.typeName}/${name}`, binary: toBinary(schema, create(schema, init)) };
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
  (random) =>
    request('DeleteRange', DeleteRangeRequestSchema, { range: { prefix: random.pick(['c/', 'x']) } }),
  (random) =>
    request('Keys', KeysRequestSchema, { pattern: random.pick(['*', 'c/?', '']), limit: random.below(3) }),
  (random) =>
    request('Touch', TouchRequestSchema, {
      key: random.pick(KEYS),
      ...(random.chance(0.5) && { ttl: { seconds: BigInt(random.below(3) - 1), nanos: 1_000_000 } }),
    }),
  (random) =>
    request('Txn', TxnRequestSchema, {
      compares: [
        {
          subject: { case: 'key', value: random.pick(KEYS) },
          relation: random.below(6) as Relation,
          operand: random.pick([
            { case: 'exists' as const, value: true },
            { case: 'version' as const, value: 1n },
            { case: 'createRevision' as const, value: BigInt(random.below(100) - 1) },
          ]),
        },
      ],
      success: [
        { operation: { case: 'put', value: { key: 'a', returnPrevious: true } } },
        { operation: { case: 'get', value: { key: random.pick(KEYS) } } },
        { operation: { case: 'increment', value: { key: 'n', delta: 1n } } },
      ],
      failure: [
        { operation: { case: 'delete', value: { key: random.pick(KEYS), returnPrevious: true } } },
        { operation: { case: 'deleteRange', value: { range: { prefix: 'x' } } } },
      ],
    }),
  (random) =>
    request(
      'Grant',
      GrantRequestSchema,
      { leaseId: BigInt(random.below(7)), ttl: { seconds: BigInt(random.below(100)), nanos: 500_000_000 } },
      LeaseService,
    ),
  (random) => request('Renew', RenewRequestSchema, { leaseId: leaseId(random) }, LeaseService),
  (random) => request('Revoke', RevokeRequestSchema, { leaseId: leaseId(random) }, LeaseService),
  (random) =>
    request(
      'Get',
      LeaseServiceGetRequestSchema,
      { leaseId: leaseId(random), includeKeys: random.chance(0.5) },
      LeaseService,
    ),
  (random) => request('List', ListRequestSchema, { limit: random.below(4) - 1 }, LeaseService),
];

function leaseId(random: SeededRandom): bigint {
  return BigInt(random.below(7));
}

function randomCondition(random: SeededRandom) {
  const condition = random.pick([
    { case: 'mustExist' as const, value: true },
    { case: 'mustNotExist' as const, value: true },
    { case: 'modRevisionEquals' as const, value: BigInt(random.below(100)) },
  ]);
  return { condition };
}
