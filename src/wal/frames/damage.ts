/** The error for a log that is not what was written. It names the file, the place in it, and the last revision that is whole. */
import { StoreError } from '../../errors.ts';

/** What can't be the outcome of a crash, and where. */
export class LogDamageError extends StoreError<'damaged'> {
  readonly path: string;
  readonly offset: number;
  readonly what: string;
  /** All up to this revision was read and found right; 0: none. */
  readonly wholeRevision: number;

  constructor(path: string, offset: number, what: string, wholeRevision: number) {
    const whole = wholeRevision === 0 ? 'No revision' : `Revision ${wholeRevision} is the last that`;
    super(
      'damaged',
      `the log is damaged: ${path}, offset ${offset}: ${what}. ${whole} is known to be whole; those from ` +
        `${wholeRevision + 1} on are concerned. Nothing was changed. Restore the file from a copy of the data directory.`,
    );
    this.path = path;
    this.offset = offset;
    this.what = what;
    this.wholeRevision = wholeRevision;
  }
}

/** A segment whose form this version does not know: nothing is wrong with it, and there is nothing to restore. */
export class LogFormatError extends LogDamageError {
  constructor(path: string, what: string, wholeRevision: number) {
    super(path, 0, what, wholeRevision);
    this.message = `${path}: ${what}. Nothing was changed.`;
  }
}

/**
 * The error for what can't be the outcome of a crash.
 * @param wholeRevision all up to this revision was read and found right; 0: none.
 */
export function damageError(
  path: string,
  offset: number,
  what: string,
  wholeRevision: number,
): LogDamageError {
  return new LogDamageError(path, offset, what, wholeRevision);
}
