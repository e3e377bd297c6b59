/**
 * Ends work that writes files so that nothing half done is left: the first signal breaks it off and lets it clean up,
 * a second one ends the process at once (see `first-signal.ts`).
 */
import { systemClock } from '../../clock.ts';
import type { OnProgress } from '../../progress.ts';
import { serverFixed } from '../../limits.ts';
import { FirstSignal, type SignalSource } from './first-signal.ts';

/** What a shell says of a command that one of these has ended: 128 and the number of the signal. */
const exitCodeBySignal = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

type InterruptingSignal = keyof typeof exitCodeBySignal;

const interruptingSignals = Object.keys(exitCodeBySignal) as InterruptingSignal[];

export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly exitCode: (typeof exitCodeBySignal)[InterruptingSignal];
  readonly #signal: InterruptingSignal;

  /** @param more what the person in front of it has to know besides. */
  constructor(signal: InterruptingSignal, more = '') {
    super(`interrupted by ${signal}${more}`);
    this.exitCode = exitCodeBySignal[signal];
    this.#signal = signal;
  }

  saying(more: string): InterruptedError {
    return new InterruptedError(this.#signal, more);
  }
}

/**
 * Runs work that ends early when `signal` is aborted, and that cleans up then. Work that has come to its end all the
 * same has succeeded.
 * @throws InterruptedError whatever the work throws once a signal came.
 */
export async function untilInterrupted<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  source: SignalSource = { process, clock: systemClock },
): Promise<Result> {
  const controller = new AbortController();
  const first = new FirstSignal(interruptingSignals, source, (signal) =>
    controller.abort(new InterruptedError(signal)),
  );
  try {
    return await work(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    // An echo that comes now must not end the process before it has told what happened.
    if (!first.mayEcho) first.leaveToSystem();
  }
}

/**
 * Ends this process by the signal that has ended its work, once that is told, should something keep it: output that is not
 * read, or a read of a pipe that nothing is written to. A shell sees the same code either way.
 */
export function endBySignal(exitCode: number): void {
  const signal = interruptingSignals.find((name) => exitCodeBySignal[name] === exitCode);
  if (signal === undefined) return;
  const end = (): void => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
  // A timer keeps no process: it only runs out where something else does.
  systemClock.setTimer(serverFixed.signalEchoMs, end);
}

/** Breaks off work that tells how far it is. */
export function interruptedBy(signal: AbortSignal, onProgress: OnProgress): OnProgress {
  return (progress) => {
    signal.throwIfAborted();
    onProgress(progress);
  };
}
