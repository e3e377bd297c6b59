/**
 * The first failure is the last thing that is done.
 *
 * After a write or flush that failed nobody knows what is on disk, and a flush tried again may say "done" for pages
 * that the kernel has dropped (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). So
 * every write and flush of the log goes through here, and from the first failure on none is begun any more, and none
 * that was under way counts as done.
 */
import { StoreError } from '../errors.ts';

/** A write is refused since an earlier one has failed: it did not happen. */
export function readOnlyError(cause: Error): StoreError<'readOnly'> {
  return new StoreError(
    'readOnly',
    `a write to the log has failed, so none is accepted until the store is opened again; this call has changed nothing: ${cause.message}`,
    { cause },
  );
}

export class FailStop {
  error: Error | undefined;
  readonly #onFailure: (error: Error) => void;

  constructor(onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
  }

  /** Rejects with the first failure, whoever it belongs to. */
  async run<Result>(operation: () => Promise<Result>): Promise<Result> {
    this.#check();
    let result: Result;
    try {
      result = await operation();
    } catch (cause) {
      this.#fail(cause instanceof Error ? cause : new Error(String(cause), { cause }));
      throw this.error ?? cause;
    }
    this.#check();
    return result;
  }

  #check(): void {
    if (this.error !== undefined) throw this.error;
  }

  #fail(error: Error): void {
    if (this.error !== undefined) return;
    this.error = error;
    this.#onFailure(error);
  }
}
