/**
 * The way from a process to the shared log: it delays, and may lose what goes there or comes back; and it may be cut off, so that
 * nothing comes through.
 */
import {
  type Advance,
  type Found,
  type Listed,
  type LogStorage,
  LogStorageError,
  type Oldest,
  type StoredRecord,
} from '../../../src/shared-log/log-storage.ts';
import type { SeededRandom } from '../../support/random.ts';
import type { Process } from './process.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** What a link does by chance. */
export interface LinkFaults {
  /** How likely it is for a call to arrive and for its answer to be lost, ... */
  readonly lostAnswer: number;
  /** ... never to arrive, ... */
  readonly lostCall: number;
  /** ... and to arrive long after it was given up. */
  readonly late: number;
}

export const NO_FAULTS: LinkFaults = { lostAnswer: 0, lostCall: 0, late: 0 };

/** After so long an answer that is lost is given up. */
const TRY_MS = 400;
const LATE_MS_MAX = 5_000;

export class LogLink implements LogStorage {
  /** Nothing comes through. */
  isCut = false;
  /** The log takes no records. */
  isFull = false;
  faults: LinkFaults;
  /** Called before the log is asked to trim. */
  onTrim: (before: number) => void = () => undefined;
  /** Called when it is asked for its head. */
  onHead: () => void = () => undefined;
  readonly #process: Process;
  readonly #time: SimulatedTime;
  readonly #random: SeededRandom;
  readonly #storage: LogStorage;
  readonly #streams = new Set<() => void>();

  constructor(
    process: Process,
    time: SimulatedTime,
    random: SeededRandom,
    storage: LogStorage,
    faults: LinkFaults,
  ) {
    this.#process = process;
    this.#time = time;
    this.#random = random;
    this.#storage = storage;
    this.faults = faults;
  }

  cut(isCut: boolean): void {
    this.isCut = isCut;
    if (isCut) for (const breakOff of this.#streams) breakOff();
  }

  create(head: Uint8Array, signal: AbortSignal): Promise<Found | 'done'> {
    return this.#call(signal, (ended) => this.#storage.create(head, ended));
  }

  advance(advance: Advance, signal: AbortSignal): Promise<Found | 'done'> {
    if (this.isFull) {
      const full = new LogStorageError('full', 'there is no room', { mayHaveLanded: false });
      return this.#process.hear(Promise.reject(full));
    }
    return this.#call(signal, (ended) => this.#storage.advance(advance, ended));
  }

  trim(before: number, signal: AbortSignal): Promise<Found | 'done'> {
    this.onTrim(before);
    return this.#call(signal, (ended) => this.#storage.trim(before, ended));
  }

  head(signal: AbortSignal): Promise<Uint8Array | undefined> {
    this.onHead();
    return this.#call(signal, (ended) => this.#storage.head(ended));
  }

  oldest(signal: AbortSignal): Promise<Oldest> {
    return this.#call(signal, (ended) => this.#storage.oldest(ended));
  }

  list(from: number, count: number, signal: AbortSignal): Promise<Listed> {
    return this.#call(signal, (ended) => this.#storage.list(from, count, ended));
  }

  async *changes(after: number, signal: AbortSignal): AsyncGenerator<readonly StoredRecord[], void> {
    const end = new AbortController();
    const ended = AbortSignal.any([signal, end.signal]);
    const broken = Promise.withResolvers<never>();
    const breakOff = (): void => {
      end.abort();
      broken.reject(unavailable('the changes broke off'));
    };
    broken.promise.catch(() => undefined);
    this.#streams.add(breakOff);
    try {
      if (this.isCut) throw unavailable('the changes are cut off');
      const changes = this.#storage.changes(after, ended)[Symbol.asyncIterator]();
      for (;;) {
        const next = await this.#process.hear(Promise.race([changes.next(), broken.promise]));
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      this.#streams.delete(breakOff);
      end.abort();
    }
  }

  close(): void {
    this.#storage.close();
  }

  #call<Result>(signal: AbortSignal, make: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const fate = this.#fate();
    const never = new AbortController().signal;
    if (fate === 'arrives') return this.#process.hear(this.#heard(make(signal)));
    if (fate === 'lostAnswer') void make(never).catch(() => undefined);
    if (fate === 'late') this.#time.within(LATE_MS_MAX, () => void make(never).catch(() => undefined));
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', giveUp);
        this.#process.run(() => reject(unavailable(`the call is ${fate}`)));
      };
      const timer = this.#time.in(TRY_MS, giveUp);
      signal.addEventListener('abort', giveUp);
    });
  }

  /** What came back while the link was cut is lost. */
  async #heard<Result>(promise: Promise<Result>): Promise<Result> {
    const result = await promise;
    if (this.isCut) throw unavailable('the answer was cut off');
    return result;
  }

  #fate(): 'arrives' | 'lostAnswer' | 'lostCall' | 'late' {
    if (this.isCut) return 'lostCall';
    const { lostAnswer, lostCall, late } = this.faults;
    const drawn = this.#random.uint32() / 2 ** 32;
    if (drawn < lostAnswer) return 'lostAnswer';
    if (drawn < lostAnswer + lostCall) return 'lostCall';
    return drawn < lostAnswer + lostCall + late ? 'late' : 'arrives';
  }
}

function unavailable(message: string): LogStorageError {
  return new LogStorageError('unavailable', message, { mayHaveLanded: true });
}
