/** What collections hold, in the plainest form: by it the model is compared with what a store gives, element for element. */
import type { ValueType } from '../../../src/api.ts';
import type { ReadView } from '../../../src/store/views/view.ts';
import type { Version } from '../../../src/engine/version.ts';
import { hasItems } from '../../../src/types/bloom/bloom-filter.ts';
import { decodeFilter, itemCountOf } from '../../../src/types/bloom/layers.ts';
import {
  countElements,
  type TableType,
  visitElements,
} from '../../../src/types/collections/element-table.ts';
import { hashType } from '../../../src/types/hash/hash.ts';
import { kinds } from '../../../src/store/collections/kinds.ts';
import { List } from '../../../src/types/list/list.ts';
import { visitElements as visitList } from '../../../src/types/list/read.ts';
import { setType } from '../../../src/types/set/set.ts';
import { allByScore, memberOfScoreKey, scoreOfKey } from '../../../src/types/sorted-set/element-keys.ts';
import { readScore } from '../../../src/types/sorted-set/score.ts';
import { sortedSetType } from '../../../src/types/sorted-set/scored-table.ts';
import { valueTypeOf } from '../../../src/store/collections/kinds.ts';

/** A name with its value: the field of a hash, the member of a set or a sorted set with its score, the item of a filter. */
export type Item = readonly [name: string, value: string];

export interface Content {
  readonly type: ValueType;
  /** By their names, but those of a list, which have none, in their order. */
  readonly items: readonly Item[];
}

/** The names of all that any table has, in order. */
export const NAMES: readonly string[] = Array.from(
  { length: 90 },
  (_, index) => `name-${String(index).padStart(2, '0')}`,
);

/** How many elements a version of a collection has. */
export function countOf(version: Version): number {
  switch (version.kind) {
    case kinds.list:
      return new List(version).count;
    case kinds.bloomFilter:
      return itemCountOf(decodeFilter(version));
    case kinds.hash:
      return countElements(version, hashType);
    case kinds.set:
      return countElements(version, setType);
    case kinds.sortedSet:
      return countElements(version, sortedSetType);
    default:
      throw new Error(`${version.kind} is the kind of no collection`);
  }
}

/** The content of what is at a key; `undefined`: it is a plain value, or nothing is there. */
export function readContent(view: ReadView, key: string): Content | undefined {
  const keyBytes = Buffer.from(key);
  const version = view.read(keyBytes);
  const type = version && valueTypeOf(version.kind);
  if (version === undefined || type === undefined) return undefined;
  const table = (tableType: TableType): Content => {
    const items: Item[] = [];
    const toValue =
      tableType === sortedSetType ? (value: Uint8Array): string => `${readScore(value, 0)}` : text;
    const rest = visitElements(view, version, tableType, undefined, (name, value) => {
      items.push([text(name), tableType.hasValues ? toValue(value) : '']);
      return true;
    });
    if (rest !== undefined) throw new Error(`${key} has too many elements for this test`);
    return { type, items: items.sort(byName) };
  };
  switch (version.kind) {
    case kinds.hash:
      return table(hashType);
    case kinds.set:
      return table(setType);
    case kinds.sortedSet: {
      const content = table(sortedSetType);
      if (version.collectionId !== 0) checkScores(view, version.collectionId, content, key);
      return content;
    }
    case kinds.list: {
      const items: Item[] = [];
      const list = List.read(view, keyBytes) ?? new List();
      visitList(view, list, 0, list.count, (element) => {
        items.push(['', text(element)]);
        return true;
      });
      return { type, items };
    }
    default: {
      const present: boolean[] = [];
      const itemAt = (index: number): Uint8Array => Buffer.from(NAMES[index] ?? '');
      hasItems(view, keyBytes, NAMES.length, itemAt, (isPresent) => void present.push(isPresent));
      return { type, items: NAMES.filter((_, index) => present[index]).map((name): Item => [name, '']) };
    }
  }
}

/** A sorted set has each member twice. */
function checkScores(view: ReadView, id: number, { items }: Content, key: string): void {
  const found: Item[] = [];
  view.scan(allByScore(id), false, (shown) => {
    found.push([text(memberOfScoreKey(shown)), `${scoreOfKey(shown)}`]);
    return true;
  });
  const ordered = found.every(
    ([, score], index) => index === 0 || Number(found[index - 1]?.[1]) <= Number(score),
  );
  if (!ordered || JSON.stringify(found.sort(byName)) !== JSON.stringify(items))
    throw new Error(`${key} has the scores ${JSON.stringify(found)}, and by member ${JSON.stringify(items)}`);
}

export function byName([a]: Item, [b]: Item): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
