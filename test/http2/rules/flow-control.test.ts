/** Windows, both ways: RFC 9113, sections 5.2 and 6.9. */
import { describe, expect, test } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import type { RequestHead } from '../../../src/http2/contract/fields.ts';
import { http2 } from '../../../src/limits.ts';
import {
  dataFrame,
  flag,
  frameType,
  padded,
  preface,
  resetFrame,
  setting,
  settingsAcknowledged,
  settingsFrame,
  windowUpdateFrame,
} from '../support/frames.ts';
import { answering, failureOf, opened, request, wholeRequest } from '../support/opened.ts';
import {
  type Behaviour,
  filler,
  okHead,
  okTrailers,
  type Request,
  ServerUnderTest,
} from '../support/server-under-test.ts';

const { FLOW_CONTROL_ERROR } = errorCode;
const { END_STREAM, PADDED } = flag;

/** Answers with so many bytes. */
function answeringWith(bytes: number): Behaviour {
  return { end: ({ stream }) => stream.answer(okHead, 'x', bytes, filler, okTrailers) };
}

function bodyLength(server: ServerUnderTest, streamId: number): number {
  return server.sent.streams[streamId]?.body.length ?? 0;
}

/** The largest windows: nothing waits for them. */
const openWindows = [windowUpdateFrame(0, 2 ** 31 - 1 - 65_535)];
const openStreams = [[setting.INITIAL_WINDOW_SIZE, 2 ** 31 - 1]] as const;

describe('6.9.1 what is sent', () => {
  test('begins with 65,535 bytes for the connection and for each stream', () => {
    const server = opened(answeringWith(70_000)).receive(wholeRequest(1), wholeRequest(3));
    expect(bodyLength(server, 1)).toBe(65_535);
    expect(bodyLength(server, 3)).toBe(0);
    expect(server.sent.streams[1]?.isEnded).toBe(false);
    expect(server.requests[0]?.stream.queuedBytes).toBe(70_000 - 65_535);
  });

  test('goes on as far as both windows are opened, and ends with the last byte', () => {
    const server = opened(answeringWith(70_000)).receive(wholeRequest(1));
    server.receive(windowUpdateFrame(0, 100_000));
    expect(bodyLength(server, 1)).toBe(65_535);
    server.receive(windowUpdateFrame(1, 100));
    expect(bodyLength(server, 1)).toBe(65_635);
    server.receive(windowUpdateFrame(1, 100_000));
    expect(server.sent.streams[1]).toMatchObject({ isEnded: true, late: [] });
    expect(bodyLength(server, 1)).toBe(70_000);
    expect(server.requests[0]?.closes).toEqual([[errorCode.NO_ERROR, 'user']]);
  });

  test('heads and trailers need no window, and an end without data neither', () => {
    const server = opened({
      end: ({ stream, body }) => {
        stream.respond(okHead, false);
        if (body === 'end') stream.end();
        else stream.end(okTrailers);
      },
    }).receive(settingsFrame([[setting.INITIAL_WINDOW_SIZE, 0]]));
    server.receive(wholeRequest(1), request(3), dataFrame(3, Buffer.from('end'), END_STREAM));
    expect(server.sent.streams[1]).toMatchObject({ isEnded: true });
    expect(server.sent.streams[3]).toMatchObject({ isEnded: true, body: '' });
  });

  test('6.9.2 a window that SETTINGS made smaller may be below zero, and nothing goes until it is above', () => {
    const server = opened(answeringWith(30_000), {}, [[setting.INITIAL_WINDOW_SIZE, 20_000]]).receive(
      wholeRequest(1),
    );
    expect(bodyLength(server, 1)).toBe(20_000);
    server.receive(settingsFrame([[setting.INITIAL_WINDOW_SIZE, 10_000]]), windowUpdateFrame(1, 10_000));
    expect(bodyLength(server, 1)).toBe(20_000);
    server.receive(windowUpdateFrame(1, 1));
    expect(bodyLength(server, 1)).toBe(20_001);
    server.receive(settingsFrame([[setting.INITIAL_WINDOW_SIZE, 50_000]]));
    expect(bodyLength(server, 1)).toBe(30_000);
    expect(server.sent.streams[1]?.isEnded).toBe(true);
  });

  test('6.9.2 SETTINGS leave the window of the connection as it is', () => {
    const server = opened(answeringWith(70_000), {}, [[setting.INITIAL_WINDOW_SIZE, 1_000_000]]);
    server.receive(wholeRequest(1));
    expect(bodyLength(server, 1)).toBe(65_535);
  });

  test('6.5.2 is cut to 16 KiB, whatever longer frames the client takes', () => {
    const server = opened(answeringWith(60_000), {}, [[setting.MAX_FRAME_SIZE, 2 ** 24 - 1]]).receive(
      wholeRequest(1),
    );
    const lengths = server.socket.frames
      .filter(({ type }) => type === frameType.DATA)
      .map(({ payload }) => payload.length);
    expect(Math.max(...lengths)).toBe(16_384);
  });

  test('a reset drops what waits, and leaves the window of the connection to others', () => {
    const server = opened(answeringWith(60_000), {}, [[setting.INITIAL_WINDOW_SIZE, 40_000]]);
    server.receive(wholeRequest(1), wholeRequest(3));
    expect([bodyLength(server, 1), bodyLength(server, 3)]).toEqual([40_000, 25_535]);
    server.receive(resetFrame(1, errorCode.CANCEL), windowUpdateFrame(0, 100_000));
    expect([bodyLength(server, 1), bodyLength(server, 3)]).toEqual([40_000, 40_000]);
    expect(server.requests[0]?.stream.queuedBytes).toBe(0);
  });
});

describe('`write`', () => {
  test('tells when the stream holds bytes, and `drained` when it holds none, once', () => {
    const results: boolean[] = [];
    let drained = 0;
    const server = opened({
      end: ({ stream }) => {
        stream.respond(okHead, false);
        results.push(
          stream.write(Buffer.alloc(10_000)),
          stream.write(Buffer.alloc(60_000)),
          stream.write(Buffer.alloc(5)),
        );
      },
      drained: () => drained++,
    }).receive(wholeRequest(1));
    expect(results).toEqual([true, false, false]);
    server.receive(windowUpdateFrame(1, 100_000));
    expect(drained).toBe(0);
    server.receive(windowUpdateFrame(0, 100_000));
    expect(drained).toBe(1);
    expect(bodyLength(server, 1)).toBe(70_005);
    server.receive(windowUpdateFrame(0, 1));
    expect(drained).toBe(1);
  });

  test('of a long body holds none of it when the windows are wide open', () => {
    const server = opened({}, {}, openStreams).receive(...openWindows, wholeRequest(1));
    const stream = server.requests[0]?.stream;
    stream?.respond(okHead, false);
    expect(stream?.write(Buffer.alloc(200_000))).toBe(true);
    expect(stream?.queuedBytes).toBe(0);
  });

  test('within `drained` is sent in the same turn', () => {
    let rest = 5;
    const server = opened(
      {
        end: ({ stream }) => {
          stream.respond(okHead, false);
          stream.write(Buffer.alloc(100));
        },
        drained: ({ stream }) => {
          if (rest-- > 0) stream.write(Buffer.alloc(100));
          else stream.end();
        },
      },
      {},
      [[setting.INITIAL_WINDOW_SIZE, 50]],
    ).receive(wholeRequest(1));
    server.receive(windowUpdateFrame(1, 10_000));
    expect(bodyLength(server, 1)).toBe(200);
  });
});

describe('6.9 what is received', () => {
  const silent: Behaviour = {};

  test('is bounded by the window of its stream: beyond it the stream is reset', () => {
    const server = opened(silent, { streamWindowBytes: 1000, connectionWindowBytes: 1_000_000 });
    server.receive(request(1), dataFrame(1, Buffer.alloc(1000)), request(3), dataFrame(1, Buffer.of(1)));
    expect(server.sent.streams[1]?.resetCodes).toEqual([FLOW_CONTROL_ERROR]);
    expect(server.requests[0]?.bytes).toBe(1000);
    expect(server.requests[1]?.closes).toEqual([]);
    expect(failureOf(server)).toBeUndefined();
  });

  test('is bounded when it comes in one frame with the end', () => {
    const server = opened(silent, { streamWindowBytes: 1000 });
    server.receive(request(1), dataFrame(1, Buffer.alloc(1001), END_STREAM));
    expect(server.sent.streams[1]?.resetCodes).toEqual([FLOW_CONTROL_ERROR]);
  });

  test('is bounded by the window of the connection: beyond it the connection ends', () => {
    const server = opened(silent);
    server.receive(request(1), request(3));
    for (let count = 0; count < 3; count++) {
      server.receive(dataFrame(1, Buffer.alloc(10_000)), dataFrame(3, Buffer.alloc(10_000)));
    }
    server.receive(dataFrame(1, Buffer.alloc(5535)));
    expect(failureOf(server)).toBeUndefined();
    server.receive(dataFrame(1, Buffer.of(1)));
    expect(failureOf(server)?.code).toBe(FLOW_CONTROL_ERROR);
  });

  test('may be more as it is consumed: both windows are opened, by halves', () => {
    const server = opened({ data: ({ stream }, bytes) => stream.consumed(bytes.length) });
    server.receive(request(1), dataFrame(1, Buffer.alloc(16_000)));
    expect(server.sent.windows).toEqual({});
    server.receive(dataFrame(1, Buffer.alloc(16_000)), dataFrame(1, Buffer.alloc(16_000)));
    expect(server.sent.windows).toEqual({ 0: 48_000, 1: 48_000 });
  });

  test('counts with its padding, which is given back by itself', () => {
    const server = opened(silent, { streamWindowBytes: 500, connectionWindowBytes: 100_000 });
    server.receive(request(1));
    for (let count = 0; count < 20; count++) server.receive(dataFrame(1, padded(Buffer.of(1), 254), PADDED));
    expect(server.requests[0]?.bytes).toBe(20);
    expect(server.sent.windows[1]).toBeGreaterThan(19 * 254);
    expect(server.sent.streams[1]?.resetCodes ?? []).toEqual([]);
  });

  test('and was not consumed is given back to the connection when the stream ends, but no stream is opened that has ended', () => {
    const server = opened(answering, { streamWindowBytes: 65_535 });
    server.requests.length = 0;
    for (let id = 1; id < 40; id += 2)
      server.receive(request(id), dataFrame(id, Buffer.alloc(10_000), END_STREAM));
    expect(failureOf(server)).toBeUndefined();
    expect(Object.keys(server.sent.windows)).toEqual(['0']);
    expect(server.sent.windows[0]).toBeGreaterThan(150_000);
  });

  test.each([
    ['by the client', (server: ServerUnderTest) => server.receive(resetFrame(1, errorCode.CANCEL))],
    ['by the user', (server: ServerUnderTest) => server.requests[0]?.stream.reset(errorCode.CANCEL)],
  ])('and was not consumed is given back to the connection at a reset %s', (_name, reset) => {
    const server = opened(silent).receive(
      request(1),
      dataFrame(1, Buffer.alloc(16_000)),
      dataFrame(1, Buffer.alloc(16_384)),
      dataFrame(1, Buffer.alloc(16_000)),
    );
    expect(server.sent.windows).toEqual({});
    reset(server);
    server.clock.settle();
    expect(server.sent.windows).toEqual({ 0: 48_384 });
  });

  test('is not given back twice, whatever a user says', () => {
    const server = opened(silent).receive(request(1), dataFrame(1, Buffer.alloc(16_000)));
    server.requests[0]?.stream.consumed(1_000_000);
    server.requests[0]?.stream.consumed(1_000_000);
    server.requests[0]?.stream.consumed(-5);
    server.receive(
      resetFrame(1, errorCode.CANCEL),
      request(3),
      dataFrame(3, Buffer.alloc(16_384)),
      dataFrame(3, Buffer.alloc(384)),
    );
    server.requests[1]?.stream.consumed(16_768);
    server.clock.settle();
    expect(server.sent.windows).toEqual({ 0: 32_768 });
  });

  test('does not close the window of the connection when that is not held', () => {
    const server = opened(silent, { isConnectionWindowHeld: false }).receive(request(1), request(3));
    for (let count = 0; count < 4; count++) server.receive(dataFrame(1, Buffer.alloc(16_000)));
    server.receive(dataFrame(3, Buffer.alloc(16_000)));
    expect(failureOf(server)).toBeUndefined();
    expect(server.requests[1]?.bytes).toBe(16_000);
    expect(server.sent.windows).toEqual({ 0: 48_000 });
  });

  test('holds up its own stream alone when its user answers for the memory', () => {
    const server = opened({ begun: ({ stream }) => stream.accountForBody() });
    server.receive(request(1), request(3));
    for (let count = 0; count < 4; count++) server.receive(dataFrame(1, Buffer.alloc(16_000)));
    expect(server.sent.windows).toEqual({ 0: 48_000 });
    server.receive(dataFrame(3, Buffer.alloc(16_000)));
    expect(failureOf(server)).toBeUndefined();
    expect(server.requests[1]?.bytes).toBe(16_000);
    server.receive(dataFrame(1, Buffer.alloc(1535)), dataFrame(1, Buffer.of(1)));
    expect(server.sent.streams[1]?.resetCodes).toEqual([FLOW_CONTROL_ERROR]);
    expect(server.sent.streams[3]).toBeUndefined();
  });

  test('is given back to the connection once, whether its user answers for it early, late or twice', () => {
    const server = opened(silent).receive(request(1), dataFrame(1, Buffer.alloc(16_000)));
    const stream = server.requests[0]?.stream;
    stream?.accountForBody();
    stream?.accountForBody();
    server.receive(dataFrame(1, padded(Buffer.alloc(15_744), 255), PADDED));
    expect(server.sent.windows).toEqual({});
    stream?.consumed(16_000);
    server.receive(dataFrame(1, Buffer.alloc(767)));
    expect(server.sent.windows).toEqual({});
    server.receive(dataFrame(1, Buffer.of(1)));
    expect(server.sent.windows).toEqual({ 0: 32_768 });
    server.receive(resetFrame(1, errorCode.CANCEL), request(3), dataFrame(3, Buffer.alloc(16_384)));
    server.receive(dataFrame(3, Buffer.alloc(16_383)));
    server.requests[1]?.stream.consumed(32_767);
    server.clock.settle();
    expect(server.sent.windows).toEqual({ 0: 32_768 });
  });

  test('a larger window for the connection is told at the beginning', () => {
    const server = opened(silent, { connectionWindowBytes: 1_000_000 });
    expect(server.sent.windows).toEqual({ 0: 1_000_000 - 65_535 });
  });

  test('6.5.3 another window for streams counts from its acknowledgement on', () => {
    const server = new ServerUnderTest(() => silent, {
      streamWindowBytes: 100,
      connectionWindowBytes: 1_000_000,
    });
    server.receive(preface, settingsFrame(), request(1), dataFrame(1, Buffer.alloc(16_000)));
    expect(server.sent.streams[1]).toBeUndefined();
    // From here on 15,900 bytes too many have come.
    server.receive(
      settingsAcknowledged,
      request(3),
      dataFrame(3, Buffer.alloc(101)),
      dataFrame(1, Buffer.of(1)),
    );
    expect(server.sent.streams[3]?.resetCodes).toEqual([FLOW_CONTROL_ERROR]);
    expect(server.sent.streams[1]?.resetCodes).toEqual([FLOW_CONTROL_ERROR]);
  });
});

describe('fairness', () => {
  const chunk = http2.chunkBytesMax;

  /** The streams of the DATA frames that were sent, in their order. */
  function order(server: ServerUnderTest): number[] {
    return server.socket.frames.filter(({ type }) => type === frameType.DATA).map(({ streamId }) => streamId);
  }

  test('streams that wait for the window of the connection take turns by 16 KiB', () => {
    const server = opened(answeringWith(100_000), {}, openStreams).receive(
      wholeRequest(1),
      wholeRequest(3),
      wholeRequest(5),
    );
    expect(order(server)).toEqual([1, 1, 1, 1]);
    server.receive(windowUpdateFrame(0, 4 * chunk));
    expect(order(server).slice(4)).toEqual([1, 3, 5, 1]);
    server.receive(windowUpdateFrame(0, 2 * chunk));
    expect(order(server).slice(8)).toEqual([3, 5]);
  });

  test('a small reply passes a large one that waits for the socket', () => {
    const server = opened(
      (head) => answeringWith(head.method === 'GET' ? 10 : 5_000_000),
      {},
      openStreams,
    ).receive(...openWindows);
    server.socket.isRead = false;
    server.receive(wholeRequest(1));
    expect(server.connection.unsentBytes).toBeLessThanOrEqual(http2.waitingOutputBytesMax + 2 * chunk);
    server.receive(wholeRequest(3, encodeGet()));
    server.socket.readAll();
    server.clock.settle();
    const places = order(server);
    expect(places.indexOf(3)).toBeLessThan(http2.unsentBytesMax / chunk);
    expect(bodyLength(server, 1)).toBe(5_000_000);
  });

  test('streams that wait for the socket take turns', () => {
    const server = opened(answeringWith(1_000_000), {}, openStreams).receive(...openWindows);
    server.socket.isRead = false;
    server.receive(wholeRequest(1), wholeRequest(3), wholeRequest(5));
    server.socket.readAll();
    server.clock.settle();
    const after = order(server).slice(http2.waitingOutputBytesMax / chunk + 2);
    expect(after.slice(0, 6).toSorted((a, b) => a - b)).toEqual([1, 1, 3, 3, 5, 5]);
    expect([1, 3, 5].map((id) => bodyLength(server, id))).toEqual([1_000_000, 1_000_000, 1_000_000]);
  });

  test('many short pieces of a stream that waits go out together when it has its turn, of 16 KiB at most', () => {
    const piece = Buffer.alloc(150);
    const piecesOf = (head: RequestHead): number => (head.method === 'GET' ? 500 : 64);
    const writeOn = ({ stream, head }: Request): void => {
      const left = written.get(stream.id) ?? piecesOf(head);
      for (let count = left; count > 0; count--) {
        written.set(stream.id, count - 1);
        if (!stream.write(piece)) return;
      }
      stream.end(okTrailers);
    };
    const written = new Map<number, number>();
    const begin = (each: Request): void => {
      each.stream.respond(okHead, false);
      writeOn(each);
    };
    const server = opened(() => ({ end: begin, drained: writeOn }), {}, openStreams).receive(...openWindows);
    const ids = Array.from({ length: 60 }, (_each, index) => 2 * index + 1);
    // The first ones fill what goes out in a turn; this one has to wait, and the last one behind it.
    const [long = 0, last = 0] = [ids[40], ids[59]];
    server.socket.receive(
      Buffer.concat(ids.map((id) => wholeRequest(id, id === long ? encodeGet() : undefined))),
    );
    server.clock.settle();
    const places = order(server);
    for (const id of ids) {
      const pieces = id === long ? 500 : 64;
      expect(bodyLength(server, id)).toBe(piece.length * pieces);
      const frameCount = places.filter((each) => each === id).length;
      expect(frameCount).toBeLessThanOrEqual(2 * Math.ceil((piece.length * pieces) / chunk) + 2);
    }
    expect(places.indexOf(last)).toBeGreaterThan(places.indexOf(long));
    expect(places.indexOf(last)).toBeLessThan(places.lastIndexOf(long));
  });

  test('a body goes out over many turns of the event loop, however fast the socket', () => {
    const server = opened(answeringWith(4_000_000), {}, openStreams).receive(...openWindows);
    server.socket.receive(wholeRequest(1));
    let turns = 0;
    while (server.clock.turn()) turns++;
    expect(bodyLength(server, 1)).toBe(4_000_000);
    expect(turns).toBeGreaterThanOrEqual(4_000_000 / http2.waitingOutputBytesMax);
  });

  test('the bytes of one connection that are read in a turn are bounded, and all come in their order', () => {
    const pieces = Array.from({ length: 64 }, (_each, index) => Buffer.alloc(chunk, index));
    const server = opened(() => ({}), {
      streamWindowBytes: 64 * chunk,
      connectionWindowBytes: 64 * chunk,
    }).receive(settingsAcknowledged, request(1));
    const [begun] = server.requests;
    for (const piece of pieces) server.socket.receive(dataFrame(1, piece));
    const read: number[] = [begun?.bytes ?? 0];
    while (server.clock.turn()) read.push(begun?.bytes ?? 0);
    const inTurn = read.map((bytes, turn) => bytes - (read[turn - 1] ?? 0));
    expect(Math.max(...inTurn)).toBeGreaterThanOrEqual(http2.readInTurnBytesMax / 2);
    expect(Math.max(...inTurn)).toBeLessThanOrEqual(http2.readInTurnBytesMax);
    expect(begun?.body === Buffer.concat(pieces).toString('latin1')).toBe(true);
    expect(server.socket.isPaused).toBe(false);
  });

  test('the requests of one connection that are begun in a turn are bounded, and the rest keep their order', () => {
    const server = opened(answering, { concurrentStreamsMax: 1000 });
    const count = 3 * http2.requestsInTurnMax;
    const ids = Array.from({ length: count }, (_each, index) => 2 * index + 1);
    server.socket.receive(Buffer.concat(ids.map((id) => wholeRequest(id))));
    const begun: number[] = [server.requests.length];
    while (server.clock.turn()) begun.push(server.requests.length);
    expect(begun.slice(0, 3)).toEqual([count / 3, (2 * count) / 3, count]);
    expect(server.requests.map(({ stream }) => stream.id)).toEqual(ids);
    expect(server.socket.isPaused).toBe(false);
  });

  function encodeGet(): Buffer {
    // :method GET, :scheme http, :path /, all of the static table.
    return Buffer.of(0x82, 0x86, 0x84);
  }
});

describe('a peer that does not read', () => {
  test('is not read from beyond 1 MiB of unsent output, and is again once it has read', () => {
    const server = opened(answeringWith(10_000), { concurrentStreamsMax: 1000 }, openStreams).receive(
      ...openWindows,
    );
    server.socket.isRead = false;
    for (let id = 1; id < 600; id += 2) server.receive(wholeRequest(id));
    expect(server.socket.isPaused).toBe(true);
    expect(server.requests.length).toBeLessThan(120);
    expect(server.connection.unsentBytes).toBeLessThan(http2.unsentBytesMax + 16 * 1024);
    server.socket.readAll();
    server.clock.settle();
    expect(server.requests).toHaveLength(300);
    expect(server.socket.isPaused).toBe(false);
    expect(server.connection.unsentBytes).toBe(0);
    expect(server.requests.every(({ closes }) => closes.length === 1)).toBe(true);
  });

  test('makes bodies wait in their streams', () => {
    const server = opened({}, {}, openStreams).receive(...openWindows);
    server.socket.isRead = false;
    server.receive(wholeRequest(1));
    const stream = server.requests[0]?.stream;
    stream?.respond(okHead, false);
    let writes = 0;
    while (stream?.write(Buffer.alloc(10_000)) === true) writes++;
    expect(writes).toBeLessThan(http2.waitingOutputBytesMax / 10_000 + 2);
    expect(stream?.queuedBytes).toBe(10_000);
  });

  test('is cut some time after the connection has ended, when it reads nothing more', () => {
    const server = opened(answeringWith(10_000), {}, openStreams).receive(...openWindows);
    server.socket.isRead = false;
    server.receive(wholeRequest(1));
    server.connection.goaway(errorCode.NO_ERROR, 'enough');
    server.clock.advance(http2.lingerStalledMs);
    server.clock.settle();
    expect(server.socket.destroyed).toBe(true);
    expect(server.ends).toEqual([{ kind: 'owner', error: undefined }]);
  });
});
