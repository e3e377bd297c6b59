/**
 * Who may have a password checked next. A check takes a thread for long, so few run at once, and the others wait; what one client
 * wants must not be what all others wait for.
 *
 * - Networks take turns, however many checks each waits for (start-time fair queuing, Goyal et al., 1996).
 * - Of one connection one check runs at a time, and after a wrong password none begins for `failedLoginDelayMs`.
 * - Of one network none begins for longer and longer once it has failed often, up to `failedLoginPauseMsMax`; that is forgotten when
 *   it has not failed for `failedLoginsForgottenMs`.
 * - Of one network, and of this machine, connections that have failed let those go first that have not: who has the right password is
 *   not held up by one beside it who guesses over and over.
 * - What a connection that is closed waited for is not checked any more.
 *
 * Bounded: so many wait, and of one connection fewer. When there are too many, the newest goes of the network that has the most,
 * which may be the one that comes. Networks that have failed are remembered up to a number, those that did last.
 */
import type { Clock, Timer } from '../../clock.ts';
import { RetryLaterError } from '../../errors.ts';
import { fixed } from '../../limits.ts';

/** Where credentials come from. */
export interface LoginPeer {
  /** `destroyed`: it is closed. */
  readonly connection: { readonly destroyed?: boolean };
  /** Whose connections count together; empty: those of the machine itself, which may be anybody's, each count for themselves. */
  readonly network: string;
}

interface Waiting {
  readonly peer: LoginPeer;
  readonly owner: Owner;
  /** By it they take turns: the lowest is next. */
  turn: number;
  readonly goOn: () => void;
  readonly refuse: (error: Error) => void;
}

/** A network, or a connection that counts for itself. */
type Owner = string | object;

interface Failures {
  readonly count: number;
  readonly atMs: number;
}

export class LoginLine {
  readonly #clock: Clock;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();
  /** Of the owners that have had a turn later than the one that was served last. */
  readonly #lastTurnByOwner = new Map<Owner, number>();
  /** Of the one that was served last. */
  #turn = 0;
  #runningCount = 0;
  readonly #busy = new WeakSet<object>();
  /** Of connections that have failed. */
  readonly #freeAtMs = new WeakMap<object, number>();
  /** By network, the one that failed last at the end. */
  readonly #failures = new Map<string, Failures>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get runningCount(): number {
    return this.#runningCount;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Resolves when a check may run; then `leave` is to be called. Rejects with `limitReached` when too many wait. */
  async enter(peer: LoginPeer): Promise<void> {
    const owner = ownerOf(peer);
    this.#dropGone();
    this.#makeRoom(peer, owner);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const turn = Math.max(this.#turn, this.#lastTurnByOwner.get(owner) ?? 0) + 1;
    this.#lastTurnByOwner.set(owner, turn);
    this.#waiting.add({ peer, owner, turn, goOn: resolve, refuse: reject });
    this.#serve();
    await promise;
  }

  /** A check has run. @param isFailed the password was wrong. */
  leave({ connection, network }: LoginPeer, isFailed: boolean): void {
    this.#runningCount--;
    this.#busy.delete(connection);
    if (isFailed) {
      this.#freeAtMs.set(connection, this.#clock.monotonicMs() + fixed.failedLoginDelayMs);
      if (network !== '') this.#noteFailure(network);
    } else {
      this.#freeAtMs.delete(connection);
    }
    this.#serve();
  }

  #dropGone(): void {
    for (const waiting of this.#waiting)
      if (waiting.peer.connection.destroyed === true) this.#refuse(waiting);
  }

  /** Of one that waits. */
  #refuse(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    waiting.refuse(tooManyError());
  }

  #makeRoom({ connection }: LoginPeer, owner: Owner): void {
    const countByOwner = new Map<Owner, number>();
    let countOfConnection = 0;
    for (const { peer, owner: each } of this.#waiting) {
      countByOwner.set(each, (countByOwner.get(each) ?? 0) + 1);
      if (peer.connection === connection) countOfConnection++;
    }
    if (countOfConnection >= fixed.passwordChecksOfConnectionMax) throw tooManyError();
    if (this.#waiting.size < fixed.passwordChecksWaitingMax) return;
    const [most, count] = [...countByOwner].reduce((one, other) => (other[1] > one[1] ? other : one));
    if (count <= (countByOwner.get(owner) ?? 0) + 1) throw tooManyError();
    const newest = [...this.#waiting].findLast((each) => each.owner === most);
    if (newest !== undefined) this.#refuse(newest);
  }

  #serve(): void {
    this.#dropGone();
    while (this.#runningCount < fixed.passwordChecksMax) {
      const next = this.#next();
      if (next === undefined) return;
      this.#waiting.delete(next);
      this.#begin(next);
    }
  }

  #begin({ peer, turn, goOn }: Waiting): void {
    this.#runningCount++;
    this.#busy.add(peer.connection);
    this.#turn = Math.max(this.#turn, turn);
    for (const [owner, last] of this.#lastTurnByOwner) {
      if (last <= this.#turn) this.#lastTurnByOwner.delete(owner);
    }
    goOn();
  }

  /** The one whose turn it is of those that may begin. When none may, it is looked again as soon as one may. */
  #next(): Waiting | undefined {
    const nowMs = this.#clock.monotonicMs();
    const free: Waiting[] = [];
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const waiting of this.#waiting) {
      if (this.#busy.has(waiting.peer.connection)) continue;
      const atMs = this.#mayBeginAtMs(waiting.peer);
      if (atMs > nowMs) soonestMs = Math.min(soonestMs, atMs);
      else free.push(waiting);
    }
    const next = this.#firstOf(free);
    this.#timer?.cancel();
    this.#timer = undefined;
    if (next === undefined && soonestMs < Number.POSITIVE_INFINITY) {
      this.#timer = this.#clock.setTimer(soonestMs - nowMs, () => this.#serve());
    }
    return next;
  }

  /** It has the lowest turn, or has not failed and takes that of one beside it that has. */
  #firstOf(free: readonly Waiting[]): Waiting | undefined {
    let first = free[0];
    if (first === undefined) return undefined;
    for (const waiting of free) if (waiting.turn < first.turn) first = waiting;
    if (!this.#freeAtMs.has(first.peer.connection)) return first;
    const { network } = first.peer;
    const blameless = free.find(
      ({ peer }) => peer.network === network && !this.#freeAtMs.has(peer.connection),
    );
    if (blameless === undefined) return first;
    this.#moveBefore(first, blameless);
    return blameless;
  }

  /** The others of the network move back by one, so that it has as many turns as before. */
  #moveBefore(first: Waiting, moved: Waiting): void {
    const { network } = first.peer;
    const others = [...this.#waiting].filter(
      (each) =>
        each.peer.network === network && each !== moved && each.turn >= first.turn && each.turn <= moved.turn,
    );
    const turns = [...others.slice(1).map(({ turn }) => turn), moved.turn];
    moved.turn = first.turn;
    for (const [index, other] of others.entries()) other.turn = turns[index] ?? other.turn;
  }

  #mayBeginAtMs({ connection, network }: LoginPeer): number {
    const failures = this.#failures.get(network);
    const ofNetwork = failures === undefined ? 0 : failures.atMs + pauseMs(failures.count);
    return Math.max(this.#freeAtMs.get(connection) ?? 0, ofNetwork);
  }

  #noteFailure(network: string): void {
    const nowMs = this.#clock.monotonicMs();
    const before = this.#failures.get(network);
    const isRecent = before !== undefined && nowMs - before.atMs < fixed.failedLoginsForgottenMs;
    this.#failures.delete(network);
    this.#failures.set(network, { count: isRecent ? before.count + 1 : 1, atMs: nowMs });
    if (this.#failures.size <= fixed.failedNetworksMax) return;
    const [oldest] = this.#failures.keys();
    if (oldest !== undefined) this.#failures.delete(oldest);
  }
}

function ownerOf({ connection, network }: LoginPeer): Owner {
  return network === '' ? connection : network;
}

/** People mistype a password a few times, also several of them behind one address. */
function pauseMs(failureCount: number): number {
  const beyond = failureCount - fixed.failedLoginsFree;
  if (beyond <= 0) return 0;
  return Math.min(fixed.failedLoginPauseMsMax, fixed.failedLoginDelayMs * 2 ** (beyond - 1));
}

function tooManyError(): RetryLaterError {
  return new RetryLaterError('too many passwords are being checked; try again later', fixed.busyRetryMs);
}
