/**
 * Tries a call of a storage until it is certain how it went: until the storage answers, the time of the call is over, its signal
 * is aborted, or the log is closed. What a try leaves open is remembered, so that the error of a later one says so.
 */
import type { Clock, Random, Timer } from '../clock.ts';
import { sharedLog as limits } from '../limits.ts';
import { LogStorageError } from './log-storage.ts';
import type { LogCall } from './shared-log.ts';
import { SharedLogError } from './shared-log-error.ts';

export class Attempts {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ends = new Set<CallEnd>();
  #isClosed = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** @param what of the call, for messages: "the log did not … in time". */
  async until<Result>(
    what: string,
    { signal, timeoutMs }: LogCall,
    make: (signal: AbortSignal) => Promise<Result>,
    kind: 'write' | 'read' = 'write',
  ): Promise<Result> {
    const end = this.begin(signal, timeoutMs);
    let isOpen = false;
    let last: unknown;
    try {
      for (let failures = 1; ; failures++) {
        end.check(what, isOpen, last);
        try {
          return await make(end.signal);
        } catch (error) {
          if (error instanceof SharedLogError) throw isOpen ? error.leftOpen() : error;
          if (error instanceof LogStorageError) {
            isOpen ||= error.mayHaveLanded;
            if (error.kind !== 'unavailable' && !end.signal.aborted) throw errorOf(error, isOpen);
          } else if (end.signal.aborted) {
            isOpen = kind === 'write';
          } else throw error;
          last = error;
        }
        await this.pause(failures, end.signal);
      }
    } finally {
      this.end(end);
    }
  }

  /** Waits before the next try; shorter when the signal is aborted. */
  pause(failures: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const [low = 0, high = 0] = this.#random.bytes(2);
    const doubledMs = limits.pauseMs * 2 ** Math.min(failures - 1, 20);
    const delayMs = Math.min(limits.pauseMsMax, doubledMs) * ((high * 256 + low) / 65_536);
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = this.#clock.setTimer(delayMs, finish);
      signal.addEventListener('abort', finish);
    });
  }

  /** For what lasts longer than a call: its signal is aborted too when the log is closed. To be given to `end`. */
  begin(signal: AbortSignal | undefined, timeoutMs?: number): CallEnd {
    signal?.throwIfAborted();
    const end = new CallEnd(this.#clock, signal, timeoutMs);
    this.#ends.add(end);
    if (this.#isClosed) end.close();
    return end;
  }

  end(end: CallEnd): void {
    this.#ends.delete(end);
    end.release();
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end.close();
  }
}

/** What ends a call, as one signal: its own, its time, or the end of the log. It leaves no listener behind. */
export class CallEnd {
  readonly #controller = new AbortController();
  readonly #given: AbortSignal | undefined;
  readonly #timer: Timer | undefined;
  #isClosed = false;

  constructor(clock: Clock, given: AbortSignal | undefined, timeoutMs: number | undefined) {
    this.#given = given;
    given?.addEventListener('abort', this);
    if (timeoutMs !== undefined) {
      this.#timer = clock.setTimer(timeoutMs, () => this.#controller.abort());
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Of the signal that was given. */
  handleEvent(): void {
    this.#controller.abort(this.#given?.reason);
  }

  close(): void {
    this.#isClosed = true;
    this.#controller.abort();
  }

  /** Throws if it is over. @param last the failure of the last try, if there was one. */
  check(what: string, isOpen: boolean, last?: unknown): void {
    if (!this.signal.aborted) return;
    this.#given?.throwIfAborted();
    const options = { mayHaveLanded: isOpen, cause: last };
    if (this.#isClosed) throw new SharedLogError('closed', 'the shared log is closed', options);
    const why = last instanceof LogStorageError ? `: ${last.message}` : '';
    throw new SharedLogError('unavailable', `the shared log did not ${what} in time${why}`, options);
  }

  release(): void {
    this.#timer?.cancel();
    this.#given?.removeEventListener('abort', this);
  }
}

/** Of a failure that another try would not change. */
export function errorOf(error: LogStorageError, isOpen: boolean): SharedLogError {
  const code = error.kind === 'forgotten' ? 'failed' : error.kind;
  return new SharedLogError(code, error.message, { mayHaveLanded: isOpen, cause: error });
}
