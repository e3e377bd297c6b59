/** Clients that do not read, and what is held for them, in bytes; users that do not consume what came for them. */
import { describe, expect, test } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { Outbox } from '../../../src/http2/output/outbox.ts';
import { unreadOutput } from '../../../src/http2/output/unread-output.ts';
import { FakeSocket } from '../support/fake-socket.ts';
import { StepClock } from '../support/step-clock.ts';
import { http2 } from '../../../src/limits.ts';
import {
  dataFrame,
  headersFrame,
  padded,
  pingFrame,
  resetFrame,
  setting,
  settingsFrame,
  windowUpdateFrame,
} from '../support/frames.ts';
import type { ServerUnderTest } from '../support/server-under-test.ts';
import {
  WHOLE,
  fieldsFor,
  ignored,
  unary,
  opened,
  goawayOf,
  expectNothingLeft,
  END_STREAM,
  END_HEADERS,
  PADDED,
} from './attacker.ts';

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

  test('over TLS holds what its socket has in two forms, and both count', () => {
    const clock = new StepClock();
    const sockets: FakeSocket[] = [];
    const owner = { outputBegun: () => undefined, outputTaken: () => undefined, outputCut: () => undefined };
    const heldBytes = (): number =>
      sockets.reduce(
        (sum, { destroyed, writableMemoryBytes }) => sum + (destroyed ? 0 : writableMemoryBytes),
        0,
      );
    while (sockets.every(({ destroyed }) => !destroyed)) {
      const socket = new FakeSocket(clock);
      socket.encrypted = true;
      socket.isRead = false;
      sockets.push(socket);
      const outbox = new Outbox(socket.asSocket, owner);
      outbox.reserve(http2.outputBytes);
      outbox.length = http2.outputBytes;
      outbox.flush();
      expect(heldBytes()).toBeLessThanOrEqual(http2.unsentBytesOfAllMax);
    }
    expect(unreadOutput.connectionBytesMax).toBeLessThan(http2.outputBytes);
    // What is sent counts in neither.
    for (const socket of sockets) socket.readAll();
    expect(unreadOutput.connectionBytesMax).toBe(http2.unsentBytesMax);
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
