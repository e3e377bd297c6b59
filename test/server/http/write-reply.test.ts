import { EventEmitter, once } from 'node:events';
import { createServer as createHttp1Server, request as http1Request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock, systemRandom } from '../../../src/clock.ts';
import { Deadlines } from '../../../src/deadlines.ts';
import { serverDefaults } from '../../../src/limits.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import type { HttpRequest, HttpResponse } from '../../../src/server/http/http-message.ts';
import { writeReply } from '../../../src/server/connect/write-reply.ts';
import { Http2Port } from '../../../src/server/listener/http2-port.ts';
import { pageRefusal } from '../web/default-refusal.ts';

const chunk = new Uint8Array(64 * 1024);

/** A body without an end that counts what is asked of it. */
class EndlessBody {
  chunkCount = 0;
  readonly returned: Promise<void>;
  #onReturn = (): void => undefined;

  constructor() {
    this.returned = new Promise((resolve) => {
      this.#onReturn = resolve;
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        this.chunkCount++;
        yield chunk;
      }
    } finally {
      this.#onReturn();
    }
  }
}

/** Serves one endless body to every request. */
function answering(body: EndlessBody): (request: HttpRequest, response: HttpResponse) => void {
  const calls = new CallTable(serverDefaults);
  return (_, response) => {
    const call = calls.open({ cut: () => response.destroy() }, true);
    response.once('close', () => call.close());
    void writeReply(response, call, { status: 200, body }).catch(() => undefined);
  };
}

function http2Server(body: EndlessBody): Server {
  const port = new Http2Port({
    pageRefusal,
    grpcLane: () => undefined,
    calls: new CallTable(serverDefaults),
    handle: answering(body),
    limits: serverDefaults,
    deadlines: new Deadlines(systemClock),
    clock: systemClock,
    random: systemRandom,
  });
  return createServer((socket) => port.take(socket));
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Waits until the count has not grown for many turns of the event loop. */
async function settledCount(body: EndlessBody): Promise<number> {
  let seen = -1;
  for (let stillTurns = 0; stillTurns < 2000; stillTurns++) {
    if (body.chunkCount !== seen) stillTurns = 0;
    seen = body.chunkCount;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return seen;
}

test('a stream over HTTP/2 is asked for no more than its reader reads, and ends with it', async () => {
  const body = new EndlessBody();
  const session = connectHttp2(await listening(http2Server(body)));
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':path': '/' });
  await once(stream, 'response');

  // A window of 64 KiB, what Node buffers in front of it, and the reader's own buffer.
  const unread = await settledCount(body);
  expect(unread).toBeLessThan(8);
  for (let count = 0; count < 50; count++) {
    if (stream.read() === null) await once(stream, 'readable');
  }
  const read = await settledCount(body);
  expect(read).toBeGreaterThan(unread);

  stream.close();
  await body.returned;
  expect(body.chunkCount).toBeLessThan(read + 8);
});

test('a stream over HTTP/1.1 is asked for no more than its reader reads, and ends with it', async () => {
  const body = new EndlessBody();
  const request = http1Request(await listening(createHttp1Server(answering(body))));
  request.on('error', () => undefined).end();
  await once(request, 'response');

  // What the buffers of the two sockets hold in the kernel is megabytes.
  expect(await settledCount(body)).toBeLessThan(256);

  request.destroy();
  await body.returned;
});

test('the one reply of a call, and nothing else of it, counts as held while its client does not read it', async () => {
  for (const chargedBytes of [0, 100, 2 * chunk.length]) {
    const { call, calls, response, isCut } = blockedCall(serverDefaults.callBytesMax);
    call.charge(chargedBytes);
    const isWritten = writeReply(response, call, { status: 200, body: given([chunk]) });
    await once(response, 'blocked');
    expect(calls.heldBytes).toBe(chunk.length);

    response.emit('drain');
    await isWritten;

    expect([calls.heldBytes, isCut()]).toEqual([Math.min(chargedBytes, chunk.length), false]);
  }
});

test('the one reply of a call is cut when there is no memory to hold it until its client reads', async () => {
  const { call, calls, response, isCut } = blockedCall(chunk.length - 1);

  await writeReply(response, call, { status: 200, body: given([chunk]) });

  expect([isCut(), calls.heldBytes]).toEqual([true, 0]);
});

async function* given<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

/** A call whose client takes nothing: `blocked` comes once a chunk was written. */
function blockedCall(callBytesMax: number) {
  let wasCut = false;
  const response = Object.assign(new EventEmitter(), {
    headersSent: false,
    statusCode: 200,
    writableEnded: false,
    writableLength: 0,
    appendHeader: () => undefined,
    closed: false,
    writeHead: () => undefined,
    addTrailers: () => undefined,
    destroy: () => undefined,
    write() {
      setImmediate(() => response.emit('blocked'));
      return false;
    },
    end: () => undefined,
  });
  const calls = new CallTable({ ...serverDefaults, callBytesMax });
  const cut = (): void => {
    wasCut = true;
    call.close();
  };
  const call = calls.open({ cut }, false);
  return { call, calls, response, isCut: () => wasCut };
}
