/**
 * Access is closed from the making of the user root on, unless it is held open: so it is for who sets up users by etcd's API, where
 * access is closed by a call of its own, and opened again by another one. One record says so, for as long as it is there.
 *
 * What stays true: where there is such a record there is a user root. Who makes access closed, and who deletes root, deletes it in
 * the same transaction.
 */
import {
  readHoldRecord,
  sizeOfHoldRecord,
  writeHoldRecord,
} from '../../../gen/kelp/storage/v1/access_codec.ts';
import { assert } from '../../errors.ts';
import type { ReadView } from '../../store/views/view.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { AccessDraft } from './access-draft.ts';
import { HOLD_KEY, accessKey, accessKind } from './access-keys.ts';

/** The user that has all rights. */
export const ROOT = 'root';

export function hasRoot(view: ReadView): boolean {
  return view.readMeta(accessKey(accessKind.user, ROOT)) !== undefined;
}

export function isHeldOpen(view: ReadView): boolean {
  return view.readMeta(HOLD_KEY) !== undefined;
}

/** From now on access is open. There is a user root. */
export function holdOpen(draft: AccessDraft, nowMs: number): void {
  assert(hasRoot(draft.view), 'access is held open where it would be closed');
  const record = { createTimeMs: nowMs };
  const bytes = Buffer.alloc(sizeOfHoldRecord(record));
  writeHoldRecord(record, bytes, 0);
  draft.put(HOLD_KEY, bytes);
}

/** From now on access is closed, if there is a user root. */
export function endHold(draft: AccessDraft): void {
  if (isHeldOpen(draft.view)) draft.delete(HOLD_KEY);
}

/** What is wrong with the value of such a record; `undefined`: nothing. */
export function faultOfHold(value: Uint8Array): string | undefined {
  try {
    readHoldRecord(Buffer.from(value), 0, value.length);
    return undefined;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return `the record that holds access open, as the store keeps it, can not be understood (${error.message}); use the version that wrote it, restore a backup, or run kelp access reset, which deletes all users, roles and tokens`;
  }
}
