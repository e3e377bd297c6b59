/**
 * Tables whose elements may have a time to live of their own: hashes, once a field has been given one, until they are gone.
 *
 *     metadata      01 count 01          a spread table whose rest is this one byte
 *     FA id 'f' field → value            a field's time to live is the deadline of its version
 *     FA id 'k'     → key                the key that has the collection, as the engine has it
 *
 * A field that is past its deadline counts as absent for all who look at it, like a key. It is removed by the store's expiry, which finds it
 * among all that is due, and calls `expireElements`: one transaction removes some fields of a hash and writes its metadata, or
 * deletes a hash that has none left. So a crash leaves both or neither.
 *
 * What stays true: the count in the metadata is that of the keys, removed or not; so those who tell how many there are to be seen have to look
 * at them. The key that is told has the collection, or no key has: who moves the collection to another key
 * tells of that one (`moveHolder`).
 */
import type { Version } from '../../engine/version.ts';
import { collectionIdOf, elementsWithTag, holderKey, tags } from '../../store/collections/collection-keys.ts';
import { kinds } from '../../store/collections/kinds.ts';
import type { ExpireElements } from '../../store/type-hooks.ts';
import type { View } from '../../store/views/view.ts';
import { isPacked, putMetadata, readCount, spreadMetadata } from './metadata.ts';

/** What the rest of the metadata is. */
const TIMED = 1;
const TIMED_BYTES = 1;

/** Whether elements of a table may have a time to live. */
export function isTimed(version: Pick<Version, 'kind' | 'value'>): boolean {
  if (version.kind !== kinds.hash || isPacked(version)) return false;
  return readCount(version).restStart < version.value.length;
}

export function timedMetadata(count: number): Uint8Array {
  const { value, restStart } = spreadMetadata(count, TIMED_BYTES);
  value[restStart] = TIMED;
  return value;
}

/** Says which key has a collection. */
export function putHolder(view: View, collectionId: number, key: Uint8Array): void {
  view.put(holderKey(collectionId), key);
}

/** A version goes to another key, with its collection. */
export function moveHolder(
  view: View,
  version: Pick<Version, 'kind' | 'value' | 'collectionId'>,
  to: Uint8Array,
): void {
  if (isTimed(version)) putHolder(view, version.collectionId, to);
}

export const expireElements: ExpireElements = (view, keys) => {
  const [first] = keys;
  if (first === undefined) return;
  for (const key of keys) view.expire(key);
  const id = collectionIdOf(first);
  const holder = view.read(holderKey(id))?.value;
  if (holder === undefined) return;
  // Else its metadata would count what is gone.
  view.expire(holder);
  const version = view.read(holder);
  // The collection is to be swept: no key has it any more.
  if (version?.collectionId !== id) return;
  const count = view.count(elementsWithTag(id, tags.field));
  if (count === 0) view.delete(holder);
  else putMetadata(view, holder, kinds.hash, timedMetadata(count), version, id);
};
