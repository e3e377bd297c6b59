/**
 * The first failure is the last thing that is done.
 *
 * After a write or flush that failed it is not known what is on disk, and a flush tried again may say "done" for pages
 * that the kernel has dropped (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). So
 * every write and flush of the log goes through here, and from the first failure on none is begun any more, and none
 * that was under way counts as done.
 *
 * What makes a file that nothing was acknowledged for, or zeros that no frame needs yet, is another matter: it may fail and be
 * tried again, see `attempt`.
 */
import { DiskError, type DiskErrorCode } from '../../disk/disk.ts';
import { StoreError } from '../../errors.ts';
import { notWriterError, OvertakenError } from './overtaken.ts';

/** A write is refused since the store writes no more: it did not happen. */
export function readOnlyError(cause: Error): StoreError<'readOnly' | 'notWriter'> {
  if (cause instanceof OvertakenError) return notWriterError(cause.writerAddress);
  return new StoreError(
    'readOnly',
    `the store has stopped writing, and accepts no write until it is opened again; this call has changed nothing: ${cause.message}`,
    { cause },
  );
}

/** What may be over when it is tried again. */
const passing: ReadonlySet<DiskErrorCode> = new Set(['tooManyFiles', 'noSpace', 'noPermission']);

export class FailStop {
  error: Error | undefined;
  readonly #onFailure: (error: Error) => void;

  constructor(onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
  }

  /** Rejects with the first failure, be it that of another operation. */
  async run<Result>(operation: () => Promise<Result>): Promise<Result> {
    this.#check();
    let result: Result;
    try {
      result = await operation();
    } catch (cause) {
      throw this.#failed(cause);
    }
    this.#check();
    return result;
  }

  /** Like `run`, of an operation that has ended when it returns. */
  runNow<Result>(operation: () => Result): Result {
    this.#check();
    try {
      return operation();
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /**
   * Like `run`, of making a file of which nothing is expected yet, or making one longer ahead of need: for want of descriptors,
   * space or permission it may fail.
   * @returns `undefined` when it has.
   */
  attempt<Result>(
    operation: () => Promise<Result>,
    onDelay: (error: DiskError) => void,
  ): Promise<Result | undefined> {
    return this.run(async () => {
      try {
        return await operation();
      } catch (error) {
        if (!(error instanceof DiskError) || !passing.has(error.code)) throw error;
        onDelay(error);
        return undefined;
      }
    });
  }

  /** Ends all writing for a reason that does not lie in a write. */
  stop(error: Error): void {
    this.#fail(error);
  }

  #check(): void {
    if (this.error !== undefined) throw this.error;
  }

  /** @returns the first failure, which this may be. */
  #failed(cause: unknown): Error {
    const error = cause instanceof Error ? cause : new Error(String(cause), { cause });
    this.#fail(error);
    return this.error ?? error;
  }

  #fail(error: Error): void {
    if (this.error !== undefined) return;
    this.error = error;
    this.#onFailure(error);
  }
}
