/** How a server's connection ends without an error: RFC 9113, section 6.8. */
import { describe, expect, test } from 'vitest';
import type { ConnectionEnd } from '../../../src/http2/contract/endpoint.ts';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import { ServerConnection } from '../../../src/http2/connection/server-connection.ts';
import { http2 } from '../../../src/limits.ts';
import { FakeSocket } from '../support/fake-socket.ts';
import { dataFrame, flag, frameType, goawayFrame, pingFrame } from '../support/frames.ts';
import { opened, request, wholeRequest } from '../support/opened.ts';
import { StepClock } from '../support/step-clock.ts';
import { okHead, serverOptions, type ServerUnderTest } from '../support/server-under-test.ts';

const { NO_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM } = errorCode;
const LAST = 2 ** 31 - 1;

/** Answers the PING that the server has sent. */
function answerPing(server: ServerUnderTest): void {
  const ping = server.socket.frames.find(({ type, flags }) => type === frameType.PING && flags === 0);
  server.receive(pingFrame(ping?.payload.toString('latin1') ?? '', flag.ACK));
}

function closeByPeer(server: ServerUnderTest): void {
  server.socket.receiveEnd();
  server.clock.settle();
}

function answerAll(server: ServerUnderTest): void {
  for (const { stream } of server.requests) stream.respond(okHead, true);
  server.clock.settle();
}

describe('`shutdown`', () => {
  test('lets the client know first, and names the last stream once that has surely heard of it', () => {
    const server = opened({}).receive(wholeRequest(1));
    server.connection.shutdown('the server stops');
    server.clock.settle();
    expect(server.sent.goaways).toEqual([{ lastStreamId: LAST, code: NO_ERROR, text: 'the server stops' }]);
    server.receive(wholeRequest(3));
    answerPing(server);
    expect(server.sent.goaways[1]).toEqual({ lastStreamId: 3, code: NO_ERROR, text: 'the server stops' });
    expect(server.requests).toHaveLength(2);
    expect(server.socket.isEnded).toBe(false);
  });

  test('closes when the last stream is done', () => {
    const server = opened({}).receive(wholeRequest(1), wholeRequest(3));
    server.connection.shutdown();
    server.clock.settle();
    answerPing(server);
    server.requests[0]?.stream.respond(okHead, true);
    server.clock.settle();
    expect(server.socket.isEnded).toBe(false);
    server.requests[1]?.stream.respond(okHead, true);
    server.clock.settle();
    expect(server.sent.streams[3]?.isEnded).toBe(true);
    expect(server.socket.isEnded).toBe(true);
    closeByPeer(server);
    expect(server.ends).toEqual([{ kind: 'done' }]);
  });

  test('closes a connection without streams after one way there and back', () => {
    const server = opened();
    server.connection.shutdown();
    server.clock.settle();
    expect(server.socket.isEnded).toBe(false);
    answerPing(server);
    expect(server.socket.isEnded).toBe(true);
    closeByPeer(server);
    expect(server.ends).toEqual([{ kind: 'done' }]);
  });

  test('waits for a body that waits for a window', () => {
    const server = opened({
      end: ({ stream }) => {
        stream.respond(okHead, false);
        stream.write(Buffer.alloc(70_000));
        stream.end();
      },
    }).receive(wholeRequest(1));
    server.connection.shutdown();
    server.clock.settle();
    answerPing(server);
    expect(server.socket.isEnded).toBe(false);
    server.receive(Buffer.concat([windowOf(0), windowOf(1)]));
    expect(server.sent.streams[1]).toMatchObject({ isEnded: true });
    expect(server.socket.isEnded).toBe(true);
  });

  test('refuses requests that come after the second GOAWAY, so that they may be made elsewhere', () => {
    const server = opened({}).receive(wholeRequest(1));
    server.connection.shutdown();
    server.clock.settle();
    answerPing(server);
    server.receive(request(3), dataFrame(3, Buffer.of(1), flag.END_STREAM));
    expect(server.requests).toHaveLength(1);
    expect(server.sent.streams[3]?.resetCodes).toEqual([REFUSED_STREAM]);
  });

  test('and does not go on refusing them forever', () => {
    const server = opened({}).receive(wholeRequest(1));
    server.connection.shutdown();
    server.clock.settle();
    answerPing(server);
    let count = 0;
    for (; !server.socket.isEnded && count <= http2.resetsBurst; count++)
      server.receive(wholeRequest(2 * count + 3));
    expect(count).toBe(http2.resetsBurst + 1);
    expect(server.sent.goaways.at(-1)?.code).toBe(ENHANCE_YOUR_CALM);
  });

  test('a second call does nothing', () => {
    const server = opened({});
    server.connection.shutdown();
    server.connection.shutdown();
    server.clock.settle();
    expect(server.sent.goaways).toHaveLength(1);
  });
});

describe('`goaway`', () => {
  test('breaks off every stream, names the last one, and closes', () => {
    const server = opened({}).receive(wholeRequest(1), wholeRequest(3));
    server.connection.goaway(ENHANCE_YOUR_CALM, 'too much');
    server.clock.settle();
    expect(server.sent.goaways).toEqual([{ lastStreamId: 3, code: ENHANCE_YOUR_CALM, text: 'too much' }]);
    expect(server.requests.map(({ closes }) => closes)).toEqual([
      [[ENHANCE_YOUR_CALM, 'connection']],
      [[ENHANCE_YOUR_CALM, 'connection']],
    ]);
    expect(server.socket.isEnded).toBe(true);
    closeByPeer(server);
    expect(server.ends).toEqual([{ kind: 'owner', error: undefined }]);
  });

  test('sends what had been sent by then', () => {
    const server = opened({}).receive(wholeRequest(1));
    server.requests[0]?.stream.respond(okHead, true);
    server.connection.goaway(NO_ERROR, '');
    server.clock.settle();
    expect(server.sent.streams[1]?.isEnded).toBe(true);
  });
});

describe('the connection is lost', () => {
  test.each([
    ['the client ends it', (server: ServerUnderTest) => server.socket.receiveEnd()],
    ['the socket fails', (server: ServerUnderTest) => server.socket.fail()],
    ['the owner destroys it', (server: ServerUnderTest) => server.connection.destroy()],
  ])('%s: streams are told, then the owner, once', (_name, lose) => {
    const server = opened({}).receive(wholeRequest(1), request(3));
    lose(server);
    server.clock.settle();
    server.clock.advance(60_000);
    server.clock.settle();
    expect(server.requests.map(({ closes }) => closes)).toEqual([
      [[CANCEL, 'connection']],
      [[CANCEL, 'connection']],
    ]);
    expect(server.ends).toHaveLength(1);
    expect(server.clock.timerCount).toBe(0);
    answerAll(server);
    server.connection.shutdown();
    server.connection.goaway(NO_ERROR, '');
    server.connection.destroy();
    server.clock.settle();
    expect(server.ends).toHaveLength(1);
  });

  test('how is told to the owner', () => {
    const ended = opened({}).receive(wholeRequest(1));
    closeByPeer(ended);
    expect(ended.ends).toEqual([{ kind: 'io', error: undefined }]);
    const failed = opened({});
    failed.socket.fail();
    failed.clock.settle();
    expect(failed.ends).toMatchObject([{ kind: 'io', error: { code: 'ECONNRESET' } }]);
    const destroyed = opened({});
    destroyed.connection.destroy();
    destroyed.clock.settle();
    expect(destroyed.ends).toEqual([{ kind: 'owner', error: undefined }]);
    const idle = opened({});
    closeByPeer(idle);
    expect(idle.ends).toEqual([{ kind: 'done' }]);
  });

  test('replies to requests that came with the end of the client still go out', () => {
    const server = opened();
    server.socket.receive(wholeRequest(1));
    server.socket.receiveEnd();
    server.clock.settle();
    expect(server.sent.streams[1]?.isEnded).toBe(true);
  });
});

test('6.8 a client that goes away gets its replies, then the connection closes', () => {
  const server = opened({}).receive(wholeRequest(1), goawayFrame(0, NO_ERROR));
  expect(server.socket.isEnded).toBe(false);
  answerAll(server);
  expect(server.sent.streams[1]?.isEnded).toBe(true);
  expect(server.socket.isEnded).toBe(true);
  closeByPeer(server);
  expect(server.ends).toEqual([{ kind: 'done' }]);
});

test('since when a connection is idle', () => {
  const server = opened({});
  expect(server.connection.idleSinceMs).toBe(0);
  server.clock.advance(50);
  server.receive(wholeRequest(1));
  expect(server.connection.idleSinceMs).toBeUndefined();
  expect(server.connection.streamCount).toBe(1);
  server.clock.advance(50);
  answerAll(server);
  expect(server.connection.idleSinceMs).toBe(100);
  server.clock.advance(50);
  server.receive(pingFrame('a'));
  expect(server.connection.idleSinceMs).toBe(100);
  expect(server.connection.streamCount).toBe(0);
});

function windowOf(streamId: number): Buffer {
  return Buffer.of(0, 0, 4, frameType.WINDOW_UPDATE, 0, 0, 0, 0, streamId, 0, 1, 0, 0);
}

test('a socket that is closed by the time its connection is made: the owner is told', () => {
  const clock = new StepClock();
  const socket = new FakeSocket(clock);
  socket.destroy();
  clock.settle();
  const ends: ConnectionEnd[] = [];
  const options = {
    ...serverOptions,
    clock,
    onClosed: (_connection: unknown, end: ConnectionEnd) => ends.push(end),
  };
  const connection = new ServerConnection(socket.asSocket, options, () => {
    throw new Error('there is no request');
  });
  clock.settle();
  expect(connection.streamCount).toBe(0);
  expect(ends).toEqual([{ kind: 'done' }]);
  expect(clock.timerCount).toBe(0);
});
