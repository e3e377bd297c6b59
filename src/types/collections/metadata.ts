/**
 * What the value of a collection's key is: its metadata. The first byte is the form.
 *
 *     00 items            packed: the elements themselves, while they are at most 512 bytes and 64 elements
 *     01 count rest       spread: how many elements there are (a varint), and what the type adds; the elements have keys of their
 *                         own (`collection-keys.ts`) by the version's collection id
 *
 * A collection without elements does not exist. What was spread stays spread until it is gone: going back and forth at the bound
 * would cost more than it saves.
 *
 * Every change of a collection writes its metadata, so that its revision, its watches, its time to live and its lease are those of the
 * key, and nothing else has to know of elements.
 */
import type { Version } from '../../engine/version.ts';
import { assert, StoreError } from '../../errors.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { sizeOfUint64, writeInt64 } from '../../wire/varint.ts';
import { type Kind, kinds } from '../../store/collections/kinds.ts';

export const PACKED = 0;
export const SPREAD = 1;

/** Where a packed collection's items begin. */
export const ITEMS_START = 1;

/** The longest packed value, its form byte included, and the most elements of one. */
export const PACKED_BYTES_MAX = 512;
export const PACKED_ELEMENTS_MAX = 64;

const nameOfKind: Readonly<Record<Kind, string>> = {
  [kinds.plain]: 'plain bytes',
  [kinds.hash]: 'a hash',
  [kinds.list]: 'a list',
  [kinds.set]: 'a set',
  [kinds.sortedSet]: 'a sorted set',
  [kinds.stream]: 'a stream',
  [kinds.bloomFilter]: 'a Bloom filter',
};

/** The version of a collection, with its metadata; `undefined`: there is none. Throws `wrongType`. */
export function readCollection(view: ReadView, key: Uint8Array, kind: Kind): Version | undefined {
  const version = view.read(key);
  if (version !== undefined) expectKind(version, kind);
  return version;
}

/** Throws `wrongType` unless a version is of a kind. */
export function expectKind({ kind }: Version, expected: Kind): void {
  if (kind === expected) return;
  const found = nameOfKind[kind as Kind] ?? 'of a type that this version does not know';
  throw new StoreError('wrongType', `the key holds ${found}, not ${nameOfKind[expected]}`);
}

export function isPacked({ value }: Pick<Version, 'value'>): boolean {
  const form = value[0];
  assert(form === PACKED || form === SPREAD, 'a collection is packed or spread');
  return form === PACKED;
}

/** Of a spread collection: how many elements it has, and where the rest of its metadata begins. */
export function readCount({ value }: Pick<Version, 'value'>): {
  readonly count: number;
  readonly restStart: number;
} {
  let count = 0;
  let scale = 1;
  for (let at = 1; at < value.length; at++) {
    const byte = value[at] ?? 0;
    count += (byte & 0x7f) * scale;
    if (byte < 0x80) return { count, restStart: at + 1 };
    scale *= 128;
  }
  throw new Error('broken invariant: the count of a spread collection ends within its metadata');
}

/** The metadata of a spread collection, with room for the rest: the caller writes all of it, from `restStart` on. */
export function spreadMetadata(
  count: number,
  restBytes = 0,
): { readonly value: Buffer; readonly restStart: number } {
  const restStart = 1 + sizeOfUint64(count);
  const value = Buffer.allocUnsafe(restStart + restBytes);
  writeSpreadCount(value, count);
  return { value, restStart };
}

/** What the metadata of a spread collection begins with. @returns where the rest begins. */
export function writeSpreadCount(value: Buffer, count: number): number {
  value[0] = SPREAD;
  return writeInt64(value, 1, count);
}

/**
 * Writes a collection's metadata. It keeps the lifetime of the one that was there.
 * @param before `undefined`: the collection is new.
 * @param collectionId of its elements; 0: it is packed.
 */
export function putMetadata(
  view: View,
  key: Uint8Array,
  kind: Kind,
  value: Uint8Array,
  before: Version | undefined,
  collectionId: number,
): void {
  const ttlMs = before?.ttlMs ?? 0;
  const leaseId = before?.leaseId ?? 0;
  view.put(key, value, { ttlMs, expireTimeMs: before?.expireTimeMs ?? 0, leaseId, kind, collectionId });
}
