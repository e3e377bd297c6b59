/**
 * The connections of a server: how many are open, and what went over them and those before. The bytes are what sockets have counted
 * themselves, read at a scrape and when one closes: a connection costs an entry here, and its bytes nothing.
 *
 * A connection with TLS is two sockets, of which the outer one was accepted and the inner one speaks HTTP.
 */
import type { Socket } from 'node:net';

/** What connections speak, with what the documentation says of it. */
export const protocols = {
  http2: 'HTTP/2',
  http1: 'HTTP/1.1',
  redis: 'the protocol of Redis',
  unknown: 'nothing has come yet, a handshake is not done, or what was turned away',
} as const satisfies Readonly<Record<string, string>>;

export type Protocol = keyof typeof protocols;
export type SpokenProtocol = Exclude<Protocol, 'unknown'>;

/** Of the connections of a protocol. */
export interface ConnectionFigures {
  readonly openCount: number;
  readonly openedCount: number;
}

export interface ByteFigures {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

class Spoken {
  readonly sockets = new Set<Socket>();
  openedCount = 0;
  receivedBytes = 0;
  sentBytes = 0;

  open(socket: Socket): void {
    this.openedCount++;
    this.sockets.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.receivedBytes += socket.bytesRead;
      this.sentBytes += socket.bytesWritten;
    });
  }

  get connections(): ConnectionFigures {
    return { openCount: this.sockets.size, openedCount: this.openedCount };
  }

  get bytes(): ByteFigures {
    let { receivedBytes, sentBytes } = this;
    for (const { bytesRead, bytesWritten } of this.sockets) {
      receivedBytes += bytesRead;
      sentBytes += bytesWritten;
    }
    return { receivedBytes, sentBytes };
  }
}

export class Traffic {
  readonly #http1 = new Spoken();
  readonly #http2 = new Spoken();
  readonly #redis = new Spoken();
  /** Connections that were closed at once, since there were too many. */
  droppedCount = 0;
  #acceptedCount = 0;
  #acceptedOpenCount = 0;

  accepted(): void {
    this.#acceptedCount++;
    this.#acceptedOpenCount++;
  }

  dropped(): void {
    this.droppedCount++;
  }

  /** One that was accepted is closed. */
  closed(): void {
    this.#acceptedOpenCount--;
  }

  /** It is known what a connection speaks. */
  speaks(socket: Socket, protocol: SpokenProtocol): void {
    this.#spoken(protocol).open(socket);
  }

  get connections(): Readonly<Record<Protocol, ConnectionFigures>> {
    const http1 = this.#http1.connections;
    const http2 = this.#http2.connections;
    const redis = this.#redis.connections;
    const spokenOpenCount = http1.openCount + http2.openCount + redis.openCount;
    // The inner socket of one with TLS may be closed a little later than the outer one.
    const openCount = Math.max(this.#acceptedOpenCount - spokenOpenCount, 0);
    // Those that are open and may still turn out to speak something are not counted yet: no counter may fall.
    const spokenOpenedCount = http1.openedCount + http2.openedCount + redis.openedCount;
    const openedCount = this.#acceptedCount - openCount - spokenOpenedCount;
    return { http2, http1, redis, unknown: { openCount, openedCount } };
  }

  get bytes(): Readonly<Record<SpokenProtocol, ByteFigures>> {
    return { http2: this.#http2.bytes, http1: this.#http1.bytes, redis: this.#redis.bytes };
  }

  #spoken(protocol: SpokenProtocol): Spoken {
    switch (protocol) {
      case 'http2':
        return this.#http2;
      case 'http1':
        return this.#http1;
      case 'redis':
        return this.#redis;
    }
  }
}
