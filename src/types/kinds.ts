/**
 * The kinds of values, as a version has them (`kind`), in log and snapshots too: a number never changes its meaning.
 *
 * A value of a kind other than `plain` is the metadata of a collection (`collections/metadata.ts`): its elements are in it while they
 * are few and short, and else under keys of their own.
 */
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
