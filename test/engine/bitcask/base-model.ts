/** What a base must hold at each revision that was committed, beside it. */
import { expect } from 'vitest';
import type { EngineRange } from '../../../src/engine/engine.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { PlacedChange, deletionOf, placeChange, type Change } from '../../../src/engine/version.ts';
import type { SeededRandom } from '../../support/random.ts';

export type State = ReadonlyMap<string, Change>;

export const ALL: EngineRange = { start: new Uint8Array(0), end: undefined };

/** What one flush brings. */
export interface Step {
  readonly revision: number;
  readonly changes: readonly Change[];
  readonly forgotten: readonly EngineRange[];
}

/** The state behind a step. */
export function stateAfter(before: State, { changes, forgotten }: Step): State {
  const state = new Map(before);
  for (const key of state.keys()) {
    if (forgotten.some((range) => isIn(Buffer.from(key, 'latin1'), range))) state.delete(key);
  }
  for (const change of changes) {
    const key = Buffer.from(change.key).toString('latin1');
    if (change.deleted) state.delete(key);
    else state.set(key, change);
  }
  return state;
}

export function isIn(key: Uint8Array, { start, end }: EngineRange): boolean {
  return Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0);
}

export function notesOf(revision: number): Uint8Array {
  return Buffer.from(`notes of ${revision}`);
}

/** Writes a step as a whole. */
export async function flush(base: Base, { revision, changes, forgotten }: Step): Promise<void> {
  const writing = await base.begin(revision);
  try {
    for (const range of forgotten) {
      base.hide(range);
      writing.forget(range);
    }
    for (const change of [...changes].sort((a, b) => Buffer.compare(a.key, b.key))) {
      if (writing.isFull) await writing.drain();
      writing.add(placeChange(change));
    }
    await writing.commit(notesOf(revision));
  } catch (error) {
    await writing.abort();
    throw error;
  }
}

export interface StepShape {
  readonly keyCount: number;
  readonly changeCount: number;
  readonly valueBytesMax: number;
  readonly deletedShare: number;
}

/** Changes of keys `k…`, each of one key, at ascending revisions up to that of the step. */
export function randomStep(random: SeededRandom, revision: number, shape: StepShape): Step {
  const changes = new Map<string, Change>();
  for (let count = 0; count < shape.changeCount; count++) {
    const key = `k${random.below(shape.keyCount)}`;
    changes.set(key, randomChange(random, Buffer.from(key), revision - random.below(10), shape));
  }
  return { revision, changes: [...changes.values()], forgotten: [] };
}

function randomChange(random: SeededRandom, key: Uint8Array, revision: number, shape: StepShape): Change {
  if (random.chance(shape.deletedShare)) return deletionOf(key, revision);
  const isCompressible = random.chance(0.5);
  const value = random.bytes(random.below(shape.valueBytesMax + 1));
  return {
    ...deletionOf(key, revision),
    deleted: false,
    value: isCompressible ? value.fill(65) : value,
    createRevision: random.between(1, revision),
    modRevision: random.chance(0.8) ? revision : random.between(1, revision),
    version: random.between(1, 300),
    leaseId: random.chance(0.1) ? random.between(1, 3) : 0,
    ttlMs: random.chance(0.1) ? 5000 : 0,
    expireTimeMs: random.chance(0.2) ? 1000 * random.between(1, 5) : 0,
    kind: random.below(3),
    collectionId: random.below(2),
  };
}

/** What can be seen of a version. */
function seen(change: Change, withValue: boolean): object {
  const { key, value, ...rest } = { ...pick(change) };
  return {
    ...rest,
    key: Buffer.from(key).toString('latin1'),
    value: withValue ? Buffer.from(value).toString('latin1') : '',
    valueBytes: value.length,
  };
}

function pick(change: Change): Change {
  const { key, value, revision, deleted, kind, collectionId } = change;
  const { createRevision, modRevision, version, leaseId, ttlMs, expireTimeMs } = change;
  return {
    key,
    value,
    revision,
    deleted,
    kind,
    collectionId,
    createRevision,
    modRevision,
    version,
    leaseId,
    ttlMs,
    expireTimeMs,
  };
}

function seenPlaced(placed: PlacedChange, withValue: boolean): object {
  const valueBytes = placed.valueEnd - placed.valueStart;
  const value = withValue ? placed.copyValue() : new Uint8Array(valueBytes);
  return seen({ ...pickPlaced(placed), value }, withValue);
}

function pickPlaced(placed: PlacedChange): Change {
  const { revision, deleted, kind, collectionId } = placed;
  const { createRevision, modRevision, version, leaseId, ttlMs, expireTimeMs } = placed;
  const key = placed.copyKey();
  return {
    key,
    value: new Uint8Array(0),
    revision,
    deleted,
    kind,
    collectionId,
    createRevision,
    modRevision,
    version,
    leaseId,
    ttlMs,
    expireTimeMs,
  };
}

export function scan(base: Base, range: EngineRange, reverse: boolean, withValues: boolean): object[] {
  const cursor = base.cursor(range, reverse, withValues);
  const placed = new PlacedChange();
  const found: object[] = [];
  while (cursor.next(placed)) found.push(seenPlaced(placed, withValues));
  cursor.close();
  return found;
}

/** All that a base has, in a form that is compared fast. */
export function textOf(base: Base): string {
  return JSON.stringify(scan(base, ALL, false, true));
}

export function textOfState(state: State): string {
  const sorted = [...state.values()].sort((a, b) => Buffer.compare(a.key, b.key));
  return JSON.stringify(sorted.map((change) => seen(change, true)));
}

/** Holds that a base answers as a state says, in each way that it can be asked. */
export function expectState(base: Base, state: State, random: SeededRandom): void {
  const placed = new PlacedChange();
  const sorted = [...state.values()].sort((a, b) => Buffer.compare(a.key, b.key));
  for (const change of sorted) {
    expect(base.find(change.key, placed, true)).toBe(true);
    expect(seenPlaced(placed, true)).toEqual(seen(change, true));
    expect(base.find(change.key, placed, false)).toBe(true);
    expect(seenPlaced(placed, false)).toEqual(seen(change, false));
    expect(base.mayHave(change.key)).toBe(true);
  }
  for (let count = 0; count < 20; count++) {
    const key = `k${random.below(100)}x`;
    expect(base.find(Buffer.from(key), placed, true)).toBe(state.has(key));
  }
  const [start, end] = [`k${random.below(100)}`, `k${random.below(100)}`].map((text) => Buffer.from(text));
  for (const range of [ALL, { start: start!, end }, { start: start!, end: undefined }]) {
    const inRange = sorted.filter(({ key }) => isIn(key, range));
    for (const withValues of [true, false]) {
      const expected = inRange.map((change) => seen(change, withValues));
      expect(scan(base, range, false, withValues)).toEqual(expected);
      expect(scan(base, range, true, withValues)).toEqual(expected.toReversed());
    }
  }
  expectIndexes(base, sorted);
}

function expectIndexes(base: Base, sorted: readonly Change[]): void {
  const waiting = sorted.filter(({ expireTimeMs }) => expireTimeMs !== 0);
  const places = waiting
    .sort((a, b) => a.expireTimeMs - b.expireTimeMs || Buffer.compare(a.key, b.key))
    .map(({ expireTimeMs, key }) => `${expireTimeMs} ${Buffer.from(key).toString('latin1')}`);
  const found: string[] = [];
  let cursor = base.deadlines(undefined);
  for (let place = cursor.next(); place !== undefined; place = cursor.next()) {
    found.push(`${place.deadlineMs} ${Buffer.from(place.key).toString('latin1')}`);
    if (found.length % 3 !== 0) continue;
    cursor.close();
    cursor = base.deadlines(place);
  }
  cursor.close();
  expect(found).toEqual(places);
  const leased = [...base.leasedKeys()].map(([id, key]) => `${id} ${Buffer.from(key).toString('latin1')}`);
  const expected = sorted.filter(({ leaseId }) => leaseId !== 0);
  expect(leased.sort()).toEqual(
    expected.map(({ leaseId, key }) => `${leaseId} ${Buffer.from(key).toString('latin1')}`).sort(),
  );
}
