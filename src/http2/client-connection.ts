/** The client's side of a connection. */
import type { Socket } from 'node:net';
import type { EndpointOptions, ConnectionEnd } from './endpoint.ts';
import type { ErrorCode } from './error-code.ts';
import type { Field } from './fields.ts';
import type { ClientStream, ClientStreamHandler } from './stream.ts';

/** What a client's connection tells its owner. */
export interface ClientConnectionOwner {
  /** The server's SETTINGS have come: it speaks HTTP/2, and its limits are known. */
  opened(): void;
  /** There is room for a request again, after there was none. */
  roomMade(): void;
  /**
   * The server takes no more requests here. Those that it did not process are closed by 'connection' with REFUSED_STREAM, and
   * may be made again elsewhere; the others go on, and the connection closes when they are done.
   */
  goingAway(code: ErrorCode, debugText: string): void;
  /** The connection is over, and every stream's `closed` has been called. */
  closed(end: ConnectionEnd): void;
}

export class ClientConnection {
  /** Takes over a socket that is connected, over TLS with `h2` agreed. Requests may be made at once. */
  constructor(socket: Socket, _options: EndpointOptions, _owner: ClientConnectionOwner) {
    socket.pause();
  }

  /** Whether the server's SETTINGS have come. */
  get isOpened(): boolean {
    throw new Error('not built yet');
  }

  /** The streams that the server takes at once; a guess of 100 until `isOpened`. */
  get concurrentStreamsMax(): number {
    throw new Error('not built yet');
  }

  get streamCount(): number {
    throw new Error('not built yet');
  }

  /** Whether a request may be made now: no GOAWAY, streams free, not left, not closed. */
  get hasRoom(): boolean {
    throw new Error('not built yet');
  }

  /** By the monotonic clock; undefined while streams are open. */
  get idleSinceMs(): number | undefined {
    throw new Error('not built yet');
  }

  get bytesRead(): number {
    throw new Error('not built yet');
  }

  get bytesWritten(): number {
    throw new Error('not built yet');
  }

  /**
   * Begins a request. Its body follows by the stream, also when it is empty: `end`.
   * @param fields pseudo-headers first; lower case.
   * @returns undefined when there is no room; nothing was sent then.
   */
  request(_fields: readonly Field[], _handler: ClientStreamHandler): ClientStream | undefined {
    throw new Error('not built yet');
  }

  /** Resolves when the server has answered; rejects when the connection ends before. */
  ping(): Promise<void> {
    throw new Error('not built yet');
  }

  /** Makes no more requests, and closes when those under way are done. */
  leave(): void {
    throw new Error('not built yet');
  }

  /** Closes at once; streams are closed by 'connection' with CANCEL. */
  destroy(_error?: Error): void {
    throw new Error('not built yet');
  }

  /** The connection keeps the process alive, as it does from the start, ... */
  ref(): void {
    throw new Error('not built yet');
  }

  /** ... or does not. */
  unref(): void {
    throw new Error('not built yet');
  }
}
