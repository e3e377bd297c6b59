/** Requests and responses as frames: RFC 9113, sections 4.1 to 4.3, 5.5, 6.1 to 6.3, 6.7 and 8.1, as the server's side. */
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
  pingFrame,
  preface,
  resetFrame,
  setting,
  settingsAcknowledged,
  settingsFrame,
} from '../support/frames.ts';
import {
  answering,
  failureOf,
  opened,
  request,
  requestBlock,
  requestFields,
  wholeRequest,
} from '../support/opened.ts';
import { type Behaviour, filler, okHead, okTrailers, ServerUnderTest } from '../support/server-under-test.ts';

const { END_STREAM, END_HEADERS, PADDED, PRIORITY } = flag;
const NOTHING = Buffer.alloc(0);

describe('8.1 a request', () => {
  test('without a body: its head, then its end', () => {
    const server = opened().receive(wholeRequest(1));
    expect(server.requests).toMatchObject([
      { head: { method: 'POST', scheme: 'http', path: '/call', authority: 'kelp' }, body: '', trailers: [] },
    ]);
  });

  test('with a body, in frames of any length, empty ones among them', () => {
    const server = opened().receive(
      request(1),
      dataFrame(1, Buffer.from('ab')),
      dataFrame(1, NOTHING),
      dataFrame(1, Buffer.from('c')),
      dataFrame(1, NOTHING, END_STREAM),
    );
    expect(server.requests).toMatchObject([
      { body: 'abc', trailers: [], closes: [[errorCode.NO_ERROR, 'user']] },
    ]);
  });

  test('with trailers', () => {
    const server = opened().receive(
      request(1),
      dataFrame(1, Buffer.from('abc')),
      wholeRequest(1, encodeBlock([['x-trailer', '1']])),
    );
    expect(server.requests).toMatchObject([{ body: 'abc', trailers: [['x-trailer', '1']] }]);
  });

  test('many at once, their frames mixed', () => {
    const server = opened().receive(
      request(1),
      request(3),
      dataFrame(3, Buffer.from('three')),
      dataFrame(1, Buffer.from('one')),
      wholeRequest(5),
      dataFrame(1, NOTHING, END_STREAM),
      dataFrame(3, Buffer.from('!'), END_STREAM),
    );
    expect(server.requests.map(({ body }) => body)).toEqual(['one', 'three!', '']);
  });

  test('with a head that is longer than allowed is answered by 431, and the table stays as the client has it', () => {
    const long = encodeBlock([...requestFields, ['x-long', 'x'.repeat(20_000)]]);
    const server = opened().receive(
      headersFrame(1, Buffer.concat([Buffer.from('\x40\x01a\x01b'), long.subarray(0, 10_000)]), END_STREAM),
      frame(frameType.CONTINUATION, END_HEADERS, 1, long.subarray(10_000)),
      wholeRequest(3, Buffer.concat([requestBlock, Buffer.of(0xbe)])),
    );
    expect(server.sent.streams[1]).toMatchObject({
      blocks: [[[':status', '431']]],
      isEnded: true,
      resetCodes: [],
    });
    expect(server.requests.map(({ head }) => head.fields)).toEqual([[['a', 'b']]]);
  });

  test('with a head that is longer than allowed, and a body to come: the body is dropped', () => {
    const long = encodeBlock([...requestFields, ['x-long', 'x'.repeat(16_000)], ['y', 'y'.repeat(300)]]);
    const server = opened().receive(request(1, long));
    expect(server.sent.streams[1]).toMatchObject({
      blocks: [[[':status', '431']]],
      isEnded: true,
      resetCodes: [],
    });
    server.receive(dataFrame(1, Buffer.from('abc'), END_STREAM));
    expect(server.sent.streams[1]?.resetCodes).toEqual([errorCode.NO_ERROR]);
    expect([server.requests, server.connection.streamCount]).toEqual([[], 0]);
  });
});

describe('8.1 a response', () => {
  test('in one piece: head, body, trailers', () => {
    const server = opened({
      end: ({ stream }) => stream.answer(okHead, 'x', 5, filler, okTrailers),
    }).receive(wholeRequest(1));
    expect(server.socket.frames.filter(({ streamId }) => streamId === 1)).toEqual([
      { type: frameType.HEADERS, flags: END_HEADERS, streamId: 1, payload: okHead },
      { type: frameType.DATA, flags: 0, streamId: 1, payload: Buffer.from('xxxxx') },
      { type: frameType.HEADERS, flags: END_HEADERS | END_STREAM, streamId: 1, payload: okTrailers },
    ]);
    expect(server.requests[0]?.closes).toEqual([[errorCode.NO_ERROR, 'user']]);
  });

  test('in one piece without a byte of a body has no DATA', () => {
    const server = opened({ end: ({ stream }) => stream.answer(okHead, 'x', 0, filler, okTrailers) });
    server.receive(wholeRequest(1));
    expect(server.socket.frames.filter(({ streamId }) => streamId === 1).map(({ type }) => type)).toEqual([
      frameType.HEADERS,
      frameType.HEADERS,
    ]);
  });

  test.each([16_384, 16_385, 40_000, 65_000, 65_535])(
    'in one piece of %d bytes: no DATA is longer than 16 KiB',
    (size) => {
      const counter = {
        write(_body: undefined, buffer: Buffer, start: number, end: number) {
          for (let at = start; at < end; at++) buffer[at] = (at - start) % 251;
        },
      };
      const server = opened({
        end: ({ stream }) => stream.answer(okHead, undefined, size, counter, okTrailers),
      });
      server.receive(wholeRequest(1));
      const parts = server.socket.frames
        .filter(({ type }) => type === frameType.DATA)
        .map(({ payload }) => payload);
      expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(16_384);
      const body = Buffer.alloc(size);
      counter.write(undefined, body, 0, size);
      expect(Buffer.concat(parts).equals(body)).toBe(true);
      expect(server.sent.streams[1]).toMatchObject({ isEnded: true });
    },
  );

  test('a head alone', () => {
    const server = opened({ end: ({ stream }) => stream.respond(okHead, true) }).receive(wholeRequest(1));
    expect(server.socket.frames.at(-1)).toMatchObject({
      type: frameType.HEADERS,
      flags: END_HEADERS | END_STREAM,
    });
    expect(server.requests[0]?.closes).toEqual([[errorCode.NO_ERROR, 'user']]);
  });

  test('pieces that follow each other are one DATA frame, which ends the stream', () => {
    const server = opened({
      end: ({ stream }) => {
        stream.respond(okHead, false);
        stream.write(Buffer.from('ab'));
        stream.writeInPlace('c', 2, filler);
        stream.write(NOTHING);
        stream.write(Buffer.from('d'));
        stream.end();
      },
    }).receive(wholeRequest(1));
    expect(server.socket.frames.filter(({ type }) => type === frameType.DATA)).toEqual([
      { type: frameType.DATA, flags: END_STREAM, streamId: 1, payload: Buffer.from('abccd') },
    ]);
  });

  test('pieces with frames of others in between are frames of their own', () => {
    const server = opened({});
    server.receive(wholeRequest(1), wholeRequest(3));
    const [one, three] = server.requests.map(({ stream }) => stream);
    one?.respond(okHead, false);
    three?.respond(okHead, false);
    one?.write(Buffer.from('a'));
    three?.write(Buffer.from('b'));
    one?.write(Buffer.from('c'));
    one?.end();
    three?.end();
    server.clock.settle();
    const data = server.socket.frames.filter(({ type }) => type === frameType.DATA);
    expect(data.map(({ streamId, flags, payload }) => [streamId, flags, String(payload)])).toEqual([
      [1, 0, 'a'],
      [3, 0, 'b'],
      [1, END_STREAM, 'c'],
      [3, END_STREAM, ''],
    ]);
  });

  test('an end in a later turn is an empty DATA frame', () => {
    const server = opened({}).receive(wholeRequest(1));
    const stream = server.requests[0]?.stream;
    stream?.respond(okHead, false);
    stream?.write(Buffer.from('a'));
    server.clock.settle();
    stream?.end();
    server.clock.settle();
    const data = server.socket.frames.filter(({ type }) => type === frameType.DATA);
    expect(data.map(({ flags, payload }) => [flags, String(payload)])).toEqual([
      [0, 'a'],
      [END_STREAM, ''],
    ]);
  });

  describe('that ends before its request', () => {
    const early: Behaviour = { begun: ({ stream }) => stream.respond(okHead, true) };
    const part = Buffer.alloc(16_384);

    /** The handler was told at once, and of nothing that came later. */
    function expectTold(server: ServerUnderTest): void {
      for (const told of server.requests) {
        expect(told).toMatchObject({
          body: '',
          trailers: undefined,
          closes: [[errorCode.NO_ERROR, 'user']],
          late: [],
        });
      }
    }

    test('is over for its handler, and lets the client send the rest, which is dropped', () => {
      const server = opened(early).receive(request(1));
      expectTold(server);
      for (let bytes = 0; bytes <= http2.answeredRequestBytesMax - part.length; bytes += part.length)
        server.receive(dataFrame(1, part));
      expect([server.sent.goaways, server.sent.streams[1]?.resetCodes]).toEqual([[], []]);
      expect(server.connection.streamCount).toBe(1);

      server.receive(dataFrame(1, NOTHING, END_STREAM));

      expect(server.sent.streams[1]).toMatchObject({ isEnded: true, resetCodes: [errorCode.NO_ERROR] });
      expect(server.connection.streamCount).toBe(0);
      expectTold(server);
    });

    test('also one that has come to that end by trailers, or by a reset of the client', () => {
      const trailers = wholeRequest(1, encodeBlock([['x-trailer', '1']]));
      for (const last of [trailers, resetFrame(1, errorCode.NO_ERROR)]) {
        const server = opened(early).receive(request(1), last);
        expect(server.sent.streams[1]?.resetCodes).toEqual(last === trailers ? [errorCode.NO_ERROR] : []);
        expect(server.connection.streamCount).toBe(0);
        expectTold(server);
      }
    });

    test('lets the client leave off before the length that it told', () => {
      const block = encodeBlock([...requestFields, ['content-length', '100']]);
      const server = opened(early).receive(request(1, block), dataFrame(1, Buffer.from('abc'), END_STREAM));
      expect(server.sent.streams[1]).toMatchObject({ isEnded: true, resetCodes: [errorCode.NO_ERROR] });
      expectTold(server);
    });

    test('gives back at once what its handler has not consumed', () => {
      const server = opened({ data: ({ stream }) => stream.respond(okHead, true) });
      server.receive(request(1), ...[1, 2, 3].map(() => dataFrame(1, part)));
      expect(server.sent.windows[0]).toBeGreaterThan(0);
      expect(server.sent.windows[1]).toBeGreaterThan(0);
    });

    test('asks for no more of it when it is long', () => {
      const server = opened(early).receive(request(1));
      for (let bytes = 0; bytes <= http2.answeredRequestBytesMax; bytes += part.length)
        server.receive(dataFrame(1, part));
      expect(server.sent.streams[1]).toMatchObject({ isEnded: true, resetCodes: [errorCode.NO_ERROR] });
      expect(server.connection.streamCount).toBe(0);
      server.receive(dataFrame(1, part), dataFrame(1, NOTHING, END_STREAM));
      expect([server.sent.goaways, server.sent.streams[1]?.resetCodes]).toEqual([[], [errorCode.NO_ERROR]]);
      expectTold(server);
    });

    test('asks for no more of it when it does not end in time, each in its own', () => {
      const server = opened(early).receive(request(1), request(3));
      const resets = (): unknown[] => [1, 3, 5].map((id) => server.sent.streams[id]?.resetCodes.length);
      server.clock.advance(http2.answeredRequestMs / 2);
      server.receive(request(5), dataFrame(3, NOTHING, END_STREAM));

      server.clock.advance(http2.answeredRequestMs / 2);
      server.clock.settle();
      expect(resets()).toEqual([1, 1, 0]);
      server.clock.advance(http2.answeredRequestMs / 2);
      server.clock.settle();

      expect(resets()).toEqual([1, 1, 1]);
      expect([server.connection.streamCount, server.clock.timerCount]).toEqual([0, 0]);
      expectTold(server);
    });

    test('is one of the open streams until then, and over with the connection', () => {
      const server = opened(early, { concurrentStreamsMax: 1 }).receive(request(1), request(3));
      expect(server.sent.streams[3]?.resetCodes).toEqual([errorCode.REFUSED_STREAM]);
      server.connection.destroy();
      server.clock.settle();
      expect([server.connection.streamCount, server.clock.timerCount]).toEqual([0, 0]);
      expectTold(server);
    });
  });

  test('that is sent as the head of its request comes ends the stream if that is all of it', () => {
    const server = opened({ begun: ({ stream }) => stream.respond(okHead, true) }).receive(wholeRequest(1));
    expect(server.sent.streams[1]).toMatchObject({ isEnded: true, resetCodes: [] });
    expect(server.requests[0]).toMatchObject({ closes: [[errorCode.NO_ERROR, 'user']], late: [] });
  });

  test('has one head: another is not sent, nor a body before it', () => {
    const server = opened({
      end: ({ stream }) => {
        stream.write(Buffer.from('early'));
        stream.respond(okHead, false);
        stream.respond(okHead, false);
        stream.answer(okHead, 'x', 3, filler, okTrailers);
        stream.end(okTrailers);
        stream.end(okTrailers);
        stream.write(Buffer.from('late'));
      },
    }).receive(wholeRequest(1));
    expect(server.sent.streams[1]).toMatchObject({ body: '', isEnded: true, late: [] });
    expect(server.sent.streams[1]?.blocks).toHaveLength(2);
  });

  test('within the receiver is sent, and the handler told of the end at once', () => {
    const server = opened({ begun: ({ stream }) => stream.answer(okHead, 'x', 3, filler, okTrailers) });
    server.receive(wholeRequest(1));
    expect(server.requests[0]).toMatchObject({ closes: [[errorCode.NO_ERROR, 'user']], late: [] });
    expect(server.sent.streams[1]).toMatchObject({ body: 'xxx', isEnded: true });
  });
});

describe('4.2 and 4.3 header blocks', () => {
  test('come in CONTINUATION frames, cut anywhere', () => {
    const parts = [requestBlock.subarray(0, 1), requestBlock.subarray(1, 9), requestBlock.subarray(9)];
    const server = opened().receive(
      headersFrame(1, parts[0] ?? NOTHING, END_STREAM),
      frame(frameType.CONTINUATION, 0, 1, parts[1] ?? NOTHING),
      frame(frameType.CONTINUATION, END_HEADERS, 1, parts[2] ?? NOTHING),
    );
    expect(server.requests).toMatchObject([{ head: { path: '/call' }, trailers: [] }]);
  });

  test('of trailers too', () => {
    const block = encodeBlock([['x-trailer', '12345']]);
    const server = opened().receive(
      request(1),
      headersFrame(1, block.subarray(0, 4), END_STREAM),
      frame(frameType.CONTINUATION, END_HEADERS, 1, block.subarray(4)),
    );
    expect(server.requests).toMatchObject([{ trailers: [['x-trailer', '12345']] }]);
  });

  test('that are longer than the frames that a client takes go out in CONTINUATION frames, nothing in between', () => {
    const head = encodeBlock([
      [':status', '200'],
      ['x-long', 'ä'.repeat(40_000)],
    ]);
    const server = opened({ end: ({ stream }) => stream.respond(head, true) }).receive(wholeRequest(1));
    const frames = server.socket.frames.filter(({ streamId }) => streamId === 1);
    expect(frames.map(({ type, flags, payload }) => [type, flags, payload.length <= 16_384])).toEqual([
      [frameType.HEADERS, END_STREAM, true],
      [frameType.CONTINUATION, 0, true],
      [frameType.CONTINUATION, END_HEADERS, true],
    ]);
    expect(Buffer.concat(frames.map(({ payload }) => payload)).equals(head)).toBe(true);
  });

  test('RFC 7541, 4.2: a client that made its table smaller is told so, once', () => {
    const server = opened(answering, {}, [[setting.HEADER_TABLE_SIZE, 0]]).receive(
      wholeRequest(1),
      wholeRequest(3),
    );
    const [first, ...rest] = server.socket.frames.filter(({ type }) => type === frameType.HEADERS);
    expect(first?.payload.equals(Buffer.concat([Buffer.of(0x20), okHead]))).toBe(true);
    expect(rest.every(({ payload }) => payload[0] !== 0x20)).toBe(true);
  });
});

describe('what is passed over', () => {
  test.each([
    ['4.1 the reserved bit of a stream id', Buffer.from(wholeRequest(1)).fill(0x80, 5, 6)],
    ['4.1 flags that have no meaning', headersFrame(1, requestBlock, END_HEADERS | END_STREAM | 0x40 | 0x80)],
    [
      '6.2 the padding of HEADERS, with content',
      headersFrame(
        1,
        Buffer.concat([padded(requestBlock, 0).fill(9, 0, 1), Buffer.from('123456789')]),
        END_HEADERS | END_STREAM | PADDED,
      ),
    ],
    [
      '6.2 and 5.3.2 the priority of HEADERS',
      headersFrame(
        1,
        Buffer.concat([Buffer.of(0x80, 0, 0, 3, 9), requestBlock]),
        END_HEADERS | END_STREAM | PRIORITY,
      ),
    ],
    [
      '6.2 both',
      headersFrame(
        1,
        padded(Buffer.concat([Buffer.of(0, 0, 0, 3, 9), requestBlock]), 20),
        END_HEADERS | END_STREAM | PRIORITY | PADDED,
      ),
    ],
  ])('%s', (_name, bytes) => {
    const server = opened().receive(bytes);
    expect(server.requests).toMatchObject([{ head: { path: '/call' }, trailers: [] }]);
    expect(server.sent.streams[1]?.isEnded).toBe(true);
  });

  test.each([
    ['5.5 an unknown frame', frame(0xbb, 0xff, 0, Buffer.from('anything'))],
    ['5.5 an unknown frame on a stream that has not begun', frame(0xbb, 0xff, 9, Buffer.from('anything'))],
    ['5.3.2 PRIORITY on a stream that has not begun', frame(frameType.PRIORITY, 0, 9, Buffer.alloc(5))],
    ['6.5.2 an unknown setting', settingsFrame([[0xff, 1]])],
    ['6.7 an answer to no PING', pingFrame('answer', flag.ACK)],
    ['6.1 the content of padding', dataFrame(1, Buffer.from('\x03abc123'), PADDED)],
    ['6.1 DATA that is all padding', dataFrame(1, padded(NOTHING, 10), PADDED)],
  ])('%s', (_name, bytes) => {
    const server = opened().receive(request(1), bytes, dataFrame(1, NOTHING, END_STREAM), pingFrame('alive'));
    expect(failureOf(server)).toBeUndefined();
    expect(server.sent.pingsAnswered).toEqual(['alive   ']);
    expect(server.sent.streams[1]).toMatchObject({ isEnded: true, resetCodes: [] });
    expect(server.requests[0]?.body).toMatch(/^(?:abc)?$/);
  });
});

describe('6.7 PING', () => {
  test('is answered with its bytes, in order, while replies wait', () => {
    const server = opened({}).receive(wholeRequest(1), pingFrame('one'), pingFrame('two'));
    expect(server.sent.pingsAnswered).toEqual(['one     ', 'two     ']);
  });
});

describe('6.5.3 SETTINGS', () => {
  test('are acknowledged one by one', () => {
    const server = opened().receive(settingsFrame(), settingsFrame([[setting.INITIAL_WINDOW_SIZE, 10]]));
    expect(server.sent.settingsAcknowledged.count).toBe(3);
  });

  test('are acted on in their order: the last value of one counts', () => {
    const server = opened({ end: ({ stream }) => stream.answer(okHead, 'x', 50, filler, okTrailers) });
    server.receive(
      settingsFrame([
        [setting.INITIAL_WINDOW_SIZE, 10],
        [setting.INITIAL_WINDOW_SIZE, 20],
      ]),
      wholeRequest(1),
    );
    expect(server.sent.streams[1]?.body).toHaveLength(20);
  });

  test('that are not acknowledged in time end the connection', () => {
    const server = new ServerUnderTest().receive(preface, settingsFrame());
    server.clock.advance(9_999);
    expect(failureOf(server)).toBeUndefined();
    server.clock.advance(1);
    expect(failureOf(server)?.code).toBe(errorCode.SETTINGS_TIMEOUT);
  });

  test('that have not come in time end the connection', () => {
    const server = new ServerUnderTest().receive(preface, settingsAcknowledged.subarray(0, 5));
    server.clock.advance(10_000);
    expect(failureOf(server)?.code).toBe(errorCode.SETTINGS_TIMEOUT);
  });

  test('that both sides have acknowledged set no further limit of time', () => {
    const server = opened().receive(wholeRequest(1));
    server.clock.advance(10_000_000);
    expect(failureOf(server)).toBeUndefined();
    expect(server.clock.timerCount).toBe(0);
  });
});
