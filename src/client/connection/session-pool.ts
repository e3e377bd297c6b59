/**
 * The connections for calls of one kind. The first is made when it is needed, and again after it broke; another one when a
 * server takes no more streams on those there are, up to a limit. Those that take no new requests, and end their last ones, do
 * not count there: of these there are as many at most, and beyond that the oldest is closed. A watch goes on elsewhere.
 *
 * A request waits while a connection is being made, or asked whether it is still there: both have a limit of time. When all
 * connections are full it fails at once with the limit's name, rather than wait for who knows how long.
 */
import { systemClock } from '../../clock.ts';
import { grpcCode } from '../../grpc-code.ts';
import { client as limits } from '../../limits.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { ConnectFailure } from '../errors/connect-failure.ts';
import type { ServerAddress } from './address.ts';
import { type Patience, Session, type SessionOwner } from './session.ts';
import type { TlsOptions, TlsSource } from './socket.ts';

/** A request that looks for a connection. */
export interface Applicant {
  /** Begins on a connection that has room. */
  begin(session: Session): void;
  /** There is none; nothing was sent. */
  refuse(failure: CallFailure): void;
}

export interface SessionPoolOptions {
  /** Left out: that of a client with one server. */
  readonly patience?: Patience | undefined;
  /** Called when a call has waited in vain, over a connection on which nothing has come since, or for one that could not be made. */
  readonly onDoubt?: (() => void) | undefined;
}

export class SessionPool implements SessionOwner {
  readonly #address: ServerAddress;
  readonly #tls: TlsOptions | TlsSource;
  readonly #sessionsMax: number;
  readonly #patience: Patience | undefined;
  readonly #onDoubt: (() => void) | undefined;
  /** Those that take requests, the oldest first, which is filled first: so the others fall idle, and close. */
  readonly #open: Session[] = [];
  /** Those that end their last calls, in the order in which they began to. */
  readonly #leaving = new Set<Session>();
  readonly #waiting = new Set<Applicant>();
  /** Being made, or asked for a sign of life: it will say what became of it. */
  #expected: Session | undefined;
  #distrusted: Session | undefined;
  #isClosed = false;

  constructor(
    address: ServerAddress,
    tls: TlsOptions | TlsSource,
    sessionsMax: number,
    { patience, onDoubt }: SessionPoolOptions = {},
  ) {
    this.#address = address;
    this.#tls = tls;
    this.#sessionsMax = sessionsMax;
    this.#patience = patience;
    this.#onDoubt = onDoubt;
  }

  /** Begins a request or refuses it, now or when it is known whether there is a connection for it. */
  place(applicant: Applicant): void {
    const session = this.#open[0];
    if (session?.hasRoom === true && session.isFresh) return applicant.begin(session);
    if (this.#isClosed) return applicant.refuse(unsent(new Error('the client is closed')));
    this.#waiting.add(applicant);
    this.#dispatch();
  }

  /** The request is not to be sent any more. */
  withdraw(applicant: Applicant): void {
    this.#waiting.delete(applicant);
  }

  /**
   * A call has waited in vain: later ones go over another connection, unless this one has said anything since, or was given no
   * time to.
   * @param heardBytes what had come over it when the call was sent.
   */
  doubt(session: Session, heardBytes: number, sentAtMs: number): void {
    if (session.bytesRead !== heardBytes) return;
    if (systemClock.monotonicMs() - sentAtMs < limits.silenceMsMin) return;
    // More than one of them would be as many as there are calls that wait in vain.
    if (this.#distrusted?.isClosed === false) return;
    this.#distrusted = session;
    session.leave();
    this.#onDoubt?.();
  }

  /** Later requests go over connections that are made anew; what is under way goes on. */
  renew(): void {
    for (const session of this.#open.slice()) session.leave();
  }

  /** Breaks off what is under way. */
  close(): void {
    this.#isClosed = true;
    this.#refuseAll(unsent(new Error('the client is closed')));
    for (const session of [...this.#open, ...this.#leaving]) session.destroy();
    this.#expected?.destroy();
  }

  ready(session: Session): void {
    if (this.#expected === session) this.#expected = undefined;
    if (!this.#open.includes(session)) this.#open.push(session);
    this.#dispatch();
  }

  failed(session: Session, failure: ConnectFailure): void {
    this.#forget(session);
    // Calls with less time than it took to find this out are gone: each would come and go without a word of the server.
    if (this.#waiting.size === 0 && !this.#isClosed) this.#onDoubt?.();
    this.#refuseAll(unsent(failure));
  }

  leaving(session: Session): void {
    this.#forget(session);
    this.#leaving.add(session);
    if (this.#leaving.size > this.#sessionsMax) this.#closeOldest();
    this.#dispatch();
  }

  closed(session: Session): void {
    this.#leaving.delete(session);
    this.#forget(session);
    this.#dispatch();
  }

  #closeOldest(): void {
    const [oldest] = this.#leaving;
    if (oldest === undefined) return;
    this.#leaving.delete(oldest);
    oldest.destroy(
      new Error(
        `more than ${this.#sessionsMax} connections (connectionsMax) take no new calls and end their last`,
      ),
    );
  }

  #forget(session: Session): void {
    if (this.#expected === session) this.#expected = undefined;
    const index = this.#open.indexOf(session);
    if (index !== -1) this.#open.splice(index, 1);
  }

  /** Begins those that wait where there is room, and sees to it that there will be some for the rest. */
  #dispatch(): void {
    for (const applicant of this.#waiting) {
      const session = this.#open.find((each) => each.hasRoom && each.isFresh);
      if (session === undefined) return this.#provide();
      this.#waiting.delete(applicant);
      applicant.begin(session);
    }
  }

  #provide(): void {
    if (this.#expected !== undefined) return;
    const stale = this.#open.find((each) => each.hasRoom);
    if (stale !== undefined) {
      this.#expected = stale;
      stale.check();
    } else if (this.#open.filter((each) => !each.isEnding).length < this.#sessionsMax) {
      this.#make();
    } else {
      this.#refuseAll(
        new CallFailure(
          grpcCode.ResourceExhausted,
          `all ${this.#sessionsMax} connections to the server have as many calls under way as it takes ` +
            '(connectionsMax); wait for some of them before more are made, or raise it',
          { isUnprocessed: true },
        ),
      );
    }
  }

  #make(): void {
    try {
      this.#expected = new Session(this.#address, this.#tls, this, this.#patience);
    } catch (error) {
      // What a function gave may be half of a pair that is being replaced.
      const kind = typeof this.#tls === 'function' ? 'failed' : 'unusableTls';
      this.#refuseAll(unsent(new ConnectFailure(kind, unusableTls(error))));
    }
  }

  #refuseAll(failure: CallFailure): void {
    const refused = [...this.#waiting];
    this.#waiting.clear();
    for (const applicant of refused) applicant.refuse(failure);
  }
}

/** OpenSSL says which part is wrong, and shows none of it. */
function unusableTls(cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`the TLS options can't be used: ${why}`, { cause });
}

/** Nothing was sent, since there is no connection. */
function unsent(cause: Error): CallFailure {
  const failure = cause instanceof ConnectFailure ? cause : new ConnectFailure('failed', cause);
  return new CallFailure(grpcCode.Unavailable, failure.message, { cause: failure, isUnprocessed: true });
}
