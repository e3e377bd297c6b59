/** A pause that something may end early. */
import type { Clock } from '../../clock.ts';

export class WakingPause {
  readonly #clock: Clock;
  #isWoken = false;
  #end: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The pause ends; or the next one, when there is none now. */
  wake(): void {
    this.#isWoken = true;
    this.#end?.();
  }

  /** Resolves after so long, or once it is woken. Rejects with the signal's reason. One at a time. */
  for(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const leave = (): void => {
        this.#end = undefined;
        this.#isWoken = false;
        timer.cancel();
        signal.removeEventListener('abort', aborted);
      };
      const aborted = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      this.#end = () => {
        leave();
        resolve();
      };
      const timer = this.#clock.setTimer(ms, this.#end);
      signal.addEventListener('abort', aborted, { once: true });
      if (this.#isWoken) this.#end();
    });
  }
}
