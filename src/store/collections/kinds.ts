/**
 * The kinds of values, as a version has them (`kind`), in log and snapshots too: a number never changes its meaning.
 *
 * A value of a kind other than `plain` is the metadata of a collection (`types/collections/metadata.ts`): its elements are in it while
 * they are few and short, and else under keys of their own. It means nothing to those who read values, and is never shown as one.
 */
import type { ValueType } from '../../api.ts';

export const kinds = {
  plain: 0,
  hash: 1,
  list: 2,
  set: 3,
  sortedSet: 4,
  stream: 5,
  bloomFilter: 6,
} as const;

export type Kind = (typeof kinds)[keyof typeof kinds];

const typeByKind: readonly (ValueType | undefined)[] = [
  undefined,
  'hash',
  'list',
  'set',
  'sortedSet',
  'stream',
  'bloomFilter',
];

/** What the API calls a kind; `undefined`: plain bytes. */
export function valueTypeOf(kind: number): ValueType | undefined {
  return typeByKind[kind];
}
