/** Heads, stream ids and beginnings of connections that nobody sends in good faith. */
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
  pingFrame,
  preface,
  resetFrame,
  settingsFrame,
  uint32,
} from '../support/frames.ts';
import { filler, okHead, okTrailers, ServerUnderTest } from '../support/server-under-test.ts';
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
} from './attacker.ts';

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
