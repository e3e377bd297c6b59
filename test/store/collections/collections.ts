/**
 * Collections for tests: the metadata of one says how many elements it has. So what a store holds tells by itself whether it holds
 * together: at every revision that can be read each collection has its elements, and in the end no others are there.
 */
import { expect } from 'vitest';
import { elementKey, elementsOf, SWEPT_KEYS, tags } from '../../../src/store/collections/collection-keys.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import { USER_KEYS } from '../../../src/store/views/regions.ts';
import type { PutOptions, ReadView, View } from '../../../src/store/views/view.ts';
import type { ManualClock } from '../../support/manual-clock.ts';
import { bytesOf, textOf } from '../seam/seam-harness.ts';

const ELEMENTS = { start: Uint8Array.of(0xfa), end: Uint8Array.of(0xfb) };
export const KIND = 1;

export function elementAt(id: number, index: number): Uint8Array {
  return elementKey(id, tags.field, bytesOf(String(index).padStart(6, '0')));
}

/** Makes a collection of so many elements. @returns its id. */
export function create(view: View, key: Uint8Array, count: number, options: PutOptions = {}): number {
  const id = view.newCollectionId();
  for (let index = 0; index < count; index++) view.put(elementAt(id, index), bytesOf('v'));
  view.put(key, bytesOf(`${count}`), { ...options, kind: KIND, collectionId: id });
  return id;
}

/** Adds an element, or takes the last one away. */
export function resize(view: View, key: Uint8Array, change: 1 | -1): void {
  const version = view.read(key);
  if (version === undefined || version.collectionId === 0) return;
  const { ttlMs, expireTimeMs, leaseId, collectionId } = version;
  const count = Number(textOf(version.value));
  if (change === -1 && count <= 1) return void view.delete(key);
  if (change === 1) view.put(elementAt(collectionId, count), bytesOf('v'));
  else view.delete(elementAt(collectionId, count - 1));
  const lifetime = { ttlMs, expireTimeMs, leaseId };
  view.put(key, bytesOf(`${count + change}`), { ...lifetime, kind: KIND, collectionId });
}

/** Gives what is at a key to another one. */
export function rename(view: View, from: Uint8Array, to: Uint8Array): void {
  const version = view.read(from);
  if (version === undefined) return;
  const { ttlMs, expireTimeMs, leaseId, kind, collectionId, value } = version;
  view.delete(from);
  view.put(to, value, { ttlMs, expireTimeMs, leaseId, kind, collectionId });
}

/** Every collection of a state has its elements. @returns how many these are together. */
export function checkState(view: ReadView): number {
  const found: [number, number][] = [];
  view.scan(USER_KEYS, false, ({ collectionId, kind, value }) => {
    if (collectionId !== 0) found.push([collectionId, Number(textOf(value))]);
    expect(collectionId !== 0).toBe(kind === KIND);
    return true;
  });
  expect(new Set(found.map(([id]) => id)).size).toBe(found.length);
  let sum = 0;
  for (const [id, count] of found) {
    let elements = 0;
    view.scan(elementsOf(id), false, () => ++elements > 0);
    expect(elements, `collection ${id} at revision ${view.revision}`).toBe(count);
    sum += count;
  }
  return sum;
}

/** The same of every state that can be read. */
export function checkStates(store: DurableStore): void {
  const { oldestRevision } = store.status();
  for (let revision = Math.max(1, oldestRevision); revision <= store.visibleRevision; revision++)
    store.readAt({ revision, instantMs: 0 }, checkState);
  store.decide(checkState);
}

export function counts(store: DurableStore): { readonly elements: number; readonly marks: number } {
  return store.decide((view) => ({ elements: view.count(ELEMENTS), marks: view.count(SWEPT_KEYS) })).result;
}

/** Writes so often that history passes all that there is, and lets the work be done that follows. */
export async function goOn(store: DurableStore, clock: ManualClock, writes = 4): Promise<void> {
  for (let step = 0; step < writes; step++) {
    const { result, hasChanged } = store.decide((view) => void view.put(bytesOf('~'), bytesOf(`${step}`)));
    await store.whenDurable(result, hasChanged);
    await clock.settled();
  }
}

/** What no key has is gone, and nothing else is. */
export async function checkSwept(store: DurableStore, clock: ManualClock, writes?: number): Promise<void> {
  await goOn(store, clock, writes);
  checkStates(store);
  const elements = store.decide(checkState).result;
  expect(counts(store)).toEqual({ elements, marks: 0 });
}
