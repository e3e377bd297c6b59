/** What ends one stream and leaves the connection as it is: RFC 9113, section 5.4.2, and the rules that lead there. */
import { describe, expect, test } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { frame } from '../../support/bare-http2.ts';
import {
  dataFrame,
  flag,
  frameType,
  headersFrame,
  padded,
  pingFrame,
  setting,
  windowUpdateFrame,
} from '../support/frames.ts';
import { answering, failureOf, opened, request, requestFields, wholeRequest } from '../support/opened.ts';

const {
  PROTOCOL_ERROR,
  FRAME_SIZE_ERROR,
  FLOW_CONTROL_ERROR,
  STREAM_CLOSED,
  REFUSED_STREAM,
  NO_ERROR,
  CANCEL,
} = errorCode;
const { END_STREAM, END_HEADERS, PADDED } = flag;
const NOTHING = Buffer.alloc(0);
const trailers = encodeBlock([['x-trailer', '1']]);

function blockWith(...fields: readonly Field[]): Buffer {
  return encodeBlock([...requestFields, ...fields]);
}

/** Stream 1 is open and its user silent: what the client sends, and the code that the stream is reset with. */
const errors: readonly (readonly [rule: string, code: number, ...frames: Buffer[]])[] = [
  ['5.1 DATA after END_STREAM', STREAM_CLOSED, dataFrame(1, NOTHING, END_STREAM), dataFrame(1, Buffer.of(1))],
  [
    '5.1 trailers after END_STREAM',
    STREAM_CLOSED,
    dataFrame(1, NOTHING, END_STREAM),
    wholeRequest(1, trailers),
  ],
  ['6.3 PRIORITY of another length', FRAME_SIZE_ERROR, frame(frameType.PRIORITY, 0, 1, Buffer.alloc(4))],
  ['6.9 WINDOW_UPDATE of 0', PROTOCOL_ERROR, windowUpdateFrame(1, 0)],
  ['6.9.1 its window is beyond 2^31 - 1', FLOW_CONTROL_ERROR, windowUpdateFrame(1, 2 ** 31 - 1)],
  ['8.1 trailers without END_STREAM', PROTOCOL_ERROR, headersFrame(1, trailers, END_HEADERS)],
  ['8.1 trailers with a pseudo-header', PROTOCOL_ERROR, wholeRequest(1, encodeBlock(requestFields))],
  ['8.2.1 trailers with upper case', PROTOCOL_ERROR, wholeRequest(1, Buffer.from('\0\x01X\x01a'))],
];

describe('a stream is reset, and no other touched, since', () => {
  test.each(errors.map(([rule, code, ...frames]) => ({ rule, code, frames })))(
    '$rule',
    ({ code, frames }) => {
      const server = opened((head) => (head.path === '/call' ? {} : answering)).receive(request(1));
      server.receive(...frames, pingFrame('alive'));
      expect(server.sent.streams[1]?.resetCodes).toEqual([code]);
      expect(server.requests[0]?.closes).toEqual([[code, 'violation']]);
      expect(server.requests[0]?.late).toEqual([]);
      expect(server.connection.streamCount).toBe(0);
      expect(failureOf(server)).toBeUndefined();
      expect(server.sent.pingsAnswered).toEqual(['alive   ']);
    },
  );

  test.each<[rule: string, ...fields: Field[]]>([
    ['8.3 an unknown pseudo-header', [':other', 'x']],
    ['8.3.1 two paths', [':path', '/other']],
    ['8.2.2 a field of the connection', ['connection', 'close']],
    ['8.2.2 te other than trailers', ['te', 'gzip']],
  ])('%s: no request is made of it', (_rule, ...fields) => {
    const server = opened().receive(wholeRequest(1, blockWith(...fields)), wholeRequest(3));
    expect(server.sent.streams[1]?.resetCodes).toEqual([PROTOCOL_ERROR]);
    expect(server.requests.map(({ stream }) => stream.id)).toEqual([3]);
    expect(server.sent.streams[3]?.isEnded).toBe(true);
  });
});

describe('8.1.1 content-length', () => {
  const length = (text: string): Buffer => blockWith(['content-length', text]);

  test.each([
    ['more DATA than it tells', '3', [dataFrame(1, Buffer.from('abcd'))]],
    ['less', '3', [dataFrame(1, Buffer.from('ab'), END_STREAM)]],
    ['less, and trailers', '3', [dataFrame(1, Buffer.from('ab')), wholeRequest(1, trailers)]],
    [
      'less in all frames together',
      '3',
      [dataFrame(1, Buffer.of(1)), dataFrame(1, Buffer.of(1), END_STREAM)],
    ],
  ])('%s: the stream is reset, and its end not told', (_name, text, frames) => {
    const server = opened().receive(request(1, length(text)), ...frames);
    expect(server.sent.streams[1]?.resetCodes).toEqual([PROTOCOL_ERROR]);
    expect(server.requests[0]?.trailers).toBeUndefined();
    expect(server.requests[0]?.closes).toEqual([[PROTOCOL_ERROR, 'violation']]);
  });

  test('of a request without a body is 0, or the stream is reset', () => {
    const server = opened().receive(wholeRequest(1, length('3')), wholeRequest(3, length('0')));
    expect(server.sent.streams[1]?.resetCodes).toEqual([PROTOCOL_ERROR]);
    expect(server.sent.streams[3]).toMatchObject({ isEnded: true, resetCodes: [] });
  });

  test('is the length of the data, not of their padding', () => {
    const server = opened().receive(
      request(1, length('3')),
      dataFrame(1, padded(Buffer.from('abc'), 50), END_STREAM | PADDED),
    );
    expect(server.requests[0]).toMatchObject({ body: 'abc', trailers: [] });
    expect(server.sent.streams[1]).toMatchObject({ isEnded: true, resetCodes: [] });
  });
});

describe('5.1 a stream that is closed', () => {
  test('DATA on one that the client had ended is answered by STREAM_CLOSED, and counts for the connection', () => {
    const server = opened().receive(wholeRequest(1));
    expect(server.sent.streams[1]?.isEnded).toBe(true);
    for (let sent = 0; sent < 5; sent++) server.receive(dataFrame(1, Buffer.alloc(16_000)));
    expect(server.sent.streams[1]?.resetCodes[0]).toBe(STREAM_CLOSED);
    expect(failureOf(server)).toBeUndefined();
    expect(server.sent.windows[0]).toBeGreaterThan(16_000);
  });

  test('RST_STREAM, WINDOW_UPDATE and PRIORITY on it are passed over', () => {
    const server = opened().receive(wholeRequest(1));
    server.receive(
      frame(frameType.RST_STREAM, 0, 1, Buffer.alloc(4)),
      windowUpdateFrame(1, 1),
      frame(frameType.PRIORITY, 0, 1, Buffer.alloc(5)),
      pingFrame('alive'),
    );
    expect(server.sent.streams[1]?.resetCodes).toEqual([]);
    expect(failureOf(server)).toBeUndefined();
    expect(server.sent.pingsAnswered).toEqual(['alive   ']);
  });

  test('what comes behind a reset of our own is dropped, its DATA given back and its trailers decoded', () => {
    const server = opened({ begun: ({ stream }) => stream.reset(CANCEL) }).receive(request(1));
    server.receive(
      ...Array.from({ length: 6 }, () => dataFrame(1, Buffer.alloc(16_000))),
      // Joins the dynamic table, from which the next request takes it.
      wholeRequest(1, Buffer.from('\x40\x01a\x01b')),
      wholeRequest(3, Buffer.concat([encodeBlock(requestFields), Buffer.of(0xbe)])),
    );
    expect(server.sent.streams[1]?.resetCodes).toEqual([CANCEL]);
    expect(server.requests[1]?.head.fields).toEqual([['a', 'b']]);
    expect(server.sent.windows[0]).toBeGreaterThan(60_000);
    expect(failureOf(server)).toBeUndefined();
  });

  test('only the last 256 resets are remembered', () => {
    const server = opened({ begun: ({ stream }) => stream.reset(CANCEL) }, { concurrentStreamsMax: 1000 });
    for (let id = 1; id <= 2 * 257; id += 2) server.receive(request(id));
    server.receive(dataFrame(3, Buffer.of(1)));
    expect(server.sent.streams[3]?.resetCodes).toEqual([CANCEL]);
    server.receive(dataFrame(1, Buffer.of(1)));
    expect(server.sent.streams[1]?.resetCodes).toEqual([CANCEL, STREAM_CLOSED]);
  });
});

describe('5.1.2 concurrent streams', () => {
  test('the server tells how many it takes', () => {
    const server = opened(undefined, { concurrentStreamsMax: 7 });
    const { payload } = server.socket.frames[0] ?? { payload: NOTHING };
    const values = new Map<number, number>();
    for (let at = 0; at < payload.length; at += 6)
      values.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    expect(values.get(setting.MAX_CONCURRENT_STREAMS)).toBe(7);
  });

  test('one too many is refused, so that it may be tried again, and takes the next place that is free', () => {
    const server = opened(answering, { concurrentStreamsMax: 2 }).receive(request(1), request(3), request(5));
    expect(server.sent.streams[5]?.resetCodes).toEqual([REFUSED_STREAM]);
    expect(server.requests).toHaveLength(2);
    server.receive(dataFrame(1, NOTHING, END_STREAM), wholeRequest(7));
    expect(server.sent.streams[7]).toMatchObject({ isEnded: true, resetCodes: [] });
  });

  test('a stream counts until both sides have ended', () => {
    const server = opened({}, { concurrentStreamsMax: 1 }).receive(wholeRequest(1), wholeRequest(3));
    expect(server.sent.streams[3]?.resetCodes).toEqual([REFUSED_STREAM]);
    server.requests[0]?.stream.reset(NO_ERROR);
    server.receive(wholeRequest(5));
    expect(server.requests).toHaveLength(2);
  });
});

describe('5.4.2 a reset by the client', () => {
  test('is told with its code, and nothing is sent any more', () => {
    const server = opened({}).receive(
      request(1),
      frame(frameType.RST_STREAM, 0, 1, Buffer.of(0, 0, 0, CANCEL)),
    );
    const [first] = server.requests;
    expect(first?.closes).toEqual([[CANCEL, 'peer']]);
    const before = server.socket.frames.length;
    first?.stream.respond(trailers, false);
    first?.stream.write(Buffer.from('late'));
    first?.stream.end();
    first?.stream.consumed(10);
    first?.stream.reset(CANCEL);
    server.clock.settle();
    expect(server.socket.frames).toHaveLength(before);
  });

  test('with NO_ERROR is no success: the response was not complete', () => {
    const server = opened({}).receive(wholeRequest(1), frame(frameType.RST_STREAM, 0, 1, Buffer.alloc(4)));
    expect(server.requests[0]?.closes).toEqual([[CANCEL, 'peer']]);
  });

  test('is not answered by a reset', () => {
    const server = opened({}).receive(wholeRequest(1), frame(frameType.RST_STREAM, 0, 1, Buffer.alloc(4)));
    expect(server.sent.streams[1]).toBeUndefined();
  });

  test('with a code that nothing knows is passed on', () => {
    const server = opened({}).receive(request(1), frame(frameType.RST_STREAM, 0, 1, Buffer.of(0, 0, 1, 0)));
    expect(server.requests[0]?.closes).toEqual([[256, 'peer']]);
  });
});
