/** What a recovery says of bytes that are whole and not right. */
import { StoreError } from '../../errors.ts';
import { WireError } from '../../wire/wire-error.ts';

/** The checksums have been verified: bytes that are no message were written by something else than this version. */
export function decode<Message>(what: string, read: () => Message): Message {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new StoreError(
      'damaged',
      `${what} is whole but can not be understood (${error.message}). Use the version that wrote it`,
      { cause: error },
    );
  }
}

/** @throws StoreError `damaged` when there is a fault. */
export function refuse(what: string, fault: string | undefined): void {
  if (fault === undefined) return;
  throw new StoreError(
    'damaged',
    `${what} is whole, but no store writes such a thing: ${fault}. Restore it from a copy`,
  );
}
