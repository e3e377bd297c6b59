/**
 * Follows the changes of an etcd until it is told to stop.
 *
 * Two loops: one reads the watch into a queue, and begins it anew behind what it has read when the connection breaks; the other one
 * writes what lies there, renews keys of leases, and looks how far etcd is. The second alone writes, one transaction at a time.
 */
import type { Clock } from '../../clock.ts';
import { transfer as limits } from '../../limits.ts';
import { type EtcdSource, isEtcdFailure } from '../contract/etcd-source.ts';
import { TransferError } from '../contract/transfer-error.ts';
import type { LeaseEnds } from './lease-ends.ts';
import type { LeasedKeys } from './leased-keys.ts';
import { pause, pauseMs } from './patience.ts';
import { RevisionQueue } from './revision-queue.ts';
import type { RevisionWriter } from './revision-writer.ts';

export interface FollowState {
  /** The revision of etcd that is in, with all before it. */
  readonly revision: number;
  /** The newest of etcd, as far as is known. */
  readonly etcdRevision: number;
  /** The changes of keys that were followed, and the revisions that they were made in. */
  readonly changeCount: number;
  readonly revisionCount: number;
}

export interface FollowOptions {
  readonly clock: Clock;
  /** Aborting it is how it ends. */
  readonly signal: AbortSignal;
  readonly onState: (state: FollowState) => void;
  /** The connection to etcd broke and will be made again, however often that takes; once for each time. */
  readonly onInterrupted: (error: unknown) => void;
  readonly onResumed: () => void;
}

export class Follower {
  readonly #source: EtcdSource;
  readonly #writer: RevisionWriter;
  readonly #leased: LeasedKeys;
  readonly #ends: LeaseEnds;
  readonly #options: FollowOptions;
  readonly #queue = new RevisionQueue();
  #etcdRevision: number;
  /** The newest that was read, and when anything was. */
  #received: number;
  #heardMs = 0;
  /** Of the watch that is being read. */
  #attempt = new AbortController();

  constructor(
    source: EtcdSource,
    writer: RevisionWriter,
    { leased, ends }: { readonly leased: LeasedKeys; readonly ends: LeaseEnds },
    options: FollowOptions,
  ) {
    this.#source = source;
    this.#writer = writer;
    this.#leased = leased;
    this.#ends = ends;
    this.#options = options;
    this.#etcdRevision = this.#received = writer.revision;
  }

  get state(): FollowState {
    const { revision, changeCount, revisionCount } = this.#writer;
    return { revision, etcdRevision: Math.max(revision, this.#etcdRevision), changeCount, revisionCount };
  }

  /** Resolves when the signal is aborted, and the transaction under way is done. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    // A failure of the one ends the other.
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    const reading = this.#read(ended).catch((error: unknown) => this.#queue.fail(error));
    const looking = this.#look(ended);
    try {
      await this.#write(ended);
    } catch (error) {
      // What a signal breaks off is the waiting for what is not there.
      if (!signal.aborted) throw error;
    } finally {
      over.abort();
      this.#queue.close();
      await Promise.all([reading, looking]);
    }
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { clock, onState } = this.#options;
    let lookedMs = clock.monotonicMs();
    while (!signal.aborted) {
      if (this.#queue.hasAny) await this.#writeNext(signal);
      else await this.#next(signal);
      onState(this.state);
      if (clock.monotonicMs() - lookedMs < limits.etcdTickMs) continue;
      lookedMs = clock.monotonicMs();
      await this.#leased.renew(this.#writer.revision, signal);
    }
  }

  async #writeNext(signal: AbortSignal): Promise<void> {
    const revisions = this.#queue.take();
    const leaseIds = revisions.flatMap(({ events }) => events.map(({ put }) => put?.leaseId ?? 0n));
    // Where it can't be asked a key is given the least, and renewed later.
    await this.#ends.learn(leaseIds, signal).catch((error: unknown) => {
      if (!isEtcdFailure(error, 'unavailable')) throw error;
    });
    await this.#writer.write(revisions);
  }

  /** Resolves when something has come, or it is time to look at leases, or to end. Rejects when nothing will come any more. */
  #next(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const timer = clock.setTimer(limits.etcdTickMs, wake);
    const withdraw = this.#queue.onReady(wake);
    signal.addEventListener('abort', wake);
    return promise.then(() => {
      timer.cancel();
      withdraw();
      signal.removeEventListener('abort', wake);
      if (!this.#queue.hasAny) this.#queue.take();
    });
  }

  /** How far etcd is; where it does not say, the other loop does. */
  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#head(signal).catch(() => undefined);
      if (this.#isSilent) this.#attempt.abort(new Error('the watch says nothing'));
      await pause(limits.etcdTickMs, this.#options.clock, signal);
    }
  }

  /** A member that has lost the others keeps its watches, and tells them nothing. */
  get #isSilent(): boolean {
    const { clock } = this.#options;
    return (
      this.#source.hasAllKeys &&
      this.#etcdRevision > this.#received &&
      clock.monotonicMs() - this.#heardMs > limits.etcdSilenceMsMax
    );
  }

  async #head(signal: AbortSignal): Promise<number> {
    const { revision } = await this.#source.page({ revision: 0, limit: 1, keysOnly: true }, signal);
    this.#etcdRevision = Math.max(this.#etcdRevision, revision);
    return revision;
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { clock, onInterrupted, onResumed } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      const attempt = new AbortController();
      this.#attempt = attempt;
      this.#heardMs = clock.monotonicMs();
      try {
        const head = await this.#head(signal);
        if (head < this.#received) throw wentBack(this.#received, head);
        if (failures > 0) onResumed();
        failures = 0;
        await this.#readWatch(AbortSignal.any([signal, attempt.signal]));
      } catch (error) {
        if (signal.aborted) return;
        if (attempt.signal.aborted) continue;
        if (!isEtcdFailure(error, 'unavailable')) throw error;
        if (failures === 0) onInterrupted(error);
        failures++;
        await pause(pauseMs(failures), clock, signal);
      }
    }
  }

  async #readWatch(signal: AbortSignal): Promise<void> {
    for await (const revision of this.#source.watch(this.#received + 1, signal)) {
      // What is not newer has been read.
      if (revision.revision > this.#received) {
        this.#received = revision.revision;
        this.#etcdRevision = Math.max(this.#etcdRevision, revision.revision);
        await this.#queue.put(revision);
      }
      this.#heardMs = this.#options.clock.monotonicMs();
    }
  }
}

function wentBack(received: number, head: number): TransferError {
  return new TransferError(
    'sourceFailed',
    `etcd is at revision ${head}, but was at ${received} before: it was restored, or has lost what it had written; copy it anew`,
  );
}
