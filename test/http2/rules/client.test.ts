/** The client's side: RFC 9113, sections 3.4, 5.1, 6.5, 6.8 and 8.1, and what its owner is told. */
import { describe, expect, test } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { http2 } from '../../../src/limits.ts';
import { frame } from '../../support/bare-http2.ts';
import { callFields, ClientUnderTest } from '../support/client-under-test.ts';
import {
  dataFrame,
  flag,
  frameType,
  goawayFrame,
  headersFrame,
  pingFrame,
  preface,
  resetFrame,
  setting,
  settingsAcknowledged,
  settingsFrame,
  uint32,
  windowUpdateFrame,
} from '../support/frames.ts';
import { filler } from '../support/server-under-test.ts';

const {
  NO_ERROR,
  PROTOCOL_ERROR,
  CANCEL,
  REFUSED_STREAM,
  STREAM_CLOSED,
  FLOW_CONTROL_ERROR,
  INTERNAL_ERROR,
} = errorCode;
const { END_STREAM, END_HEADERS } = flag;
const NOTHING = Buffer.alloc(0);
const ok = encodeBlock([[':status', '200']]);
const trailers = encodeBlock([['grpc-status', '0']]);

function head(streamId: number, block: Uint8Array = ok): Buffer {
  return headersFrame(streamId, block, END_HEADERS);
}

/** Trailers, or a head that is all. */
function last(streamId: number, block: Uint8Array = trailers): Buffer {
  return headersFrame(streamId, block, END_HEADERS | END_STREAM);
}

/** A client whose server has sent its SETTINGS and acknowledged the client's. */
function openedClient(
  settings: readonly (readonly [number, number])[] = [],
  ...options: ConstructorParameters<typeof ClientUnderTest>
): ClientUnderTest {
  return new ClientUnderTest(...options).receive(settingsFrame(settings), settingsAcknowledged);
}

describe('3.4 the connection begins', () => {
  test('with the preface and SETTINGS that let nothing be pushed', () => {
    const client = new ClientUnderTest();
    client.clock.settle();
    const [first] = client.socket.frames;
    expect(first).toMatchObject({ type: frameType.SETTINGS, flags: 0, streamId: 0 });
    expect(first?.payload.includes(Buffer.of(0, setting.ENABLE_PUSH, 0, 0, 0, 0))).toBe(true);
    expect(client.socket.bytesWritten).toBe(preface.length + 9 + (first?.payload.length ?? 0));
  });

  test('for its owner with the SETTINGS of the server, once', () => {
    const client = new ClientUnderTest();
    expect(client.connection.isOpened).toBe(false);
    client.receive(settingsFrame(), settingsFrame());
    expect(client.connection.isOpened).toBe(true);
    expect(client.told).toEqual(['opened']);
    expect(client.sent.settingsAcknowledged.count).toBe(2);
  });

  test('requests may be made before, in the same write', () => {
    const client = new ClientUnderTest();
    client.call();
    client.clock.settle();
    expect(client.socket.frames.map(({ type }) => type)).toEqual([
      frameType.SETTINGS,
      frameType.HEADERS,
      frameType.DATA,
    ]);
  });

  test.each([
    ['HTTP/1.1', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a frame other than SETTINGS', pingFrame('a')],
  ])('not when the server answers with %s: the owner learns that it is no HTTP/2', (_name, bytes) => {
    const client = new ClientUnderTest();
    const response = client.call();
    client.receive(bytes);
    client.socket.receiveEnd();
    client.clock.settle();
    expect(client.told).toMatchObject([['closed', { kind: 'violation' }]]);
    expect(response.closes).toMatchObject([[expect.any(Number), 'connection']]);
  });

  test('not when the server says nothing', () => {
    const client = new ClientUnderTest();
    client.clock.advance(10_000);
    client.socket.receiveEnd();
    client.clock.settle();
    expect(client.told).toMatchObject([['closed', { kind: 'violation', code: errorCode.SETTINGS_TIMEOUT }]]);
  });
});

describe('8.1 a call', () => {
  test('in one turn: head, body and its end in two frames', () => {
    const client = openedClient();
    const before = client.socket.frames.length;
    const { stream } = client.request();
    stream?.writeInPlace('x', 3, filler);
    stream?.end();
    client.clock.settle();
    expect(client.socket.frames.slice(before)).toMatchObject([
      { type: frameType.HEADERS, flags: END_HEADERS, streamId: 1 },
      { type: frameType.DATA, flags: END_STREAM, streamId: 1, payload: Buffer.from('xxx') },
    ]);
    expect(client.sent.streams[1]?.blocks).toEqual([callFields]);
  });

  test('gets its response: head, body, trailers', () => {
    const client = openedClient();
    const response = client.call();
    client.receive(head(1), dataFrame(1, Buffer.from('ab')), dataFrame(1, Buffer.from('c')), last(1));
    expect(response).toMatchObject({
      heads: [{ status: 200 }],
      body: 'abc',
      trailers: [['grpc-status', '0']],
      closes: [[NO_ERROR, 'peer']],
      late: [],
    });
    expect(client.connection.streamCount).toBe(0);
  });

  test.each([
    ['of a head alone', [last(1, ok)]],
    ['that ends with its body', [head(1), dataFrame(1, NOTHING, END_STREAM)]],
  ])('gets a response %s', (_name, frames) => {
    const client = openedClient();
    const response = client.call();
    client.receive(...frames);
    expect(response).toMatchObject({ trailers: [], closes: [[NO_ERROR, 'peer']], late: [] });
  });

  test('passes informational responses over', () => {
    const client = openedClient();
    const response = client.call();
    client.receive(head(1, encodeBlock([[':status', '103']])), head(1), last(1));
    expect(response.heads.map(({ status }) => status)).toEqual([200]);
  });

  test('does not pass them over without end', () => {
    const client = openedClient();
    const response = client.call();
    const early = head(1, encodeBlock([[':status', '103']]));
    for (let count = 0; count < 2 * http2.idleFramesBurst; count++) client.receive(early);
    expect(response.closes).toEqual([[errorCode.ENHANCE_YOUR_CALM, 'connection']]);
  });

  test('whose response ends before its request goes on until it ends too', () => {
    const client = openedClient();
    const response = client.request();
    client.receive(head(1), last(1));
    expect(response).toMatchObject({ trailers: [['grpc-status', '0']], closes: [] });
    response.stream?.write(Buffer.from('abc'));
    response.stream?.end();
    client.clock.settle();
    expect(client.sent.streams[1]).toMatchObject({ body: 'abc', isEnded: true });
    expect(response.closes).toEqual([[NO_ERROR, 'user']]);
  });

  test('whose response is complete keeps it when the server asks for no more of the request', () => {
    const client = openedClient();
    const response = client.request();
    client.receive(head(1), dataFrame(1, Buffer.from('abc')), last(1), resetFrame(1, NO_ERROR));
    expect(response).toMatchObject({
      body: 'abc',
      trailers: [['grpc-status', '0']],
      closes: [[NO_ERROR, 'peer']],
    });
  });

  test('that is reset with NO_ERROR before its response is complete is no success', () => {
    const client = openedClient();
    const response = client.call();
    client.receive(head(1), resetFrame(1, NO_ERROR));
    expect(response.closes).toEqual([[CANCEL, 'peer']]);
  });

  test('that is reset by its user sends nothing more, and what comes is dropped', () => {
    const client = openedClient();
    const response = client.request();
    response.stream?.reset(CANCEL);
    response.stream?.write(Buffer.from('late'));
    response.stream?.end();
    client.receive(head(1), dataFrame(1, Buffer.from('abc')), last(1));
    expect(client.sent.streams[1]).toMatchObject({ body: '', resetCodes: [CANCEL], late: [] });
    expect(response).toMatchObject({ heads: [], closes: [[CANCEL, 'user']], late: [] });
  });

  test.each([
    [
      'HEAD',
      [
        [':method', 'HEAD'],
        [':scheme', 'http'],
        [':path', '/'],
      ],
      '200',
    ],
    ['204', callFields, '204'],
    ['304', callFields, '304'],
  ] as const)('8.1.1 a content-length tells nothing of the body with %s', (_name, fields, status) => {
    const client = openedClient();
    const response = client.call({}, fields);
    client.receive(
      last(
        1,
        encodeBlock([
          [':status', status],
          ['content-length', '5'],
        ]),
      ),
    );
    expect(response).toMatchObject({ trailers: [], closes: [[NO_ERROR, 'peer']] });
  });
});

describe('what a server may not send: the stream is reset', () => {
  const length = encodeBlock([
    [':status', '200'],
    ['content-length', '3'],
  ]);
  test.each([
    ['8.1 DATA before a head', PROTOCOL_ERROR, [dataFrame(1, Buffer.of(1))]],
    ['8.1 trailers without END_STREAM', PROTOCOL_ERROR, [head(1), head(1, trailers)]],
    [
      '8.1 an informational response that ends the stream',
      PROTOCOL_ERROR,
      [last(1, encodeBlock([[':status', '100']]))],
    ],
    [
      '8.1.1 less than its content-length',
      PROTOCOL_ERROR,
      [head(1, length), dataFrame(1, Buffer.of(1), END_STREAM)],
    ],
    ['8.1.1 more than its content-length', PROTOCOL_ERROR, [head(1, length), dataFrame(1, Buffer.alloc(4))]],
    ['8.1.1 a head alone with a content-length', PROTOCOL_ERROR, [last(1, length)]],
    ['8.3 pseudo-headers in trailers', PROTOCOL_ERROR, [head(1), last(1, ok)]],
    ['8.3.2 a head without a status', PROTOCOL_ERROR, [head(1, trailers)]],
    ['8.3.2 a head of a request', PROTOCOL_ERROR, [head(1, encodeBlock(callFields))]],
    ['8.6 status 101', PROTOCOL_ERROR, [head(1, encodeBlock([[':status', '101']]))]],
    [
      '6.9.1 more than the window of the stream',
      FLOW_CONTROL_ERROR,
      [head(1), dataFrame(1, Buffer.alloc(1001))],
    ],
  ])('%s', (_rule, code, frames) => {
    const client = openedClient([], { streamWindowBytes: 1000 });
    const response = client.call();
    const other = client.call();
    client.receive(...frames, last(3, ok));
    expect(client.sent.streams[1]?.resetCodes).toEqual([code]);
    expect(response.closes).toEqual([[code, 'violation']]);
    expect(response.late).toEqual([]);
    expect(other.closes).toEqual([[NO_ERROR, 'peer']]);
  });

  test.each([
    ['8.1 DATA after END_STREAM', dataFrame(1, Buffer.of(1))],
    ['8.1 HEADERS after END_STREAM', last(1)],
  ])('%s, while the request goes on', (_rule, bytes) => {
    const client = openedClient();
    const response = client.request();
    client.receive(head(1), last(1), bytes);
    expect(client.sent.streams[1]?.resetCodes).toEqual([STREAM_CLOSED]);
    expect(response.closes).toEqual([[STREAM_CLOSED, 'violation']]);
  });
});

describe('what a server may not send: the connection ends', () => {
  test.each([
    ['8.4 PUSH_PROMISE', frame(frameType.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), ok]))],
    ['6.5.2 ENABLE_PUSH', settingsFrame([[setting.ENABLE_PUSH, 1]])],
    ['5.1 HEADERS on a stream that was not begun', head(3)],
    ['5.1.1 HEADERS on an even stream', head(2)],
    ['5.1 DATA on a stream that was not begun', dataFrame(3, Buffer.of(1))],
  ])('%s', (_rule, bytes) => {
    const client = openedClient();
    const response = client.call();
    client.receive(bytes);
    expect(client.sent.goaways).toMatchObject([{ lastStreamId: 0, code: PROTOCOL_ERROR }]);
    expect(response.closes).toEqual([[PROTOCOL_ERROR, 'connection']]);
  });
});

describe('5.1.2 the streams of a connection', () => {
  test('are 100 until the server has said how many, then as many as it says, up to a limit', () => {
    const client = new ClientUnderTest();
    expect(client.connection.freeStreams).toBe(http2.streamsBeforeSettings);
    client.receive(settingsFrame([[setting.MAX_CONCURRENT_STREAMS, 7]]));
    expect(client.connection.freeStreams).toBe(7);
    client.receive(settingsFrame());
    expect(client.connection.freeStreams).toBe(7);
    expect(openedClient().connection.freeStreams).toBe(http2.streamsOfClientMax);
    const generous = openedClient([[setting.MAX_CONCURRENT_STREAMS, 2 ** 32 - 1]]);
    expect(generous.connection.freeStreams).toBe(http2.streamsOfClientMax);
  });

  test('that are all taken refuse another request, with nothing sent; the owner is told when one is free', () => {
    const client = openedClient([[setting.MAX_CONCURRENT_STREAMS, 1]]);
    client.call();
    expect(client.connection.freeStreams).toBe(0);
    const before = client.socket.frames.length;
    const refused = client.call();
    client.clock.settle();
    expect(refused).toMatchObject({ stream: undefined, closes: [] });
    expect(client.socket.frames.length).toBe(before + 2);
    expect(client.told).toEqual(['opened']);
    client.receive(last(1, ok));
    expect(client.told).toEqual(['opened', 'roomMade']);
    client.call();
    client.receive(last(3, ok));
    expect(client.told).toEqual(['opened', 'roomMade']);
  });

  test('are more when the server raises its limit', () => {
    const client = openedClient([[setting.MAX_CONCURRENT_STREAMS, 0]]);
    expect(client.request().stream).toBeUndefined();
    client.receive(settingsFrame([[setting.MAX_CONCURRENT_STREAMS, 1]]));
    expect(client.told).toEqual(['opened', 'roomMade']);
    expect(client.request().stream?.id).toBe(1);
  });
});

describe('6.8 GOAWAY of the server', () => {
  test('closes what the server did not process so that it may be tried again, and lets the rest go on', () => {
    const client = openedClient();
    const [one, three, five] = [client.call(), client.call(), client.call()];
    client.receive(goawayFrame(3, NO_ERROR, 'stop'));
    expect([one.closes, three.closes, five.closes]).toEqual([[], [], [[REFUSED_STREAM, 'connection']]]);
    expect(client.told).toEqual(['opened', ['goingAway', NO_ERROR, 'stop']]);
    expect(client.connection.freeStreams).toBe(0);
    expect(client.request().stream).toBeUndefined();
    client.receive(last(1, ok));
    expect(client.socket.isEnded).toBe(false);
    client.receive(last(3, ok));
    expect([one.closes, three.closes]).toEqual([[[NO_ERROR, 'peer']], [[NO_ERROR, 'peer']]]);
    expect(client.socket.isEnded).toBe(true);
    client.socket.receiveEnd();
    client.clock.settle();
    expect(client.told.at(-1)).toEqual(['closed', { kind: 'done' }]);
  });

  test('in two steps: the first closes nothing', () => {
    const client = openedClient();
    const [one, three] = [client.call(), client.call()];
    client.receive(goawayFrame(2 ** 31 - 1, NO_ERROR));
    expect([one.closes, three.closes]).toEqual([[], []]);
    client.receive(goawayFrame(1, NO_ERROR));
    expect([one.closes, three.closes]).toEqual([[], [[REFUSED_STREAM, 'connection']]]);
  });

  test('with an error is told as the reason when the server closes', () => {
    const client = openedClient();
    const response = client.call();
    client.receive(goawayFrame(1, errorCode.ENHANCE_YOUR_CALM, 'too_many_pings'));
    client.socket.receiveEnd();
    client.clock.settle();
    expect(response.closes).toEqual([[CANCEL, 'connection']]);
    expect(client.told.at(-1)).toEqual([
      'closed',
      { kind: 'peer', code: errorCode.ENHANCE_YOUR_CALM, debugText: 'too_many_pings' },
    ]);
  });

  test('the owner knows before it hears of the streams that the server did not process, and nothing begins in their place', () => {
    const log: string[] = [];
    const client = openedClient(
      [[setting.MAX_CONCURRENT_STREAMS, 2]],
      {},
      {
        goingAway: () => log.push('goingAway'),
        roomMade: () => log.push('roomMade'),
      },
    );
    client.call();
    client.call({
      closed: () => log.push(client.request().stream === undefined ? 'closed, no room' : 'closed, room'),
    });
    expect(client.request().stream).toBeUndefined();
    client.receive(goawayFrame(1, NO_ERROR));
    expect(log).toEqual(['goingAway', 'closed, no room']);
    expect(Object.keys(client.sent.streams)).toEqual(['1', '3']);
  });

  test('no room is told afterwards', () => {
    const client = openedClient([[setting.MAX_CONCURRENT_STREAMS, 2]]);
    client.call();
    client.call();
    expect(client.request().stream).toBeUndefined();
    client.receive(goawayFrame(3, NO_ERROR), last(1, ok));
    expect(client.told).not.toContain('roomMade');
  });
});

describe('the connection is lost', () => {
  test('by an error after which Node leaves the socket open, as TLS has it: it is closed', () => {
    const client = openedClient();
    const response = client.call();
    client.clock.settle();
    client.socket.emit('error', new Error('bad record'));
    client.clock.settle();
    expect(response.closes).toEqual([[CANCEL, 'connection']]);
    expect(client.socket.destroyed).toBe(true);
    expect(client.told.at(-1)).toMatchObject(['closed', { kind: 'io' }]);
  });

  test('requests that never left may be tried again, those that did may have taken effect', () => {
    const client = openedClient();
    const sent = client.call();
    client.clock.settle();
    const unsent = client.call();
    client.socket.fail();
    client.clock.settle();
    expect(sent.closes).toEqual([[CANCEL, 'connection']]);
    expect(unsent.closes).toEqual([[REFUSED_STREAM, 'connection']]);
    expect(client.told.at(-1)).toMatchObject(['closed', { kind: 'io', error: { code: 'ECONNRESET' } }]);
  });

  test('requests behind a server that does not read never left either', () => {
    const client = openedClient();
    client.socket.isRead = false;
    const sent = client.call();
    client.clock.settle();
    const waiting = client.call();
    client.clock.settle();
    client.socket.receiveEnd();
    client.clock.settle();
    expect([sent.closes, waiting.closes]).toEqual([
      [[CANCEL, 'connection']],
      [[REFUSED_STREAM, 'connection']],
    ]);
  });

  test('what still goes out as it ends counts as given to the socket', () => {
    const client = openedClient();
    client.socket.isRead = false;
    client.call();
    client.clock.settle();
    let given = 0;
    const waiting = client.call({ closed: ({ stream }) => void (given = stream?.outputGiven ?? 0) });
    const end = waiting.stream?.outputPosition ?? Number.POSITIVE_INFINITY;
    client.clock.settle();
    client.receive(dataFrame(0, Buffer.alloc(1)));
    client.clock.settle();
    expect(waiting.closes).toEqual([[expect.any(Number), 'connection']]);
    expect(given).toBeGreaterThanOrEqual(end);
    client.socket.readAll();
    client.clock.settle();
    expect(client.sent.streams[3]?.blocks).toHaveLength(1);
  });

  test('`destroy` closes at once with its error', () => {
    const client = openedClient();
    const response = client.call();
    client.clock.settle();
    const error = new Error('enough');
    client.connection.destroy(error);
    expect(response.closes).toEqual([[CANCEL, 'connection']]);
    client.clock.settle();
    expect(client.told.at(-1)).toEqual(['closed', { kind: 'owner', error }]);
    expect(client.connection.request(callFields, response)).toBeUndefined();
  });
});

describe('`leave`', () => {
  test('makes no more requests, and closes when those under way are done', () => {
    const client = openedClient();
    const response = client.call();
    client.connection.leave();
    client.connection.leave();
    client.clock.settle();
    expect(client.sent.goaways).toEqual([{ lastStreamId: 0, code: NO_ERROR, text: '' }]);
    expect(client.request().stream).toBeUndefined();
    expect(client.socket.isEnded).toBe(false);
    client.receive(head(1), last(1));
    expect(response.closes).toEqual([[NO_ERROR, 'peer']]);
    expect(client.socket.isEnded).toBe(true);
  });

  test('closes at once when there are none', () => {
    const client = openedClient();
    client.connection.leave();
    client.clock.settle();
    expect(client.socket.isEnded).toBe(true);
  });
});

describe('6.7 `ping`', () => {
  test('is answered by the frame with the same bytes', async () => {
    const client = openedClient();
    let answered = 0;
    const pings = [client.connection.ping(), client.connection.ping()].map(async (ping) => {
      await ping;
      answered++;
    });
    client.clock.settle();
    const frames = client.socket.frames.filter(({ type }) => type === frameType.PING);
    expect(frames).toHaveLength(2);
    client.receive(pingFrame('other', flag.ACK));
    await Promise.resolve();
    expect(answered).toBe(0);
    for (const { payload } of frames) client.receive(frame(frameType.PING, flag.ACK, 0, payload));
    await Promise.all(pings);
    expect(answered).toBe(2);
  });

  test('fails when the connection ends before the answer, or had ended', async () => {
    const client = openedClient();
    const ping = client.connection.ping();
    client.socket.fail();
    client.clock.settle();
    await expect(ping).rejects.toThrow('the connection ended before');
    await expect(client.connection.ping()).rejects.toThrow('the connection ended before');
  });
});

describe('HPACK of requests', () => {
  test('what repeats becomes shorter, and is still read', () => {
    const client = openedClient();
    client.call();
    client.call();
    client.clock.settle();
    const [first, second] = client.socket.frames.filter(({ type }) => type === frameType.HEADERS);
    expect(second?.payload.length).toBeLessThan((first?.payload.length ?? 0) / 2);
    expect(client.sent.streams[3]?.blocks).toEqual([callFields]);
  });

  test('RFC 7541, 4.2: keeps to the table that the server has', () => {
    const client = openedClient([[setting.HEADER_TABLE_SIZE, 0]]);
    client.call();
    client.clock.settle();
    const [first] = client.socket.frames.filter(({ type }) => type === frameType.HEADERS);
    expect(first?.payload[0]).toBe(0x20);
  });

  test('a request with a field that may not be sent throws, and the next is sent', () => {
    const client = openedClient();
    expect(() => client.request({}, [...callFields, ['Upper', '1']])).toThrow(TypeError);
    expect(client.request().stream?.id).toBe(1);
    client.clock.settle();
    expect(client.sent.streams[1]?.blocks).toEqual([callFields]);
  });

  test('a long head goes out in CONTINUATION frames', () => {
    const client = openedClient();
    const fields = [...callFields, ['x-long', '\u{e4}'.repeat(30_000)]] as const;
    client.call({}, fields);
    client.clock.settle();
    expect(client.sent.streams[1]?.blocks).toEqual([fields]);
    expect(client.socket.frames.some(({ type }) => type === frameType.CONTINUATION)).toBe(true);
  });
});

test('5.2 a request waits for the windows of the server', () => {
  const client = openedClient([[setting.INITIAL_WINDOW_SIZE, 10]]);
  let drained = 0;
  const { stream } = client.request({ drained: () => drained++ });
  expect(stream?.write(Buffer.from('0123456789abc'))).toBe(false);
  stream?.end();
  client.clock.settle();
  expect(client.sent.streams[1]).toMatchObject({ body: '0123456789', isEnded: false });
  client.receive(windowUpdateFrame(1, 100));
  expect(client.sent.streams[1]).toMatchObject({ body: '0123456789abc', isEnded: true });
  expect(drained).toBe(0);
});

test('an error of the user code goes on as its exception', () => {
  const client = openedClient();
  const fault = new Error('a fault in a handler');
  client.call({
    data: () => {
      throw fault;
    },
  });
  expect(() => client.receive(head(1), dataFrame(1, Buffer.of(1)))).toThrow(fault);
  client.clock.settle();
  expect(client.sent.goaways).toMatchObject([{ code: INTERNAL_ERROR }]);
});
