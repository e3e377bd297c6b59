/**
 * etcd's revisions and ours. An empty etcd is at revision 1 and its first write makes 2; an empty store is at 0 and its first write
 * makes 1: so etcd's is ours plus 1, of states as of creations and changes of keys.
 *
 *     ours     0 (empty)  1  2  3
 *     etcd's   1 (empty)  2  3  4
 */

/** Our revision of a state or a change, for a reply. */
export function toEtcd(revision: number): number {
  return revision + 1;
}

/** A revision from 1 on, of a request, as ours. */
export function fromEtcd(revision: number): number {
  return revision - 1;
}
