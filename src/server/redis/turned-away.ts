/** Ends connections of the Redis port: its client is told why, and has little time to read it. */
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { systemClock } from '../../clock.ts';
import { limitName, type ServerLimits, serverFixed } from '../../limits.ts';
import { RareLine } from '../logging/rare-line.ts';

/**
 * Closes a connection whose own side is ended, once all is sent, although its client does not end it. What the client still sends
 * is read: closing over it would reset the connection, and the client may never see the last reply.
 */
export function closeOnceEnded(socket: Socket): void {
  socket.once('finish', () => {
    const timer = systemClock.setTimer(serverFixed.refusalLingerMs, () => socket.destroy());
    socket.once('close', () => timer.cancel());
    socket.resume();
  });
}

/** @param text with its code first, as an error of Redis. */
export function turnAway(socket: Socket, text: string): void {
  socket.on('error', () => undefined);
  closeOnceEnded(socket);
  socket.end(`-${text}\r\n`);
}

/** Turns connections away of an address that has too many. */
export class CrowdedRedisAddress {
  readonly #connectionsPerAddressMax: number;
  readonly #hasTls: boolean;
  readonly #line: RareLine;
  #toldCount = 0;

  constructor(
    { connectionsPerAddressMax }: Pick<ServerLimits, 'connectionsPerAddressMax'>,
    hasTls: boolean,
    logger: Logger,
  ) {
    this.#connectionsPerAddressMax = connectionsPerAddressMax;
    this.#hasTls = hasTls;
    this.#line = new RareLine(logger, serverFixed.refusedClientLogMs);
  }

  turnAway(socket: Socket): void {
    const { remoteAddress } = socket;
    const connectionsPerAddressMax = this.#connectionsPerAddressMax;
    this.#line.tell(
      { remoteAddress, connectionsPerAddressMax },
      'an address has too many connections for Redis, one more was closed',
    );
    // With TLS it would have to be handed all of a handshake first.
    if (this.#hasTls || this.#toldCount >= serverFixed.toldConnectionsMax) {
      socket.destroy();
      return;
    }
    this.#toldCount++;
    socket.once('close', () => this.#toldCount--);
    const limit = limitName('connectionsPerAddressMax');
    turnAway(
      socket,
      `ERR max number of clients reached: your address has ${connectionsPerAddressMax} connections open (${limit})`,
    );
  }
}
