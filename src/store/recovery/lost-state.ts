/** The error for a directory whose files do not make up the whole state any more: something of it was lost or damaged. */
import { StoreError } from '../../errors.ts';

export class LostStateError extends StoreError<'damaged'> {
  /** The file that is damaged; `undefined`: what is missing has no name. */
  readonly path: string | undefined;

  constructor(message: string, path?: string, options?: ErrorOptions) {
    super('damaged', message, options);
    this.path = path;
  }
}
