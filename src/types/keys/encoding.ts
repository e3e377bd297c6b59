/**
 * What Redis 7.0 would say of the form of a value in its memory (OBJECT ENCODING), with the bounds that it has unless it is told
 * others. It is computed from the value as it is: Redis also remembers what the value has been, such as a string that was appended
 * to, or a hash that once had a long field.
 */
import type { Version } from '../../engine/version.ts';
import {
  elementsWithTag,
  ELEMENT_HEAD_BYTES,
  type Tag,
  tags,
} from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView } from '../../store/views/view.ts';
import { ITEMS_START, isPacked, readCount } from '../collections/metadata.ts';
import { ItemCursor } from '../collections/packed-items.ts';
import { kinds } from '../../store/collections/kinds.ts';
import { parseIntegerText } from '../strings/integer-text.ts';

/** `*-max-listpack-entries`, `set-max-intset-entries`. */
const HASH_LISTPACK_ENTRIES_MAX = 512;
const SORTED_SET_LISTPACK_ENTRIES_MAX = 128;
const INTSET_ENTRIES_MAX = 512;
/** `*-max-listpack-value`. */
const LISTPACK_VALUE_BYTES_MAX = 64;
/** The longest string that lies in one piece with what describes it. */
const EMBEDDED_BYTES_MAX = 44;
/** Integers below it that are values of strings exist once in Redis. */
const SHARED_INTEGERS = 10_000;

/** @param version of the key, with its value. Throws `limitReached`. */
export function encodingOf(view: ReadView, version: Version): string {
  const { kind, value } = version;
  switch (kind) {
    case kinds.plain:
      if (parseIntegerText(value) !== undefined) return 'int';
      return value.length <= EMBEDDED_BYTES_MAX ? 'embstr' : 'raw';
    case kinds.hash:
      return holds(view, version, tags.field, HASH_LISTPACK_ENTRIES_MAX, isShort) ? 'listpack' : 'hashtable';
    case kinds.set:
      return holds(view, version, tags.member, INTSET_ENTRIES_MAX, isInteger) ? 'intset' : 'hashtable';
    case kinds.sortedSet:
      return holds(view, version, tags.member, SORTED_SET_LISTPACK_ENTRIES_MAX, isShort)
        ? 'listpack'
        : 'skiplist';
    case kinds.list:
      return 'quicklist';
    case kinds.stream:
      return 'stream';
    default:
      return 'raw';
  }
}

/** How often Redis would refer to a value: without end to a small integer. */
export function referenceCountOf({ kind, value }: Version): number {
  const integer = kind === kinds.plain ? parseIntegerText(value) : undefined;
  return integer !== undefined && integer >= 0 && integer < SHARED_INTEGERS ? 2 ** 31 - 1 : 1;
}

/** Whether a collection has no more elements than so many, and what they consist of, names and values, is so. */
function holds(
  view: ReadView,
  version: Version,
  tag: Tag,
  countMax: number,
  isSo: (item: Uint8Array) => boolean,
): boolean {
  if (isPacked(version)) {
    const cursor = new ItemCursor(version.value, ITEMS_START);
    while (cursor.next()) if (!isSo(cursor.item)) return false;
    return true;
  }
  if (readCount(version).count > countMax) return false;
  let isAllSo = true;
  const next = view.scan(elementsWithTag(version.collectionId, tag), false, (shown) => {
    const { value } = shown;
    isAllSo = isSo(shown.key.subarray(ELEMENT_HEAD_BYTES)) && (value.length === 0 || isSo(value));
    return isAllSo;
  });
  if (isAllSo && next !== undefined) throw budgetSpent(view.budget);
  return isAllSo;
}

function isShort(item: Uint8Array): boolean {
  return item.length <= LISTPACK_VALUE_BYTES_MAX;
}

function isInteger(item: Uint8Array): boolean {
  return parseIntegerText(item) !== undefined;
}
