/**
 * The HTTP/2 connection under a client: one for new calls at a time, made when the first call needs it and again after
 * it broke. Beside it there may be one that new calls do not trust any more, for the streams that still run on it.
 */
import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import type { Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { assert } from '../../errors.ts';
import { client as limits } from '../../limits.ts';
import { parseAddress } from '../connection/address.ts';
import { ConnectFailure } from '../errors/connect-failure.ts';
import { Sending } from './sending.ts';
import { Session } from '../connection/session.ts';
import type { TlsOptions } from '../connection/socket.ts';

/** @internal */
export interface Connection {
  /** For messages, with its scheme. */
  readonly address: string;
  readonly transport: Transport;
  /** Makes later calls go over another connection than this one, which was silent while a call waited in vain. */
  distrust(session: Session): void;
  /** Breaks off what is under way. */
  close(): void;
}

/** @internal */
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
  return {
    address: url,
    transport,
    distrust: (session) => sessionManager.distrust(session),
    close: () => sessionManager.close(),
  };
}

/** What Connect's transport asks for streams. */
class Sessions {
  readonly authority: string;
  readonly #url: URL;
  readonly #tls: TlsOptions;
  /** The one for new calls. */
  #session: Session | undefined;
  #distrusted: Session | undefined;
  #isClosed = false;

  constructor(url: string, tls: TlsOptions) {
    this.authority = url;
    this.#url = new URL(url);
    this.#tls = tls;
  }

  /** Rejects with a `ConnectFailure` when nothing was sent. */
  async request(method: string, path: string, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
    const sending = Sending.current();
    sending?.begin();
    const session = await this.#open();
    if (sending?.isOver) throw new ConnectFailure('failed', new Error('the call has ended'));
    const { bytesWritten } = session;
    const stream = requestOn(session, { ...headers, ':method': method, ':path': path });
    sending?.handOver(stream, session, bytesWritten);
    return stream;
  }

  /** Sessions see by themselves what comes. */
  notifyResponseByteRead(): void {}

  distrust(session: Session): void {
    // More than one of them would be as many as there are calls that wait in vain.
    if (this.#distrusted?.isClosed === false) return;
    this.#distrusted = session;
    session.leave();
  }

  close(): void {
    this.#isClosed = true;
    this.#distrusted?.destroy();
    this.#session?.destroy();
  }

  async #open(): Promise<Session> {
    const known = this.#session;
    const isAlive = known !== undefined && (await known.isAlive());
    if (this.#isClosed) throw new ConnectFailure('failed', new Error('the client is closed'));
    // Another call may have begun a new one meanwhile.
    if (!isAlive && this.#session === known) this.#session = new Session(this.#url, this.#tls);
    const session = this.#session;
    assert(session !== undefined, 'a session that was there is replaced, never taken away');
    await session.opened;
    return session;
  }
}

function requestOn(session: Session, headers: OutgoingHttpHeaders): ClientHttp2Stream {
  try {
    return session.request(headers);
  } catch (error) {
    // It was closed, or the server takes no more over it, before it took this one.
    throw new ConnectFailure('failed', error);
  }
}
