/**
 * A consensus system in memory for shared logs, of which each process has a `LogStorage`. Calls take as long as the schedule makes
 * them, and their effects come in any order. What it does wrong of itself is what a real one may: changes break off, are forgotten,
 * or never come, each by chance. Lost replies and the like: `TroubledStorage` around it.
 */
import {
  type Advance,
  type Found,
  type Listed,
  type LogStorage,
  LogStorageError,
  type Oldest,
  type StoredRecord,
} from '../../src/shared-log/log-storage.ts';
import type { SeededRandom } from './random.ts';
import type { Schedule } from './schedule.ts';

interface Put {
  readonly revision: number;
  readonly record: StoredRecord;
}

export interface LogSystemOptions {
  readonly random: SeededRandom;
  readonly schedule: Schedule;
  /** How likely it is for changes to break off before the next one, or to come no more. */
  readonly lostChanges?: number;
}

/** What lies there, and is the same for all. */
export class SimulatedLogSystem {
  readonly random: SeededRandom;
  readonly schedule: Schedule;
  readonly lostChanges: number;
  head: Uint8Array | undefined;
  records = new Map<number, Uint8Array>();
  revision = 1;
  /** Changes that are kept, the oldest first. */
  #puts: Put[] = [];
  #forgottenRevision = 0;
  readonly #listeners = new Set<() => void>();

  constructor({ random, schedule, lostChanges = 0 }: LogSystemOptions) {
    this.random = random;
    this.schedule = schedule;
    this.lostChanges = lostChanges;
  }

  open(): LogStorage {
    return new SimulatedLogStorage(this);
  }

  get isEmpty(): boolean {
    return this.head === undefined && this.records.size === 0;
  }

  put(position: number, bytes: Uint8Array): void {
    this.records.set(position, bytes);
    this.revision++;
    this.#puts.push({ revision: this.revision, record: { position, bytes } });
    for (const listener of this.#listeners) listener();
  }

  /** The changes so far are known no more. */
  forget(): void {
    this.#puts = [];
    this.#forgottenRevision = this.revision;
    for (const listener of this.#listeners) listener();
  }

  /** The first change behind a revision. */
  changeAfter(revision: number): Put | 'forgotten' | undefined {
    const put = this.#puts.find((each) => each.revision > revision);
    return put ?? (revision < this.#forgottenRevision ? 'forgotten' : undefined);
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

class SimulatedLogStorage implements LogStorage {
  readonly #system: SimulatedLogSystem;
  readonly #closed = new AbortController();

  constructor(system: SimulatedLogSystem) {
    this.#system = system;
  }

  create(head: Uint8Array, signal: AbortSignal): Promise<Found | 'done'> {
    return this.#step(signal, () => {
      if (!this.#system.isEmpty) return this.#found();
      this.#system.head = head;
      return 'done';
    });
  }

  advance({ expected, head, position, record }: Advance, signal: AbortSignal): Promise<Found | 'done'> {
    return this.#step(signal, () => {
      if (!isEqual(this.#system.head, expected)) return this.#found(position);
      this.#system.head = head;
      this.#system.put(position, Uint8Array.from(record));
      return 'done';
    });
  }

  trim(before: number, signal: AbortSignal): Promise<Found | 'done'> {
    return this.#step(signal, () => {
      const { records, random } = this.#system;
      if (!records.has(before)) return this.#found();
      for (const position of records.keys()) if (position < before) records.delete(position);
      if (random.chance(0.5)) this.#system.forget();
      return 'done';
    });
  }

  head(signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#step(signal, () => this.#system.head);
  }

  oldest(signal: AbortSignal): Promise<Oldest> {
    return this.#step(signal, () => {
      const { head, records } = this.#system;
      return { head, position: records.size === 0 ? undefined : Math.min(...records.keys()) };
    });
  }

  list(from: number, count: number, signal: AbortSignal): Promise<Listed> {
    return this.#step(signal, () => {
      const { head, revision, records } = this.#system;
      const listed: StoredRecord[] = [];
      for (let position = from; position < from + count; position++) {
        const bytes = records.get(position);
        if (bytes !== undefined) listed.push({ position, bytes });
      }
      return { head, records: listed, revision };
    });
  }

  async *changes(after: number, signal: AbortSignal): AsyncGenerator<readonly StoredRecord[], void> {
    const system = this.#system;
    const { random, lostChanges } = system;
    for (let revision = after; ;) {
      await this.#step(signal, () => undefined);
      if (random.chance(lostChanges)) throw unavailable('the changes broke off');
      if (random.chance(lostChanges)) await this.#until(signal, () => false);
      const change = system.changeAfter(revision);
      if (change === 'forgotten') {
        throw new LogStorageError('forgotten', 'the changes are forgotten', { mayHaveLanded: false });
      }
      if (change === undefined) await this.#until(signal, () => system.changeAfter(revision) !== undefined);
      else {
        revision = change.revision;
        yield [change.record];
      }
    }
  }

  close(): void {
    this.#closed.abort();
  }

  #found(position?: number): Found {
    const { head, records } = this.#system;
    return { head, record: position === undefined ? undefined : records.get(position) };
  }

  /** The effect of a call that was given up may come all the same. */
  #step<Result>(signal: AbortSignal, act: () => Result): Promise<Result> {
    const { schedule } = this.#system;
    return new Promise((resolve, reject) => {
      if (this.#closed.signal.aborted) return reject(unavailable('the storage is closed'));
      if (signal.aborted) return reject(signal.reason as Error);
      const giveUp = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', giveUp);
      schedule(() => {
        const result = act();
        schedule(() => {
          signal.removeEventListener('abort', giveUp);
          resolve(result);
        });
      });
    });
  }

  #until(signal: AbortSignal, isTrue: () => boolean): Promise<void> {
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!ended.aborted && !isTrue()) return;
        leave();
        ended.removeEventListener('abort', look);
        if (ended.aborted) reject(unavailable('the changes ended'));
        else resolve();
      };
      const leave = this.#system.listen(look);
      ended.addEventListener('abort', look);
      look();
    });
  }
}

function unavailable(message: string): LogStorageError {
  return new LogStorageError('unavailable', message, { mayHaveLanded: true });
}

function isEqual(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && Buffer.compare(one, other) === 0;
}
