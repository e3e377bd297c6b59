/**
 * Batches of `KvService.Pipeline` that were made before the clock runs, over HTTP/2 connections with one stream each. It looks
 * at the lengths of the replies only, so that the server and not the client is what is measured.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { PipelineRequestShape } from '../../gen/kelp/v1/kv_codec.ts';
import { prependPipelineRequest, sizeOfPipelineRequest } from '../../gen/kelp/v1/kv_codec.ts';
import { systemClock } from '../../src/clock.ts';
import { ClientConnection } from '../../src/http2/client-connection.ts';
import { type Field, type ResponseHead, fieldOf } from '../../src/http2/fields.ts';
import type { ClientStream, ClientStreamHandler } from '../../src/http2/stream.ts';
import { client as limits } from '../../src/limits.ts';

const PREFIX_BYTES = 5;

/** A batch as the stream carries it. */
export function batchBytes(request: PipelineRequestShape): Buffer {
  const bytes = Buffer.alloc(PREFIX_BYTES + sizeOfPipelineRequest(request));
  bytes.writeUInt32BE(bytes.length - PREFIX_BYTES, 1);
  prependPipelineRequest(request, bytes, bytes.length);
  return bytes;
}

/** One stream. */
export class PipelineLoad implements ClientStreamHandler {
  readonly #stream: ClientStream;
  /** What is gone of the prefix of the next reply, and its bytes. */
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  #missingBytes = 0;
  #batches: readonly Buffer[] = [];
  #sent = 0;
  #answered = 0;
  #replyBytes = 0;
  #onDone: (replyBytes: number) => void = () => undefined;
  #onFailed: (error: Error) => void = () => undefined;

  private constructor(connection: ClientConnection, address: string) {
    const fields: readonly Field[] = [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':authority', address],
      [':path', '/kelp.v1.KvService/Pipeline'],
      ['te', 'trailers'],
      ['content-type', 'application/grpc'],
    ];
    const stream = connection.request(fields, this);
    if (stream === undefined) throw new Error('the connection takes no stream');
    this.#stream = stream;
  }

  static async open(address: string): Promise<PipelineLoad> {
    const { hostname, port } = new URL(`http://${address}`);
    const socket = connect(Number(port), hostname);
    socket.setNoDelay();
    await once(socket, 'connect');
    const { promise: opened, resolve } = Promise.withResolvers<void>();
    const connection = new ClientConnection(
      socket,
      {
        clock: systemClock,
        streamWindowBytes: limits.streamWindowBytes,
        connectionWindowBytes: limits.connectionWindowBytes,
        isConnectionWindowHeld: false,
        headerListBytesMax: limits.headerBytesMax,
        handshakeTimeoutMs: limits.connectMs,
      },
      {
        opened: resolve,
        roomMade: () => undefined,
        goingAway: () => undefined,
        closed: () => undefined,
      },
    );
    await opened;
    return new PipelineLoad(connection, address);
  }

  /** Sends all, so many ahead of the replies. @returns the bytes of these. */
  run(batches: readonly Buffer[], ahead: number): Promise<number> {
    this.#batches = batches;
    this.#sent = this.#answered = this.#replyBytes = 0;
    return new Promise((resolve, reject) => {
      this.#onDone = resolve;
      this.#onFailed = reject;
      while (this.#sent < Math.min(ahead, batches.length)) this.#send();
    });
  }

  /** Ends the stream, and with it the connection. */
  close(): void {
    this.#stream.end();
  }

  head(head: ResponseHead): void {
    const status = fieldOf(head.fields, 'grpc-status');
    if (status !== undefined) this.#onFailed(new Error(`the stream ended with status ${status}`));
  }

  data(buffer: Buffer, from: number, to: number): void {
    this.#stream.consumed(to - from);
    this.#replyBytes += to - from;
    for (let at = from; at < to;) {
      if (this.#missingBytes > 0) {
        const taken = Math.min(this.#missingBytes, to - at);
        this.#missingBytes -= taken;
        at += taken;
      } else {
        this.#prefix.writeUInt8(buffer.readUInt8(at++), this.#prefixBytes++);
        if (this.#prefixBytes < PREFIX_BYTES) continue;
        this.#prefixBytes = 0;
        this.#missingBytes = this.#prefix.readUInt32BE(1);
      }
      if (this.#missingBytes === 0 && this.#prefixBytes === 0) this.#next();
    }
  }

  end(trailers: readonly Field[]): void {
    const status = fieldOf(trailers, 'grpc-status');
    if (status !== '0') this.#onFailed(new Error(`the stream ended with status ${status}`));
  }

  drained(): void {}

  closed(): void {}

  #next(): void {
    this.#answered++;
    if (this.#sent < this.#batches.length) this.#send();
    else if (this.#answered === this.#batches.length) this.#onDone(this.#replyBytes);
  }

  #send(): void {
    const batch = this.#batches[this.#sent++];
    if (batch !== undefined) this.#stream.write(batch);
  }
}
