/**
 * Whether the data directory is still this store's. A lock is on a file; a hand that removes or replaces that file, or the
 * whole directory, lets another store in, and then two write to one log. So the owner looks at the names of its locks: on a
 * timer, before each new segment and each snapshot, and before anything is removed. Once one of them names another file, or
 * none, it writes no more.
 */
import type { Clock, Timer } from '../../clock.ts';
import type { DiskLock } from '../../disk/disk.ts';
import { fixed } from '../../limits.ts';

/** Why a store has stopped writing whose directory was taken from it. */
export class OwnershipLostError extends Error {
  override readonly name = 'OwnershipLostError';

  constructor(dataDir: string) {
    super(
      `the lock of the data directory ${dataDir} was removed, replaced or moved away while this store had it, so another one may be writing there; stop this one, see which of the two has the data, and never remove a lock file by hand`,
    );
  }
}

export interface OwnershipContext {
  readonly clock: Clock;
  readonly dataDir: string;
  readonly locks: readonly DiskLock[];
}

export class Ownership {
  readonly #context: OwnershipContext;
  #lost: OwnershipLostError | undefined;
  #timer: Timer | undefined;
  #isReleased = false;

  constructor(context: OwnershipContext) {
    this.#context = context;
  }

  /** Looks by itself from now on, and tells once when the directory is lost. */
  watch(onLost: (error: OwnershipLostError) => void): void {
    this.#timer = this.#context.clock.setTimer(fixed.ownershipCheckMs, () => {
      void this.check().then(
        () => this.#isReleased || this.watch(onLost),
        (error: OwnershipLostError) => onLost(error),
      );
    });
  }

  /** Rejects with an `OwnershipLostError` once the directory is lost. */
  async check(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#isReleased) return;
    for (const lock of this.#context.locks) {
      if (await lock.isHeld()) continue;
      this.#lost ??= new OwnershipLostError(this.#context.dataDir);
      throw this.#lost;
    }
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    this.#timer?.cancel();
    // In reverse: who has the first one can count on the others.
    for (const lock of [...this.#context.locks].reverse()) await lock.release();
  }
}
