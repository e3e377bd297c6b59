/** The error for a snapshot that is not what was written. It names the file and the place in it. */
import { StoreError } from '../errors.ts';

/** A snapshot is not what was written, and where. */
export class SnapshotDamageError extends StoreError<'damaged'> {
  readonly path: string;
  readonly offset: number;
  readonly what: string;

  constructor(path: string, offset: number, what: string, options?: ErrorOptions) {
    super('damaged', `snapshot ${path} is damaged at offset ${offset}: ${what}`, options);
    this.path = path;
    this.offset = offset;
    this.what = what;
  }
}

/**
 * A snapshot that a newer version wrote. It is whole, and what was written since may be anything: an older snapshot does not
 * take its place, and it is not set aside.
 */
export class NewerSnapshotError extends SnapshotDamageError {
  constructor(path: string, what: string) {
    super(path, 0, what);
    this.message = `snapshot ${path}: ${what}. Nothing was changed`;
  }
}
