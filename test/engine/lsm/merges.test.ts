/** Merges in the background: what they drop, what they leave alone, and what comes of one that fails. */
import { expect, it } from 'vitest';
import type { EngineRange } from '../../../src/engine/engine.ts';
import type { LsmBase } from '../../../src/engine/lsm/lsm-base.ts';
import { deletionOf, PlacedChange, placeChange } from '../../../src/engine/version.ts';
import type { Change } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { DIRECTORY, openSmall } from './small-lsm.ts';

const ALL: EngineRange = { start: new Uint8Array(0), end: undefined };

function put(text: string, revision: number, fields: Partial<Change> = {}): Change {
  const value = Buffer.from(`value of ${text} at ${revision}`);
  return { ...deletionOf(Buffer.from(text), revision), deleted: false, value, version: 1, ...fields };
}

async function commit(base: LsmBase, revision: number, changes: readonly Change[]): Promise<void> {
  const flush = await base.begin(revision);
  for (const change of changes) flush.add(placeChange(change));
  await flush.commit(new Uint8Array(0));
}

function entriesOf(base: LsmBase): string[] {
  const placed = new PlacedChange();
  const cursor = base.cursor(ALL, false, true);
  const entries: string[] = [];
  while (cursor.next(placed)) entries.push(`${Buffer.from(placed.key).toString()} ${placed.revision}`);
  return entries;
}

function recordsOf(base: LsmBase): number[] {
  return base.figures().runs.map(({ recordCount }) => recordCount);
}

it('four short runs become one without being asked, and their files go', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const base = await openSmall(disk);
  for (let revision = 1; revision <= 4; revision++)
    await commit(base, revision, [put('a', revision), put(`b${revision}`, revision)]);
  await base.settled();
  expect(recordsOf(base)).toEqual([5]);
  expect(entriesOf(base)).toEqual(['a 4', 'b1 1', 'b2 2', 'b3 3', 'b4 4']);
  expect(base.figures().mergedBytes).toBeGreaterThan(0);
  await base.close();
  expect((await disk.list(DIRECTORY)).filter((name) => name.endsWith('.run'))).toHaveLength(1);
});

it('what is live is told by the keys: those of the oldest runs are taken for written over', async () => {
  const base = await openSmall(new SimulatedDisk({ seed: 1 }));
  const keys = Array.from({ length: 100 }, (_, index) => `k${String(index).padStart(3, '0')}`);
  for (const revision of [1, 2])
    await commit(
      base,
      revision,
      keys.map((key) => put(key, revision)),
    );
  const [oldest, newest] = base.figures(100).runs;
  expect(oldest).toMatchObject({ recordCount: 100, liveBytes: 0 });
  expect(newest?.liveBytes).toBe(newest?.bytes);
  expect(base.figures(150).runs[0]?.liveBytes).toBe(Math.round((oldest?.bytes ?? 0) / 2));
  expect(base.figures().runs[0]?.liveBytes).toBe(oldest?.bytes);
  await base.close();
});

it('a deletion stays while an older run may have its key, and goes with the oldest run', async () => {
  const random = new SeededRandom(1);
  const base = await openSmall(new SimulatedDisk({ seed: 1 }));
  const many = Array.from({ length: 2000 }, (_, index) => put(`k${String(index).padStart(5, '0')}`, 1));
  await commit(
    base,
    1,
    many.map((change) => ({ ...change, value: random.bytes(3000) })),
  );
  await base.compactStorage();
  await commit(base, 2, [deletionOf(Buffer.from('k00001'), 2), deletionOf(Buffer.from('never'), 2)]);
  for (let revision = 3; revision <= 5; revision++) await commit(base, revision, [put('z', revision)]);
  await base.settled();
  // The oldest run is of a higher tier; the others were merged.
  expect(recordsOf(base)).toEqual([2000, 3]);
  expect(base.find(Buffer.from('k00001'), new PlacedChange(), true)).toBe(false);
  await base.compactStorage();
  expect(recordsOf(base)).toEqual([2000]);
  expect(base.find(Buffer.from('k00001'), new PlacedChange(), true)).toBe(false);
  await base.close();
});

it('a merge that finds no space is given up, told, and tried again behind the next flush', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const failures: unknown[] = [];
  const base = await openSmall(disk, (error) => failures.push(error));
  for (let revision = 1; revision <= 3; revision++) await commit(base, revision, [put('a', revision)]);
  // The run of the fourth flush is number 7, behind three runs and their notes; the merge's is 9.
  disk.injectFault({ call: 'write', pathEnd: '9.run', code: 'noSpace', effect: 'part' });
  await commit(base, 4, [put('b', 4)]);
  await base.settled();
  expect(failures).toHaveLength(1);
  expect(String(failures[0])).toContain('noSpace');
  expect(recordsOf(base)).toEqual([1, 1, 1, 1]);
  expect((await disk.list(DIRECTORY)).filter((name) => name.endsWith('.run'))).toHaveLength(4);
  expect(entriesOf(base)).toEqual(['a 3', 'b 4']);
  await commit(base, 5, [put('c', 5)]);
  await base.settled();
  expect(failures).toHaveLength(1);
  expect(recordsOf(base)).toEqual([3]);
  expect(entriesOf(base)).toEqual(['a 3', 'b 4', 'c 5']);
  await base.close();
});

it('closing ends a merge, whose work is lost', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  let base = await openSmall(disk, (error) => expect.unreachable(String(error)));
  const many = Array.from({ length: 500 }, (_, index) => put(`k${String(index).padStart(5, '0')}`, 1));
  for (let revision = 1; revision <= 4; revision++)
    await commit(
      base,
      revision,
      many.map((change) => ({ ...change, revision })),
    );
  await base.close();
  base = await openSmall(disk);
  expect(entriesOf(base)).toHaveLength(500);
  expect(entriesOf(base)[0]).toBe('k00000 4');
  await base.close();
});

it('a key whose deadline has passed and that was deleted is not looked at again', async () => {
  const base = await openSmall(new SimulatedDisk({ seed: 1 }));
  const many = Array.from({ length: 3000 }, (_, index) =>
    put(`k${String(index).padStart(5, '0')}`, 1, { expireTimeMs: 1000 + index }),
  );
  await commit(base, 1, many);
  await commit(
    base,
    2,
    many.slice(0, 2990).map(({ key }) => deletionOf(key, 2)),
  );
  const deadlines = base.deadlines(undefined);
  const before = base.figures();
  expect(deadlines.next()).toEqual({ deadlineMs: 3990, key: new Uint8Array(Buffer.from('k02990')) });
  const { cacheHits, cacheMisses, filterStops } = base.figures();
  const looks =
    cacheHits + cacheMisses + filterStops - before.cacheHits - before.cacheMisses - before.filterStops;
  expect(looks).toBeLessThan(10);
  let count = 1;
  while (deadlines.next() !== undefined) count++;
  expect(count).toBe(10);
  await base.close();
});

it('a start that reads leases goes on in the runs that it began with, and they are closed behind it', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const base = await openSmall(disk);
  const flush = await base.begin(4);
  for (let run = 1; run <= 4; run++) {
    for (let index = 0; index < 2000; index++)
      flush.add(placeChange(put(`k${String(index).padStart(5, '0')} ${run}`, run, { leaseId: run })));
    await flush.beginRun();
  }
  await flush.commit(new Uint8Array(0));
  const found = new Set<string>();
  for (const [leaseId, key] of base.leasedKeys()) {
    found.add(`${Buffer.from(key).toString()} of ${leaseId}`);
    // The four runs are merged meanwhile, and go.
    if (found.size === 100) await base.settled();
  }
  expect(recordsOf(base)).toEqual([8000]);
  expect(found.size).toBe(8000);
  expect(found).toContain('k01999 1 of 1');
  for (const _ of base.leasedKeys()) break;
  await base.close();
});
