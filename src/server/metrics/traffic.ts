/** The connections of a server: how many are open, and what went over those and the ones before. */
import type { Socket } from 'node:net';
import type { TrafficFigures } from './metric.ts';

/** What connections speak, with what the documentation says of it. */
export const protocols = {
  http2: 'HTTP/2',
  http1: 'HTTP/1.1',
  unknown: 'nothing has come yet, or what was turned away',
} as const satisfies Readonly<Record<string, string>>;

export type Protocol = keyof typeof protocols;

interface Counted {
  openedCount: number;
  receivedBytes: number;
  sentBytes: number;
}

export class Traffic {
  readonly #protocolBySocket = new Map<Socket, Protocol>();
  readonly #countedBy: Readonly<Record<Protocol, Counted>> = {
    http2: { openedCount: 0, receivedBytes: 0, sentBytes: 0 },
    http1: { openedCount: 0, receivedBytes: 0, sentBytes: 0 },
    unknown: { openedCount: 0, receivedBytes: 0, sentBytes: 0 },
  };

  opened(socket: Socket): void {
    this.#protocolBySocket.set(socket, 'unknown');
  }

  /** It is known what a connection speaks: it counts from now on, with the bytes before. */
  speaks(socket: Socket, protocol: 'http1' | 'http2'): void {
    if (!this.#protocolBySocket.has(socket)) return;
    this.#protocolBySocket.set(socket, protocol);
    this.#countedBy[protocol].openedCount++;
  }

  closed(socket: Socket): void {
    const protocol = this.#protocolBySocket.get(socket);
    if (protocol === undefined) return;
    this.#protocolBySocket.delete(socket);
    const counted = this.#countedBy[protocol];
    // No counter may fall, so what may still turn out to be of a protocol was not counted before.
    if (protocol === 'unknown') counted.openedCount++;
    counted.receivedBytes += socket.bytesRead;
    counted.sentBytes += socket.bytesWritten;
  }

  /** The open sockets. */
  get sockets(): Iterable<Socket> {
    return this.#protocolBySocket.keys();
  }

  figures(): Record<Protocol, TrafficFigures> {
    const open: Record<Protocol, { openCount: number; receivedBytes: number; sentBytes: number }> = {
      http2: { openCount: 0, receivedBytes: 0, sentBytes: 0 },
      http1: { openCount: 0, receivedBytes: 0, sentBytes: 0 },
      unknown: { openCount: 0, receivedBytes: 0, sentBytes: 0 },
    };
    for (const [socket, protocol] of this.#protocolBySocket) {
      const sum = open[protocol];
      sum.openCount++;
      if (protocol === 'unknown') continue;
      sum.receivedBytes += socket.bytesRead;
      sum.sentBytes += socket.bytesWritten;
    }
    const figuresOf = (protocol: Protocol): TrafficFigures => {
      const { openedCount, receivedBytes, sentBytes } = this.#countedBy[protocol];
      const sum = open[protocol];
      return {
        openCount: sum.openCount,
        openedCount,
        receivedBytes: receivedBytes + sum.receivedBytes,
        sentBytes: sentBytes + sum.sentBytes,
      };
    };
    return { http2: figuresOf('http2'), http1: figuresOf('http1'), unknown: figuresOf('unknown') };
  }
}
