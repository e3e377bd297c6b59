/** The server's side of a connection. */
import type { Socket } from 'node:net';
import type { EndpointOptions, ConnectionEnd } from './endpoint.ts';
import type { ErrorCode } from './error-code.ts';
import type { ConnectionInfo, RequestReceiver } from './stream.ts';

export interface ServerConnectionOptions extends EndpointOptions {
  readonly concurrentStreamsMax: number;
  /** The connection is over, and every stream's `closed` has been called. */
  readonly onClosed: (connection: ServerConnection, end: ConnectionEnd) => void;
}

export class ServerConnection implements ConnectionInfo {
  readonly remoteAddress: string;
  readonly isTls: boolean;

  /** Takes a socket over, with what was `unshift`ed to it. It begins to read and to write at once. */
  constructor(_socket: Socket, _options: ServerConnectionOptions, _receive: RequestReceiver) {
    this.remoteAddress = '';
    this.isTls = false;
  }

  /** The open streams. */
  get streamCount(): number {
    throw new Error('not built yet');
  }

  /** By the monotonic clock; undefined while streams are open. */
  get idleSinceMs(): number | undefined {
    throw new Error('not built yet');
  }

  /** What was sent and is not in the socket's hands yet, or is held there because the peer does not read. */
  get unsentBytes(): number {
    throw new Error('not built yet');
  }

  /**
   * Takes no new stream and closes when the last one is done, in two steps: requests that are on their way when the peer
   * learns of it are still served (RFC 9113, section 6.8). A second call does nothing.
   */
  shutdown(_debugText?: string): void {
    throw new Error('not built yet');
  }

  /** Tells the peer an error, breaks off every stream and closes. */
  goaway(_code: ErrorCode, _debugText: string): void {
    throw new Error('not built yet');
  }

  /** Closes at once, without a word. */
  destroy(): void {
    throw new Error('not built yet');
  }
}
