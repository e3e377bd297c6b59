/**
 * The methods of `kelp.v1` are reached in two ways: plain gRPC straight on the streams of HTTP/2, everything else by Connect's
 * handlers. Two servers of the same beginning are given the same calls, one in either way, and must give the same replies,
 * errors and details. What either decoder makes of bytes that are no message stands in `test/wire`.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
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
import { beforeEach, describe, expect, test } from 'vitest';
import { AdminService, BackupRequestSchema } from '../../gen/kelp/v1/admin_pb.ts';
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
  KeepAliveRequestSchema,
  LeaseService,
  LeaseServiceGetRequestSchema,
  ListRequestSchema,
  RenewRequestSchema,
  RevokeRequestSchema,
} from '../../gen/kelp/v1/lease_pb.ts';
import { WatchRequestSchema, WatchResponseSchema, WatchService } from '../../gen/kelp/v1/watch_pb.ts';
import { serverFixed } from '../../src/limits.ts';
import { openSession, post, replyOf } from '../support/bare-http2.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { startTestServer } from '../support/test-server.ts';
import { fuzz } from './fuzz.ts';
import { validRequests } from './request-inputs.ts';

interface Request {
  readonly path: string;
  /** With its prefix; those of a stream of requests one behind the other. */
  readonly body: Uint8Array;
}

interface Answer {
  readonly status: unknown;
  readonly message: unknown;
  readonly details: unknown;
  readonly body: string;
}

const PREFIX_BYTES = 5;
const SCAN_PATH = `/${KvService.typeName}/Scan`;
const WATCH_PATH = `/${WatchService.typeName}/Watch`;
/** Those of the administrator tell of the process, and an open watch has no end. */
const boundedRequests: readonly Request[] = validRequests
  .filter(({ method }) => [KvService, LeaseService].some((each) => each === method.parent))
  .map(({ path, binary }) => ({ path, body: encodeEnvelope(0, binary) }));
/** Of those that break two rules at once it depends on their pieces which is met first. */
const shortRequests = boundedRequests.filter(
  ({ body }) => body.length < serverFixed.smallRequestBytesMax / 2,
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

describe('both ways of a call', () => {
  fuzz('answer alike to calls that clients make', 500, async (random) => {
    const answer = await sameAnswer(random.pick(calls)(random));
    if (answer.path === SCAN_PATH && answer.body.length > 0) {
      pageToken = fromBinary(ScanResponseSchema, answer.body.subarray(5)).nextPageToken || pageToken;
    }
  });

  fuzz('answer alike to any fields', 200, async (random) => {
    await sameAnswer(random.pick(boundedRequests));
  });

  fuzz('answer alike to bodies that are no one message', 100, async (random) => {
    const { path, body } = random.pick(random.pick([shortRequests, [watch(random)]]));
    const changed = spoilt(Buffer.from(body), random);
    // A prefix that nothing follows is no message at all to Connect, and half of one to us.
    if (changed.length === PREFIX_BYTES && changed.readUInt32BE(1) > 0) return;
    // What breaks the protocol is refused by each in its own words.
    await sameAnswer({ path, body: changed }, { compared: ['status', 'body'] });
  });

  fuzz('stream alike', 100, async (random) => {
    await sameAnswer(random.pick(calls)(random));
    await sameAnswer(random.pick([watch, keepAlive, backup])(random));
  });
});

test.each(['1', 'x', '1000000000S', '-1m'])(
  'both ways refuse the time to wait "%s" alike',
  async (timeout) => {
    const request = { path: SCAN_PATH, body: encodeEnvelope(0, new Uint8Array(0)) };
    await sameAnswer(request, {
      headers: { 'grpc-timeout': timeout },
      compared: ['status', 'message', 'body'],
    });
  },
);

async function openServer(): Promise<ClientHttp2Session> {
  const storeOptions = { clock: new ManualClock(), random: new SeededRandom(1) };
  const server = await startTestServer({ storeOptions });
  return openSession(server.url);
}

interface Comparison {
  readonly headers?: Readonly<Record<string, string>>;
  readonly compared?: readonly (keyof Answer)[];
}

async function sameAnswer(
  request: Request,
  { headers = {}, compared = ['status', 'message', 'details', 'body'] }: Comparison = {},
): Promise<{ readonly path: string; readonly body: Buffer }> {
  const [fast, slow] = await Promise.all([
    answerOf(direct, request, headers),
    // It is not compressed all the same, and left to Connect.
    answerOf(adapted, request, { ...headers, 'grpc-encoding': 'gzip' }),
  ]);
  const parts = compared.map((name) => [name, fast[name]]);
  expect(parts).toEqual(compared.map((name) => [name, slow[name]]));
  return { path: request.path, body: Buffer.from(fast.body, 'hex') };
}

async function answerOf(
  session: ClientHttp2Session,
  { path, body: requestBody }: Request,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const stream = post(session, path, 'application/grpc', headers);
  stream.end(requestBody);
  if (path === WATCH_PATH) closeWhenSynced(stream);
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
  const body = encodeEnvelope(0, toBinary(schema, create(schema, init)));
  return { path: `/${service.typeName}/${name}`, body };
}

/** A watch of what there is and was, whose answer ends where it has caught up. */
function watch(random: SeededRandom): Request {
  return request(
    'Watch',
    WatchRequestSchema,
    {
      ...(random.chance(0.5) && { ranges: [{ prefix: random.pick(['', 'c/', 'x']) }] }),
      startRevision: BigInt(random.pick([0, 1, 2, 5, 10, 1_000_000, -1])),
      includeCurrent: random.chance(0.3),
      keysOnly: random.chance(0.3),
      returnPrevious: random.chance(0.3),
    },
    WatchService,
  );
}

function closeWhenSynced(stream: ClientHttp2Stream): void {
  let bytes = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
      const end = 5 + bytes.readUInt32BE(1);
      const { message } = fromBinary(WatchResponseSchema, bytes.subarray(5, end));
      bytes = bytes.subarray(end);
      if (message.case === 'synced') stream.close();
    }
  });
}

function keepAlive(random: SeededRandom): Request {
  const renewals = Array.from({ length: random.below(5) }, () => {
    const init = { leaseId: random.chance(0.1) ? -1n : leaseId(random) };
    return encodeEnvelope(0, toBinary(KeepAliveRequestSchema, create(KeepAliveRequestSchema, init)));
  });
  return { path: `/${LeaseService.typeName}/KeepAlive`, body: Buffer.concat(renewals) };
}

function backup(): Request {
  return request('Backup', BackupRequestSchema, {}, AdminService);
}

/** Cut short, sent twice, marked as compressed, or with another length. */
function spoilt(body: Buffer, random: SeededRandom): Buffer {
  switch (random.below(5)) {
    case 0:
      return body.subarray(0, random.below(body.length));
    case 1:
      return Buffer.concat([body, body]);
    case 2:
      return Buffer.concat([body, body.subarray(0, random.below(5))]);
    case 3:
      body.writeUInt32BE(random.pick([0, 1, body.length, 2 ** 31]), 1);
      return body;
    default:
      // Connect takes nothing for compressed that has no bytes.
      if (body.length === 5) return Buffer.from([1, 0, 0, 0, 1, 0]);
      body.writeUInt8(1, 0);
      return body;
  }
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
