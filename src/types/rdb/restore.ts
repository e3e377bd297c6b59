/**
 * What DUMP has given becomes the value of a key again: in any form that Redis 7.0 writes, and in those of older ones for the same types
 * but zipmaps, which went with 2.6.
 *
 * All of it is read before anything is written. Throws `PayloadError` for what is no value, or has an element twice.
 */
import { budgetSpent } from '../../store/views/draft.ts';
import type { View } from '../../store/views/view.ts';
import type { WorkBudget } from '../../work-budget.ts';
import { TableEdit } from '../collections/table-edit.ts';
import { hashType } from '../hash/hash.ts';
import { push } from '../list/push.ts';
import { setType } from '../set/set.ts';
import { SortedSetEdit } from '../sorted-set/sorted-set-edit.ts';
import { nodeTypes, valueTypes } from './format.ts';
import { visitIntset, visitListpack, visitZiplist } from './packed.ts';
import { PayloadError } from './payload-error.ts';
import { putStream, readStream, type RestoredStream } from './stream-restore.ts';
import { ValueReader } from './value-reader.ts';

type Pair<Value> = readonly [name: Uint8Array, value: Value];

/** Views of what it was read from. */
export type RestoredValue =
  | { readonly type: 'string'; readonly value: Uint8Array }
  | { readonly type: 'list' | 'set'; readonly elements: readonly Uint8Array[] }
  | { readonly type: 'hash'; readonly pairs: readonly Pair<Uint8Array>[] }
  | { readonly type: 'sortedSet'; readonly pairs: readonly Pair<number>[] }
  | { readonly type: 'stream'; readonly stream: RestoredStream };

/** @param budget pays a visit for each element. */
export function readValue(bytes: Uint8Array, budget: WorkBudget): RestoredValue {
  const reader = new ValueReader(bytes, budget);
  const type = reader.byte();
  const elements: Uint8Array[] = [];
  const add = (element: Uint8Array): void => {
    budget.spendVisits(1);
    if (budget.isSpent) throw budgetSpent(budget);
    elements.push(element);
  };
  const addAll = (perElement: number): void => {
    for (let left = reader.length() * perElement; left > 0; left--) add(reader.string());
  };
  switch (type) {
    case valueTypes.string:
      return { type: 'string', value: reader.string() };
    case valueTypes.list:
      addAll(1);
      return { type: 'list', elements: some(elements) };
    case valueTypes.listZiplist:
      visitZiplist(reader.string(), add);
      return { type: 'list', elements: some(elements) };
    case valueTypes.listOfZiplists:
      for (let left = reader.length(); left > 0; left--) visitZiplist(reader.string(), add);
      return { type: 'list', elements: some(elements) };
    case valueTypes.listOfNodes:
      for (let left = reader.length(); left > 0; left--) readNode(reader, add);
      return { type: 'list', elements: some(elements) };
    case valueTypes.set:
      addAll(1);
      return { type: 'set', elements: some(elements) };
    case valueTypes.setIntset:
      visitIntset(reader.string(), add);
      return { type: 'set', elements: some(elements) };
    case valueTypes.hash:
      addAll(2);
      return { type: 'hash', pairs: pairsOf(elements) };
    case valueTypes.hashZiplist:
      visitZiplist(reader.string(), add);
      return { type: 'hash', pairs: pairsOf(elements) };
    case valueTypes.hashListpack:
      visitListpack(reader.string(), add);
      return { type: 'hash', pairs: pairsOf(elements) };
    case valueTypes.sortedSetZiplist:
      visitZiplist(reader.string(), add);
      return { type: 'sortedSet', pairs: scoredOf(elements) };
    case valueTypes.sortedSetListpack:
      visitListpack(reader.string(), add);
      return { type: 'sortedSet', pairs: scoredOf(elements) };
    case valueTypes.sortedSet:
    case valueTypes.sortedSetOfTexts: {
      const pairs: Pair<number>[] = [];
      for (let left = reader.length(); left > 0; left--) {
        add(reader.string());
        const member = elements.pop();
        const score = type === valueTypes.sortedSet ? reader.double() : readTextDouble(reader);
        if (member === undefined || Number.isNaN(score)) throw new PayloadError();
        pairs.push([member, score]);
      }
      return { type: 'sortedSet', pairs: some(pairs) };
    }
    case valueTypes.stream:
    case valueTypes.countedStream:
      return { type: 'stream', stream: readStream(reader, type === valueTypes.countedStream, budget) };
    default:
      throw new PayloadError();
  }
}

function readNode(reader: ValueReader, add: (element: Uint8Array) => void): void {
  const type = reader.length();
  const bytes = reader.string();
  if (type === nodeTypes.plain) add(bytes);
  else if (type === nodeTypes.packed) visitListpack(bytes, add);
  else throw new PayloadError();
}

const NOT_A_NUMBER = 253;
const INFINITE = 254;
const NEGATIVE_INFINITE = 255;

/** A double as its text behind its length, which is a byte. */
function readTextDouble(reader: ValueReader): number {
  const length = reader.byte();
  if (length === INFINITE) return Infinity;
  if (length === NEGATIVE_INFINITE) return -Infinity;
  return length === NOT_A_NUMBER ? NaN : toDouble(reader.take(length));
}

/** There is no collection without elements. */
function some<Element>(elements: readonly Element[]): readonly Element[] {
  if (elements.length === 0) throw new PayloadError();
  return elements;
}

function pairsOf(elements: readonly Uint8Array[]): readonly Pair<Uint8Array>[] {
  if (elements.length % 2 !== 0) throw new PayloadError();
  const pairs: Pair<Uint8Array>[] = [];
  for (let index = 0; index < elements.length; index += 2) {
    const [name, value] = elements.slice(index, index + 2);
    if (name !== undefined && value !== undefined) pairs.push([name, value]);
  }
  return some(pairs);
}

function scoredOf(elements: readonly Uint8Array[]): readonly Pair<number>[] {
  return pairsOf(elements).map(([member, score]) => [member, toDouble(score)]);
}

const DOUBLE = /^[+-]?(?:inf|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;
const DOUBLE_BYTES_MAX = 128;

/** As Redis prints one. */
function toDouble(bytes: Uint8Array): number {
  const text = bytes.length > DOUBLE_BYTES_MAX ? '' : Buffer.from(bytes).toString('latin1');
  if (!DOUBLE.test(text)) throw new PayloadError();
  return Number(text.replace(/inf/i, 'Infinity'));
}

/** Puts a value at a key that has none. Throws `limitReached`, and `invalidArgument` for elements that are too long. */
export function putValue(view: View, key: Uint8Array, restored: RestoredValue, ttlMs: number): void {
  switch (restored.type) {
    case 'string':
      view.put(key, restored.value, { ttlMs });
      return;
    case 'list':
      push(view, key, 'tail', restored.elements);
      break;
    case 'set': {
      const edit = TableEdit.open(view, key, setType);
      for (const member of restored.elements) if (!edit.add(member)) throw new PayloadError();
      edit.save();
      break;
    }
    case 'hash': {
      const edit = TableEdit.open(view, key, hashType);
      for (const [field, value] of restored.pairs) if (!edit.set(field, value)) throw new PayloadError();
      edit.save();
      break;
    }
    case 'sortedSet': {
      const edit = new SortedSetEdit(view, key);
      for (const [member, score] of restored.pairs) {
        if (edit.score(member) !== undefined) throw new PayloadError();
        edit.set(member, score);
      }
      edit.finish();
      break;
    }
    case 'stream':
      putStream(view, key, restored.stream);
      break;
  }
  if (ttlMs > 0) view.touch(key, ttlMs);
}
