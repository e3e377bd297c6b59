/**
 * Runs unary calls: deadline, cancellation, and repetition of what is safe to repeat.
 *
 * - A call that changes nothing is repeated after any passing failure.
 * - A call that changes something is repeated only when the failure proves that nothing has changed: no connection
 *   was made, or the server said that it is recovering or stopping. A lost answer is not such a proof; the caller
 *   gets the error with `mayHaveTakenEffect` and decides.
 */
import type { CallOptions as ConnectCallOptions } from '@connectrpc/connect';
import { client as limits } from '../limits.ts';
import { toKelpError } from './connect-error.ts';
import type { KelpErrorCode } from './error.ts';
import { KelpError } from './error.ts';
import type { Pace } from './pace.ts';
import { backoffMs } from './pace.ts';
import type { CallOptions } from './types.ts';

export interface CallerOptions {
  /** For messages. */
  readonly address: string;
  readonly deadlineMs: number;
  readonly retries: number;
  readonly pace: Pace;
}

/** What may pass by itself. */
const passingCodes: ReadonlySet<KelpErrorCode> = new Set(['unavailable', 'recovering', 'shuttingDown']);

/** What a gRPC timeout can say: 8 digits of milliseconds, 27 hours. */
export const TIMEOUT_MS_MAX = 99_999_999;

export class Caller {
  readonly address: string;
  readonly retries: number;
  readonly pace: Pace;
  readonly #deadlineMs: number;
  readonly #closed = new AbortController();

  constructor({ address, deadlineMs, retries, pace }: CallerOptions) {
    this.address = address;
    this.retries = retries;
    this.pace = pace;
    this.#deadlineMs = deadlineMs;
  }

  /** Aborted when the client is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  close(): void {
    this.#closed.abort();
  }

  /** A call that changes nothing, or the same however often it is made. */
  read<Reply>(
    options: CallOptions,
    attempt: (options: ConnectCallOptions) => Promise<Reply>,
  ): Promise<Reply> {
    return this.#run(false, options, attempt);
  }

  /** A call that changes something. */
  write<Reply>(
    options: CallOptions,
    attempt: (options: ConnectCallOptions) => Promise<Reply>,
  ): Promise<Reply> {
    return this.#run(true, options, attempt);
  }

  /** What went wrong, as the caller shall see it. */
  errorOf(reason: unknown, isWrite: boolean, signal: AbortSignal | undefined): KelpError {
    const options = { cause: signal?.reason ?? reason, mayHaveTakenEffect: isWrite };
    if (signal?.aborted) return new KelpError('canceled', 'the call was canceled', undefined, options);
    if (this.closed.aborted) return new KelpError('closed', 'the client is closed', undefined, options);
    return toKelpError(reason, { isWrite, address: this.address });
  }

  async #run<Reply>(
    isWrite: boolean,
    { signal, deadlineMs = this.#deadlineMs }: CallOptions,
    attempt: (options: ConnectCallOptions) => Promise<Reply>,
  ): Promise<Reply> {
    if (!(deadlineMs > 0)) {
      throw new KelpError('invalidArgument', `deadlineMs is ${deadlineMs}; it must be above 0`, undefined);
    }
    const endsAtMs = this.pace.monotonicMs() + deadlineMs;
    for (let failures = 0; ;) {
      // Nothing has been sent yet, or the last try has proved to be without effect.
      if (signal?.aborted || this.closed.aborted) throw this.errorOf(undefined, false, signal);
      const timeoutMs = Math.min(Math.ceil(endsAtMs - this.pace.monotonicMs()), TIMEOUT_MS_MAX);
      try {
        return await attempt({ timeoutMs, ...(signal && { signal }) });
      } catch (reason) {
        const error = this.errorOf(reason, isWrite, signal);
        failures++;
        if (failures > this.retries || !passingCodes.has(error.code) || error.mayHaveTakenEffect) throw error;
        const pauseMs = backoffMs(failures, this.pace);
        if (this.pace.monotonicMs() + pauseMs >= endsAtMs) throw error;
        await this.pace.wait(pauseMs, signal ? AbortSignal.any([signal, this.closed]) : this.closed);
      }
    }
  }
}

/** What `createClient` was given, or the default; a number that makes no sense is refused. */
export function checkCallerOptions(options: {
  readonly deadlineMs?: number;
  readonly retries?: number;
}): Pick<CallerOptions, 'deadlineMs' | 'retries'> {
  const { deadlineMs = limits.deadlineMs, retries = limits.retries } = options;
  if (!(deadlineMs > 0)) throw new RangeError(`deadlineMs is ${deadlineMs}; it must be above 0`);
  if (!(retries >= 0)) throw new RangeError(`retries is ${retries}; it must be 0 or above`);
  return { deadlineMs, retries };
}
