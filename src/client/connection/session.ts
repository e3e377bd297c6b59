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
 *
 * Its timers are set when they are missing and look at the clock when they run, so that a call costs none.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Timer, systemClock } from '../../clock.ts';
import { ClientConnection } from '../../http2/connection/client-connection.ts';
import type { ConnectionEnd, EndpointOptions } from '../../http2/contract/endpoint.ts';
import { type ErrorCode, errorCode } from '../../http2/contract/error-code.ts';
import type { Field } from '../../http2/contract/fields.ts';
import type { ClientStream, ClientStreamHandler } from '../../http2/contract/stream.ts';
import { client as limits } from '../../limits.ts';
import { ConnectFailure, kindOf } from '../errors/connect-failure.ts';
import type { ServerAddress } from './address.ts';
import type { TlsOptions, TlsSource } from './socket.ts';
import { hasTls, openSocket } from './socket.ts';

/** What a session tells the one who has opened it. */
export interface SessionOwner {
  /** It takes requests: it is open, has proved to be alive, or has room again. */
  ready(session: Session): void;
  /** It could not be opened. */
  failed(session: Session, failure: ConnectFailure): void;
  /** It takes no new requests any more. */
  leaving(session: Session): void;
  /** It was open, and is over. */
  closed(session: Session): void;
}

/** A request that goes on for as long as its connection takes any. */
export interface Lasting {
  /** No new requests go over the connection: this one is to end, too. */
  leave(): void;
}

/** A request whose connection was lost. */
export interface Lost {
  /** Told why, after `closed` of its stream. */
  lost(reason: Error): void;
}

const endpointOptions: Omit<EndpointOptions, 'handshakeTimeoutMs'> = {
  clock: systemClock,
  streamWindowBytes: limits.streamWindowBytes,
  connectionWindowBytes: limits.connectionWindowBytes,
  isConnectionWindowHeld: false,
  headerListBytesMax: limits.headerBytesMax,
};

/** How long a server may be silent; see `limits.ts`. */
export interface Patience {
  readonly connectMs: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
}

export class Session {
  readonly #address: ServerAddress;
  readonly #owner: SessionOwner;
  readonly #patience: Patience;
  readonly #socket: Socket;
  readonly #openTimer: Timer;
  #connection: ClientConnection | undefined;
  /** Whether the server was shown a certificate of the client. */
  #hasCertificate = false;
  #phase: 'opening' | 'open' | 'leaving' | 'closed' = 'opening';
  #underWay = 0;
  readonly #lasting = new Set<Lasting>();
  /** Those whose streams are closed and who are not told yet why. */
  #lost: Lost[] = [];
  /** Whether it was the client that ended it. */
  #isGivenUp = false;
  /** Whether it has been asked for a sign of life before the next request. */
  #isChecked = false;
  /** Since when it has had no request, or had one without a pause. */
  #idleSinceMs = 0;
  #busySinceMs = 0;
  /** What had come in all when it became busy, or when that was looked at last. */
  #heardBytes = 0;
  #lifeTimer: Timer | undefined;
  #idleTimer: Timer | undefined;

  /** Throws when the TLS options can't be used. */
  constructor(
    address: ServerAddress,
    tls: TlsOptions | TlsSource,
    owner: SessionOwner,
    patience: Patience = limits,
  ) {
    this.#address = address;
    this.#owner = owner;
    this.#patience = patience;
    this.#socket = openSocket(address, tls);
    this.#openTimer = systemClock.setTimer(patience.connectMs, () => this.destroy(systemError('ETIMEDOUT')));
    this.#socket.once(address.isTls ? 'secureConnect' : 'connect', () => this.#connect());
    // More than one may come, also late.
    this.#socket.on('error', (error) => this.#failToConnect(error));
    this.#socket.once('close', () => this.#failToConnect(systemError('ECONNRESET')));
  }

  /** Whether a request may be made now. */
  get hasRoom(): boolean {
    return this.#phase === 'open' && this.#connection !== undefined && this.#connection.freeStreams > 0;
  }

  /** Whether its connection is ending, of which the owner is told once that has closed. */
  get isEnding(): boolean {
    return this.#connection?.isEnding === true;
  }

  /** Whether it is open, with room or without. */
  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** Whether it has been used lately. One that has not is to be checked before a request is made. */
  get isFresh(): boolean {
    return this.#underWay > 0 || systemClock.monotonicMs() - this.#idleSinceMs < limits.idleMsMax;
  }

  get isClosed(): boolean {
    return this.#phase === 'closed';
  }

  /** What has come so far, in bytes: whether the connection has said anything. */
  get bytesRead(): number {
    return this.#connection?.bytesRead ?? 0;
  }

  /**
   * Begins a request; `ended` is to be called once its stream is closed.
   * @param once fields of this request alone, behind those that come again.
   * @returns undefined when there is no room, and nothing was sent.
   */
  request(
    fields: readonly Field[],
    handler: ClientStreamHandler,
    once?: readonly Field[],
  ): ClientStream | undefined {
    if (this.#phase !== 'open') return undefined;
    const stream = this.#connection?.request(fields, handler, once);
    if (stream !== undefined) this.resume();
    return stream;
  }

  ended(): void {
    this.rest();
  }

  /** A request that is under way waits for nothing: it keeps neither the connection nor the process busy until `resume`. */
  rest(): void {
    if (--this.#underWay === 0) this.#beIdle();
  }

  resume(): void {
    if (++this.#underWay === 1) this.#beBusy();
  }

  /** The request is told when the connection takes no new ones any more, until it is let go. */
  keep(request: Lasting): void {
    this.#lasting.add(request);
  }

  letGo(request: Lasting): void {
    this.#lasting.delete(request);
  }

  /** For a request whose stream was closed by the connection: it is told why as soon as that is known. */
  explain(request: Lost): void {
    this.#lost.push(request);
  }

  /** Asks for a sign of life: the owner is told that it is ready, or that it is closed. */
  check(): void {
    if (this.#isChecked || this.#phase !== 'open') return;
    this.#isChecked = true;
    this.#socket.ref();
    const timer = systemClock.setTimer(this.#patience.pingTimeoutMs, () =>
      this.destroy(systemError('ETIMEDOUT')),
    );
    const answered = (): void => {
      timer.cancel();
      this.#isChecked = false;
      if (this.#phase !== 'open') return;
      if (this.#underWay === 0) this.#beIdle();
      this.#owner.ready(this);
    };
    // A ping that is not answered is one of a connection that is closed.
    this.#connection?.ping().then(answered, () => timer.cancel());
  }

  /** Takes no new requests; what is under way goes on. */
  leave(): void {
    if (this.#phase === 'opening') return this.destroy();
    if (this.#phase !== 'open') return;
    this.#beLeaving();
    this.#connection?.leave();
  }

  /** Breaks off what is under way. */
  destroy(reason: Error = new Error('the connection is closed')): void {
    if (this.#phase === 'closed') return;
    this.#isGivenUp = true;
    if (this.#connection === undefined) this.#failToOpen(reason);
    else this.#connection.destroy(reason);
  }

  #connect(): void {
    if (this.#phase !== 'opening') return;
    const { alpnProtocol } = this.#socket as Socket & { readonly alpnProtocol?: string | false | null };
    if (this.#address.isTls && alpnProtocol !== 'h2') {
      this.#isGivenUp = true;
      this.#end(new ConnectFailure('peerHasNoHttp2', new Error('the server did not agree on h2 by ALPN')));
      return;
    }
    this.#hasCertificate = this.#address.isTls && showsCertificate(this.#socket as TLSSocket);
    this.#connection = new ClientConnection(
      this.#socket,
      { ...endpointOptions, handshakeTimeoutMs: this.#patience.connectMs },
      {
        opened: () => this.#open(),
        roomMade: () => this.#owner.ready(this),
        goingAway: (code, debugText) => this.#beLeft(code, debugText),
        closed: (end) => this.#close(end),
      },
    );
  }

  #open(): void {
    if (this.#phase !== 'opening') return;
    this.#phase = 'open';
    this.#openTimer.cancel();
    this.#beIdle();
    this.#idleTimer = systemClock.setTimer(limits.idleCloseMs, () => this.#lookForUse());
    this.#owner.ready(this);
  }

  #beLeft(code: ErrorCode, debugText: string): void {
    if (this.#phase === 'opening') return this.destroy(new Error(goAwayText(code, debugText)));
    if (this.#phase === 'open') this.#beLeaving();
    // What it has processed is not answered by a server that has met an error. Those that it has not are told first.
    if (code !== errorCode.NO_ERROR)
      queueMicrotask(() => this.destroy(new Error(goAwayText(code, debugText))));
  }

  #beLeaving(): void {
    this.#phase = 'leaving';
    this.#owner.leaving(this);
    for (const request of this.#lasting) request.leave();
  }

  #close(end: ConnectionEnd): void {
    const reason = reasonOf(end, this.#phase === 'opening');
    if (this.#phase === 'opening') return this.#failToOpen(reason);
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#lifeTimer?.cancel();
    this.#idleTimer?.cancel();
    const lost = this.#lost;
    this.#lost = [];
    for (const request of lost) request.lost(reason);
    this.#owner.closed(this);
  }

  /** Once there is a connection, it tells how it ended. */
  #failToConnect(error: Error): void {
    if (this.#connection === undefined) this.#failToOpen(error);
  }

  /** Only the first failure counts. */
  #failToOpen(reason: Error): void {
    if (this.#phase !== 'opening') return;
    const { target, isTls } = this.#address;
    // What it was that closed the connection, or answered with what is no HTTP/2, is worth a look.
    const isPeer = this.#connection !== undefined && !this.#isGivenUp && !isTls;
    if (this.#hasCertificate && !this.#isGivenUp && kindOf(reason) === 'failed') {
      // A server that is told so by its own check may say nothing, as Node's does not.
      const text = `${reason.message}, as one does that takes no such client certificate`;
      return this.#end(new ConnectFailure('failed', new Error(text, { cause: reason })));
    }
    if (!isPeer || 'path' in target) return this.#end(new ConnectFailure(kindOf(reason), reason));
    this.#phase = 'closed';
    void hasTls(target).then((isTlsThere) =>
      this.#end(new ConnectFailure(isTlsThere ? 'peerHasTls' : kindOf(reason), reason)),
    );
  }

  #end(failure: ConnectFailure): void {
    this.#phase = 'closed';
    this.#openTimer.cancel();
    this.#socket.destroy();
    this.#owner.failed(this, failure);
  }

  #beIdle(): void {
    this.#idleSinceMs = systemClock.monotonicMs();
    // The process may end over it.
    this.#connection?.unref();
  }

  #beBusy(): void {
    this.#busySinceMs = systemClock.monotonicMs();
    this.#heardBytes = this.bytesRead;
    this.#connection?.ref();
    this.#lifeTimer ??= systemClock.setTimer(this.#patience.pingIntervalMs, () => this.#lookForLife());
  }

  #lookForLife(): void {
    this.#lifeTimer = undefined;
    if (this.#underWay === 0 || this.#phase === 'closed') return;
    const { pingIntervalMs } = this.#patience;
    const busyMs = systemClock.monotonicMs() - this.#busySinceMs;
    const { bytesRead } = this;
    if (bytesRead !== this.#heardBytes || busyMs < pingIntervalMs) {
      const delayMs = bytesRead === this.#heardBytes ? pingIntervalMs - busyMs : pingIntervalMs;
      this.#heardBytes = bytesRead;
      this.#lifeTimer = systemClock.setTimer(delayMs, () => this.#lookForLife());
      return;
    }
    // What becomes of it shows by the bytes that come, an answer or another.
    this.#connection?.ping().catch(() => undefined);
    this.#lifeTimer = systemClock.setTimer(this.#patience.pingTimeoutMs, () => {
      // After the program was held up, what has come meanwhile is read only now.
      systemClock.yieldNow(() => {
        if (this.#underWay > 0 && this.bytesRead === bytesRead) this.destroy(systemError('ETIMEDOUT'));
        else this.#lookForLife();
      });
    });
  }

  #lookForUse(): void {
    if (this.#phase !== 'open') return;
    const idleMs = this.#underWay > 0 ? 0 : systemClock.monotonicMs() - this.#idleSinceMs;
    if (idleMs >= limits.idleCloseMs) this.leave();
    else this.#idleTimer = systemClock.setTimer(limits.idleCloseMs - idleMs, () => this.#lookForUse());
  }
}

/** Node gives an empty object for none. */
function showsCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getCertificate() ?? {}).length > 0;
}

/** In the form of the system's own errors; what the code means stands in `kelp-error.ts`. */
function systemError(code: string, message = code): Error {
  return Object.assign(new Error(message), { code });
}

/** @param isFirst whether it was not open yet: then what answers may speak another protocol. */
function reasonOf(end: ConnectionEnd, isFirst: boolean): Error {
  switch (end.kind) {
    case 'owner':
      return end.error ?? new Error('the connection is closed');
    case 'peer':
      return new Error(goAwayText(end.code, end.debugText));
    case 'violation':
      return isFirst
        ? systemError('ERR_HTTP2_ERROR', end.reason)
        : new Error(`it broke a rule of HTTP/2: ${end.reason}`);
    case 'io':
      return end.error ?? new Error('it closed the connection');
    case 'done':
      return new Error('it closed the connection');
  }
}

function goAwayText(code: ErrorCode, debugText: string): string {
  const name = Object.entries(errorCode).find(([, value]) => value === code)?.[0] ?? String(code);
  return `it closed the connection with ${name}${debugText === '' ? '' : ` (${debugText})`}`;
}
