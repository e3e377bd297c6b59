/** The error for a file of a base that is not what was written. It names the file and the place in it. */
import { StoreError } from '../../errors.ts';

export class BaseDamageError extends StoreError<'damaged'> {
  readonly path: string;
  readonly offset: number;
  readonly what: string;

  constructor(path: string, offset: number, what: string, options?: ErrorOptions) {
    super(
      'damaged',
      `${path} is damaged at offset ${offset}: ${what}. Restore the data directory from a backup (kelp restore)`,
      options,
    );
    this.path = path;
    this.offset = offset;
    this.what = what;
  }
}

/** A file that is whole, and not for this process: of a newer version, another engine or another store. */
export class ForeignBaseError extends BaseDamageError {
  constructor(path: string, what: string, remedy: string) {
    super(path, 0, what);
    this.message = `${path}: ${what}. ${remedy}. Nothing was changed`;
  }
}
