/** The callers who wait until a record is on disk, whatever the fsync policy. */

interface PendingFlush {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** In the order of the calls, in which sequence numbers never fall. */
export class PendingFlushes {
  #pending: PendingFlush[] = [];

  /** Whether someone waits for more than is on disk up to `flushedSequence`. */
  reachBeyond(flushedSequence: number): boolean {
    const newest = this.#pending.at(-1);
    return newest !== undefined && newest.sequence > flushedSequence;
  }

  /** Resolves when `sequence` is on disk. */
  add(sequence: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ sequence, resolve, reject });
    });
  }

  /** Everything up to `flushedSequence` is on disk. */
  resolveUpTo(flushedSequence: number): void {
    if (this.#pending.length === 0) return;
    this.#pending = this.#pending.filter((flush) => {
      if (flush.sequence > flushedSequence) return true;
      flush.resolve();
      return false;
    });
  }

  rejectAll(error: Error): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const flush of pending) flush.reject(error);
  }
}
