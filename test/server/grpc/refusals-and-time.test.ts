/** What calls of plain gRPC are refused for, when they are over, and what is left to other handlers. */
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { serverFixed } from '../../../src/limits.ts';
import { ServerState } from '../../../src/server/health/server-state.ts';
import type { ReplyOutlet } from '../../../src/server/services/method.ts';
import type { FakeStream } from './fake-stream.ts';
import { type Get, GET, WATCH, KEEP_ALIVE, Lane, message, renewal, turns, revisionIn } from './lane.ts';

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
