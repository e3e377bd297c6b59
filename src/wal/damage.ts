import { StoreError } from '../errors.ts';

/**
 * The error for what can't be the outcome of a crash.
 * @param wholeRevision all up to this revision was read and found right; 0: none.
 */
export function damageError(
  path: string,
  offset: number,
  what: string,
  wholeRevision: number,
): StoreError<'damaged'> {
  const whole = wholeRevision === 0 ? 'No revision' : `Revision ${wholeRevision} is the last that`;
  return new StoreError(
    'damaged',
    `the log is damaged: ${path}, offset ${offset}: ${what}. ${whole} is known to be whole; those from ` +
      `${wholeRevision + 1} on are concerned. Nothing was changed. Restore the file from a copy of the data directory.`,
  );
}
