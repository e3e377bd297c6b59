/**
 * One HTTP/2 connection to the server.
 *
 * - "opening": it counts as made once the server has sent its settings, which every HTTP/2 server sends first (RFC 9113,
 *   section 3.4). No request goes before that, so none is lost in a port of another protocol, or in one that a process
 *   on its way down still takes connections at. All of it together has a limit of time.
 * - "open": takes requests. While some are under way it is asked for a sign of life when it is silent, and closed
 *   when it gives none. One that has been idle for long is asked before the next request goes over it.
 * - "leaving": the server takes no new requests over it (GOAWAY), or the client does not trust it with any more. Those
 *   under way go on; then it is closed.
 * - "closed": all that was under way has failed.
 */
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import { client as limits } from '../../limits.ts';
import { ConnectFailure, kindOf } from '../errors/connect-failure.ts';
import type { TlsOptions } from './socket.ts';
import { hasTls, openSocket } from './socket.ts';

/** In the form of the system's own errors; what the code means stands in `connect-error.ts`. */
function socketError(code: 'ETIMEDOUT' | 'ECONNRESET'): Error {
  return Object.assign(new Error(code), { code });
}

export class Session {
  readonly #http2: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #opened = Promise.withResolvers<void>();
  #isOpening = true;
  /** Whether TCP has made it. */
  #isConnected = false;
  /** Whether it was the client that ended it. */
  #isGivenUp = false;
  #isLeaving = false;
  #streamCount = 0;
  /** Streams with higher ids than this have not been looked at by the server. */
  #lastStreamId = Number.POSITIVE_INFINITY;
  #idleSinceMs = performance.now();
  /** Under way for all calls that ask for it. */
  #aliveCheck: Promise<boolean> | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(url: URL, tls: TlsOptions) {
    this.#socket = openSocket(url, tls);
    this.#socket.once('connect', () => (this.#isConnected = true));
    this.#http2 = connect(url, {
      createConnection: () => this.#socket,
      maxSessionMemory: limits.sessionMegabytesMax,
    });
    const timer = setTimeout(() => this.destroy(socketError('ETIMEDOUT')), limits.connectMs);
    this.#http2.once('remoteSettings', () => {
      this.#isOpening = false;
      this.#opened.resolve();
    });
    // Node may report more than one, also late.
    this.#http2.on('error', (error) => void this.#fail(error, url));
    this.#http2.once('close', () => {
      clearTimeout(this.#pingTimer);
      clearTimeout(this.#idleTimer);
      void this.#fail(socketError('ECONNRESET'), url);
    });
    this.#http2.on('goaway', (_code: number, lastStreamId: number) => {
      this.#lastStreamId = Math.min(this.#lastStreamId, lastStreamId);
      this.leave();
    });
    const settle = (): void => clearTimeout(timer);
    this.#opened.promise.then(() => this.#beIdle(), settle).finally(settle);
  }

  /** Resolves when it is open. Rejects with a `ConnectFailure` when it can't be. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Whether it takes requests. */
  get isOpen(): boolean {
    return !this.#isLeaving && !this.#http2.closed && !this.#http2.destroyed;
  }

  /** Whether it takes requests and is still there; waits for an answer to that if it has been idle for long. */
  async isAlive(): Promise<boolean> {
    const isFresh = this.#streamCount > 0 || performance.now() - this.#idleSinceMs < limits.idleMsMax;
    if (isFresh || !this.isOpen) return this.isOpen;
    this.#aliveCheck ??= this.#answersPing().finally(() => (this.#aliveCheck = undefined));
    return this.#aliveCheck;
  }

  async #answersPing(): Promise<boolean> {
    this.#http2.ref();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => this.destroy(socketError('ETIMEDOUT')), limits.pingTimeoutMs);
    this.#http2.once('close', () => resolve(false));
    this.#http2.ping((error) => resolve(error === null));
    const isAlive = await promise;
    clearTimeout(timer);
    if (this.#streamCount === 0) this.#beIdle();
    return isAlive && this.isOpen;
  }

  /** Throws when it is not open. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const stream = this.#http2.request(headers);
    this.#streamCount++;
    if (this.#streamCount === 1) this.#beBusy();
    stream.once('close', () => {
      this.#streamCount--;
      if (this.#streamCount === 0) this.#beIdle();
    });
    return stream;
  }

  /** Whether the server has said that it has not looked at a stream, and will not. */
  hasRefused(stream: ClientHttp2Stream): boolean {
    return stream.id !== undefined && stream.id > this.#lastStreamId;
  }

  /** What has come and gone so far, in bytes: whether the connection has said anything, or anything was said to it. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get isClosed(): boolean {
    return this.#http2.destroyed;
  }

  /** Takes no new requests; what is under way goes on. */
  leave(): void {
    this.#isLeaving = true;
    if (this.#streamCount === 0) this.destroy();
  }

  /** Breaks off what is under way. */
  destroy(reason = new Error('the connection is closed')): void {
    this.#isGivenUp = true;
    // Without an error the streams would close as if they had come to their end.
    this.#http2.destroy(reason, constants.NGHTTP2_CANCEL);
    // Node would wait for the other side to end a connection that it was about to close, and the other may be gone.
    setImmediate(() => this.#socket.destroy());
  }

  /** Only the first failure counts, and none once it has been open: then the streams have their errors. */
  async #fail(error: Error, url: URL): Promise<void> {
    if (!this.#isOpening) return;
    this.#isOpening = false;
    const kind = kindOf(error);
    // What it was that closed the connection, or answered with what is no HTTP/2, is worth a look.
    const isPeer = this.#isConnected && !this.#isGivenUp && url.protocol === 'http:';
    const isTls = isPeer && (await hasTls(url));
    this.#opened.reject(new ConnectFailure(isTls ? 'peerHasTls' : kind, error));
  }

  #beIdle(): void {
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#idleTimer);
    if (this.#isLeaving || this.isClosed) return this.destroy();
    this.#idleSinceMs = performance.now();
    // The process may end over it.
    this.#http2.unref();
    this.#idleTimer = setTimeout(() => this.leave(), limits.idleCloseMs).unref();
  }

  #beBusy(): void {
    clearTimeout(this.#idleTimer);
    this.#http2.ref();
    this.#awaitSignOfLife(this.#socket.bytesRead);
  }

  #awaitSignOfLife(bytesRead: number): void {
    this.#pingTimer = setTimeout(() => {
      if (this.#socket.bytesRead > bytesRead) return this.#awaitSignOfLife(this.#socket.bytesRead);
      this.#http2.ping(() => undefined);
      this.#pingTimer = setTimeout(() => {
        // After the program was held up, what has come meanwhile is read only now.
        setImmediate(() => {
          if (this.#streamCount === 0) return;
          if (this.#socket.bytesRead === bytesRead) this.destroy(socketError('ETIMEDOUT'));
          else this.#awaitSignOfLife(this.#socket.bytesRead);
        });
      }, limits.pingTimeoutMs);
    }, limits.pingIntervalMs);
  }
}
