/** What is behind a mirror, and lives on without it until its watch has ended: the feed, and who waits for something. */
import type { KeyRange } from '../../api.ts';
import { named } from '../../arguments/check.ts';
import { count } from '../../arguments/count.ts';
import { client as limits } from '../../limits.ts';
import { plainOptions } from '../calls/call-arguments.ts';
import type { Caller } from '../calls/caller.ts';
import { KelpError } from '../errors/error.ts';
import { refuse } from '../errors/refuse.ts';
import type { CallOptions } from '../messages/types.ts';
import { ChangeQueue, bytesOf } from './change-queue.ts';
import { MirrorFeed, type MirrorListener, type OpenWatch } from './mirror-feed.ts';
import type { MirroredEntries } from './mirrored-entries.ts';
import type { MirrorChange, MirrorOptions, MirrorSignals } from './types.ts';

const waitOptions = plainOptions('waitFor');

/** What names the mirror holds it: one that somebody listens to or waits for is not let go of. */
export interface Listening {
  readonly mirror: object;
  readonly name: keyof MirrorSignals;
  /** As it was given. */
  readonly listener: unknown;
  readonly call: (...args: unknown[]) => void;
}

interface Waiter {
  readonly mirror: object;
  readonly revision: number;
  settle(): void;
}

export class MirrorState implements MirrorListener {
  /** Resolves when there is a first state; rejects when there won't be one. */
  readonly synced: Promise<void>;
  readonly #caller: Caller;
  readonly #feed: MirrorFeed;
  readonly #ending: AbortController;
  #listeners: readonly Listening[] = [];
  readonly #queues = new Map<ChangeQueue, object>();
  readonly #waiters = new Set<Waiter>();
  readonly #onMoved = Promise.withResolvers<void>();
  #wasStale = false;
  #isEnded = false;

  constructor(
    caller: Caller,
    watch: OpenWatch,
    range: KeyRange,
    options: MirrorOptions,
    ending: AbortController,
  ) {
    const { mirror } = limits;
    const { keysMax = mirror.keysMax, bytesMax = mirror.bytesMax } = options;
    const { progressIntervalMs = mirror.progressIntervalMs } = options;
    const signals = [ending.signal, ...(options.signal ? [options.signal] : [])];
    const signal = AbortSignal.any(signals);
    this.#caller = caller;
    this.#ending = ending;
    this.#feed = new MirrorFeed(
      caller,
      { watch, range, keysMax, bytesMax, progressIntervalMs, signal },
      this,
    );
    this.synced = this.#onMoved.promise;
    void this.#feed.run().then(() => this.#end());
  }

  /** @throws KelpError `closed`. */
  get entries(): MirroredEntries {
    if (this.#isEnded && this.#feed.failure === undefined) throw this.#closedError();
    return this.#feed.entries;
  }

  get failure(): KelpError | undefined {
    return this.#feed.failure;
  }

  get staleMs(): number {
    const { staleSinceMs } = this.#feed;
    return staleSinceMs === undefined ? 0 : this.#caller.pace.monotonicMs() - staleSinceMs;
  }

  changes(mirror: object): ChangeQueue {
    const { changesMax, changesBytesMax } = limits.mirror;
    const bounds = { changesMax, bytesMax: changesBytesMax };
    const queue = new ChangeQueue(bounds, (ended) => void this.#queues.delete(ended));
    if (this.failure !== undefined) queue.fail(this.failure);
    else if (this.#isEnded) queue.fail(this.#closedError());
    else this.#queues.set(queue, mirror);
    return queue;
  }

  on(listening: Listening): void {
    this.#listeners = [...this.#listeners, listening];
  }

  off(name: keyof MirrorSignals, listener: unknown): void {
    this.#listeners = this.#listeners.filter((each) => each.name !== name || each.listener !== listener);
  }

  async waitFor(mirror: object, revision: number, options: CallOptions): Promise<void> {
    refuse(named('revision', count(revision)) ?? waitOptions(options));
    const { signal, deadlineMs = this.#caller.deadlineMs } = options;
    const over = new AbortController();
    const isReached = (): boolean => this.entries.revision >= revision;
    const settled = Promise.withResolvers<void>();
    const waiter: Waiter = { mirror, revision, settle: settled.resolve };
    this.#waiters.add(waiter);
    try {
      const ended = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
      if (!isReached() && this.failure === undefined) {
        await Promise.race([settled.promise, this.#caller.pace.wait(deadlineMs, ended)]);
      }
      if (isReached()) return;
      if (this.failure !== undefined) throw this.failure;
      if (signal?.aborted) throw this.#caller.errorOf(undefined, false, signal);
      throw new KelpError(
        'deadlineExceeded',
        `the mirror shows revision ${this.entries.revision}, not ${revision}, after ${deadlineMs} ms`,
        undefined,
      );
    } finally {
      over.abort();
      this.#waiters.delete(waiter);
    }
  }

  close(): void {
    this.#ending.abort();
    this.#end();
  }

  changed(change: MirrorChange): void {
    if (this.#queues.size > 0) {
      const bytes = bytesOf(change);
      for (const queue of this.#queues.keys()) queue.push(change, bytes);
    }
    this.#tell('change', change);
  }

  moved(): void {
    const { entries, failure, isSynced, staleSinceMs } = this.#feed;
    if (isSynced) this.#onMoved.resolve();
    for (const waiter of this.#waiters) {
      if (entries.revision >= waiter.revision || failure !== undefined) waiter.settle();
    }
    const isStale = staleSinceMs !== undefined;
    if (isStale === this.#wasStale) return;
    this.#wasStale = isStale;
    this.#tell(isStale ? 'stale' : 'fresh');
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { failure } = this.#feed;
    this.#onMoved.reject(failure ?? this.#closedError());
    // The one who asks for the first state hears it there.
    this.synced.catch(() => undefined);
    for (const queue of this.#queues.keys()) {
      if (failure === undefined) queue.end();
      else queue.fail(failure);
    }
    for (const waiter of this.#waiters) waiter.settle();
    if (failure !== undefined) this.#tell('failed', failure);
    this.#listeners = [];
    if (failure === undefined) this.#feed.forget();
  }

  #tell<Name extends keyof MirrorSignals>(name: Name, ...args: MirrorSignals[Name]): void {
    for (const each of this.#listeners) {
      if (each.name !== name) continue;
      try {
        each.call(...args);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #closedError(): KelpError {
    return new KelpError('closed', 'the mirror is closed', undefined);
  }
}
