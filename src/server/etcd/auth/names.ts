/** Names in requests of `etcdserverpb.Auth`, and lists of them as etcd shows them. */
import {
  type AccessKind,
  accessNameRule,
  isAccessName,
  wordOf,
} from '../../../access/records/access-keys.ts';
import { StoreError } from '../../../errors.ts';
import type { Call } from '../../calls/call.ts';

/** The role that is etcd's word for all rights. */
export const ROOT_ROLE = 'root';

/** etcd takes any name; here it is one that can be printed. Throws `invalidArgument`. */
export function checkNewName(kind: AccessKind, name: string): void {
  if (isAccessName(kind, name)) return;
  throw new StoreError('invalidArgument', `the name of a ${wordOf(kind)} has ${accessNameRule(kind)}`);
}

/** In the order of their bytes. */
export function sortedNames(names: readonly string[], call: Call): string[] {
  // A character has up to 3 bytes, and each name a few more.
  call.chargeReply(names.reduce((bytes, name) => bytes + 3 * name.length + NAME_BYTES, 0));
  return names
    .map((name) => Buffer.from(name))
    .sort((a, b) => Buffer.compare(a, b))
    .map((name) => name.toString());
}

const NAME_BYTES = 8;
