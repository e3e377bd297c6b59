/** What a client may try, and where it is stopped: counted in frames, bytes and streams. */
import { describe, expect, test } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { http2 } from '../../../src/limits.ts';
import { frame } from '../../support/bare-http2.ts';
import { behaviourOf } from '../support/behaviours.ts';
import {
  dataFrame,
  flag,
  frameType,
  headersFrame,
  padded,
  pingFrame,
  preface,
  resetFrame,
  setting,
  settingsAcknowledged,
  settingsFrame,
  uint32,
  windowUpdateFrame,
} from '../support/frames.ts';
import { filler, okHead, okTrailers, ServerUnderTest } from '../support/server-under-test.ts';
import { rawBlock } from '../sessions/sessions.ts';

const { END_STREAM, END_HEADERS, PADDED } = flag;
const WHOLE = END_STREAM | END_HEADERS;

/** Far more than any of the attacks needs. */
const TRIES_MAX = 20_000;

function fieldsFor(path: string, ...rest: Field[]): Field[] {
  return [[':method', 'POST'], [':scheme', 'http'], [':path', path], [':authority', 'kelp'], ...rest];
}

const ignored = encodeBlock(fieldsFor('/ignore'));
const unary = encodeBlock(fieldsFor('/unary'));

function opened(options: ConstructorParameters<typeof ServerUnderTest>[1] = {}): ServerUnderTest {
  return new ServerUnderTest(behaviourOf, options).receive(preface, settingsFrame(), settingsAcknowledged);
}

/** The code that the connection was ended with. */
function goawayOf(server: ServerUnderTest): number | undefined {
  return server.sent.goaways.at(-1)?.code;
}

/** Sends more of it until the server ends the connection. @returns how often it took. */
function sentUntilEnd(server: ServerUnderTest, framesOf: (index: number) => Buffer): number {
  for (let index = 0; index < TRIES_MAX; index++) {
    server.receive(framesOf(index));
    if (server.socket.isEnded) return index;
  }
  throw new Error('it is never stopped');
}

/** Nothing is left of it once the socket is closed. */
function expectNothingLeft(server: ServerUnderTest): void {
  server.socket.receiveEnd();
  server.clock.settle();
  server.clock.advance(http2.lingerMs);
  server.clock.settle();
  expect(server.ends).toHaveLength(1);
  expect(server.connection.streamCount).toBe(0);
  expect(server.clock.timerCount).toBe(0);
  for (const { closes, late } of server.requests) expect([closes.length, late]).toEqual([1, []]);
}

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

describe('a header block', () => {
  const begin = headersFrame(1, ignored.subarray(0, 1), 0);
  const goOn = (bytes: Uint8Array, flags = 0): Buffer => frame(frameType.CONTINUATION, flags, 1, bytes);

  test('in more CONTINUATION frames than are allowed ends the connection', () => {
    const server = opened().receive(begin);
    expect(sentUntilEnd(server, () => goOn(Buffer.of(0x82)))).toBe(http2.continuationsMax);
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
    expectNothingLeft(server);
  });

  test('in just as many is read', () => {
    const server = opened().receive(begin);
    for (let count = 1; count < http2.continuationsMax; count++)
      server.receive(goOn(ignored.subarray(count, count + 1)));
    server.receive(goOn(ignored.subarray(http2.continuationsMax), END_HEADERS));
    expect(server.requests).toHaveLength(1);
  });

  test('with a CONTINUATION frame that brings nothing ends the connection, unless it is the last', () => {
    const server = opened().receive(begin, goOn(Buffer.alloc(0)));
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
    const other = opened().receive(headersFrame(1, ignored, 0), goOn(Buffer.alloc(0), END_HEADERS));
    expect(other.requests).toHaveLength(1);
  });

  test('longer than twice the list that is allowed ends the connection, and is not gathered further', () => {
    const server = opened({ headerListBytesMax: 10_000 });
    server.receive(headersFrame(1, Buffer.alloc(16_000), 0), goOn(Buffer.alloc(4000)));
    expect(server.socket.isEnded).toBe(false);
    server.receive(goOn(Buffer.alloc(1)));
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
    expectNothingLeft(server);
  });

  test('that does not end in time ends the connection', () => {
    const server = opened().receive(begin);
    server.clock.advance(9999);
    expect(server.socket.isEnded).toBe(false);
    server.clock.advance(1);
    server.clock.settle();
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
    expectNothingLeft(server);
  });

  test('whose frame does not end in time ends the connection', () => {
    const server = opened().receive(headersFrame(1, ignored).subarray(0, 12));
    server.clock.advance(10_000);
    server.clock.settle();
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
    expectNothingLeft(server);
  });

  test('that names one large field of the table often is answered by 431, and the next request is read', () => {
    const server = opened();
    const adding = Buffer.concat([unary, Buffer.from('4001617fa11e', 'hex'), Buffer.alloc(4000, 0x62)]);
    server.receive(headersFrame(1, adding, WHOLE));
    expect(server.requests[0]?.head.fields).toEqual([['a', 'b'.repeat(4000)]]);
    server.receive(headersFrame(3, Buffer.concat([unary, Buffer.alloc(16_000, 0xbe)]), WHOLE));
    server.receive(headersFrame(5, Buffer.concat([unary, Buffer.of(0xbe)]), WHOLE));
    expect(server.sent.streams[3]?.blocks).toEqual([[[':status', '431']]]);
    expect(server.requests.map(({ stream }) => stream.id)).toEqual([1, 5]);
  });

  test('with a dynamic table larger than allowed ends the connection', () => {
    const server = opened().receive(
      headersFrame(1, Buffer.concat([Buffer.from('3fe21f', 'hex'), unary]), WHOLE),
    );
    expect(goawayOf(server)).toBe(errorCode.COMPRESSION_ERROR);
    expect(server.requests).toHaveLength(0);
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

  test('SETTINGS may have so many entries', () => {
    const entries = (count: number): (readonly [number, number])[] =>
      Array.from({ length: count }, () => [setting.INITIAL_WINDOW_SIZE, 5]);
    expect(opened().receive(settingsFrame(entries(http2.settingsEntriesMax))).socket.isEnded).toBe(false);
    const server = opened().receive(settingsFrame(entries(http2.settingsEntriesMax + 1)));
    expect(goawayOf(server)).toBe(errorCode.ENHANCE_YOUR_CALM);
  });
});

describe('a client that does not read', () => {
  /** What may be unsent: the limit, and what was made of the last thing that was read. */
  const unsentBytesMax = http2.unsentBytesMax + http2.outputBytes;

  function unread(): ServerUnderTest {
    const server = opened();
    server.socket.isRead = false;
    server.receive(
      settingsFrame([[setting.INITIAL_WINDOW_SIZE, 0x7fff_ffff]]),
      windowUpdateFrame(0, 0x7000_0000),
    );
    return server;
  }

  test('but makes requests is read from no further once a megabyte waits', () => {
    const server = unread();
    for (let index = 0; index < 10_000; index++)
      server.receive(
        headersFrame(2 * index + 1, encodeBlock(fieldsFor('/unary', ['a', 'x'])), END_HEADERS),
        dataFrame(2 * index + 1, Buffer.alloc(1000), END_STREAM),
      );
    expect(server.socket.isPaused).toBe(true);
    expect(server.connection.unsentBytes).toBeLessThanOrEqual(unsentBytesMax);
    expect(server.requests.length).toBeLessThan(2000);
    const { length } = server.requests;

    server.socket.readAll();
    server.clock.settle();
    expect(server.requests.length).toBeGreaterThan(length);
    expect(server.socket.isPaused).toBe(false);
    expect(server.requests).toHaveLength(10_000);
    expect(server.connection.unsentBytes).toBe(0);
  });

  test('in one piece as well, and is read to the end when it reads', () => {
    const server = unread();
    server.receive(
      ...Array.from({ length: 3000 }, (_, index) =>
        Buffer.concat([
          headersFrame(2 * index + 1, unary),
          dataFrame(2 * index + 1, Buffer.alloc(1000), END_STREAM),
        ]),
      ),
    );
    expect(server.connection.unsentBytes).toBeLessThanOrEqual(unsentBytesMax);
    expect(server.requests.length).toBeLessThan(1200);
    server.socket.readAll();
    server.clock.settle();
    expect(server.requests).toHaveLength(3000);
    expect(Object.values(server.sent.streams).filter(({ isEnded }) => isEnded)).toHaveLength(3000);
  });

  test('but pings is answered no further than that', () => {
    const server = unread();
    for (let second = 0; second < 2000; second++) {
      server.clock.advance(1000);
      server.receive(...Array.from({ length: http2.idleFramesPerSecond }, () => pingFrame('x')));
    }
    expect(server.connection.unsentBytes).toBeLessThanOrEqual(unsentBytesMax);
    expect(server.socket.isPaused).toBe(true);
  });

  test('long replies wait in their streams, and little of them in the output', () => {
    const server = unread();
    for (let index = 0; index < 50; index++)
      server.receive(headersFrame(2 * index + 1, encodeBlock(fieldsFor('/large')), WHOLE));
    expect(server.connection.unsentBytes).toBeLessThanOrEqual(
      http2.waitingOutputBytesMax + http2.outputBytes,
    );
    expect(server.requests.reduce((sum, { stream }) => sum + stream.queuedBytes, 0)).toBeGreaterThan(
      9_000_000,
    );
    server.socket.readAll();
    server.clock.settle();
    expect(server.requests.every(({ closes }) => closes.length === 1)).toBe(true);
  });

  test('a stream of replies is told to wait, and goes on when the client reads', () => {
    const server = unread();
    server.receive(headersFrame(1, encodeBlock(fieldsFor('/stream')), WHOLE));
    server.receive(headersFrame(3, encodeBlock(fieldsFor('/stream')), WHOLE));
    server.receive(headersFrame(5, encodeBlock(fieldsFor('/stream')), WHOLE));
    const queued = server.requests.map(({ stream }) => stream.queuedBytes);
    expect(Math.max(...queued)).toBeLessThanOrEqual(1000);
    expect(server.connection.unsentBytes).toBeLessThanOrEqual(
      http2.waitingOutputBytesMax + http2.outputBytes,
    );
    server.socket.readAll();
    server.clock.settle();
    expect([1, 3, 5].map((id) => server.sent.streams[id]?.body.length)).toEqual([200_000, 200_000, 200_000]);
    expect(server.requests.every(({ closes }) => closes.length === 1)).toBe(true);
  });

  test('and gives no window gets heads, and nothing else is made for it', () => {
    const server = opened().receive(settingsFrame([[setting.INITIAL_WINDOW_SIZE, 0]]));
    server.receive(headersFrame(1, encodeBlock(fieldsFor('/stream')), WHOLE));
    expect(server.requests[0]?.stream.queuedBytes).toBe(1000);
    expect(server.sent.streams[1]).toMatchObject({ body: '', isEnded: false });
    server.receive(resetFrame(1, errorCode.CANCEL));
    expect(server.requests[0]?.stream.queuedBytes).toBe(0);
    expectNothingLeft(server);
  });

  test('among many such clients is read from no further once 64 KiB wait, and others are served as before', () => {
    const block = encodeBlock(fieldsFor('/large'));
    const requests = (count: number, first = 0): Buffer =>
      Buffer.concat(
        Array.from({ length: count }, (_, index) => headersFrame(2 * (first + index) + 1, block, WHOLE)),
      );
    // Each holds what waits in the output of its connection before bodies wait in their streams.
    const count = Math.ceil((1.4 * http2.ampleUnsentBytesOfAll) / http2.waitingOutputBytesMax);
    const servers = Array.from({ length: count }, () => unread().receive(requests(10)));
    const late = unread().receive(requests(10));
    expect(late.connection.unsentBytes).toBeLessThanOrEqual(2 * http2.outputBytes);
    expect(late.socket.isPaused).toBe(true);
    expect(late.requests.length).toBeLessThan(10);

    const reading = opened();
    reading.receive(...Array.from({ length: 1000 }, (_, index) => headersFrame(2 * index + 1, unary, WHOLE)));
    expect(reading.requests).toHaveLength(1000);

    for (const { connection, clock } of servers) {
      connection.destroy();
      clock.settle();
    }
    late.socket.readAll();
    late.clock.settle();
    expect(late.requests).toHaveLength(10);
    late.socket.isRead = false;
    late.receive(requests(10, 10));
    expect(late.requests).toHaveLength(20);
  });

  test('for all of them so much is held and no more: those that have not read for longest are cut for it', () => {
    const requests = Buffer.concat(
      Array.from({ length: 10 }, (_, index) =>
        headersFrame(2 * index + 1, encodeBlock(fieldsFor('/large')), WHOLE),
      ),
    );
    const memoryOf = ({ socket }: ServerUnderTest): number =>
      socket.destroyed ? 0 : socket.writableMemoryBytes;
    const unsentOf = ({ connection, socket }: ServerUnderTest): number =>
      socket.destroyed ? 0 : connection.unsentBytes;
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

    const stream = encodeBlock(fieldsFor('/stream'));
    const patient = unread().receive(
      ...Array.from({ length: 100 }, (_, index) => headersFrame(2 * index + 1, stream, WHOLE)),
    );
    const servers: ServerUnderTest[] = [];
    while (!servers.some(({ socket }) => socket.destroyed)) {
      expect(servers.length).toBeLessThan(http2.unsentBytesOfAllMax / http2.outputBytes);
      servers.push(unread().receive(requests));
      // One that reads some of it now and then is none of those that have not read for longest.
      if (servers.length % 10 > 0) continue;
      expect(patient.socket.take()).toBe(true);
      patient.receive();
    }
    for (let index = 0; index < 200; index++) {
      servers.push(unread().receive(requests));
      expect(sum(servers.map(unsentOf)) + unsentOf(patient)).toBeLessThanOrEqual(http2.unsentBytesOfAllMax);
      expect(sum(servers.map(memoryOf)) + memoryOf(patient)).toBeLessThanOrEqual(http2.unsentBytesOfAllMax);
    }

    // One that reads is served beside them, and holds little meanwhile.
    const reading = opened().receive(
      settingsFrame([[setting.INITIAL_WINDOW_SIZE, 0x7fff_ffff]]),
      windowUpdateFrame(0, 0x7000_0000),
      requests,
    );
    expect(reading.requests.filter(({ closes }) => closes.length === 1)).toHaveLength(10);
    reading.socket.isRead = false;
    for (let index = 10; index < 30; index++)
      reading.receive(headersFrame(2 * index + 1, encodeBlock(fieldsFor('/stream')), WHOLE));
    expect(reading.connection.unsentBytes).toBeLessThan(http2.outputBytes / 2);
    reading.socket.readAll();
    reading.clock.settle();
    expect(reading.requests.filter(({ closes }) => closes.length === 1)).toHaveLength(30);

    const areCut = servers.map(({ socket }) => socket.destroyed);
    const cutCount = areCut.filter((isCut) => isCut).length;
    expect(cutCount).toBeGreaterThan(0);
    expect(areCut.slice(0, cutCount)).toEqual(Array.from({ length: cutCount }, () => true));
    expect(patient.socket.destroyed).toBe(false);
    const [first] = servers as [ServerUnderTest];
    expectNothingLeft(first);
    expect(first.ends).toEqual([
      {
        kind: 'violation',
        code: errorCode.ENHANCE_YOUR_CALM,
        reason: expect.stringContaining('does not read'),
      },
    ]);
    for (const { connection, clock } of [patient, ...servers]) {
      connection.destroy();
      clock.settle();
    }
    // Nothing of it is counted any more.
    const later = unread().receive(requests);
    expect(later.connection.unsentBytes).toBeGreaterThan(2 * http2.outputBytes);
    later.connection.destroy();
    later.clock.settle();
  });

  test('and gets little holds little memory, however often', () => {
    const server = unread();
    for (let index = 0; index < 500; index++) server.receive(pingFrame('x'));
    // The first write is stuck in its buffer; nothing tells before.
    expect(server.socket.writableMemoryBytes).toBeLessThanOrEqual(http2.outputBytes);
    server.socket.take();
    server.receive(pingFrame('x'));
    expect(server.socket.writableMemoryBytes).toBeLessThanOrEqual(http2.outputBytes / 4);
    server.socket.readAll();
    server.clock.settle();
    expect(server.sent.pingsAnswered).toHaveLength(501);
    expectNothingLeft(server);
  });

  test('when it is cut, nothing is left', () => {
    const server = unread();
    for (let index = 0; index < 50; index++)
      server.receive(headersFrame(2 * index + 1, encodeBlock(fieldsFor('/large')), WHOLE));
    server.connection.destroy();
    server.clock.settle();
    expect(server.connection.unsentBytes).toBe(0);
    expectNothingLeft(server);
  });
});

describe('what lies with users who do not consume it', () => {
  test('is no more than the window of a stream, and of the connection', () => {
    const server = opened();
    const full = Buffer.alloc(16_000);
    server.receive(headersFrame(1, ignored), ...Array.from({ length: 4 }, () => dataFrame(1, full)));
    expect(server.socket.isEnded).toBe(false);
    server.receive(headersFrame(3, ignored), dataFrame(3, Buffer.alloc(1535)));
    expect(server.socket.isEnded).toBe(false);
    server.receive(dataFrame(3, Buffer.alloc(1)));
    expect(goawayOf(server)).toBe(errorCode.FLOW_CONTROL_ERROR);
    expectNothingLeft(server);
  });

  test('of one stream is no more than its window', () => {
    const server = opened({ streamWindowBytes: 10_000, connectionWindowBytes: 1 << 20 });
    server.receive(
      headersFrame(1, ignored),
      dataFrame(1, Buffer.alloc(10_000)),
      dataFrame(1, Buffer.alloc(1)),
    );
    expect(server.sent.streams[1]?.resetCodes).toEqual([errorCode.FLOW_CONTROL_ERROR]);
    expect(server.requests[0]?.bytes).toBe(10_000);
    expect(server.socket.isEnded).toBe(false);
  });

  test('padding counts, and is given back', () => {
    const server = opened();
    server.receive(headersFrame(1, ignored));
    for (let index = 0; index < 2000; index++)
      server.receive(dataFrame(1, padded(Buffer.alloc(1), 255), PADDED));
    expect(server.socket.isEnded).toBe(false);
    expect(server.requests[0]?.bytes).toBe(2000);
  });

  test('of streams that were reset is given back to the connection', () => {
    const server = opened();
    for (let index = 0; index < 100; index++) {
      const id = 2 * index + 1;
      server.receive(headersFrame(id, ignored), dataFrame(id, Buffer.alloc(16_000)), resetFrame(id, 8));
    }
    expect(server.socket.isEnded).toBe(false);
    expect(server.requests).toHaveLength(100);
    expect(server.sent.windows[0]).toBeGreaterThan(1_600_000 - 65_535);
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

describe('a stream id', () => {
  test.each([
    [
      'that is used again after an answer',
      [headersFrame(1, unary, WHOLE), headersFrame(1, unary, WHOLE)],
      errorCode.STREAM_CLOSED,
    ],
    [
      'that goes down',
      [headersFrame(5, unary, WHOLE), headersFrame(3, unary, WHOLE)],
      errorCode.PROTOCOL_ERROR,
    ],
    ['that is even', [headersFrame(2, unary, WHOLE)], errorCode.PROTOCOL_ERROR],
    ['that is 0', [headersFrame(0, unary, WHOLE)], errorCode.PROTOCOL_ERROR],
  ])('%s ends the connection', (_what, frames, code) => {
    const server = opened().receive(...frames);
    expect(goawayOf(server)).toBe(code);
    expectNothingLeft(server);
  });

  test('with DATA after an answer is reset with STREAM_CLOSED', () => {
    const server = opened().receive(headersFrame(1, unary, WHOLE), dataFrame(1, Buffer.alloc(1)));
    expect(server.sent.streams[1]?.resetCodes).toEqual([errorCode.STREAM_CLOSED]);
  });

  test('with DATA after its end, before an answer, is reset with STREAM_CLOSED', () => {
    const server = opened().receive(headersFrame(1, ignored, WHOLE), dataFrame(1, Buffer.alloc(1)));
    expect(server.sent.streams[1]?.resetCodes).toEqual([errorCode.STREAM_CLOSED]);
    expect(server.requests[0]?.closes).toEqual([[errorCode.STREAM_CLOSED, 'violation']]);
  });

  test('that was reset here is passed over for what was on its way, of the last so many', () => {
    const server = opened();
    const reset = encodeBlock(fieldsFor('/reset'));
    const count = http2.resetsRemembered;
    for (let index = 0; index < count; index++) server.receive(headersFrame(2 * index + 1, reset));
    for (let index = 0; index < count; index++) {
      server.receive(
        dataFrame(2 * index + 1, Buffer.alloc(10)),
        headersFrame(2 * index + 1, rawBlock([['a', 'b']]), WHOLE),
      );
    }
    expect(server.socket.isEnded).toBe(false);
    for (let index = 0; index < count; index++) {
      expect(server.sent.streams[2 * index + 1]?.resetCodes).toEqual([errorCode.CANCEL]);
    }
    server.receive(headersFrame(2 * count + 1, reset), headersFrame(1, rawBlock([]), WHOLE));
    expect(goawayOf(server)).toBe(errorCode.STREAM_CLOSED);
  });
});

describe('smuggling', () => {
  const [method, scheme, path, authority] = fieldsFor('/unary') as [Field, Field, Field, Field];

  test.each<[string, Field[]]>([
    ['a pseudo-header twice', [method, scheme, path, authority, path]],
    ['a pseudo-header after a field', [method, scheme, ['a', 'b'], path, authority]],
    ['an unknown pseudo-header', [method, scheme, path, authority, [':protocol', 'websocket']]],
    ['no method', [scheme, path, authority]],
    ['no scheme', [method, path, authority]],
    ['no path', [method, scheme, authority]],
    ['an empty path', [method, scheme, [':path', ''], authority]],
    ['a status', [method, scheme, path, authority, [':status', '200']]],
    ['upper case', fieldsFor('/unary', ['Transfer-Encoding', 'chunked'])],
    ['a line break in a value', fieldsFor('/unary', ['a', 'b\r\nx: y'])],
    ['a line break in a name', fieldsFor('/unary', ['a: b\r\nx', 'y'])],
    ['a zero in a value', fieldsFor('/unary', ['a', 'b\0'])],
    ['white space before a value', fieldsFor('/unary', ['a', ' b'])],
    ['white space in a path', fieldsFor('/unary HTTP/1.1')],
    ['transfer-encoding', fieldsFor('/unary', ['transfer-encoding', 'chunked'])],
    ['connection', fieldsFor('/unary', ['connection', 'keep-alive'])],
    ['keep-alive', fieldsFor('/unary', ['keep-alive', 'x'])],
    ['proxy-connection', fieldsFor('/unary', ['proxy-connection', 'x'])],
    ['upgrade', fieldsFor('/unary', ['upgrade', 'h2c'])],
    ['te with more than trailers', fieldsFor('/unary', ['te', 'trailers, chunked'])],
    ['two content-lengths', fieldsFor('/unary', ['content-length', '0'], ['content-length', '1'])],
    ['a content-length that is none', fieldsFor('/unary', ['content-length', '0x0'])],
    ['a content-length without a body', fieldsFor('/unary', ['content-length', '1'])],
    ['another host than the authority', fieldsFor('/unary', ['host', 'other'])],
  ])('%s: the stream is reset, no answer is given, and the connection goes on', (_what, fields) => {
    const server = opened().receive(headersFrame(1, rawBlock(fields), WHOLE), headersFrame(3, unary, WHOLE));
    expect(server.sent.streams[1]).toMatchObject({ blocks: [], resetCodes: [errorCode.PROTOCOL_ERROR] });
    expect(server.sent.streams[3]).toMatchObject({ isEnded: true, resetCodes: [] });
    expect(server.requests.every(({ trailers, stream }) => stream.id === 3 || trailers === undefined)).toBe(
      true,
    );
  });

  test.each<[string, Buffer[]]>([
    ['shorter', [dataFrame(1, Buffer.alloc(4), END_STREAM)]],
    ['longer', [dataFrame(1, Buffer.alloc(6))]],
    [
      'shorter, with trailers',
      [dataFrame(1, Buffer.alloc(4)), headersFrame(1, rawBlock([['a', 'b']]), WHOLE)],
    ],
    ['longer in several frames', [dataFrame(1, Buffer.alloc(3)), dataFrame(1, Buffer.alloc(3), END_STREAM)]],
  ])('a body that is %s than its content-length is reset and not ended', (_what, frames) => {
    const head = encodeBlock(fieldsFor('/unary', ['content-length', '5']));
    const server = opened().receive(headersFrame(1, head), ...frames);
    expect(server.sent.streams[1]).toMatchObject({ blocks: [], resetCodes: [errorCode.PROTOCOL_ERROR] });
    expect(server.requests[0]).toMatchObject({
      trailers: undefined,
      closes: [[errorCode.PROTOCOL_ERROR, 'violation']],
    });
  });

  test.each<[string, Field[]]>([
    ['a pseudo-header', [[':path', '/x']]],
    ['upper case', [['A', 'b']]],
    ['a connection field', [['connection', 'close']]],
    ['a line break', [['a', 'b\n']]],
  ])('%s in trailers resets the stream', (_what, fields) => {
    const server = opened().receive(headersFrame(1, unary), headersFrame(1, rawBlock(fields), WHOLE));
    expect(server.sent.streams[1]).toMatchObject({ blocks: [], resetCodes: [errorCode.PROTOCOL_ERROR] });
    expect(server.requests[0]?.trailers).toBeUndefined();
  });
});

describe('the beginning of a connection', () => {
  test.each<[string, Buffer[]]>([
    ['nothing', []],
    ['half a preface', [preface.subarray(0, 10)]],
    ['no SETTINGS', [preface]],
    ['no acknowledgement of our SETTINGS', [preface, settingsFrame(), headersFrame(1, ignored)]],
  ])('with %s ends in time', (_what, bytes) => {
    const server = new ServerUnderTest(behaviourOf).receive(...bytes);
    server.clock.advance(9999);
    expect(server.socket.isEnded).toBe(false);
    server.clock.advance(1);
    server.clock.settle();
    expect(goawayOf(server)).toBe(errorCode.SETTINGS_TIMEOUT);
    expectNothingLeft(server);
  });

  test('with another frame than SETTINGS is refused', () => {
    const server = new ServerUnderTest(behaviourOf).receive(preface, pingFrame('x'));
    expect(goawayOf(server)).toBe(errorCode.PROTOCOL_ERROR);
    expectNothingLeft(server);
  });

  test('a peer that was told GOAWAY and does not close is cut off', () => {
    const server = new ServerUnderTest(behaviourOf).receive(preface, pingFrame('x'));
    server.clock.advance(http2.lingerMs);
    server.clock.settle();
    expect(server.socket.destroyed).toBe(true);
    expect(server.ends).toHaveLength(1);
  });

  describe('and reads what is left', () => {
    /** Much has been made for it when the connection ends. */
    function ending(): ServerUnderTest {
      const server = opened();
      server.socket.isRead = false;
      for (let index = 0; index < 15_000; index++) server.receive(headersFrame(2 * index + 1, unary, WHOLE));
      server.connection.goaway(errorCode.NO_ERROR, 'enough');
      server.clock.settle();
      return server;
    }

    test('slowly gets all of it', () => {
      const server = ending();
      const pauseMs = http2.lingerMs + 1000;
      for (let ms = 0; server.connection.unsentBytes > 0; ms += pauseMs) {
        expect(ms).toBeLessThan(http2.lingerMsMax);
        server.clock.advance(pauseMs);
        expect(server.socket.destroyed).toBe(false);
        server.socket.take();
        server.clock.settle();
      }
      expect(server.sent.goaways).toHaveLength(1);
      expect(server.socket.isEnded).toBe(true);
      expectNothingLeft(server);
    });

    test('so slowly that it takes too long is cut off', () => {
      const server = ending();
      let ms = 0;
      for (; !server.socket.destroyed; ms += 10_000) {
        expect(ms).toBeLessThan(http2.lingerMsMax);
        server.socket.take();
        server.clock.settle();
        server.clock.advance(10_000);
      }
      expect(ms).toBe(http2.lingerMsMax);
      expect(server.connection.unsentBytes).toBeGreaterThan(0);
      server.clock.settle();
      expect(server.clock.timerCount).toBe(0);
    });

    test('no more is cut off', () => {
      const server = ending();
      server.socket.take();
      server.clock.settle();
      server.clock.advance(http2.lingerStalledMs - 1);
      server.socket.take();
      server.clock.settle();
      server.clock.advance(http2.lingerStalledMs);
      expect(server.socket.destroyed).toBe(false);
      server.clock.advance(http2.lingerStalledMs);
      expect(server.socket.destroyed).toBe(true);
    });
  });
});

test('what a user sends after all is over goes nowhere and throws nothing', () => {
  const server = opened().receive(headersFrame(1, ignored), resetFrame(1, 8), headersFrame(3, ignored));
  const sentBefore = server.socket.frames.length;
  server.connection.destroy();
  server.clock.settle();
  for (const { stream } of server.requests) {
    stream.respond(okHead, false);
    stream.write(Buffer.alloc(10));
    stream.writeInPlace('x', 10, filler);
    stream.answer(okHead, 'x', 10, filler, okTrailers);
    stream.consumed(5);
    stream.end(okTrailers);
    stream.reset(errorCode.CANCEL);
    expect(stream.queuedBytes).toBe(0);
  }
  server.clock.settle();
  expect(server.socket.frames).toHaveLength(sentBefore);
  expectNothingLeft(server);
});

test('the priority of a request takes five bytes, and less is an error', () => {
  const short = frame(frameType.HEADERS, END_HEADERS | flag.PRIORITY, 1, uint32(0));
  expect(goawayOf(opened().receive(short))).toBe(errorCode.FRAME_SIZE_ERROR);
});
