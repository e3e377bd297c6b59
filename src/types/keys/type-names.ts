/** The names of types as Redis' clients know them (TYPE, SCAN ... TYPE). */
import { type Kind, kinds } from '../../store/collections/kinds.ts';

const names: Readonly<Record<Kind, string>> = {
  [kinds.plain]: 'string',
  [kinds.hash]: 'hash',
  [kinds.list]: 'list',
  [kinds.set]: 'set',
  [kinds.sortedSet]: 'zset',
  [kinds.stream]: 'stream',
  [kinds.bloomFilter]: 'MBbloom--',
};

/** @param kind of a version. */
export function typeName(kind: number): string {
  return names[kind as Kind] ?? 'unknown';
}
