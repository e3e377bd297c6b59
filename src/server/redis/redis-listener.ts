/**
 * The port of the Redis protocol, in plain text or with TLS. It listens before the store is open, and answers commands with LOADING
 * until then; see `EarlyClient`.
 */
import { type AddressInfo, type Server as NetServer, type Socket, createServer } from 'node:net';
import { type Server as TlsServer, type TLSSocket, createServer as createTlsServer } from 'node:tls';
import type { Logger } from 'pino';
import { type ServerLimits, serverFixed } from '../../limits.ts';
import type { ListenAddress } from '../config/option-values.ts';
import type { AddressLimit } from '../limits/address-limit.ts';
import { removeUnusedSocket } from '../listener/socket-file.ts';
import type { Traffic } from '../metrics/calls/traffic.ts';
import { ClientCheck } from '../tls/client-check.ts';
import { type TlsMaterial, contextOptions } from '../tls/tls-material.ts';
import type { Connection } from './connection/connection.ts';
import type { LoginGate } from './connection/connection-context.ts';
import { EarlyClient } from './early-client.ts';
import type { RedisDoor } from './redis-door.ts';
import { CrowdedRedisAddress, closeOnceEnded, turnAway } from './turned-away.ts';

export interface RedisListenerOptions {
  readonly tls: TlsMaterial | undefined;
  readonly limits: Pick<ServerLimits, 'connectionsMax' | 'connectionsPerAddressMax' | 'handshakeTimeoutMs'>;
  readonly addressLimit: AddressLimit;
  readonly traffic: Traffic;
  readonly logins: LoginGate;
  readonly logger: Logger;
}

/** Clients of a store that is about to be closed. */
export interface LeavingClients {
  /** Resolves when all of them are closed. */
  readonly gone: Promise<void>;
  /** Closes those that are left at once. */
  destroy(): void;
}

export class RedisListener {
  readonly #options: RedisListenerOptions;
  readonly #server: NetServer;
  readonly #tls: TlsServer | undefined;
  readonly #crowdedAddress: CrowdedRedisAddress;
  readonly #sockets = new Set<Socket>();
  /** Those that came before the store was open. */
  readonly #early = new Map<Socket, EarlyClient>();
  /** Those of the door. */
  readonly #served = new Set<Socket>();
  #door: RedisDoor | undefined;
  #isStopping = false;

  constructor(options: RedisListenerOptions) {
    this.#options = options;
    const { limits, logger } = options;
    this.#crowdedAddress = new CrowdedRedisAddress(limits, options.tls !== undefined, logger);
    this.#tls = options.tls && this.#makeTls(options.tls);
    this.#server = createServer(
      {
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: serverFixed.tcpKeepAliveMs,
        // A client may end its side after its last command and wait for the replies.
        allowHalfOpen: true,
      },
      (socket) => this.#admit(socket),
    );
    this.#server.maxConnections = options.limits.connectionsMax;
    this.#server.on('drop', () => options.traffic.dropped());
  }

  /** Rejects with the system's error when the address can't be had. */
  async listen(address: ListenAddress): Promise<ListenAddress> {
    try {
      await this.#bind(address);
    } catch (error) {
      if (!('path' in address) || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await removeUnusedSocket(address.path);
      await this.#bind(address);
    }
    this.#server.on('error', (error) =>
      this.#options.logger.error({ err: error }, 'the Redis listener failed'),
    );
    const bound = this.#server.address() as AddressInfo | string;
    return typeof bound === 'string' ? { path: bound } : { host: bound.address, port: bound.port };
  }

  /** The store is open. */
  serve(door: RedisDoor): void {
    this.#door = door;
    for (const [socket, client] of this.#early) void this.#begin(socket, door, client.leave());
    this.#early.clear();
  }

  /**
   * The store is about to be closed, and opened again: its clients get the replies to what was begun, and are closed. Those that come
   * meanwhile are answered as before the store was open.
   */
  withdraw(): LeavingClients {
    const door = this.#door;
    const sockets = [...this.#served];
    this.#door = undefined;
    door?.stop();
    return {
      gone: closedAll(sockets),
      destroy: () => {
        door?.destroy();
        for (const socket of sockets) socket.destroy();
      },
    };
  }

  renewTls(tls: TlsMaterial): void {
    this.#tls?.setSecureContext(contextOptions(tls));
  }

  stopAccepting(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#server.close();
    for (const socket of this.#early.keys()) socket.destroy();
    this.#door?.stop();
  }

  /** Resolves when every connection is closed. */
  async drained(): Promise<void> {
    await closedAll([...this.#sockets]);
  }

  destroy(): void {
    this.stopAccepting();
    this.#door?.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #bind(address: ListenAddress): Promise<void> {
    const options =
      'path' in address
        ? address
        : { port: address.port, ...(address.host === '' ? {} : { host: address.host }) };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(options, resolve);
    return promise.finally(() => {
      this.#server.off('error', reject);
      this.#server.off('listening', resolve);
    });
  }

  #admit(socket: Socket): void {
    const { addressLimit, traffic } = this.#options;
    traffic.accepted();
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      traffic.closed();
    });
    const onClosed = addressLimit.open(socket.remoteAddress);
    if (onClosed === undefined) {
      this.#crowdedAddress.turnAway(socket);
      return;
    }
    socket.once('close', onClosed);
    if (this.#tls === undefined) this.#route(socket);
    else this.#tls.emit('connection', socket);
  }

  #makeTls(tls: TlsMaterial): TlsServer {
    const clientCheck = tls.clientCa === undefined ? undefined : new ClientCheck(this.#options.logger);
    const server = createTlsServer(
      {
        ...contextOptions(tls),
        requestCert: tls.clientCa !== undefined,
        rejectUnauthorized: false,
        handshakeTimeout: this.#options.limits.handshakeTimeoutMs,
      },
      (socket: TLSSocket) => {
        const refusal = clientCheck?.refusalOf(socket);
        if (refusal === undefined) this.#route(socket);
        else turnAway(socket, `ERR ${refusal}`);
      },
    );
    // Node does not close a connection whose handshake takes too long, it only tells.
    server.on('tlsClientError', (_error: Error, socket: Socket) => void socket.destroy());
    return server;
  }

  #route(socket: Socket): void {
    this.#options.traffic.speaks(socket, 'redis');
    socket.on('error', () => undefined);
    closeOnceEnded(socket);
    if (this.#door === undefined)
      this.#early.set(socket, new EarlyClient(socket, () => this.#early.delete(socket)));
    else void this.#begin(socket, this.#door);
  }

  /** @param waiting what it has sent so far. */
  async #begin(socket: Socket, door: RedisDoor, waiting?: Buffer): Promise<void> {
    try {
      const first = this.#options.logins.first(socket);
      const login = first instanceof Promise ? await first : first;
      if (socket.destroyed) return;
      // Its store has gone while it was found out who it is.
      if (door !== this.#door) throw new Error('the door is closed');
      this.#served.add(socket);
      socket.once('close', () => this.#served.delete(socket));
      const connection = door.accept(socket, namesOf(socket), login);
      attach(socket, connection);
      if (waiting === undefined) return;
      socket.resume();
      if (waiting.length > 0) connection.receive(waiting);
    } catch {
      socket.destroy();
    }
  }
}

async function closedAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(
    sockets
      .filter(({ closed }) => !closed)
      .map((socket) => new Promise((resolve) => socket.once('close', resolve))),
  );
}

function attach(socket: Socket, connection: Connection): void {
  socket.on('data', (chunk: Buffer) => connection.receive(chunk));
  socket.on('drain', () => connection.drained());
  socket.on('end', () => connection.ended());
  socket.on('close', () => connection.close());
}

function namesOf(socket: Socket): { readonly address: string; readonly localAddress: string } {
  const name = (address: string | undefined, port: number | undefined): string =>
    address === undefined || address === ''
      ? 'unix:0'
      : `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return {
    address: name(socket.remoteAddress, socket.remotePort),
    localAddress: name(socket.localAddress, socket.localPort),
  };
}
