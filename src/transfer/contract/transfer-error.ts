/** What goes wrong with an export or import, and how far it had come. */

/** How far an import has come. Entries are counted as they stand in the input. */
export interface ImportProgress {
  /** The entries from the beginning of the input on that are done: written, or left out for a reason that is counted below. */
  readonly entryCount: number;
  readonly writtenCount: number;
  /** Left out since the key was there already (`onConflict: 'skip'`). */
  readonly skippedCount: number;
  /** Left out since their time to live was over. */
  readonly expiredCount: number;
  /** Left out since they belong to a lease. */
  readonly leasedCount: number;
  /** Left out since they are lists, hashes or other collections. */
  readonly collectionCount: number;
}

export type TransferErrorCode =
  /** The options make no sense, or do not go with the file. */
  | 'invalidArgument'
  /** What was to be imported is not in the form that it should have; the message says where. */
  | 'badInput'
  /** `onConflict: 'fail'`, and a key is there already. */
  | 'keyExists'
  /** The file that was to be written exists already, or its folder does not. */
  | 'fileExists'
  /** The revision that was being exported is not kept any more. */
  | 'revisionLost'
  /** The etcd that is read can't be reached, ... */
  | 'sourceUnavailable'
  /** ... refuses the login, or does what no etcd does. */
  | 'sourceFailed'
  /** The signal was aborted; its reason is the cause. */
  | 'interrupted'
  /** A call of the store or a file has failed; its error is the cause. */
  | 'failed';

export interface TransferErrorOptions extends ErrorOptions {
  readonly done?: ImportProgress;
}

export class TransferError extends Error {
  override readonly name = 'TransferError';
  readonly code: TransferErrorCode;
  /** What an import has done by then; `undefined` of an export, and where it has not begun. */
  readonly done: ImportProgress | undefined;

  constructor(code: TransferErrorCode, message: string, { done, ...options }: TransferErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.done = done;
  }
}

/** The code of an error of the store or of its client, which name the same things alike. */
export function storeCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
