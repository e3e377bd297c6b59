/**
 * One port for HTTP/2 and HTTP/1.1, in plain text or with TLS. The first bytes tell whether a connection speaks TLS; one
 * that does where it should not, or the other way round, is turned away. With TLS the handshake (ALPN) decides which
 * version of HTTP it speaks, without it the first bytes do. The connection is then handed to Node's server for HTTP/1.1, or to
 * the port for HTTP/2 (`http2-port.ts`). An `Upgrade: h2c` of HTTP/1.1 is left unheeded, and its request answered as any other
 * (`unheeded-upgrade.ts`).
 */
import {
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
  createServer as createHttpServer,
} from 'node:http';
import {
  type AddressInfo,
  type ListenOptions,
  type Server as NetServer,
  type Socket,
  createServer,
} from 'node:net';
import { type Server as TlsServer, createServer as createTlsServer } from 'node:tls';
import type { Logger } from 'pino';
import { systemClock, systemRandom } from '../../clock.ts';
import { assert } from '../../errors.ts';
import { type ServerLimits, serverFixed } from '../../limits.ts';
import type { CallTable } from '../calls/call-table.ts';
import type { AddressLimit } from '../limits/address-limit.ts';
import type { Traffic } from '../metrics/calls/traffic.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import type { ListenAddress, SocketAddress } from '../config/option-values.ts';
import { METHODS, sendJson } from '../health/probes.ts';
import { continueWhenRead } from './awaited-body.ts';
import { CrowdedAddress } from './crowded-address.ts';
import { type Protocol, sniffProtocol } from './protocol-sniffer.ts';
import type { RequestHandler } from './request-handler.ts';
import type { GrpcLane } from '../grpc/grpc-lane.ts';
import type { Deadlines } from '../../deadlines.ts';
import type { Cors } from '../web/cors.ts';
import type { PageRefusal } from '../web/page-refusal.ts';
import { ClientCheck } from '../tls/client-check.ts';
import { refuseCertificate } from './refused-certificate.ts';
import { type TlsMaterial, contextOptions } from '../tls/tls-material.ts';
import { Http2Port } from './http2-port.ts';
import { refuseMalformed } from './malformed-request.ts';
import { removeUnusedSocket } from './socket-file.ts';
import { UnheededUpgrades } from './unheeded-upgrade.ts';
import { WrongProtocol, refuse } from './wrong-protocol.ts';

export interface ListenerOptions {
  /** Asked first about each stream of HTTP/2. */
  readonly grpcLane: GrpcLane;
  readonly pageRefusal: PageRefusal;
  readonly cors: Cors;
  readonly calls: CallTable;
  /** Told of every connection. */
  readonly traffic: Traffic;
  readonly addressLimit: AddressLimit;
  readonly deadlines: Deadlines;
  /** Asked in order; the last one answers everything. */
  readonly handlers: readonly RequestHandler[];
  /** `undefined`: plain text. */
  readonly tls: TlsMaterial | undefined;
  readonly limits: ServerLimits;
  readonly logger: Logger;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: NetServer;
  readonly #tls: TlsServer | undefined;
  readonly #wrongProtocol: WrongProtocol;
  readonly #crowdedAddress: CrowdedAddress;
  readonly #http1: HttpServer;
  readonly #http2: Http2Port;
  readonly #sockets = new Set<Socket>();
  #isStopping = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#http1 = this.#makeHttp1();
    this.#http2 = new Http2Port({
      ...options,
      handle: (request, response) => this.#handle(request, response),
      clock: systemClock,
      random: systemRandom,
    });
    this.#tls = options.tls && this.#makeTls(options.tls);
    this.#wrongProtocol = new WrongProtocol(options.tls !== undefined, options.logger, options.limits);
    this.#crowdedAddress = new CrowdedAddress(options.limits, options.logger);
    this.#server = this.#makeServer();
  }

  /** Rejects with the system's error when the address can't be had. */
  async listen(address: ListenAddress): Promise<ListenAddress> {
    if ('path' in address) await this.#listenAtSocket(address);
    else await this.#bind({ port: address.port, ...(address.host === '' ? {} : { host: address.host }) });
    this.#server.on('error', (error) => this.#options.logger.error({ err: error }, 'the listener failed'));
    const bound = this.#server.address() as AddressInfo | string;
    return typeof bound === 'string' ? { path: bound } : { host: bound.address, port: bound.port };
  }

  async #listenAtSocket(address: SocketAddress): Promise<void> {
    try {
      await this.#bind(address);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await removeUnusedSocket(address.path);
      await this.#bind(address);
    }
  }

  #bind(options: ListenOptions): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(options, resolve);
    return promise.finally(() => {
      this.#server.off('error', reject);
      this.#server.off('listening', resolve);
    });
  }

  /** New connections get this; what is open stays as it is. Whether there is TLS, and client certificates, was said at the start. */
  renewTls(tls: TlsMaterial): void {
    this.#tls?.setSecureContext(contextOptions(tls));
  }

  /** Takes no new connection, and no new request on those of HTTP/2; idle ones are closed. */
  stopAccepting(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#server.close();
    this.#http1.close();
    this.#http2.shutdown();
  }

  /** Resolves when every connection of HTTP/2 has sent all that it had to, and is closed. */
  drained(): Promise<void> {
    return this.#http2.empty();
  }

  /** Closes every connection at once, whatever goes on in it. */
  destroy(): void {
    this.stopAccepting();
    for (const socket of this.#sockets) socket.destroy();
  }

  #makeServer(): NetServer {
    const server = createServer(
      {
        noDelay: true,
        // Finds out about clients that went without a word, such as watchers whose machine lost its power.
        keepAlive: true,
        keepAliveInitialDelay: serverFixed.tcpKeepAliveMs,
        // A client may end its side after its request and wait for the reply.
        allowHalfOpen: true,
      },
      (socket) => this.#admit(socket),
    );
    const sockets = this.#sockets;
    const { traffic } = this.#options;
    // One for all of them.
    const forget = function (this: Socket): void {
      sockets.delete(this);
      traffic.closed();
    };
    server.maxConnections = this.#options.limits.connectionsMax;
    server.on('drop', () => traffic.dropped());
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      traffic.accepted();
      socket.on('close', forget);
    });
    return server;
  }

  /** Never listens: it is handed connections whose first bytes are those of TLS. */
  #makeTls(tls: TlsMaterial): TlsServer {
    const clientCheck = tls.clientCa === undefined ? undefined : new ClientCheck(this.#options.logger);
    const server = createTlsServer(
      {
        ...contextOptions(tls),
        // A client may come without one; one that is not valid is refused when the handshake is done.
        requestCert: tls.clientCa !== undefined,
        rejectUnauthorized: false,
        ALPNProtocols: ['h2', 'http/1.1'],
        handshakeTimeout: this.#options.limits.handshakeTimeoutMs,
      },
      (socket) => {
        const isHttp2 = socket.alpnProtocol === 'h2';
        const refusal = clientCheck?.refusalOf(socket);
        if (refusal === undefined) this.#route(socket, isHttp2);
        else refuseCertificate(socket, isHttp2, refusal, this.#options.limits);
      },
    );
    // Node does not close a connection whose handshake takes too long, it only tells.
    server.on('tlsClientError', (_error: Error, socket: Socket) => void socket.destroy());
    return server;
  }

  #admit(socket: Socket): void {
    const onClosed = this.#options.addressLimit.open(socket.remoteAddress);
    if (onClosed === undefined) return this.#crowdedAddress.turnAway(socket);
    socket.once('close', onClosed);
    void this.#routeByFirstBytes(socket);
  }

  async #routeByFirstBytes(socket: Socket): Promise<void> {
    const protocol = await sniffProtocol(socket, this.#options.limits.handshakeTimeoutMs);
    if (protocol !== undefined) this.#routeByProtocol(socket, protocol);
  }

  #routeByProtocol(socket: Socket, protocol: Protocol): void {
    const isTls = protocol === 'tls';
    if (isTls !== (this.#tls !== undefined)) this.#wrongProtocol.turnAway(socket, protocol);
    else if (isTls) this.#tls?.emit('connection', socket);
    else this.#route(socket, protocol === 'http2');
  }

  #route(socket: Socket, isHttp2: boolean): void {
    this.#options.traffic.speaks(socket, isHttp2 ? 'http2' : 'http1');
    if (isHttp2) {
      // Its streams end one by one: a client that ends the connection is gone.
      socket.allowHalfOpen = false;
      this.#http2.take(socket);
    } else {
      this.#http1.emit('connection', socket);
    }
  }

  #makeHttp1(): HttpServer {
    const { limits } = this.#options;
    const server = createHttpServer({
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.handshakeTimeoutMs,
      // A call answers a body that does not come; this closes the connections of what is no call.
      requestTimeout: nodeTimeoutMs(limits.handshakeTimeoutMs + limits.requestTimeoutMs),
      keepAliveTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: Math.min(limits.handshakeTimeoutMs, serverFixed.connectionCheckMs),
    });
    const upgrades = new UnheededUpgrades((socket) => void server.emit('connection', socket));
    server.on('upgrade', (request, _socket, rest) => upgrades.leave(request, rest));
    server.on('request', (request, response) => {
      upgrades.note(request, response);
      if (this.#isStopping) response.setHeader('connection', 'close');
      const refusal = this.#options.pageRefusal.ofRequest(request);
      if (refusal === undefined) this.#handle(request, response);
      else this.#options.pageRefusal.answer(request, response, refusal);
    });
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      continueWhenRead(request, response);
      server.emit('request', request, response);
    });
    server.on('clientError', (error, socket) =>
      refuseMalformed(error, socket as Socket, upgrades.lastResponse(socket), limits.headerBytesMax),
    );
    // Its target is a host; without a listener Node closes the connection without a word.
    server.on('connect', (_request, socket) => {
      refuse(socket as Socket, '405 Method Not Allowed', 'this server is no proxy', `allow: ${METHODS}`);
    });
    // Node starts to look after a server's time limits when it begins to listen; this one is only handed connections.
    server.emit('listening');
    return server;
  }

  #handle(request: HttpRequest, response: HttpResponse): void {
    try {
      if (this.#options.cors.begin(request, response)) return;
      const isHandled = this.#options.handlers.some((handler) => handler(request, response));
      assert(isHandled, 'the last handler answers every request');
    } catch (error) {
      this.#options.logger.error({ err: error }, 'a request failed unexpectedly');
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { code: 'internal', message: 'internal error' });
    }
  }
}

/** For Node's look at a whole request, which takes a time of more than 32 bits for a short one; 0 is none. */
function nodeTimeoutMs(timeoutMs: number): number {
  return timeoutMs < 2 ** 32 ? timeoutMs : 0;
}
