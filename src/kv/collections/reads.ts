/** What collections are asked, on any state: by name, by index, and page by page. */
import type { Seam } from '../../store/seam.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { toKeyText } from '../../store/views/keys.ts';
import type { ReadView } from '../../store/views/view.ts';
import { hasItems } from '../../types/bloom/bloom-filter.ts';
import {
  countElements,
  findElement,
  hasElement,
  type TableType,
  visitElements,
} from '../../types/collections/element-table.ts';
import { hashType, readHash } from '../../types/hash/hash.ts';
import { List } from '../../types/list/list.ts';
import { visitElements as visitListElements } from '../../types/list/read.ts';
import { readSet, setType } from '../../types/set/set.ts';
import { readCollection } from '../../types/collections/metadata.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { fixed } from '../../limits.ts';
import { type PageEnd, readPage } from '../reads/pages.ts';

/** Called with the bytes of each element before it is copied; what it throws refuses the read. */
export type ChargeElement = (bytes: number) => void;

export interface NamedValue {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** @param names of the fields; none: all of them, which throws `limitReached` when they are too many. */
export function readFields(
  view: ReadView,
  key: Uint8Array,
  names: readonly Uint8Array[],
  charge: ChargeElement,
): { readonly fields: NamedValue[]; readonly count: number } {
  const hash = readHash(view, key);
  if (hash === undefined) return { fields: [], count: 0 };
  const fields: NamedValue[] = [];
  const count = countElements(hash, hashType);
  for (const name of names) {
    const value = findElement(view, hash, hashType, name);
    if (value === undefined) continue;
    charge(name.length + value.length);
    fields.push({ name, value: new Uint8Array(value) });
  }
  if (names.length > 0) return { fields, count };
  const next = visitElements(view, hash, hashType, undefined, (name, value) => {
    charge(name.length + value.length);
    fields.push({ name: new Uint8Array(name), value: new Uint8Array(value) });
    return true;
  });
  if (next !== undefined) throw budgetSpent(view.budget);
  return { fields, count: fields.length };
}

export function readContained(
  view: ReadView,
  key: Uint8Array,
  members: readonly Uint8Array[],
): { readonly contained: boolean[]; readonly count: number } {
  const set = readSet(view, key);
  return {
    contained: members.map((member) => set !== undefined && hasElement(view, set, setType, member)),
    count: set === undefined ? 0 : countElements(set, setType),
  };
}

export function readAdded(
  view: ReadView,
  key: Uint8Array,
  elements: readonly Uint8Array[],
): { readonly contained: boolean[] } {
  const contained: boolean[] = [];
  const tell = (isPresent: boolean): void => void contained.push(isPresent);
  hasItems(view, key, elements.length, (index) => elements[index] ?? NO_BYTES, tell);
  return { contained };
}

/** The elements from one index to another, inclusive, as many as fit into a page; negative: from the tail. */
export function readElements(
  view: ReadView,
  key: Uint8Array,
  { start, stop }: { readonly start: number; readonly stop: number },
  charge: ChargeElement,
): { readonly elements: Uint8Array[]; readonly count: number } {
  const list = List.read(view, key);
  if (list === undefined) return { elements: [], count: 0 };
  const { count } = list;
  const from = Math.max(0, start < 0 ? count + start : start);
  const to = Math.min(count, (stop < 0 ? count + stop : stop) + 1);
  const elements: Uint8Array[] = [];
  let bytes = 0;
  if (from < to) {
    visitListElements(view, list, from, to, (element) => {
      charge(element.length);
      elements.push(new Uint8Array(element));
      bytes += element.length;
      return elements.length < fixed.pageLimitMax && bytes < fixed.pageBytesMax;
    });
  }
  return { elements, count };
}

/** Which page of a hash or a set is read. */
export interface TablePage {
  readonly key: Uint8Array;
  readonly limit: number;
  readonly pageToken: string;
  /** 0: the visible one. */
  readonly revision: number;
  readonly namesOnly: boolean;
}

/** Elements in no order that means something; those of a set have empty values. */
export function readTablePage(
  seam: Seam,
  type: TableType,
  { key, limit, pageToken, revision, namesOnly }: TablePage,
  charge: ChargeElement,
): { readonly elements: NamedValue[]; readonly count: number } & PageEnd {
  const request = JSON.stringify([seam.storeId, 'table', type.kind, toKeyText(key), revision, namesOnly]);
  return readPage(seam, { request, wantedRevision: revision }, pageToken, (view, place) => {
    const table = readCollection(view, key, type.kind);
    const elements: NamedValue[] = [];
    if (table === undefined) return { page: { elements, count: 0 }, next: undefined };
    let bytes = 0;
    // A first element may have an empty name: a place is never empty.
    const start = place?.subarray(1);
    const name = visitElements(view, table, type, start, (found, value) => {
      const elementBytes = found.length + (namesOnly ? 0 : value.length);
      charge(elementBytes);
      elements.push({
        name: new Uint8Array(found),
        value: namesOnly ? NO_BYTES : new Uint8Array(value),
      });
      bytes += elementBytes;
      return elements.length < limit && bytes < fixed.pageBytesMax;
    });
    const page = { elements, count: countElements(table, type) };
    return { page, next: name && Buffer.concat([PLACE_HEAD, name]) };
  });
}

const PLACE_HEAD = Uint8Array.of(0);
