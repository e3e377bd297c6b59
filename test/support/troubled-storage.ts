/**
 * A storage of a shared log whose answers go astray, around a simulated one or etcd. What becomes of a call is decided when it is
 * made:
 *
 * - `lost`: it is done, and the answer is not heard.
 * - `dropped`: it never arrives.
 * - `late`: it is given up, and arrives all the same, when `arrive` is called.
 * - `stalled`: no answer comes until the caller gives up; it never arrives.
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

export type Trouble = 'none' | 'lost' | 'dropped' | 'late' | 'stalled';
export type StorageCall = 'create' | 'advance' | 'trim' | 'head' | 'oldest' | 'list';

export class TroubledStorage implements LogStorage {
  readonly #storage: LogStorage;
  #late: (() => Promise<unknown>)[] = [];
  /** Decides what becomes of a call. */
  trouble: (call: StorageCall) => Trouble = () => 'none';
  /** Whether changes never come. */
  isMute = false;
  /** Awaited before a call is told to have failed, so that other things may happen meanwhile. */
  meanwhile: () => Promise<void> = () => Promise.resolve();

  constructor(storage: LogStorage) {
    this.#storage = storage;
  }

  /** The next call of a kind meets this. */
  next(call: StorageCall, trouble: Trouble, meanwhile?: () => Promise<void>): void {
    this.trouble = (made) => {
      if (made !== call) return 'none';
      this.trouble = () => 'none';
      return trouble;
    };
    this.meanwhile = async () => {
      this.meanwhile = () => Promise.resolve();
      await meanwhile?.();
    };
  }

  /** What is late arrives, and is done. */
  async arrive(): Promise<void> {
    const late = this.#late;
    this.#late = [];
    for (const call of late) await call();
  }

  create(head: Uint8Array, signal: AbortSignal): Promise<Found | 'done'> {
    return this.#call('create', signal, (ended) => this.#storage.create(head, ended));
  }

  advance(advance: Advance, signal: AbortSignal): Promise<Found | 'done'> {
    return this.#call('advance', signal, (ended) => this.#storage.advance(advance, ended));
  }

  trim(before: number, signal: AbortSignal): Promise<Found | 'done'> {
    return this.#call('trim', signal, (ended) => this.#storage.trim(before, ended));
  }

  head(signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#call('head', signal, (ended) => this.#storage.head(ended));
  }

  oldest(signal: AbortSignal): Promise<Oldest> {
    return this.#call('oldest', signal, (ended) => this.#storage.oldest(ended));
  }

  list(from: number, count: number, signal: AbortSignal): Promise<Listed> {
    return this.#call('list', signal, (ended) => this.#storage.list(from, count, ended));
  }

  async *changes(revision: number, signal: AbortSignal): AsyncGenerator<readonly StoredRecord[], void> {
    if (this.isMute) await aborted(signal);
    else yield* this.#storage.changes(revision, signal);
  }

  close(): void {
    this.#storage.close();
  }

  async #call<Result>(
    call: StorageCall,
    signal: AbortSignal,
    make: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const trouble = this.trouble(call);
    if (trouble === 'none') return make(signal);
    if (trouble === 'lost') await make(signal);
    if (trouble === 'late') this.#late.push(() => make(new AbortController().signal));
    if (trouble === 'stalled') await aborted(signal);
    await this.meanwhile();
    throw new LogStorageError('unavailable', `the answer is ${trouble}`, { mayHaveLanded: true });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}
