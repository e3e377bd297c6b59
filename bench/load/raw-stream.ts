/**
 * A stream of gRPC straight on a connection of HTTP/2, with requests that were made before the clock runs: so cheap that the
 * server and not the client is what is measured.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { systemClock } from '../../src/clock.ts';
import { ClientConnection } from '../../src/http2/connection/client-connection.ts';
import { type Field, type ResponseHead, fieldOf } from '../../src/http2/contract/fields.ts';
import type { ClientStream, ClientStreamHandler } from '../../src/http2/contract/stream.ts';
import { client as limits } from '../../src/limits.ts';

const PREFIX_BYTES = 5;
const NONE = Buffer.alloc(0);

/** A message as a stream carries it. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(PREFIX_BYTES + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

/** Resolves when the server has told its settings. */
export async function openConnection(address: string): Promise<ClientConnection> {
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
  return connection;
}

export interface RawReader {
  /** The message lies from `start` to `end`, during the call only. */
  message(buffer: Buffer, start: number, end: number): void;
  failed(error: Error): void;
}

/** One call. */
export class RawStream implements ClientStreamHandler {
  readonly #stream: ClientStream;
  readonly #reader: RawReader;
  /** The beginning of a message that has not come to its end. */
  #rest: Buffer = NONE;

  constructor(connection: ClientConnection, address: string, path: string, reader: RawReader) {
    const fields: readonly Field[] = [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':authority', address],
      [':path', path],
      ['te', 'trailers'],
      ['content-type', 'application/grpc'],
    ];
    const stream = connection.request(fields, this);
    if (stream === undefined) throw new Error('the connection takes no stream');
    this.#stream = stream;
    this.#reader = reader;
  }

  /** @param bytes `framed`. */
  send(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  /** Sends nothing more. */
  finish(): void {
    this.#stream.end();
  }

  head({ fields }: ResponseHead): void {
    const status = fieldOf(fields, 'grpc-status');
    if (status !== undefined) this.#checkStatus(status);
  }

  data(buffer: Buffer, from: number, to: number): void {
    this.#stream.consumed(to - from);
    const isWhole = this.#rest.length === 0;
    const bytes = isWhole ? buffer : Buffer.concat([this.#rest, buffer.subarray(from, to)]);
    const end = isWhole ? to : bytes.length;
    let at = isWhole ? from : 0;
    while (end - at >= PREFIX_BYTES) {
      const messageEnd = at + PREFIX_BYTES + bytes.readUInt32BE(at + 1);
      if (messageEnd > end) break;
      this.#reader.message(bytes, at + PREFIX_BYTES, messageEnd);
      at = messageEnd;
    }
    this.#rest = at === end ? NONE : Buffer.from(bytes.subarray(at, end));
  }

  end(trailers: readonly Field[]): void {
    this.#checkStatus(fieldOf(trailers, 'grpc-status'));
  }

  drained(): void {}

  closed(): void {}

  #checkStatus(status: string | undefined): void {
    if (status !== '0') this.#reader.failed(new Error(`the stream ended with status ${status}`));
  }
}
