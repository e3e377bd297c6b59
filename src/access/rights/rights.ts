/** What a user may do: the grants of all its roles together. Nothing is allowed that no grant allows. */
import type { GrantRecordShape } from '../../../gen/kelp/storage/v1/access_codec.ts';
import { USER_KEYS, USER_KEYS_END } from '../../store/views/regions.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { IntervalSet } from './interval-set.ts';

export interface Rights {
  /** The keys that may be read and watched. */
  readonly read: IntervalSet;
  /** ... and those that may be written and deleted. */
  readonly write: IntervalSet;
  /** What is for operators: snapshots, backups, compaction, users and roles. */
  readonly isAdmin: boolean;
}

/** Every key of a user. */
export const ALL_KEYS = IntervalSet.of([{ start: NO_BYTES, end: USER_KEYS_END }]);

/** Of `root`, and of all while access is open. */
export const allRights: Rights = { read: ALL_KEYS, write: ALL_KEYS, isAdmin: true };

export function rightsOf(grants: readonly GrantRecordShape[]): Rights {
  return {
    read: keysOf(grants.filter(({ mayRead }) => mayRead)),
    write: keysOf(grants.filter(({ mayWrite }) => mayWrite)),
    isAdmin: grants.some(({ isAdmin }) => isAdmin),
  };
}

function keysOf(grants: readonly GrantRecordShape[]): IntervalSet {
  const keys = IntervalSet.of(grants);
  return keys.covers(USER_KEYS) ? ALL_KEYS : keys;
}
