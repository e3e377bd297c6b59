/** Plain gRPC on the streams of HTTP/2, with a stream that a test plays and methods of its own. */
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import * as codec from '../../../gen/kelp/v1/kv_codec.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import * as leaseCodec from '../../../gen/kelp/v1/lease_codec.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import * as adminCodec from '../../../gen/kelp/v1/admin_codec.ts';
import * as watchCodec from '../../../gen/kelp/v1/watch_codec.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { Deadlines } from '../../../src/deadlines.ts';
import { StoreError } from '../../../src/errors.ts';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import { ServerConnection } from '../../../src/http2/connection/server-connection.ts';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { serverDefaults, serverFixed } from '../../../src/limits.ts';
import { type Call, CallTable } from '../../../src/server/calls/calls.ts';
import { mapped } from '../../../src/server/calls/mapped.ts';
import { grpcLane } from '../../../src/server/grpc/grpc-lane.ts';
import { Routes } from '../../../src/server/grpc/routes.ts';
import { ServerState } from '../../../src/server/health/server-state.ts';
import {
  type Method,
  type PushStreamMethod,
  type ReplyOutlet,
  bidiStream,
  pushStream,
  serverStream,
  unary,
} from '../../../src/server/services/method.ts';
import { connectionOptions } from '../../../src/server/listener/http2-port.ts';
import { FakeSocket } from '../../http2/support/fake-socket.ts';
import {
  dataFrame,
  flag,
  headersFrame,
  preface,
  settingsAcknowledged,
  settingsFrame,
} from '../../http2/support/frames.ts';
import { StepClock } from '../../http2/support/step-clock.ts';
import { sentIn } from '../../http2/support/transcript.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { FakeStream, headOf } from './fake-stream.ts';

const GET = '/kelp.v1.KvService/Get';
const BACKUP = '/kelp.v1.AdminService/Backup';
const WATCH = '/kelp.v1.WatchService/Watch';
const KEEP_ALIVE = '/kelp.v1.LeaseService/KeepAlive';
const REQUEST_BYTES_MAX = 1000;

/** What `Get` does in a test; its answer is its revision. */
type Get = (
  request: codec.GetRequestShape,
  call: Call,
) => codec.GetResponseShape | Promise<codec.GetResponseShape>;
type Backup = (call: Call, signal: AbortSignal) => AsyncIterable<adminCodec.BackupResponseShape>;
type KeepAlive = (
  requests: AsyncIterable<leaseCodec.KeepAliveRequestShape>,
  call: Call,
) => AsyncIterable<leaseCodec.KeepAliveResponseShape>;

interface Parts {
  readonly get?: Get;
  readonly backup?: Backup;
  readonly keepAlive?: KeepAlive;
  readonly watch?: PushStreamMethod['open'];
  readonly callsMax?: number;
  readonly callBytesMax?: number;
}

class Lane {
  readonly clock = new ManualClock();
  readonly state = new ServerState();
  readonly calls: CallTable;
  readonly logged: string[] = [];
  readonly #lane: ReturnType<typeof grpcLane>;

  constructor({ get, backup, keepAlive, watch, ...limits }: Parts) {
    this.state.enter('serving');
    this.calls = new CallTable({ ...serverDefaults, callsMax: 10, ...limits });
    const methods: Method[] = [];
    methods.push(
      unary(
        KvService.method.get,
        { read: codec.readGetRequest, sizeOf: codec.sizeOfGetResponse, prepend: codec.prependGetResponse },
        (_, request, call) => get?.(request, call) ?? { entry: undefined, revision: request.key.length },
      ),
      serverStream(
        AdminService.method.backup,
        {
          read: adminCodec.readBackupRequest,
          sizeOf: adminCodec.sizeOfBackupResponse,
          prepend: adminCodec.prependBackupResponse,
        },
        (_, request, call, signal) => backup?.(call, signal) ?? noReplies(),
      ),
      pushStream(
        WatchService.method.watch,
        { read: watchCodec.readWatchRequest },
        (store, request, call, outlet) => {
          if (watch === undefined) throw new Error('the test has no pushed replies');
          return watch(store, request, call, outlet);
        },
      ),
      bidiStream(
        LeaseService.method.keepAlive,
        {
          read: leaseCodec.readKeepAliveRequest,
          sizeOf: leaseCodec.sizeOfKeepAliveResponse,
          prepend: leaseCodec.prependKeepAliveResponse,
        },
        (_, requests, call) =>
          keepAlive?.(
            mapped(requests, (each) => each.read()),
            call,
          ) ?? noReplies(),
      ),
    );
    const services = methods.map((method) => ({
      desc: method.desc.parent,
      methods: [method],
      requestBytesMax: REQUEST_BYTES_MAX,
    }));
    const logger = pino({ level: 'error' }, { write: (line) => void this.logged.push(line) });
    const context = {
      store: () => ({}) as KvStore,
      state: this.state,
      calls: this.calls,
      deadlines: new Deadlines(this.clock),
      limits: { requestTimeoutMs: 60_000 },
      logger,
    };
    this.#lane = grpcLane(context, new Routes(services, (path) => path === '/grpc.health.v1.Health/Check'));
  }

  open(path: string, fields: readonly Field[] = [], stream = new FakeStream()): FakeStream {
    stream.handler = this.#lane(stream, headOf(path, fields));
    return stream;
  }

  /** A connection all of whose requests come to the lane, and what its client's end is. */
  connect(): { receive: (...frames: readonly Uint8Array[]) => void; socket: FakeSocket } {
    const clock = new StepClock();
    const socket = new FakeSocket(clock);
    const options = { ...connectionOptions(serverDefaults, clock), onClosed: () => undefined };
    const connection = new ServerConnection(socket.asSocket, options, (stream, head) => {
      const handler = this.#lane(stream, head);
      if (handler === undefined) throw new Error(`no call of gRPC: ${head.path}`);
      return handler;
    });
    onTestFinished(() => {
      connection.destroy();
      clock.settle();
    });
    const receive = (...frames: readonly Uint8Array[]): void => {
      for (const frame of frames) socket.receive(Buffer.from(frame));
      clock.settle();
    };
    receive(preface, settingsFrame(), settingsAcknowledged);
    return { receive, socket };
  }
}

async function* noReplies(): AsyncGenerator<never> {}

function message(request: Partial<codec.GetRequestShape>): Buffer {
  const shape = { ...codec.emptyGetRequest(), ...request };
  const bytes = Buffer.alloc(codec.sizeOfGetRequest(shape));
  codec.writeGetRequest(shape, bytes, 0);
  return Buffer.from(encodeEnvelope(0, bytes));
}

function renewal(leaseId: number): Buffer {
  const bytes = Buffer.alloc(leaseCodec.sizeOfKeepAliveRequest({ leaseId }));
  leaseCodec.writeKeepAliveRequest({ leaseId }, bytes, 0);
  return Buffer.from(encodeEnvelope(0, bytes));
}

/** Lets promises that are settled have their say. */
async function turns(): Promise<void> {
  for (let count = 0; count < 3; count++) await new Promise(setImmediate);
}

function headerBlock(path: string): Buffer {
  return encodeBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'kelp'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ]);
}

function revisionIn(stream: FakeStream): number {
  const { body } = stream;
  expect(body.readUInt32BE(1)).toBe(body.length - 5);
  return codec.readGetResponse(body, 5, body.length).revision;
}

/** A lane whose method takes a first renewal, of lease 1, and no other before it is told to. */
function laneThatRests(): { readonly lane: Lane; readonly resolve: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const lane = new Lane({
    async *keepAlive(requests) {
      for await (const { leaseId } of requests) {
        yield { leaseId, ttl: undefined };
        if (leaseId === 1) await promise;
      }
    },
  });
  return { lane, resolve };
}

describe('a unary call', () => {
  test('is answered within the frame that ends its request', () => {
    const lane = new Lane({});
    const stream = lane.open(GET);

    stream.receive(message({ key: 'abc' }), true);

    expect(stream.fields).toEqual({
      ':status': '200',
      'content-type': 'application/grpc+proto',
      'grpc-status': '0',
    });
    expect(revisionIn(stream)).toBe(3);
    expect([lane.calls.size, lane.calls.heldBytes]).toEqual([0, 0]);
  });

  test('is the same wherever its request is cut, and however it ends', async () => {
    const bytes = message({ key: 'abcdefgh', revision: 1 });
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        for (const endsEmpty of [false, true]) {
          const lane = new Lane({});
          const stream = lane.open(GET);
          stream.receive(bytes.subarray(0, first));
          stream.receive(bytes.subarray(first, second));
          stream.receive(bytes.subarray(second), !endsEmpty);
          if (endsEmpty) stream.receiveEnd();
          expect(revisionIn(stream)).toBe(8);
          expect([lane.calls.size, lane.calls.heldBytes]).toEqual([0, 0]);
        }
      }
    }
  });

  test('gives what it has read back to its client, as it comes', () => {
    const stream = new Lane({}).open(GET);
    const bytes = message({ key: 'abcdefgh' });

    stream.receive(bytes.subarray(0, 7));

    expect(stream.consumedBytes).toBe(7);
  });

  test('holds the memory of what has come, and none of what is announced', () => {
    const lane = new Lane({});
    const stream = lane.open(GET);

    stream.receive(Buffer.from([0, 0, 0, 3, 0, 1, 2, 3]));

    expect(lane.calls.heldBytes).toBe(8);
    stream.close(errorCode.CANCEL, 'peer');
    expect([lane.calls.size, lane.calls.heldBytes]).toEqual([0, 0]);
  });

  test('that is answered by a promise has its request as it was, and one answer', async () => {
    const { promise, resolve } = Promise.withResolvers<codec.GetResponseShape>();
    const lane = new Lane({ get: () => promise });
    const stream = lane.open(GET);
    stream.receive(message({ key: 'a' }), true);
    expect([lane.calls.size, stream.ended]).toEqual([1, undefined]);

    resolve({ entry: undefined, revision: 7 });
    await turns();

    expect(revisionIn(stream)).toBe(7);
    expect(lane.calls.size).toBe(0);
  });

  test('whose client goes away is told so, counts until it has done, and its answer goes nowhere', async () => {
    const { promise, resolve } = Promise.withResolvers<codec.GetResponseShape>();
    let signal: AbortSignal | undefined;
    const lane = new Lane({
      get: (_, call) => {
        ({ signal } = call);
        return promise;
      },
    });
    const stream = lane.open(GET);
    stream.receive(message({ key: 'a' }), true);

    stream.close(errorCode.CANCEL, 'peer');
    // Else a client could have any number of methods at work, by cancelling what it calls.
    expect(lane.calls.size).toBe(1);
    resolve({ entry: undefined, revision: 7 });
    await turns();

    expect([signal?.aborted, stream.ended, lane.calls.size]).toEqual([true, undefined, 0]);
  });

  test('whose reply waits for its reader is one that may be cut, by a code that gRPC maps to RESOURCE_EXHAUSTED', () => {
    const lane = new Lane({
      get: (_, call) => {
        call.chargeReply(100);
        return { entry: undefined, revision: 1 };
      },
    });
    const stream = lane.open(GET);
    stream.isBlocked = true;
    stream.receive(message({ key: 'a' }), true);
    expect(lane.calls.heldBytes).toBe(100);

    stream.reset(errorCode.ENHANCE_YOUR_CALM);

    expect(lane.calls.heldBytes).toBe(0);
  });

  test('whose reply is not read holds the bytes of it that its service has not charged', () => {
    for (const chargedBytes of [0, 5, 1000]) {
      const lane = new Lane({
        get: (_, call) => {
          call.chargeReply(chargedBytes);
          return { entry: undefined, revision: 2 ** 40 };
        },
      });
      const stream = lane.open(GET);
      stream.isBlocked = true;
      stream.receive(message({ key: 'a' }), true);
      expect(stream.body.length).toBeGreaterThan(5);
      expect(lane.calls.heldBytes).toBe(Math.max(chargedBytes, stream.body.length));

      stream.drain();

      expect([lane.calls.size, lane.calls.heldBytes]).toEqual([0, 0]);
    }
  });

  test('whose reply is not read holds nothing of its request', () => {
    const lane = new Lane({});
    const stream = lane.open(GET);
    stream.isBlocked = true;
    const request = message({ key: 'a'.repeat(500) });
    stream.receive(request.subarray(0, 100));
    expect(lane.calls.heldBytes).toBeGreaterThan(0);
    stream.receive(request.subarray(100), true);
    expect(lane.calls.heldBytes).toBe(stream.body.length);
    expect(stream.body.length).toBeGreaterThan(5);
  });

  test('whose reply is not read no longer holds up the rest of its connection by its request', () => {
    const lane = new Lane({});
    const [read, unread] = [new FakeStream(), new FakeStream()];
    unread.isBlocked = true;
    for (const stream of [read, unread]) lane.open(GET, [], stream).receive(message({ key: 'k' }), true);

    expect([read.isBodyAccountedFor, unread.isBodyAccountedFor]).toEqual([false, true]);
  });

  test('whose reply is not read is cut when the memory for replies is full: the one that stalled first, else itself', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const replyBytes = (() => {
      const stream = new Lane({}).open(GET);
      stream.receive(message({ key: 'a' }), true);
      return stream.body.length;
    })();
    const lane = new Lane({ callBytesMax: 2 * replyBytes });
    const unread = (): FakeStream => {
      const stream = lane.open(GET);
      stream.isBlocked = true;
      stream.receive(message({ key: 'a' }), true);
      return stream;
    };
    const [first, second, tooEarly] = [unread(), unread(), unread()];
    expect([first.isClosed, second.isClosed, tooEarly.isClosed]).toEqual([false, false, true]);
    expect([lane.calls.size, lane.calls.heldBytes]).toEqual([2, 2 * replyBytes]);

    vi.advanceTimersByTime(serverFixed.stalledReplyMs + 1);
    const late = unread();

    expect([late.isClosed, first.isClosed, second.isClosed]).toEqual([false, true, false]);
    expect([lane.calls.size, lane.calls.heldBytes]).toEqual([2, 2 * replyBytes]);
  });

  const cases: readonly (readonly [what: string, body: Buffer, status: number, text: RegExp])[] = [
    ['no message', Buffer.alloc(0), 12, /has no message/],
    ['half a prefix', Buffer.from([0, 0, 0]), 3, /ends before the end of its message/],
    ['half a message', message({ key: 'abc' }).subarray(0, 8), 3, /ends before the end of its message/],
    [
      'two messages',
      Buffer.concat([message({ key: 'a' }), message({ key: 'b' })]),
      12,
      /something follows the one message/,
    ],
    ['a compressed message', Buffer.from([1, 0, 0, 0, 0]), 3, /compressed/],
    ['what is no message', Buffer.from([0, 0, 0, 0, 1, 0xff]), 3, /is no kelp\.v1\.GetRequest/],
    [
      'a message that is announced as too long',
      Buffer.from([0, 0, 0, 0x10, 0]),
      8,
      /longer than 1000 bytes \(request-bytes-max\)/,
    ],
  ];

  test.each(cases)('with %s is refused, in one piece and in many', (_, body, status, text) => {
    for (const pieceBytes of [body.length + 1, 1]) {
      const lane = new Lane({});
      const stream = lane.open(GET);
      for (let at = 0; at < body.length; at += pieceBytes) {
        const piece = body.subarray(at, at + pieceBytes);
        stream.receive(piece, at + pieceBytes >= body.length);
      }
      if (body.length === 0) stream.receiveEnd();
      expect(stream.fields).toMatchObject({ 'grpc-status': String(status) });
      expect(stream.fields['grpc-message']).toMatch(text);
      expect([lane.calls.size, lane.calls.heldBytes]).toEqual([0, 0]);
    }
  });

  test('that is too long is refused before it has come', () => {
    const stream = new Lane({}).open(GET);

    stream.receive(Buffer.from([0, 0, 0, 0x10, 0]));

    expect([stream.fields['grpc-status'], stream.ended]).toEqual(['8', 'response']);
  });

  test('that fails tells code, text and details', () => {
    const stream = new Lane({
      get: () => {
        throw new StoreError('conditionFailed', 'not "ü" 100 %', { currentModRevision: 5 });
      },
    }).open(GET);

    stream.receive(message({ key: 'a' }), true);

    expect(stream.fields).toEqual({
      ':status': '200',
      'content-type': 'application/grpc+proto',
      'grpc-status': '9',
      'grpc-message': 'not "%C3%BC" 100 %25',
      // google.rpc.Status { code: 9, message, details: [Any of kelp.v1.ErrorDetail { 1: 2, 2: { 1: 5 } }] }
      'grpc-status-details-bin':
        'CAkSDm5vdCAiw7wiIDEwMCAlGjEKJ3R5cGUuZ29vZ2xlYXBpcy5jb20va2VscC52MS5FcnJvckRldGFpbBIGCAISAggF',
    });
  });

  test('that fails as nobody foresaw is logged, and tells nothing of its inside', async () => {
    const failure = new TypeError('secret');
    for (const get of [
      () => {
        throw failure;
      },
      () => Promise.reject(failure),
    ] satisfies Get[]) {
      const lane = new Lane({ get });
      const stream = lane.open(GET);
      stream.receive(message({ key: 'a' }), true);
      await turns();

      expect(stream.fields['grpc-status']).toBe('13');
      expect(stream.fields['grpc-message']).not.toContain('secret');
      expect(lane.logged.join('')).toContain('secret');
    }
  });
});

describe('time', () => {
  test('a request that does not come is refused, also one whose deadline is later', () => {
    for (const fields of [[], [['grpc-timeout', '2M']]] satisfies Field[][]) {
      const lane = new Lane({});
      const stream = lane.open(GET, fields);
      stream.receive(Buffer.from([0, 0]));

      lane.clock.advance(61_000);

      expect(stream.fields['grpc-status']).toBe('4');
      expect(stream.fields['grpc-message']).toMatch(/not complete within 60000 ms \(request-timeout\)/);
      expect(lane.calls.size).toBe(0);
    }
  });

  test.each([
    ['100m', 100],
    ['1S', 1000],
    ['90S', 90_000],
    ['2M', 120_000],
  ])('a deadline of %s ends a call that is at work', (timeout, timeoutMs) => {
    let signal: AbortSignal | undefined;
    const get: Get = (_, call) => {
      ({ signal } = call);
      return new Promise(() => {});
    };
    const lane = new Lane({ get });
    const stream = lane.open(GET, [['grpc-timeout', timeout]]);
    stream.receive(message({ key: 'a' }), true);

    lane.clock.advance(timeoutMs * 0.95);
    expect([stream.ended, signal?.aborted]).toEqual([undefined, false]);
    lane.clock.advance(timeoutMs * 0.1);

    expect([stream.fields['grpc-status'], signal?.aborted]).toEqual(['4', true]);
  });

  describe('a deadline ends a reply that its client does not read by a reset', () => {
    const fields: readonly Field[] = [['grpc-timeout', '1S']];

    function expectReset(lane: Lane, stream: FakeStream): void {
      stream.receiveEnd();
      expect([stream.queuedBytes > 0, stream.isClosed, lane.calls.size]).toEqual([true, false, 1]);
      lane.clock.advance(900);
      expect(stream.isClosed).toBe(false);
      lane.clock.advance(200);
      expect([stream.ended, lane.calls.size, lane.calls.heldBytes]).toEqual([errorCode.CANCEL, 0, 0]);
    }

    test('of a unary call', () => {
      const lane = new Lane({});
      const stream = lane.open(GET, fields);
      stream.isBlocked = true;
      stream.receive(message({ key: 'a' }), true);
      expectReset(lane, stream);
    });

    test('of a stream', async () => {
      const lane = new Lane({
        async *keepAlive(requests) {
          for await (const { leaseId } of requests) yield { leaseId, ttl: undefined };
        },
      });
      const stream = lane.open(KEEP_ALIVE, fields);
      stream.isBlocked = true;
      stream.receive(renewal(1));
      await turns();
      // Its method is told, and comes to its end in its own time.
      expect([stream.queuedBytes > 0, stream.isClosed]).toEqual([true, false]);
      lane.clock.advance(1100);
      await turns();
      expect([stream.ended, lane.calls.size, lane.calls.heldBytes]).toEqual([errorCode.CANCEL, 0, 0]);
    });

    test('of a stream that is pushed, though it has come to its end', () => {
      let outlet: ReplyOutlet | undefined;
      const lane = new Lane({
        watch: (_store, _request, _call, given) => {
          outlet = given;
          return { goOn: () => undefined, stop: () => undefined };
        },
      });
      const stream = lane.open(WATCH, fields);
      stream.isBlocked = true;
      stream.receive(Buffer.alloc(5), true);
      outlet?.send(Buffer.from(encodeEnvelope(0, Buffer.from('reply'))));
      outlet?.finish(undefined);
      expectReset(lane, stream);
    });
  });

  test('a reply that is read late, without a deadline, goes out whatever the time for its request', () => {
    const lane = new Lane({});
    const stream = lane.open(GET);
    stream.isBlocked = true;
    stream.receive(message({ key: 'a' }), true);

    lane.clock.advance(24 * 3_600_000);
    expect(stream.isClosed).toBe(false);
    stream.drain();

    expect([stream.ended, lane.calls.size]).toEqual(['response', 0]);
  });

  test('a deadline further away than any timer is none', () => {
    const lane = new Lane({ get: () => new Promise(() => {}) });
    const stream = lane.open(GET, [['grpc-timeout', '99999999H']]);
    stream.receive(message({ key: 'a' }), true);

    lane.clock.advance(30 * 24 * 3_600_000);

    expect(stream.ended).toBeUndefined();
  });

  test.each(['1', '1x', '123456789S', '', '-1S'])('a deadline of "%s" is refused', (timeout) => {
    const stream = new Lane({}).open(GET, [['grpc-timeout', timeout]]);

    stream.receive(message({ key: 'a' }), true);

    expect(stream.fields).toMatchObject({
      'grpc-status': '3',
      'grpc-message': expect.stringContaining('invalid grpc timeout value'),
    });
  });
});

describe('a reply of a stream that its client does not read', () => {
  const reply: leaseCodec.KeepAliveResponseShape = { leaseId: 1, ttl: undefined };
  const replyBytes = 5 + leaseCodec.sizeOfKeepAliveResponse(reply);

  test('is charged though its method charges nothing, until it is read', async () => {
    const lane = new Lane({
      async *keepAlive() {
        yield reply;
        await new Promise(() => undefined);
      },
    });
    const stream = new FakeStream();
    stream.isBlocked = true;
    lane.open(KEEP_ALIVE, [], stream);
    await turns();
    expect([stream.queuedBytes, lane.calls.heldBytes]).toEqual([replyBytes, replyBytes]);

    stream.drain();
    await turns();

    expect([stream.isClosed, lane.calls.heldBytes]).toEqual([false, 0]);
  });

  test('is charged once when its method has', async () => {
    const lane = new Lane({
      async *keepAlive(_, call) {
        call.chargeReply(replyBytes - 2);
        yield reply;
        await new Promise(() => undefined);
      },
    });
    const stream = new FakeStream();
    stream.isBlocked = true;
    lane.open(KEEP_ALIVE, [], stream);
    await turns();
    expect(lane.calls.heldBytes).toBe(replyBytes);

    stream.drain();
    await turns();

    expect(lane.calls.heldBytes).toBe(replyBytes - 2);
  });

  test('is cut when there is no memory for it', async () => {
    const lane = new Lane({
      callBytesMax: replyBytes - 1,
      async *keepAlive() {
        yield reply;
      },
    });
    const stream = new FakeStream();
    stream.isBlocked = true;
    lane.open(KEEP_ALIVE, [], stream);
    await turns();
    expect([stream.ended, lane.calls.size]).toEqual([errorCode.ENHANCE_YOUR_CALM, 0]);
  });

  test('is charged when it was pushed, too', () => {
    let outlet: ReplyOutlet | undefined;
    const lane = new Lane({
      watch: (_store, _request, _call, given) => {
        outlet = given;
        return { goOn: () => undefined, stop: () => undefined };
      },
    });
    const stream = new FakeStream();
    stream.isBlocked = true;
    lane.open(WATCH, [], stream);
    stream.receive(Buffer.alloc(5), true);
    outlet?.send(Buffer.alloc(100));
    expect([stream.queuedBytes, lane.calls.heldBytes]).toEqual([100, 100]);

    stream.drain();

    expect(lane.calls.heldBytes).toBe(0);
  });
});

describe('a call that is not served', () => {
  test('is served when replies that nobody reads fill the table: the oldest of them ends for it', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const lane = new Lane({ callsMax: 2 });
    const unread = [lane.open(GET), lane.open(GET)];
    for (const stream of unread) {
      stream.isBlocked = true;
      stream.receive(message({ key: 'a' }), true);
    }
    vi.advanceTimersByTime(serverFixed.stalledReplyMs + 1);

    const stream = lane.open(GET);
    stream.receive(message({ key: 'abc' }), true);

    expect(revisionIn(stream)).toBe(3);
    expect(unread.map(({ ended }) => ended)).toEqual([errorCode.ENHANCE_YOUR_CALM, 'response']);
  });

  test('is told so when its request has ended', () => {
    const lane = new Lane({ callsMax: 1 });
    const first = lane.open(GET);
    const second = lane.open(GET);
    second.receive(message({ key: 'a' }));
    expect([second.ended, second.consumedBytes]).toEqual([undefined, message({ key: 'a' }).length]);

    second.receiveEnd();

    expect(second.fields).toMatchObject({
      'grpc-status': '8',
      'grpc-message': expect.stringContaining('calls-max'),
    });
    first.receive(message({ key: 'a' }), true);
    expect(first.fields['grpc-status']).toBe('0');
    expect(lane.calls.size).toBe(0);
  });

  test('is told so at once while very many wait for the end of theirs', () => {
    const lane = new Lane({ callsMax: 1 });
    lane.open(GET);
    const open = (): FakeStream[] =>
      Array.from({ length: serverFixed.refusedCallsMax + 5 }, () => lane.open(GET));
    const isToldAtOnce = (streams: readonly FakeStream[]): number =>
      streams.filter(({ fields, isClosed }) => isClosed && fields['grpc-status'] === '8').length;

    const refused = open();
    expect([isToldAtOnce(refused), lane.calls.size]).toEqual([5, 1 + serverFixed.refusedCallsMax]);
    for (const stream of refused) stream.close(errorCode.CANCEL, 'peer');
    expect(lane.calls.size).toBe(1);
    expect(isToldAtOnce(open())).toBe(5);
  });

  test('is told so early when its request is long, or does not come', () => {
    const lane = new Lane({});
    const [long, late] = [lane.open('/kelp.v1.KvService/Fly'), lane.open('/kelp.v1.KvService/Fly')];

    long.receive(Buffer.alloc(serverFixed.smallRequestBytesMax + 1));
    lane.clock.advance(serverFixed.refusedRequestMs + 20);

    expect([long.fields['grpc-status'], late.fields['grpc-status']]).toEqual(['12', '12']);
  });

  test('is told so at once when its method takes a stream of requests, which may have no end', () => {
    const lane = new Lane({ callsMax: 1 });
    lane.open(GET);
    const stream = lane.open(KEEP_ALIVE);
    lane.clock.advance(20);
    expect(stream.fields['grpc-status']).toBe('8');
  });

  test.each([
    ['recovering', '14'],
    ['stopping', '14'],
  ] as const)('since the server is %s has status %s', (phase, status) => {
    const lane = new Lane({});
    const state = new ServerState();
    if (phase !== 'recovering') state.enter(phase);
    Object.defineProperty(lane.state, 'phase', { value: phase });
    const stream = lane.open(GET);

    stream.receive(message({ key: 'a' }), true);

    expect(stream.fields['grpc-status']).toBe(status);
  });

  test('of a method that is not known is UNIMPLEMENTED, with the path in the text', () => {
    const stream = new Lane({}).open('/kelp.v1.KvService/Fly?x');

    stream.receiveEnd();

    expect(stream.fields).toMatchObject({
      'grpc-status': '12',
      'grpc-message': expect.stringContaining('/kelp.v1.KvService/Fly;'),
    });
  });
});

describe('what is not plain gRPC is left to others', () => {
  test.each([
    ['compressed', GET, [['grpc-encoding', 'gzip']]],
    ['of a service that is not of the table', '/grpc.health.v1.Health/Check', []],
    ['of a target that is no path', 'nowhere', []],
  ] satisfies [string, string, Field[]][])('%s', (_, path, fields) => {
    expect(new Lane({}).open(path, fields).handler).toBeUndefined();
  });

  test('but what names no compression is not', () => {
    expect(new Lane({}).open(GET, [['grpc-encoding', 'identity']]).handler).toBeDefined();
  });
});

describe('a stream of replies', () => {
  const reply = { data: Buffer.alloc(10) };

  test('goes out message by message, and ends by its status', async () => {
    const lane = new Lane({
      async *backup() {
        yield reply;
        yield reply;
      },
    });
    const stream = lane.open(BACKUP);

    stream.receive(Buffer.alloc(5), true);
    await turns();

    expect(stream.written.map((each) => each.length)).toEqual([17, 17]);
    expect([stream.fields['grpc-status'], lane.calls.size]).toEqual(['0', 0]);
  });

  test('asks for no more than its reader reads', async () => {
    let askedFor = 0;
    const lane = new Lane({
      async *backup() {
        for (;;) {
          askedFor++;
          yield reply;
        }
      },
    });
    const stream = lane.open(BACKUP);
    stream.isBlocked = true;
    stream.receive(Buffer.alloc(5), true);
    await turns();
    expect(askedFor).toBe(1);

    stream.queuedBytes = 0;
    stream.handler?.drained();
    await turns();

    expect(askedFor).toBe(2);
  });

  test.each([
    ['its client goes away', (stream: FakeStream) => stream.close(errorCode.CANCEL, 'peer')],
    ['it is cut', (stream: FakeStream, lane: Lane) => lane.calls.cutStalledStreams()],
  ] as const)('that waits for its reader ends when %s', async (_, act) => {
    const { promise: returned, resolve } = Promise.withResolvers<void>();
    const lane = new Lane({
      async *backup() {
        try {
          for (;;) yield reply;
        } finally {
          resolve();
        }
      },
    });
    const stream = lane.open(BACKUP);
    stream.isBlocked = true;
    stream.receive(Buffer.alloc(5), true);
    await turns();

    act(stream, lane);

    await returned;
    expect(lane.calls.size).toBe(0);
  });

  test('that fails behind a message tells so in its trailers', async () => {
    const lane = new Lane({
      async *backup() {
        yield reply;
        throw new StoreError('limitReached', 'too slow');
      },
    });
    const stream = lane.open(BACKUP);

    stream.receive(Buffer.alloc(5), true);
    await turns();

    expect(stream.written).toHaveLength(1);
    expect(stream.fields).toMatchObject({ 'grpc-status': '8', 'grpc-message': 'too slow' });
  });

  test('ends at its deadline, whatever its method does', async () => {
    const lane = new Lane({
      async *backup() {
        yield reply;
        await new Promise(() => {});
      },
    });
    const stream = lane.open(BACKUP, [['grpc-timeout', '1S']]);
    stream.receive(Buffer.alloc(5), true);
    await turns();

    lane.clock.advance(1100);

    expect(stream.fields['grpc-status']).toBe('4');
  });
});

describe('replies that are pushed', () => {
  /** A method whose replies a test makes. */
  function openPushed(isWorkDone = true) {
    const events: string[] = [];
    let outlet: ReplyOutlet | undefined;
    const lane = new Lane({
      watch: (_, __, ___, given) => {
        outlet = given;
        return {
          goOn: () => void events.push('goOn'),
          stop() {
            events.push('stop');
            if (isWorkDone) given.finish(undefined);
          },
        };
      },
    });
    const stream = lane.open(WATCH);
    stream.receive(Buffer.alloc(5), true);
    if (outlet === undefined) throw new Error('the method was not called');
    return { lane, stream, events, outlet };
  }
  const bytes = Buffer.from(encodeEnvelope(0, Buffer.from('reply')));

  test('go out as they are, and end by their status', () => {
    const { lane, stream, events, outlet } = openPushed();
    expect([events, stream.written]).toEqual([['goOn'], []]);

    expect([outlet.send(bytes), outlet.send(bytes)]).toEqual([true, true]);
    outlet.finish(undefined);

    expect(stream.written).toEqual([bytes, bytes]);
    expect(stream.fields).toMatchObject({ ':status': '200', 'grpc-status': '0' });
    expect([lane.calls.size, lane.calls.heldBytes]).toEqual([0, 0]);
  });

  test('go on when what was sent has left, and may be cut until then', () => {
    const { lane, stream, events, outlet } = openPushed();
    stream.isBlocked = true;
    expect(outlet.send(bytes)).toBe(false);
    stream.drain();
    expect(events).toEqual(['goOn', 'goOn']);

    stream.isBlocked = true;
    outlet.send(bytes);
    lane.calls.cutStalledStreams();

    expect(stream.ended).toBe(errorCode.ENHANCE_YOUR_CALM);
    expect(events.slice(2)).toEqual(['stop', 'goOn']);
    expect(lane.calls.size).toBe(0);
  });

  test('fail by a status of their own when nothing was sent, and behind what was', () => {
    for (const sentCount of [0, 1]) {
      const { stream, outlet } = openPushed();
      if (sentCount === 1) outlet.send(bytes);
      outlet.finish(new StoreError('limitReached', 'too slow'));
      expect(stream.written).toHaveLength(sentCount);
      expect(stream.fields).toMatchObject({ 'grpc-status': '8', 'grpc-message': 'too slow' });
    }
  });

  test('whose client goes away are stopped, and their call counts until they have come to their end', () => {
    const { lane, stream, events, outlet } = openPushed(false);

    stream.close(errorCode.CANCEL, 'peer');

    expect(events).toEqual(['goOn', 'stop', 'goOn']);
    expect(outlet.send(bytes)).toBe(false);
    expect(lane.calls.size).toBe(1);
    outlet.finish(undefined);
    expect(lane.calls.size).toBe(0);
  });

  test('end at their deadline', () => {
    const events: string[] = [];
    const lane = new Lane({
      watch: (_, __, call) => ({
        goOn: () => undefined,
        stop: () => void events.push(String(call.abortReason)),
      }),
    });
    const stream = lane.open(WATCH, [['grpc-timeout', '1S']]);
    stream.receive(Buffer.alloc(5), true);

    lane.clock.advance(1100);

    expect(stream.fields['grpc-status']).toBe('4');
    expect(events).toEqual([expect.stringContaining('timed out')]);
  });
});

describe('a stream of requests', () => {
  const ids: KeepAlive = async function* (requests) {
    for await (const { leaseId } of requests) yield { leaseId, ttl: undefined };
  };

  function idsIn({ written }: FakeStream): number[] {
    return written.map((each) => leaseCodec.readKeepAliveResponse(each, 5, each.length).leaseId);
  }

  test('is answered message by message wherever it is cut', async () => {
    const bytes = Buffer.concat([renewal(1), renewal(300), renewal(70_000)]);
    for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++) {
      const lane = new Lane({ keepAlive: ids });
      const stream = lane.open(KEEP_ALIVE);
      for (let at = 0; at < bytes.length; at += pieceBytes)
        stream.receive(bytes.subarray(at, at + pieceBytes));
      await turns();
      expect(idsIn(stream)).toEqual([1, 300, 70_000]);
      expect(stream.ended).toBeUndefined();

      stream.receiveEnd();
      await turns();

      expect([stream.fields['grpc-status'], stream.consumedBytes]).toEqual(['0', bytes.length]);
      expect([lane.calls.size, lane.calls.heldBytes]).toEqual([0, 0]);
    }
  });

  test('may send more only as its method takes what has come', async () => {
    const { lane, resolve } = laneThatRests();
    const stream = lane.open(KEEP_ALIVE);
    stream.receive(renewal(1));
    await turns();
    const taken = stream.consumedBytes;
    expect(taken).toBe(renewal(1).length);

    stream.receive(Buffer.concat([renewal(2), renewal(3)]));
    await turns();
    expect(stream.consumedBytes).toBe(taken);
    resolve();
    await turns();

    expect(idsIn(stream)).toEqual([1, 2, 3]);
    expect(stream.consumedBytes).toBe(taken + 2 * renewal(2).length);
  });

  test('that waits to be taken holds up no other call of its connection, and is charged', () => {
    const lane = new Lane({
      async *keepAlive() {
        await new Promise<never>(() => undefined);
        yield { leaseId: 1, ttl: undefined };
      },
    });
    const { receive, socket } = lane.connect();
    const { streamWindowBytes, connectionWindowBytes } = serverFixed;
    const requests = Buffer.alloc(streamWindowBytes, renewal(1));
    const streamCount = connectionWindowBytes / streamWindowBytes + 1;
    for (let index = 0; index < streamCount; index++) {
      const id = 2 * index + 1;
      receive(headersFrame(id, headerBlock(KEEP_ALIVE)));
      for (let at = 0; at < requests.length; at += 16_384)
        receive(dataFrame(id, requests.subarray(at, at + 16_384)));
    }
    const getId = 2 * streamCount + 1;

    receive(headersFrame(getId, headerBlock(GET)), dataFrame(getId, message({ key: 'k' }), flag.END_STREAM));

    const { goaways, streams, windows } = sentIn(socket.frames);
    expect(goaways).toEqual([]);
    expect(streams[getId]?.isEnded).toBe(true);
    expect(windows[1]).toBeUndefined();
    expect(lane.calls.heldBytes).toBeGreaterThanOrEqual(streamCount * streamWindowBytes);
  });

  test('is free of the time for a request, and not of its deadline', async () => {
    const lane = new Lane({ keepAlive: ids });
    const [endless, bounded] = [lane.open(KEEP_ALIVE), lane.open(KEEP_ALIVE, [['grpc-timeout', '5M']])];

    lane.clock.advance(6 * 60_000);
    await turns();

    expect([endless.ended, bounded.fields['grpc-status']]).toEqual([undefined, '4']);
  });

  describe('has the time for a request for each message', () => {
    const tooSlow = ['4', expect.stringMatching(/not complete within 60000 ms \(request-timeout\)/)];
    const half = renewal(300).subarray(0, 6);
    const rest = renewal(300).subarray(6);

    function status({ fields }: FakeStream): unknown {
      return [fields['grpc-status'], fields['grpc-message']];
    }

    test.each([
      ['a first message', [], false],
      ['one behind others', [renewal(1)], false],
      ['a first message, though it comes byte by byte', [], true],
    ] as const)('from its first byte, for %s', async (_, before, isComing) => {
      for (const fields of [[], [['grpc-timeout', '5M']]] satisfies Field[][]) {
        const lane = new Lane({ keepAlive: ids });
        const stream = lane.open(KEEP_ALIVE, fields);
        // Nothing is begun.
        lane.clock.advance(100_000);
        stream.receive(Buffer.concat([...before, renewal(300).subarray(0, 1)]));
        await turns();
        for (let at = 1; at < 6; at++) {
          lane.clock.advance(10_000);
          if (isComing) stream.receive(renewal(300).subarray(at, at + 1));
        }
        await turns();
        expect([idsIn(stream).length, status(stream)]).toEqual([before.length, [undefined, undefined]]);

        lane.clock.advance(11_000);
        await turns();

        expect(status(stream)).toEqual(tooSlow);
        expect(lane.calls.heldBytes).toBe(0);
      }
    });

    test('anew for the next', async () => {
      const lane = new Lane({ keepAlive: ids });
      const stream = lane.open(KEEP_ALIVE);
      stream.receive(half);
      for (let round = 0; round < 4; round++) {
        lane.clock.advance(40_000);
        stream.receive(Buffer.concat([rest, half]));
        await turns();
      }
      expect(idsIn(stream)).toEqual([300, 300, 300, 300]);
      lane.clock.advance(40_000);
      stream.receive(rest);
      await turns();
      lane.clock.advance(200_000);
      await turns();
      expect([idsIn(stream).length, stream.ended]).toEqual([5, undefined]);
    });

    test('not while the server holds its end back', async () => {
      const { lane, resolve } = laneThatRests();
      const stream = lane.open(KEEP_ALIVE);
      stream.receive(renewal(1));
      await turns();
      stream.receive(Buffer.concat([renewal(2), half]));
      lane.clock.advance(200_000);
      resolve();
      await turns();
      expect([idsIn(stream), stream.ended]).toEqual([[1, 2], undefined]);

      lane.clock.advance(59_000);
      stream.receive(rest);
      await turns();
      expect(idsIn(stream)).toEqual([1, 2, 300]);
    });

    test('and a deadline that comes first ends it as such', async () => {
      const lane = new Lane({ keepAlive: ids });
      const stream = lane.open(KEEP_ALIVE, [['grpc-timeout', '30S']]);
      stream.receive(half);
      await turns();
      lane.clock.advance(31_000);
      await turns();
      expect(status(stream)).toEqual(['4', expect.stringContaining('timed out')]);
    });
  });

  test.each([
    ['is cut off', renewal(300).subarray(0, 6), '3'],
    ['has a message that is too long', Buffer.from([0, 0, 0, 0x10, 0]), '8'],
    ['has a compressed message', Buffer.from([1, 0, 0, 0, 0]), '3'],
    ['has what is no message', Buffer.from([0, 0, 0, 0, 1, 0xff]), '3'],
  ])('that %s fails behind what came before', async (_, bytes, status) => {
    const stream = new Lane({ keepAlive: ids }).open(KEEP_ALIVE);

    stream.receive(Buffer.concat([renewal(1), bytes]));
    stream.receiveEnd();
    await turns();

    expect(idsIn(stream)).toEqual([1]);
    expect(stream.fields['grpc-status']).toBe(status);
  });
});
