/** Floods: requests that are reset, frames that bring nothing, too much for one turn. Where they are stopped is counted in frames and streams. */
import { describe, expect, test } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { http2 } from '../../../src/limits.ts';
import { frame } from '../../support/bare-http2.ts';
import {
  dataFrame,
  flag,
  frameType,
  headersFrame,
  padded,
  preface,
  pingFrame,
  resetFrame,
  setting,
  settingsAcknowledged,
  settingsFrame,
  windowUpdateFrame,
} from '../support/frames.ts';
import { type Behaviour, okHead, ServerUnderTest } from '../support/server-under-test.ts';
import { rawBlock } from '../sessions/sessions.ts';
import {
  WHOLE,
  fieldsFor,
  ignored,
  unary,
  opened,
  goawayOf,
  sentUntilEnd,
  expectNothingLeft,
  END_STREAM,
  END_HEADERS,
  PADDED,
} from './attacker.ts';

describe('rapid reset', () => {
  const openAndReset = (index: number): Buffer =>
    Buffer.concat([
      headersFrame(2 * index + 1, ignored, END_HEADERS),
      resetFrame(2 * index + 1, errorCode.CANCEL),
    ]);

  test('a burst of requests that are reset at once ends the connection, and is handed on no further', () => {
    const server = opened();
    expect(sentUntilEnd(server, openAndReset)).toBe(http2.resetsBurst);
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
    expect(server.requests).toHaveLength(http2.resetsBurst + 1);
    expectNothingLeft(server);
  });

  test('in one piece as well', () => {
    const server = opened();
    server.receive(...Array.from({ length: 3 * http2.resetsBurst }, (_, index) => openAndReset(index)));
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
    expect(server.requests).toHaveLength(http2.resetsBurst + 1);
    expectNothingLeft(server);
  });

  test('as many resets as a second has room for go on forever', () => {
    const server = opened();
    let index = 0;
    for (; index < http2.resetsBurst; index++) server.receive(openAndReset(index));
    for (let second = 0; second < 100; second++) {
      server.clock.advance(1000);
      for (let count = 0; count < http2.resetsPerSecond; count++) server.receive(openAndReset(index++));
    }
    expect(server.socket.isEnded).toBe(false);
    expect(sentUntilEnd(server, (more) => openAndReset(index + more))).toBe(0);
  });

  test.each([
    ['has begun', '/stream'],
    ['waits for its reader', '/large'],
    ['was sent before the request ended', '/refuse'],
  ])('the reset of a stream whose response %s is none', (_, path) => {
    const server = opened();
    const block = encodeBlock(fieldsFor(path));
    const isWhole = path !== '/refuse';
    for (let index = 0; index < 3 * http2.resetsBurst; index++) {
      const id = 2 * index + 1;
      server.receive(headersFrame(id, block, isWhole ? WHOLE : END_HEADERS), windowUpdateFrame(0, 65_535));
      server.receive(resetFrame(id, errorCode.CANCEL));
    }
    expect([server.socket.isEnded, server.connection.streamCount]).toEqual([false, 0]);
    // What draws on the budget still has all of it.
    const next = 6 * http2.resetsBurst;
    expect(sentUntilEnd(server, (index) => openAndReset(next / 2 + index))).toBe(http2.resetsBurst);
  });

  test.each([
    ['requests that are malformed', (id: number) => [headersFrame(id, rawBlock([['A', 'b']]), WHOLE)]],
    [
      'requests that are too long',
      (id: number) => [headersFrame(id, rawBlock([['a', 'b'.repeat(16_360)]]), WHOLE)],
    ],
    [
      'a window that is opened by nothing',
      (id: number) => [headersFrame(id, ignored), windowUpdateFrame(id, 0)],
    ],
    [
      'a window that is opened too far',
      (id: number) => [headersFrame(id, ignored), windowUpdateFrame(id, 0x7fff_ffff)],
    ],
    [
      'a body of another length than was told',
      (id: number) => [
        headersFrame(id, encodeBlock(fieldsFor('/ignore', ['content-length', '1']))),
        dataFrame(id, Buffer.alloc(2)),
      ],
    ],
    [
      'DATA after the end',
      (id: number) => [headersFrame(id, ignored, WHOLE), dataFrame(id, Buffer.alloc(1))],
    ],
    [
      'HEADERS after the end',
      (id: number) => [headersFrame(id, ignored, WHOLE), headersFrame(id, ignored, WHOLE)],
    ],
    ['trailers without an end', (id: number) => [headersFrame(id, ignored), headersFrame(id, rawBlock([]))]],
    [
      'PRIORITY of a wrong length',
      (id: number) => [headersFrame(id, ignored), frame(frameType.PRIORITY, 0, id, Buffer.alloc(4))],
    ],
  ])('resets of the server draw on the same budget: %s', (_what, framesOf) => {
    const server = opened();
    const count = sentUntilEnd(server, (index) => Buffer.concat(framesOf(2 * index + 1)));
    // Some of them draw on the budget of frames that bring nothing as well, which had two of them before.
    expect(count).toBeGreaterThanOrEqual(http2.resetsBurst - 2);
    expect(count).toBeLessThanOrEqual(http2.resetsBurst);
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
    expectNothingLeft(server);
  });

  test('requests beyond the streams that are allowed are refused, and draw on it too', () => {
    const server = opened({ concurrentStreamsMax: 3 });
    const count = sentUntilEnd(server, (index) => headersFrame(2 * index + 1, ignored));
    expect(count).toBe(3 + http2.resetsBurst);
    expect(server.requests).toHaveLength(3);
    expect(server.sent.streams[7]?.resetCodes).toEqual([errorCode.REFUSED_STREAM]);
    expectNothingLeft(server);
  });
});

describe('frames that bring nothing', () => {
  const kinds: readonly (readonly [string, Buffer])[] = [
    ['PING', pingFrame('x')],
    ['answers to pings that were not sent', pingFrame('x', flag.ACK)],
    ['SETTINGS', settingsFrame([[setting.INITIAL_WINDOW_SIZE, 5]])],
    ['acknowledgements of SETTINGS', settingsAcknowledged],
    ['PRIORITY', frame(frameType.PRIORITY, 0, 99, Buffer.alloc(5))],
    ['frames of an unknown type', frame(0xbb, 0, 0, Buffer.alloc(100))],
    ['empty DATA', dataFrame(1, Buffer.alloc(0))],
    ['DATA that is nothing but padding', dataFrame(1, padded(Buffer.alloc(0), 10), PADDED)],
    ['WINDOW_UPDATE of the connection', windowUpdateFrame(0, 1)],
    ['WINDOW_UPDATE of a stream', windowUpdateFrame(1, 1)],
    ['GOAWAY', frame(frameType.GOAWAY, 0, 0, Buffer.alloc(8))],
  ];

  /** What was used up by the beginning: SETTINGS and their acknowledgement. */
  const USED = 2;

  test.each(kinds)('too many %s end the connection', (_kind, bytes) => {
    const server = opened().receive(headersFrame(1, ignored));
    const count = sentUntilEnd(server, () => bytes);
    expect(count).toBe(http2.idleFramesBurst - USED);
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
    expectNothingLeft(server);
  });

  test('they share one budget', () => {
    const server = opened().receive(headersFrame(1, ignored));
    const harmless = kinds.filter(([kind]) => kind !== 'GOAWAY');
    const count = sentUntilEnd(server, (index) => harmless[index % harmless.length]![1]);
    expect(count).toBe(http2.idleFramesBurst - USED);
  });

  test('resets of streams that are closed count too', () => {
    const server = opened().receive(headersFrame(1, unary, WHOLE));
    const count = sentUntilEnd(server, () => resetFrame(1, 0));
    expect(count).toBeLessThanOrEqual(http2.idleFramesBurst + 3 * http2.idleFramesPerFrameSent);
  });

  test.each([
    ['trailers', headersFrame(1, encodeBlock([['x-trailer', '1']]), WHOLE)],
    ['ends', dataFrame(1, Buffer.alloc(0), END_STREAM)],
  ])('%s of a stream that was reset here count too', (_kind, bytes) => {
    const server = opened().receive(headersFrame(1, ignored));
    server.requests[0]?.stream.reset(errorCode.CANCEL);
    expect(sentUntilEnd(server, () => bytes)).toBe(http2.idleFramesBurst - USED);
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
  });

  test('as many as a second has room for go on forever', () => {
    const server = opened();
    for (let second = 0; second < 60; second++) {
      server.clock.advance(1000);
      server.receive(...Array.from({ length: http2.idleFramesPerSecond }, () => pingFrame('x')));
    }
    expect(server.socket.isEnded).toBe(false);
    expect(server.sent.pingsAnswered).toHaveLength(60 * http2.idleFramesPerSecond);
  });

  test('while replies are sent, a client may send some for each', () => {
    const server = opened();
    for (let index = 0; index < 2000; index++) {
      server.receive(headersFrame(2 * index + 1, unary, WHOLE), pingFrame('x'), windowUpdateFrame(0, 1));
    }
    expect(server.socket.isEnded).toBe(false);
    expect(server.requests).toHaveLength(2000);
  });

  test('but only so many at once, whatever is sent', () => {
    const server = opened();
    const pings = Array.from({ length: 3 * http2.idleFramesPerFrameSent - 1 }, () => pingFrame('x'));
    const count = sentUntilEnd(server, (index) =>
      Buffer.concat([headersFrame(2 * index + 1, unary, WHOLE), ...pings]),
    );
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
    // The first ones were answered before anything was sent.
    expect(count).toBe(Math.floor(http2.earnedFramesBurst / pings.length));
    expectNothingLeft(server);
  });

  test('and so many a second go on forever', () => {
    const server = opened();
    let streamId = 1;
    for (let second = 0; second < 4; second++) {
      for (let sent = 0; sent < http2.earnedFramesPerSecond; sent += 20) {
        server.receive(
          headersFrame(streamId, unary, WHOLE),
          ...Array.from({ length: 20 }, () => pingFrame('x')),
        );
        streamId += 2;
      }
      server.clock.advance(1000);
    }
    expect(server.socket.isEnded).toBe(false);
  });

  test('SETTINGS, which change the window of every stream, have no such reason', () => {
    const server = opened();
    const count = sentUntilEnd(server, (index) =>
      Buffer.concat([headersFrame(2 * index + 1, unary, WHOLE), settingsFrame()]),
    );
    expect(count).toBe(http2.idleFramesBurst - USED);
  });

  test('SETTINGS that change the windows of many streams count for as many', () => {
    const streamCount = 1000;
    const server = opened({ concurrentStreamsMax: streamCount });
    for (let index = 0; index < streamCount; index++) server.receive(headersFrame(2 * index + 1, ignored));
    expect(server.receive(settingsFrame([[setting.INITIAL_WINDOW_SIZE, 65_535]])).socket.isEnded).toBe(false);

    const count = sentUntilEnd(server, (index) =>
      settingsFrame([[setting.INITIAL_WINDOW_SIZE, 65_536 + index]]),
    );

    const cost = 1 + Math.floor(streamCount / http2.windowsForIdleFrame);
    expect(count).toBe(Math.floor((http2.idleFramesBurst - USED - 1) / cost));
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
  });

  test('SETTINGS may have so many entries', () => {
    const entries = (count: number): (readonly [number, number])[] =>
      Array.from({ length: count }, () => [setting.INITIAL_WINDOW_SIZE, 5]);
    expect(opened().receive(settingsFrame(entries(http2.settingsEntriesMax))).socket.isEnded).toBe(false);
    const server = opened().receive(settingsFrame(entries(http2.settingsEntriesMax + 1)));
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
  });
});

describe('one turn of the event loop', () => {
  test('begins so many requests of one connection, and the next turn goes on', () => {
    const server = opened();
    server.socket.receive(
      Buffer.concat(Array.from({ length: 1000 }, (_, index) => headersFrame(2 * index + 1, unary, WHOLE))),
    );
    expect(server.requests).toHaveLength(http2.requestsInTurnMax);
    server.clock.turn();
    expect(server.requests).toHaveLength(2 * http2.requestsInTurnMax);
    server.clock.settle();
    expect(server.requests).toHaveLength(1000);
  });

  test('sends so many DATA frames, however short, and the next turn goes on', () => {
    const framesMax = http2.waitingOutputBytesMax / http2.turnBytesOfFrame;
    const streamCount = framesMax + 100;
    const unread: Behaviour = {
      end({ stream }) {
        stream.respond(okHead, false);
        stream.write(Buffer.alloc(10));
      },
    };
    const server = new ServerUnderTest(() => unread, { concurrentStreamsMax: streamCount }).receive(
      preface,
      settingsFrame([[setting.INITIAL_WINDOW_SIZE, 0]]),
      settingsAcknowledged,
      ...Array.from({ length: streamCount }, (_, index) => headersFrame(2 * index + 1, unary, WHOLE)),
    );
    const sentFrames = (): number =>
      server.socket.frames.filter(({ type }) => type === frameType.DATA).length;
    expect([server.requests.length, sentFrames()]).toEqual([streamCount, 0]);

    server.socket.receive(settingsFrame([[setting.INITIAL_WINDOW_SIZE, 1]]));
    server.clock.turn();
    expect(sentFrames()).toBe(framesMax);
    server.clock.settle();
    expect(sentFrames()).toBe(streamCount);
  });

  test('begins no more requests once those of the turn have taken their time', () => {
    const server = opened();
    const { clock } = server;
    const monotonicMs = clock.monotonicMs.bind(clock);
    // Each takes a quarter of it.
    clock.monotonicMs = () => monotonicMs() + (server.requests.length * http2.requestsInTurnMsMax) / 4;
    server.socket.receive(
      Buffer.concat(Array.from({ length: 100 }, (_, index) => headersFrame(2 * index + 1, unary, WHOLE))),
    );
    expect(server.requests).toHaveLength(5);
    clock.turn();
    expect(server.requests).toHaveLength(10);
    clock.settle();
    expect(server.requests).toHaveLength(100);
  });
});
