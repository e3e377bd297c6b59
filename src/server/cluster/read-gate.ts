/**
 * Where reads wait until this node holds all that was acknowledged before they came. All reads of a turn of the event loop wait for one
 * answer: it is asked for at the end of the turn, so that it is as new as the last of them.
 */
import type { Clock } from '../../clock.ts';
import type { ClusterView } from '../../cluster/cluster-view.ts';
import { recoveringError } from '../calls/call-error.ts';
import type { Call, Stoppable } from '../calls/call.ts';

/** How new what a read shows must be. */
export interface Freshness {
  /** What this node has will do. */
  readonly isLocal: boolean;
  /** The node must have come to this revision; 0: to any. */
  readonly minRevision: number;
}

export const LINEARIZABLE: Freshness = { isLocal: false, minRevision: 0 };

export class ReadGate {
  readonly #view: () => ClusterView | undefined;
  readonly #clock: Clock;
  /** What the reads of this turn wait for. */
  #gathering: Promise<void> | undefined;

  constructor(view: () => ClusterView | undefined, clock: Clock) {
    this.#view = view;
    this.#clock = clock;
  }

  /**
   * @param visibleRevision of the store that the read is for.
   * @returns `undefined`: the read may run now. Else it resolves when it may; rejects with why it can't be answered, and with the
   * reason of the signal.
   */
  pass(
    { isLocal, minRevision }: Freshness,
    visibleRevision: () => number,
    signal: () => AbortSignal,
  ): Promise<void> | undefined {
    if (isLocal && minRevision <= visibleRevision()) return undefined;
    if (minRevision === 0) return this.caughtUp();
    return this.#reached(isLocal, minRevision, visibleRevision, signal());
  }

  /** As `pass`, for a call that ends by its deadline or its client, which its own code is not told of otherwise. */
  passIn(call: Call, freshness: Freshness, visibleRevision: () => number): Promise<void> | undefined {
    const waiting = this.pass(freshness, visibleRevision, () => call.signal);
    return waiting && untilStopped(waiting, call);
  }

  /** Resolves when this node holds all that was acknowledged before now. */
  caughtUp(): Promise<void> {
    this.#gathering ??= this.#ask();
    return this.#gathering;
  }

  async #ask(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.yieldNow(resolve));
    this.#gathering = undefined;
    await this.#opened().readBarrier();
  }

  async #reached(
    isLocal: boolean,
    minRevision: number,
    visibleRevision: () => number,
    signal: AbortSignal,
  ): Promise<void> {
    if (!isLocal) await this.caughtUp();
    const view = this.#opened();
    if (minRevision <= visibleRevision()) return;
    if (view.role === 'follower') await view.reached(minRevision, signal);
    // The writer has come to every revision that there is, and the method refuses a later one; one that was overtaken learns it here.
    else if (isLocal) await this.caughtUp();
  }

  #opened(): ClusterView {
    const view = this.#view();
    if (view === undefined) throw recoveringError();
    return view;
  }
}

/** Rejects when the call is over before. */
function untilStopped(waiting: Promise<void>, call: Call): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  waiting.then(resolve, reject);
  const onEnd: Stoppable = { stop: () => reject(call.abortReason) };
  call.stopOnAbort(onEnd);
  return promise;
}
