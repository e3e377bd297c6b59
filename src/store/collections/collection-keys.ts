/**
 * The keys of collections' elements, and of collections that are to be swept: the one place that puts them together.
 *
 *     FA id:u64 tag sub    an element of the collection `id`
 *     FB id:u64            the elements of `id` are to be swept
 *
 * Numbers are big-endian, so that an id's elements lie side by side, by tag, then by sub. What a tag's sub and value are is
 * said by the type that has it; tags are never used for something else:
 *
 * | tag | type | sub → value |
 * |---|---|---|
 * | f | hash | field → value |
 * | m | set, sorted set | member → nothing; sorted set: its score |
 * | s | sorted set | sortable score, member → nothing |
 * | c | list | position → chunk |
 * | b | Bloom filter | page → its bits |
 * | e | stream | id → the entry's fields and values |
 * | g, n, p, o | stream | groups, their consumers, what is pending: of the group, and of each consumer |
 * | k | hash | nothing → the key that has the collection, once a field has had a time to live |
 */
import type { EngineRange } from '../../engine/engine.ts';
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { ELEMENT, ELEMENT_HEAD_BYTES, SWEPT, SWEPT_KEY_BYTES } from '../views/regions.ts';

export { ELEMENT_HEAD_BYTES };

const ID_END = SWEPT_KEY_BYTES;

export const tags = {
  field: 0x66,
  member: 0x6d,
  score: 0x73,
  chunk: 0x63,
  page: 0x62,
  entry: 0x65,
  group: 0x67,
  consumer: 0x6e,
  pending: 0x70,
  owned: 0x6f,
  holder: 0x6b,
} as const;

export type Tag = (typeof tags)[keyof typeof tags];

/** @param id from 1 to 2^53 - 1. */
export function elementKey(id: number, tag: Tag, sub: Uint8Array): Uint8Array {
  const key = beginElementKey(id, tag, sub.length);
  key.set(sub, ELEMENT_HEAD_BYTES);
  return key;
}

/** A key whose sub, of so many bytes, the caller fills in. */
export function beginElementKey(id: number, tag: Tag, subBytes: number): Uint8Array {
  assert(ELEMENT_HEAD_BYTES + subBytes <= fixed.engineKeyBytesMax, 'the key of an element is not too long');
  const key = new Uint8Array(ELEMENT_HEAD_BYTES + subBytes);
  writeHead(key, ELEMENT, id);
  key[ID_END] = tag;
  return key;
}

/** Where it stands which key has a collection, as far as that is told. */
export function holderKey(id: number): Uint8Array {
  return beginElementKey(id, tags.holder, 0);
}

/** The elements of a collection that have a tag. */
export function elementsWithTag(id: number, tag: Tag): EngineRange {
  const start = beginElementKey(id, tag, 0);
  const end = beginElementKey(id, tag, 0);
  end[ID_END] = tag + 1;
  return { start, end };
}

/** All elements of a collection. */
export function elementsOf(id: number): EngineRange {
  return { start: idKey(ELEMENT, id), end: idKey(ELEMENT, id + 1) };
}

/** What stands for a collection whose elements are to be swept. */
export function sweptKey(id: number): Uint8Array {
  return idKey(SWEPT, id);
}

/** The keys of all that are to be swept, and of one. */
export const SWEPT_KEYS: EngineRange = { start: Uint8Array.of(SWEPT), end: Uint8Array.of(SWEPT + 1) };

export function sweptKeyRange(id: number): EngineRange {
  return { start: sweptKey(id), end: sweptKey(id + 1) };
}

/** Whether a key is that of an element. */
export function isElementKey(key: Uint8Array): boolean {
  return key[0] === ELEMENT;
}

/** The collection of an element's key, or of one that stands for what is to be swept. */
export function collectionIdOf(key: Uint8Array): number {
  let id = 0;
  for (let index = 1; index < ID_END; index++) id = id * 256 + (key[index] ?? 0);
  return id;
}

/** The tag of an element's key. */
export function tagOf(key: Uint8Array): number | undefined {
  return key[ID_END];
}

/** The sub of an element's key: a view of it. */
export function subOf(key: Uint8Array): Uint8Array {
  return key.subarray(ELEMENT_HEAD_BYTES);
}

function idKey(region: number, id: number): Uint8Array {
  const key = new Uint8Array(ID_END);
  writeHead(key, region, id);
  return key;
}

function writeHead(key: Uint8Array, region: number, id: number): void {
  assert(id >= 1, 'a collection has an id');
  key[0] = region;
  let rest = id;
  for (let index = ID_END - 1; index > 0; index--) {
    key[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}
