/** Unary calls of plain gRPC on the streams of HTTP/2. */
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type * as codec from '../../../gen/kelp/v1/kv_codec.ts';
import { readStatusDetails } from '../../../src/client/errors/status-details.ts';
import { RetryLaterError, StoreError } from '../../../src/errors.ts';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import { serverFixed } from '../../../src/limits.ts';
import { FakeStream } from './fake-stream.ts';
import { GET, type Get, Lane, message, turns, revisionIn } from './lane.ts';

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

  test('that fails by a limit which passes tells when to try again', () => {
    const stream = new Lane({
      get: () => {
        throw new RetryLaterError('busy', 61_250);
      },
    }).open(GET);

    stream.receive(message({ key: 'a' }), true);

    const text = stream.fields['grpc-status-details-bin'] ?? '';
    expect(stream.fields['grpc-status']).toBe('8');
    expect(readStatusDetails(text)).toMatchObject({ detail: { reason: 11 }, retryAfterMs: 61_250 });
    // The same as Connect's library reads it.
    const error = findTrailerError(new Headers({ 'grpc-status-details-bin': text }));
    expect(error?.details.map((each) => 'type' in each && each.type)).toEqual([
      'kelp.v1.ErrorDetail',
      'google.rpc.RetryInfo',
    ]);
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
