/**
 * The HTTP/2 connection under a client: one at a time, made when the first call needs it and again after it broke.
 */
import type { ClientHttp2Stream, Http2Session, SecureClientSessionOptions } from 'node:http2';
import type { Socket } from 'node:net';
import { connect as connectPlain, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Transport } from '@connectrpc/connect';
import { Http2SessionManager, createGrpcTransport } from '@connectrpc/connect-node';
import { client as limits } from '../limits.ts';
import { parseAddress } from './address.ts';

/** How to check the server's certificate, and which one to show it. Everything as Node's `tls.connect` takes it. */
export type TlsOptions = Pick<
  SecureClientSessionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'
>;

export interface Connection {
  /** For messages, with its scheme. */
  readonly address: string;
  readonly transport: Transport;
  /** Breaks off what is under way. */
  close(): void;
}

export function openConnection(address: string, tls: boolean | TlsOptions | undefined): Connection {
  const url = parseAddress(address, tls !== undefined && tls !== false);
  const sessionManager = new Sessions(url, typeof tls === 'object' ? tls : {});
  const transport = createGrpcTransport({
    baseUrl: url,
    sessionManager,
    readMaxBytes: limits.messageBytesMax,
    writeMaxBytes: limits.messageBytesMax,
    // Compression costs both sides more than it saves on the networks between a store and its users.
    acceptCompression: [],
  });
  return { address: url, transport, close: () => sessionManager.close() };
}

/** The session manager of Connect, with a limit on the time to connect, and safe against late errors. */
class Sessions {
  readonly authority: string;
  readonly #manager: Http2SessionManager;
  readonly #guarded = new WeakSet<Http2Session>();

  constructor(url: string, tls: TlsOptions) {
    const { pingIntervalMs, pingTimeoutMs, sessionMegabytesMax: maxSessionMemory } = limits;
    this.#manager = new Http2SessionManager(
      url,
      { pingIntervalMs, pingTimeoutMs },
      { createConnection: (authority) => connect(authority, tls), maxSessionMemory },
    );
    this.authority = this.#manager.authority;
  }

  async request(...args: Parameters<Http2SessionManager['request']>): Promise<ClientHttp2Stream> {
    const stream = await this.#manager.request(...args);
    this.#guard(stream.session);
    return stream;
  }

  notifyResponseByteRead(stream: ClientHttp2Stream): void {
    this.#manager.notifyResponseByteRead(stream);
  }

  close(): void {
    this.#manager.abort();
  }

  /**
   * The manager stops listening to a session that it has given up. Node may report one more error on it, and an
   * "error" event that nobody listens to would end the process.
   */
  #guard(session: Http2Session | undefined): void {
    if (session === undefined || this.#guarded.has(session)) return;
    this.#guarded.add(session);
    session.on('error', () => undefined);
  }
}

/** Left alone, the operating system tries for minutes, in ever longer intervals, at what may be an old address. */
function connect(authority: URL, tls: TlsOptions): Socket {
  const host = authority.hostname.replace(/^\[|\]$/g, '');
  const port = Number(authority.port || (authority.protocol === 'https:' ? 443 : 80));
  const isTls = authority.protocol === 'https:';
  const socket = isTls
    ? connectTls({ host, port, ALPNProtocols: ['h2'], servername: isIP(host) === 0 ? host : '', ...tls })
    : connectPlain({ host, port });
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error('connect timed out'), { code: 'ETIMEDOUT', syscall: 'connect' }));
  }, limits.connectMs);
  socket.once(isTls ? 'secureConnect' : 'connect', () => clearTimeout(timer));
  socket.once('close', () => clearTimeout(timer));
  return socket;
}
