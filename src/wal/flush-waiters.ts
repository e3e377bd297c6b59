interface FlushWaiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Who waits until a sequence number is on disk; it never falls from one waiter to the next. */
export class FlushWaiters {
  #waiters: FlushWaiter[] = [];

  /** Whether someone waits for more than is on disk up to `flushedSequence`. */
  waitBeyond(flushedSequence: number): boolean {
    const newest = this.#waiters.at(-1);
    return newest !== undefined && newest.sequence > flushedSequence;
  }

  add(sequence: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ sequence, resolve, reject });
    });
  }

  /** Everything up to `flushedSequence` is on disk. */
  resolveUpTo(flushedSequence: number): void {
    if (this.#waiters.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.sequence > flushedSequence) return true;
      waiter.resolve();
      return false;
    });
  }

  rejectAll(error: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }
}
