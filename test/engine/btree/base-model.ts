/** What a base shows, as texts, for holding it against what it should. */
import { createHash } from 'node:crypto';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { type Change, placeChange, PlacedChange } from '../../../src/engine/version.ts';
import { NO_BYTES } from '../../../src/wire/bytes.ts';

export const ALL = { start: NO_BYTES, end: undefined };

export function textOf(change: Change): string {
  const { revision, createRevision, modRevision, version, kind, collectionId } = change;
  const { leaseId, ttlMs, expireTimeMs } = change;
  const numbers = [revision, createRevision, modRevision, version, kind, collectionId];
  const times = [leaseId, ttlMs, expireTimeMs];
  return `${hex(change.key)} ${numbers.join()} ${times.join()} ${valueText(change.value)}`;
}

/** Long values by a hash. */
function valueText(value: Uint8Array): string {
  return value.length > 64 ? `${value.length} ${createHash('sha1').update(value).digest('hex')}` : hex(value);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function keyOf(name: string): Uint8Array {
  return Uint8Array.from(Buffer.from(name, 'hex'));
}

/** Commits changes, and forgets ranges before them. */
export async function commitAll(
  base: Base,
  revision: number,
  changes: readonly Change[],
  options: { readonly forget?: readonly Parameters<Base['hide']>[0][]; readonly notes?: Uint8Array } = {},
): Promise<void> {
  const flush = await base.begin(revision);
  try {
    for (const range of options.forget ?? []) flush.forget(range);
    for (const change of changes) {
      flush.add(placeChange(change));
      if (flush.isFull) await flush.drain();
    }
    await flush.commit(options.notes ?? NO_BYTES);
  } catch (error) {
    await flush.abort();
    throw error;
  }
}

/** All rows of a range, by a cursor. */
export function rowsOf(base: Base, range = ALL as Parameters<Base['hide']>[0], reverse = false): string[] {
  const cursor = base.cursor(range, reverse, true);
  const placed = new PlacedChange();
  const rows: string[] = [];
  while (cursor.next(placed)) rows.push(textOf(placed));
  cursor.close();
  return rows;
}

/** Key, revision and length of the value of each row, by a cursor without values. */
export function headsOf(base: Base, reverse = false): string[] {
  const cursor = base.cursor(ALL, reverse, false);
  const placed = new PlacedChange();
  const heads: string[] = [];
  while (cursor.next(placed)) heads.push(headOf(placed));
  cursor.close();
  return heads;
}

export function headOf(change: Change): string {
  if (!(change instanceof PlacedChange)) return headOf(placeChange(change));
  return `${hex(change.key)} ${change.revision} ${change.valueEnd - change.valueStart}`;
}

export function found(base: Base, key: Uint8Array): string | undefined {
  const placed = new PlacedChange();
  return base.find(key, placed, true) ? textOf(placed) : undefined;
}

export function deadlinesOf(base: Base): string[] {
  const cursor = base.deadlines(undefined);
  const places: string[] = [];
  for (let place = cursor.next(); place !== undefined; place = cursor.next()) {
    places.push(`${place.deadlineMs} ${hex(place.key)}`);
  }
  cursor.close();
  return places;
}
