/**
 * A server that does not read streams of batches until a test says so: what it was sent waits for the window. It answers single
 * calls at once.
 */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import * as codec from '../../../gen/kelp/v1/kv_codec.ts';
import { systemClock } from '../../../src/clock.ts';
import { ServerConnection } from '../../../src/http2/connection/server-connection.ts';
import type { ErrorCode } from '../../../src/http2/contract/error-code.ts';
import type { ServerStream, StreamHandler } from '../../../src/http2/contract/stream.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { framed } from './grpc-server.ts';
import { replyOf, usualResult } from './pipeline-server.ts';

const replyHead = encodeBlock([
  [':status', '200'],
  ['content-type', 'application/grpc'],
]);
const allWell = encodeBlock([['grpc-status', '0']]);

type Operations = codec.PipelineRequestShape['operations'];

/** One stream of batches. */
export class UnreadStream implements StreamHandler {
  /** Those that have come whole, answered or not. */
  readonly batches: Operations[] = [];
  hasEnded = false;
  closedWith: ErrorCode | undefined;
  readonly #stream: ServerStream;
  #isRead = false;
  #answered = 0;
  #received: Buffer = Buffer.alloc(0);
  /** Of what was received so much is whole batches. */
  #wholeBytes = 0;

  constructor(stream: ServerStream) {
    this.#stream = stream;
  }

  /** Of the puts in whole batches. */
  get keys(): string[] {
    return this.batches
      .flat()
      .map(({ operation }) => (operation.case === 'put' ? operation.value.key : `${operation.case}`));
  }

  /** Whether some of a batch has come that is not whole. */
  get hasPart(): boolean {
    return this.#received.length > this.#wholeBytes;
  }

  /** From now on it is read and answered. */
  read(): void {
    this.#isRead = true;
    this.#stream.respond(replyHead, false);
    this.#stream.consumed(this.#received.length);
    this.#answer();
  }

  reset(code: ErrorCode): void {
    this.#stream.reset(code);
  }

  data(buffer: Buffer, from: number, to: number): void {
    this.#received = Buffer.concat([this.#received, buffer.subarray(from, to)]);
    if (this.#isRead) this.#stream.consumed(to - from);
    for (;;) {
      const rest = this.#received.subarray(this.#wholeBytes);
      const length = rest.length < 5 ? Number.POSITIVE_INFINITY : 5 + rest.readUInt32BE(1);
      if (rest.length < length) break;
      this.batches.push(codec.readPipelineRequest(Buffer.from(rest), 5, length).operations);
      this.#wholeBytes += length;
    }
    if (this.#isRead) this.#answer();
  }

  end(): void {
    this.hasEnded = true;
    if (this.#isRead) this.#stream.end(allWell);
  }

  drained(): void {}

  closed(code: ErrorCode): void {
    this.closedWith = code;
  }

  #answer(): void {
    for (const batch of this.batches.slice(this.#answered))
      this.#stream.write(replyOf(batch.map(usualResult)));
    this.#answered = this.batches.length;
  }
}

export interface UnreadServer {
  readonly port: number;
  readonly streams: UnreadStream[];
  /** How many calls came by themselves. */
  aloneCount: number;
}

/** @param windowBytes of each stream. */
export async function startUnread(windowBytes: number): Promise<UnreadServer> {
  const options = {
    clock: systemClock,
    streamWindowBytes: windowBytes,
    connectionWindowBytes: 1024 * 1024,
    isConnectionWindowHeld: false,
    headerListBytesMax: 16 * 1024,
    handshakeTimeoutMs: 60_000,
    concurrentStreamsMax: 1000,
    onClosed: () => undefined,
  };
  const streams: UnreadStream[] = [];
  const sockets: Socket[] = [];
  const listener = createServer((socket) => {
    sockets.push(socket);
    void new ServerConnection(socket, options, (stream, { path }) => {
      if (!path.endsWith('/Pipeline')) return answering(stream);
      const unread = new UnreadStream(stream);
      streams.push(unread);
      return unread;
    });
  });
  const answering = (stream: ServerStream): StreamHandler => ({
    data: (_, from, to) => stream.consumed(to - from),
    end: () => {
      server.aloneCount++;
      stream.respond(replyHead, false);
      stream.write(framed(new Uint8Array(0)));
      stream.end(allWell);
    },
    drained: () => undefined,
    closed: () => undefined,
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const server = { port: (listener.address() as AddressInfo).port, streams, aloneCount: 0 };
  return server;
}
