/** Pauses, and calls that are made again while what they go to is not there. */
import type { Clock } from '../../clock.ts';
import { transfer as limits } from '../../limits.ts';

/** Resolves after the delay, or as soon as the signal is aborted. */
export function pause(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimer(delayMs, end);
    signal.addEventListener('abort', end);
  });
}

export interface Patience {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Of all tries, the first one among them. */
  readonly triesMax: number;
  readonly mayPass: (error: unknown) => boolean;
  /** Called for the first failure of several. */
  readonly onFailure?: (error: unknown) => void;
}

/** Rejects with the last failure, and with the reason of the signal where that is aborted between two tries. */
export async function patiently<Result>(
  call: () => Promise<Result>,
  { clock, signal, triesMax, mayPass, onFailure }: Patience,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (tries >= triesMax || !mayPass(error)) throw error;
      if (tries === 1) onFailure?.(error);
      await pause(pauseMs(tries), clock, signal);
      signal.throwIfAborted();
    }
  }
}

export function pauseMs(failures: number): number {
  return Math.min(limits.etcdPauseMsMax, limits.etcdPauseMs * 2 ** Math.min(failures - 1, 30));
}
