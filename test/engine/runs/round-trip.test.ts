import { describe, expect, it } from 'vitest';
import { HintReader } from '../../../src/engine/runs/table/hint-reader.ts';
import { blockKind } from '../../../src/engine/runs/format.ts';
import { deletionOf, PlacedChange } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { toldOf } from '../base/base-model.ts';
import { openRun, scanRun, someRecords, writeRun } from './run-cases.ts';

describe.each(['sparse', 'dense'] as const)('a %s run', (form) => {
  it.each([
    ['without compression', undefined],
    ['compressed', 1],
  ])('%s gives back what was put into it', async (_, level) => {
    for (let seed = 1; seed <= 5; seed++) {
      const random = new SeededRandom(seed);
      const records = someRecords(random, 200 * seed, seed === 5 ? 40_000 : 1000);
      const disk = new SimulatedDisk({ seed });
      const info = await writeRun(disk, records, form, level, 2000);
      expect(info.recordCount).toBe(records.length);
      expect(info.deletedCount).toBe(records.filter(({ deleted }) => deleted).length);
      const run = await openRun(disk, form, info);
      expect(await scanRun(run), `seed ${seed}`).toEqual(records.map(toldOf));
      await run.close();
    }
  });

  it('may be empty', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const info = await writeRun(disk, [], form);
    expect(info).toMatchObject({ recordCount: 0, minRevision: 0, maxRevision: 0 });
    const run = await openRun(disk, form, info);
    expect(await scanRun(run)).toEqual([]);
  });

  it('refuses keys that do not ascend', async () => {
    const [record] = someRecords(new SeededRandom(1), 1);
    const twice = record === undefined ? [] : [record, record];
    await expect(writeRun(new SimulatedDisk({ seed: 1 }), twice, form)).rejects.toThrow('ascend');
  });
});

it('a run may have more blocks of places by deadline than 65,536, of whose keys its directory has no more than it needs', async () => {
  const path = Buffer.alloc(100, 'a long way to a key/');
  const records = Array.from({ length: 66_000 }, (_, index) => {
    const key = Buffer.concat([path, Buffer.from(String(index).padStart(6, '0'))]);
    return { ...deletionOf(key, 1), deleted: false, version: 1, expireTimeMs: 2 ** 40 + index };
  });
  const disk = new SimulatedDisk({ seed: 1 });
  // Each piece has one place.
  const info = await writeRun(disk, records, 'sparse', undefined, 1);
  const run = await openRun(disk, 'sparse', info);
  const sides = run.sides.filter(({ kind }) => kind === blockKind.deadlines);
  expect(sides).toHaveLength(records.length);
  expect(sides.at(-1)?.piece).toBe(65_999);
  expect(run.footer.directoryBytes).toBeLessThan(30 * records.length);
  expect(await scanRun(run)).toHaveLength(records.length);
  await run.close();
});

it('each record of a dense run is found by its hint, which tells all but the value', async () => {
  const records = someRecords(new SeededRandom(3), 2000, 2000);
  const disk = new SimulatedDisk({ seed: 1 });
  const run = await openRun(disk, 'dense', await writeRun(disk, records, 'dense', 1));
  const hints = new HintReader(run);
  const hint = new PlacedChange();
  const placed = new PlacedChange();
  let count = 0;
  do {
    while (hints.next(hint)) {
      const record = records[count++];
      if (record === undefined) throw new Error('more hints than records');
      const { value: _, ...rest } = toldOf(record);
      const { key, revision, deleted } = hint;
      expect(rest).toMatchObject({ key: Buffer.from(key).toString('hex'), revision, deleted });
      expect(hint.valueEnd - hint.valueStart).toBe(record.value.length);
      expect(run.readRecord(hints.recordOffset, hints.recordBytes, placed)).toBe(!record.deleted);
      expect(toldOf(placed)).toEqual(toldOf(record));
    }
  } while (await hints.fill());
  expect(count).toBe(records.length);
});
