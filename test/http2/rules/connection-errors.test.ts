/** What ends a connection: RFC 9113, by its sections. Each is told by GOAWAY (section 5.4.1), and every stream is. */
import { describe, expect, test } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import { frame } from '../../support/bare-http2.ts';
import {
  dataFrame,
  flag,
  frameType,
  goawayFrame,
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
import { failureOf, opened, request, requestBlock, wholeRequest } from '../support/opened.ts';
import { ServerUnderTest } from '../support/server-under-test.ts';

const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, FLOW_CONTROL_ERROR, COMPRESSION_ERROR, STREAM_CLOSED } = errorCode;

const NOTHING = Buffer.alloc(0);
const part = requestBlock.subarray(0, 5);

/** After the handshake, with stream 1 open: what the client sends, and the code that it gets. */
const errors: readonly (readonly [rule: string, code: number, ...frames: Buffer[]])[] = [
  ['4.1 a frame is longer than 16 KiB', FRAME_SIZE_ERROR, dataFrame(1, Buffer.alloc(16_385))],
  [
    '4.2 SETTINGS are longer than 16 KiB',
    FRAME_SIZE_ERROR,
    frame(frameType.SETTINGS, 0, 0, Buffer.alloc(16_386)),
  ],
  [
    '4.3 a header block breaks HPACK',
    COMPRESSION_ERROR,
    request(3, Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
  ],
  [
    '4.3 a header block names a field that there is not',
    COMPRESSION_ERROR,
    request(3, Buffer.of(0xff, 0x20)),
  ],
  ['4.3 trailers break HPACK', COMPRESSION_ERROR, wholeRequest(1, Buffer.of(0xff, 0x20))],
  [
    '4.3 a frame of another stream stands within a header block',
    PROTOCOL_ERROR,
    headersFrame(3, part, 0),
    dataFrame(1, Buffer.of(1)),
  ],
  ['4.3 PING stands within a header block', PROTOCOL_ERROR, headersFrame(3, part, 0), pingFrame('a')],
  [
    '4.3 an unknown frame stands within a header block',
    PROTOCOL_ERROR,
    headersFrame(3, part, 0),
    frame(0xbb, 0, 0, NOTHING),
  ],
  ['4.3 HEADERS stand within a header block', PROTOCOL_ERROR, headersFrame(3, part, 0), request(3)],
  ['5.1 DATA on a stream that has not begun', PROTOCOL_ERROR, dataFrame(3, Buffer.of(1))],
  ['5.1 RST_STREAM on a stream that has not begun', PROTOCOL_ERROR, resetFrame(3, errorCode.CANCEL)],
  ['5.1 WINDOW_UPDATE on a stream that has not begun', PROTOCOL_ERROR, windowUpdateFrame(3, 1)],
  [
    '5.1 HEADERS on a stream that both sides ended',
    STREAM_CLOSED,
    dataFrame(1, NOTHING, flag.END_STREAM),
    wholeRequest(1),
  ],
  [
    '5.1 HEADERS on a stream that the client reset',
    STREAM_CLOSED,
    resetFrame(1, errorCode.CANCEL),
    wholeRequest(1),
  ],
  ['5.1.1 a request has an even stream', PROTOCOL_ERROR, wholeRequest(2)],
  ['5.1.1 a request has a lower stream than one before', PROTOCOL_ERROR, wholeRequest(7), wholeRequest(5)],
  ['6.1 DATA on stream 0', PROTOCOL_ERROR, dataFrame(0, Buffer.of(1))],
  ['6.1 DATA has more padding than room', PROTOCOL_ERROR, dataFrame(1, Buffer.of(3, 1, 2), flag.PADDED)],
  ['6.1 DATA is all padding and too short by one', PROTOCOL_ERROR, dataFrame(1, Buffer.of(1), flag.PADDED)],
  ['6.1 padded DATA without the length of the padding', FRAME_SIZE_ERROR, dataFrame(1, NOTHING, flag.PADDED)],
  ['6.2 HEADERS on stream 0', PROTOCOL_ERROR, request(0)],
  [
    '6.2 HEADERS have more padding than room',
    PROTOCOL_ERROR,
    headersFrame(3, Buffer.concat([Buffer.of(200), requestBlock]), flag.PADDED | flag.END_HEADERS),
  ],
  [
    '6.2 the padding of HEADERS reaches into the priority',
    FRAME_SIZE_ERROR,
    headersFrame(3, padded(Buffer.alloc(4), 3), flag.PADDED | flag.PRIORITY | flag.END_HEADERS),
  ],
  [
    '6.2 HEADERS too short for their priority',
    FRAME_SIZE_ERROR,
    headersFrame(3, Buffer.alloc(4), flag.PRIORITY | flag.END_HEADERS),
  ],
  ['6.3 PRIORITY on stream 0', PROTOCOL_ERROR, frame(frameType.PRIORITY, 0, 0, Buffer.alloc(5))],
  [
    '6.3 PRIORITY of another length, on a stream that has not begun',
    FRAME_SIZE_ERROR,
    frame(frameType.PRIORITY, 0, 3, Buffer.alloc(4)),
  ],
  [
    '6.3 (RFC 7540, 5.3.1) PRIORITY of a stream that depends on itself',
    PROTOCOL_ERROR,
    frame(frameType.PRIORITY, 0, 3, Buffer.of(0x80, 0, 0, 3, 1)),
  ],
  [
    '6.2 (RFC 7540, 5.3.1) HEADERS of a stream that depends on itself',
    PROTOCOL_ERROR,
    headersFrame(
      3,
      Buffer.concat([Buffer.of(0, 0, 0, 3, 1), requestBlock]),
      flag.PRIORITY | flag.END_HEADERS,
    ),
  ],
  ['6.4 RST_STREAM on stream 0', PROTOCOL_ERROR, resetFrame(0, errorCode.CANCEL)],
  [
    '6.4 RST_STREAM of another length than 4',
    FRAME_SIZE_ERROR,
    frame(frameType.RST_STREAM, 0, 1, Buffer.alloc(3)),
  ],
  ['6.5 SETTINGS on a stream', PROTOCOL_ERROR, frame(frameType.SETTINGS, 0, 1, NOTHING)],
  [
    '6.5 SETTINGS of a length that is no multiple of 6',
    FRAME_SIZE_ERROR,
    frame(frameType.SETTINGS, 0, 0, Buffer.alloc(7)),
  ],
  [
    '6.5 an acknowledgement of SETTINGS that brings something',
    FRAME_SIZE_ERROR,
    frame(frameType.SETTINGS, flag.ACK, 0, Buffer.alloc(6)),
  ],
  ['6.5.2 ENABLE_PUSH is neither 0 nor 1', PROTOCOL_ERROR, settingsFrame([[setting.ENABLE_PUSH, 2]])],
  [
    '6.5.2 INITIAL_WINDOW_SIZE is beyond 2^31 - 1',
    FLOW_CONTROL_ERROR,
    settingsFrame([[setting.INITIAL_WINDOW_SIZE, 2 ** 31]]),
  ],
  [
    '6.5.2 MAX_FRAME_SIZE is below 2^14',
    PROTOCOL_ERROR,
    settingsFrame([[setting.MAX_FRAME_SIZE, 2 ** 14 - 1]]),
  ],
  [
    '6.5.2 MAX_FRAME_SIZE is beyond 2^24 - 1',
    PROTOCOL_ERROR,
    settingsFrame([[setting.MAX_FRAME_SIZE, 2 ** 24]]),
  ],
  [
    '6.6 PUSH_PROMISE of a client',
    PROTOCOL_ERROR,
    frame(frameType.PUSH_PROMISE, flag.END_HEADERS, 1, uint32(2)),
  ],
  ['6.7 PING on a stream', PROTOCOL_ERROR, frame(frameType.PING, 0, 1, Buffer.alloc(8))],
  ['6.7 PING of another length than 8', FRAME_SIZE_ERROR, frame(frameType.PING, 0, 0, Buffer.alloc(6))],
  ['6.8 GOAWAY on a stream', PROTOCOL_ERROR, frame(frameType.GOAWAY, 0, 1, Buffer.alloc(8))],
  ['6.8 GOAWAY shorter than 8', FRAME_SIZE_ERROR, frame(frameType.GOAWAY, 0, 0, Buffer.alloc(7))],
  ['6.9 WINDOW_UPDATE of 0 for the connection', PROTOCOL_ERROR, windowUpdateFrame(0, 0)],
  [
    '6.9 WINDOW_UPDATE of another length than 4',
    FRAME_SIZE_ERROR,
    frame(frameType.WINDOW_UPDATE, 0, 1, Buffer.alloc(3)),
  ],
  [
    '6.9.1 the window of the connection is beyond 2^31 - 1',
    FLOW_CONTROL_ERROR,
    windowUpdateFrame(0, 2 ** 31 - 1),
  ],
  [
    '6.9.2 SETTINGS make the window of a stream larger than 2^31 - 1',
    FLOW_CONTROL_ERROR,
    windowUpdateFrame(1, 2 ** 30),
    settingsFrame([[setting.INITIAL_WINDOW_SIZE, 2 ** 31 - 1]]),
  ],
  [
    '6.10 CONTINUATION without a header block',
    PROTOCOL_ERROR,
    frame(frameType.CONTINUATION, flag.END_HEADERS, 1, requestBlock),
  ],
  [
    '6.10 CONTINUATION after a block that had ended',
    PROTOCOL_ERROR,
    wholeRequest(3),
    frame(frameType.CONTINUATION, flag.END_HEADERS, 3, requestBlock),
  ],
  [
    '6.10 CONTINUATION on another stream',
    PROTOCOL_ERROR,
    headersFrame(3, part, 0),
    frame(frameType.CONTINUATION, flag.END_HEADERS, 5, NOTHING),
  ],
  [
    '6.10 CONTINUATION on stream 0',
    PROTOCOL_ERROR,
    headersFrame(3, part, 0),
    frame(frameType.CONTINUATION, flag.END_HEADERS, 0, NOTHING),
  ],
];

describe('the connection ends, since', () => {
  test.each(errors.map(([rule, code, ...frames]) => ({ rule, code, frames })))(
    '$rule',
    ({ code, frames }) => {
      const server = opened().receive(request(1));
      server.receive(...frames, pingFrame('late'));
      expect(failureOf(server)?.code).toBe(code);
      expect(server.sent.pingsAnswered).toEqual([]);
      expect(server.socket.isEnded).toBe(true);
      expect(server.connection.streamCount).toBe(0);
      for (const { closes, late } of server.requests) {
        expect(closes).toHaveLength(1);
        expect(late).toEqual([]);
      }
      server.socket.receiveEnd();
      server.clock.settle();
      expect(server.ends).toEqual([{ kind: 'violation', code, reason: server.sent.goaways[0]?.text }]);
    },
  );
});

describe('3.4 the preface', () => {
  test.each([
    ['of HTTP/1.1', 'GET / HTTP/1.1\r\nHost: kelp\r\n\r\n'],
    ['with another byte at its end', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r '],
  ])('%s ends the connection', (_name, text) => {
    const server = new ServerUnderTest().receive(Buffer.from(text));
    expect(failureOf(server)).toEqual({ code: PROTOCOL_ERROR, lastStreamId: 0 });
    expect(server.socket.isEnded).toBe(true);
  });

  test.each([
    ['a request', wholeRequest(1)],
    ['an acknowledgement of SETTINGS', settingsAcknowledged],
    ['PING', pingFrame('a')],
    ['an unknown frame', frame(0xbb, 0, 0, Buffer.alloc(0))],
  ])('%s comes before SETTINGS: the connection ends', (_name, bytes) => {
    const server = new ServerUnderTest().receive(preface, bytes, settingsFrame());
    expect(failureOf(server)?.code).toBe(PROTOCOL_ERROR);
    expect(server.requests).toEqual([]);
  });

  test('the server sends its SETTINGS first, without waiting for the client', () => {
    const server = new ServerUnderTest();
    server.clock.settle();
    const [first, ...rest] = server.socket.frames;
    expect(first).toMatchObject({ type: frameType.SETTINGS, flags: 0, streamId: 0 });
    expect(rest).toEqual([]);
  });

  test('requests behind SETTINGS are served before the client has acknowledged those of the server', () => {
    const server = new ServerUnderTest(() => ({
      end: ({ stream }) => stream.reset(errorCode.CANCEL),
    })).receive(preface, settingsFrame(), wholeRequest(1));
    expect(server.requests).toHaveLength(1);
    expect(failureOf(server)).toBeUndefined();
  });
});

describe('5.4.1 an error of the connection', () => {
  test('names the last stream that was acted on, and says what was wrong', () => {
    const server = opened().receive(wholeRequest(1), request(5), dataFrame(0, Buffer.of(1)));
    expect(server.sent.goaways).toEqual([
      { lastStreamId: 5, code: PROTOCOL_ERROR, text: 'DATA on stream 0' },
    ]);
  });

  test('breaks off open streams, by the connection, with the same code', () => {
    const server = opened().receive(request(1), request(3), dataFrame(0, Buffer.of(1)));
    expect(server.requests.map(({ closes }) => closes)).toEqual([
      [[PROTOCOL_ERROR, 'connection']],
      [[PROTOCOL_ERROR, 'connection']],
    ]);
  });

  test('is sent behind the replies to what came before', () => {
    const server = opened().receive(wholeRequest(1), dataFrame(0, Buffer.of(1)));
    const types = server.socket.frames.map(({ type }) => type);
    expect(types.slice(-3)).toEqual([frameType.HEADERS, frameType.HEADERS, frameType.GOAWAY]);
  });

  test('drops what the peer still sends, and waits for it to close', () => {
    const server = opened().receive(dataFrame(0, Buffer.of(1)));
    server.receive(wholeRequest(1));
    expect(server.requests).toEqual([]);
    expect(server.socket.destroyed).toBe(false);
    server.socket.receiveEnd();
    server.clock.settle();
    expect(server.ends).toHaveLength(1);
  });

  test('does not wait for ever', () => {
    const server = opened().receive(dataFrame(0, Buffer.of(1)));
    server.clock.advance(60_000);
    server.clock.settle();
    expect(server.socket.destroyed).toBe(true);
    expect(server.ends).toHaveLength(1);
    expect(server.clock.timerCount).toBe(0);
  });

  test('of the user code goes on as its exception, and the peer is told INTERNAL_ERROR', () => {
    const fault = new Error('a fault in a handler');
    const server = opened({
      end: () => {
        throw fault;
      },
    });
    expect(() => server.receive(wholeRequest(1))).toThrow(fault);
    server.clock.settle();
    expect(failureOf(server)?.code).toBe(errorCode.INTERNAL_ERROR);
    expect(server.requests[0]?.closes).toEqual([[errorCode.INTERNAL_ERROR, 'connection']]);
  });
});

test('6.8 an error of the client is told to the owner when the client closes', () => {
  const server = opened().receive(goawayFrame(0, errorCode.INTERNAL_ERROR, 'broken'));
  server.socket.receiveEnd();
  server.clock.settle();
  expect(server.ends).toEqual([{ kind: 'peer', code: errorCode.INTERNAL_ERROR, debugText: 'broken' }]);
});

describe('4.3 the time for a head', () => {
  test.each([
    ['in its frame', wholeRequest(1).subarray(0, 15)],
    ['between its frames', headersFrame(1, requestBlock.subarray(0, 9), 0)],
    [
      'within CONTINUATION',
      Buffer.concat([headersFrame(1, part, 0), frame(frameType.CONTINUATION, 0, 1, part).subarray(0, 12)]),
    ],
  ])('a head that stops %s ends the connection after a time', (_name, bytes) => {
    const server = opened().receive(bytes);
    server.clock.advance(9_999);
    expect(failureOf(server)).toBeUndefined();
    // Twice as long at most, when its first frame was whole only after the look began.
    server.clock.advance(10_001);
    expect(failureOf(server)?.code).toBe(errorCode.ENHANCE_YOUR_CALM);
  });

  test('heads that are each cut where reading stopped do not, since each comes in time', () => {
    const server = opened();
    for (let id = 1; id < 41; id += 2) {
      server.receive(wholeRequest(id).subarray(0, 15));
      server.clock.advance(3_000);
      server.receive(wholeRequest(id).subarray(15));
    }
    expect(failureOf(server)).toBeUndefined();
    expect(server.requests).toHaveLength(20);
  });

  test('a body that stops does not: its time is the business of its user', () => {
    const server = opened().receive(request(1), dataFrame(1, Buffer.alloc(100)).subarray(0, 50));
    server.clock.advance(100_000);
    expect(failureOf(server)).toBeUndefined();
  });
});
