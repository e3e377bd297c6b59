/** Calls whose answer must be known. */
import { KelpError, isKelpError } from '../errors/error.ts';
import { mayPass } from '../errors/kelp-error.ts';
import type { Caller } from '../calls/caller.ts';
import { backoffUntil } from '../calls/pace.ts';

/**
 * Makes a call which, made a second time, does nothing more and tells what the first one did. So one whose answer was lost is made again
 * until it has an answer, for as long as a call may take from then on. Rejects with an error that `mayHaveTakenEffect` when
 * it got none by then, or the signal was aborted.
 * @param deadlineMs of the call. Default: the client's.
 */
export async function answered<Result>(
  caller: Caller,
  call: () => Promise<Result>,
  signal: AbortSignal | undefined,
  deadlineMs = caller.deadlineMs,
): Promise<Result> {
  const { pace } = caller;
  let endsAtMs: number | undefined;
  for (let failures = 1; ; failures++) {
    try {
      return await call();
    } catch (error) {
      if (!isKelpError(error)) throw error;
      if (endsAtMs === undefined && !error.mayHaveTakenEffect) throw error;
      endsAtMs ??= pace.monotonicMs() + deadlineMs;
      const isPassing = error.mayHaveTakenEffect || mayHaveNoAnswer(error);
      const pauseMs =
        isPassing && signal?.aborted !== true && !caller.closed.aborted
          ? backoffUntil(endsAtMs, failures, pace)
          : undefined;
      if (pauseMs === undefined) throw stillOpen(error);
      await pace.wait(
        pauseMs,
        signal === undefined ? caller.closed : AbortSignal.any([signal, caller.closed]),
      );
    }
  }
}

/** What says nothing of the state, and may be otherwise in a moment. */
export function mayHaveNoAnswer(error: KelpError): boolean {
  return mayPass(error) || error.code === 'deadlineExceeded';
}

/** That a later try surely did nothing says nothing of the first. */
function stillOpen(error: KelpError): KelpError {
  if (error.mayHaveTakenEffect) return error;
  const { code, message, details, retryAfterMs } = error;
  return new KelpError(code, message, details, { cause: error, mayHaveTakenEffect: true, retryAfterMs });
}
