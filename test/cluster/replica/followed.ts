/** A server that is followed, for tests: a real store on a simulated disk, and a way to it that breaks when the test says so. */
import { expect } from 'vitest';
import { type Clock, systemClock } from '../../../src/clock.ts';
import {
  FollowError,
  type FollowedFrom,
  type FollowedServer,
} from '../../../src/cluster/replica/followed-server.ts';
import { isStoreError } from '../../../src/errors.ts';
import { openUncheckedStore } from '../../../src/kv/open-store.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import type { FeedStep, StoreHead } from '../../../src/store/replication/record-feed.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

export const DATA_DIR = '/data';
export const LIMITS = {
  historyRevisionsMax: 400,
  snapshotLogBytes: 20_000,
  segmentBytes: 8192,
  logRetentionBytes: 30_000,
};

/** What waits for a while waits for little: nothing depends on how long that is. */
export const hasty: Clock = {
  nowMs: () => systemClock.nowMs(),
  monotonicMs: () => systemClock.monotonicMs(),
  setTimer: (delayMs, callback) => systemClock.setTimer(delayMs / 50, callback),
  yieldNow: (callback) => systemClock.yieldNow(callback),
};

/** The server, and the way to it. */
export class Followed implements FollowedServer {
  readonly address = 'server';
  readonly clock = new ManualClock(1_000_000);
  disk: SimulatedDisk;
  snapshotCount = 0;
  /** Of the streams that are open. */
  #broken = new AbortController();
  #store: KvStore | undefined;

  constructor(seed: number) {
    this.disk = new SimulatedDisk({ seed });
  }

  get kv(): KvStore {
    if (this.#store === undefined) throw new FollowError('unavailable', 'it is down');
    return this.#store;
  }

  get store(): DurableStore {
    return this.kv.seam as DurableStore;
  }

  async open(): Promise<void> {
    const { disk, clock } = this;
    this.#store = await openUncheckedStore({ dataDir: DATA_DIR, disk, clock, limits: LIMITS });
  }

  async reopen(how: 'close' | 'endProcess'): Promise<void> {
    const { kv } = this;
    this.#store = undefined;
    this.breakStreams();
    if (how === 'close') await kv.close();
    else {
      this.disk = this.disk.endProcess();
      this.clock.dropTimers();
    }
    await this.open();
  }

  breakStreams(): void {
    this.#broken.abort();
    this.#broken = new AbortController();
  }

  head(): Promise<StoreHead> {
    return new Promise((resolve) => resolve(this.store.head));
  }

  async *follow({ storeId, after }: FollowedFrom, signal: AbortSignal): AsyncGenerator<FeedStep> {
    const { store } = this;
    const broken = this.#broken.signal;
    expect(store.head.storeId).toEqual(storeId);
    try {
      const feed = store.records(after);
      try {
        for (;;) {
          const step = await feed.next();
          signal.throwIfAborted();
          if (broken.aborted) throw new FollowError('unavailable', 'the stream is broken');
          yield step;
          if (step.head !== undefined) await news(store, [signal, broken]);
        }
      } finally {
        await feed.close();
      }
    } catch (error) {
      if (isStoreError(error, 'revisionCompacted'))
        throw new FollowError('trimmed', error.message, { cause: error });
      throw broken.aborted ? new FollowError('unavailable', 'it broke', { cause: error }) : error;
    }
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {
    this.snapshotCount++;
    yield* this.kv.backup();
  }

  close(): void {}
}

/** Resolves when something has come, the signals are aborted, or after a moment. */
async function news(store: DurableStore, signals: AbortSignal[]): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      stop();
      timer.cancel();
      resolve();
    };
    const stop = store.onDurable(end);
    const timer = systemClock.setTimer(2, end);
    for (const signal of signals) signal.addEventListener('abort', end, { once: true });
  });
}
