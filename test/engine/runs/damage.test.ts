import { describe, expect, it } from 'vitest';
import { BaseDirectory } from '../../../src/engine/runs/base-directory.ts';
import { BaseDamageError } from '../../../src/engine/runs/damage.ts';
import { HintReader } from '../../../src/engine/runs/table/hint-reader.ts';
import type { RunForm } from '../../../src/engine/runs/format.ts';
import type { RunInfo } from '../../../src/engine/runs/table/run-writer.ts';
import { PlacedChange } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { toldOf } from '../base/base-model.ts';
import { openRun, RUN_PATH, scanRun, someRecords, writeRun } from './run-cases.ts';

const STORE_ID = new Uint8Array(16).fill(5);
const NOTES = Buffer.from('notes of the store');

async function damageOf(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Changes each byte of a file in turn, and puts it back. */
async function eachDamage(
  disk: SimulatedDisk,
  path: string,
  check: (offset: number) => Promise<void>,
): Promise<void> {
  const bytes = disk.contentOf(path);
  const random = new SeededRandom(11);
  for (let offset = 0; offset < bytes.length; offset++) {
    const damaged = bytes.slice();
    damaged[offset] =
      (damaged[offset] ?? 0) ^ (random.chance(0.5) ? 1 << random.below(8) : random.between(1, 255));
    disk.setContent(path, damaged);
    await check(offset);
  }
  disk.setContent(path, bytes);
}

describe.each(['sparse', 'dense'] as const)('a %s run', (form: RunForm) => {
  it.each([
    ['without compression', undefined],
    ['compressed', 1],
  ])('%s shows each damaged byte to who reads all of it', async (_, level) => {
    const records = someRecords(new SeededRandom(2), 14, 900);
    const disk = new SimulatedDisk({ seed: 1 });
    const info = await writeRun(disk, records, form, level, 300);
    await eachDamage(disk, RUN_PATH, async (offset) => {
      const error = await damageOf(async () => scanRun(await openRun(disk, form, info)));
      expect(error, `offset ${offset}`).toBeInstanceOf(BaseDamageError);
    });
    expect(await scanRun(await openRun(disk, form, info))).toEqual(records.map(toldOf));
  });

  it('is refused when it is shorter, longer, or another one', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const other = await writeRun(disk, someRecords(new SeededRandom(3), 20), form);
    const otherBytes = disk.contentOf(RUN_PATH);
    await disk.remove(RUN_PATH);
    const info = await writeRun(disk, someRecords(new SeededRandom(4), 20), form);
    const bytes = disk.contentOf(RUN_PATH);
    const refused = async (content: Uint8Array, told: RunInfo): Promise<void> => {
      disk.setContent(RUN_PATH, content);
      await expect(openRun(disk, form, told)).rejects.toBeInstanceOf(BaseDamageError);
    };
    for (let length = 0; length < bytes.length; length += 7) await refused(bytes.subarray(0, length), info);
    await refused(Buffer.concat([bytes, Buffer.alloc(1)]), info);
    await refused(otherBytes, { ...info, bytes: other.bytes });
    await disk.remove(RUN_PATH);
    await expect(openRun(disk, form, info)).rejects.toThrow('missing');
  });
});

it('a damaged record of a dense run is never shown, and its hints neither', async () => {
  const records = someRecords(new SeededRandom(5), 12, 1300);
  const disk = new SimulatedDisk({ seed: 1 });
  const info = await writeRun(disk, records, 'dense', 1);
  const placed = new PlacedChange();
  let shownCount = 0;
  await eachDamage(disk, RUN_PATH, async () => {
    await damageOf(async () => {
      const run = await openRun(disk, 'dense', info);
      const hints = new HintReader(run);
      let index = 0;
      do {
        while (hints.next(placed)) {
          const record = records[index++];
          if (record === undefined) throw new Error('more hints than records');
          const error = await damageOf(async () =>
            run.readRecord(hints.recordOffset, hints.recordBytes, placed),
          );
          if (error !== undefined) continue;
          expect(toldOf(placed)).toEqual(toldOf(record));
          shownCount++;
        }
      } while (await hints.fill());
    });
  });
  expect(shownCount).toBeGreaterThan(0);
});

it('each damaged byte of a manifest or of notes is found at a start', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const options = { disk, directory: '/base', engine: 'lsm', storeId: STORE_ID } as const;
  const made = await BaseDirectory.open(options);
  await made.change((current) => ({ ...current, revision: 5 }), NOTES);
  const names = (await disk.list('/base')).filter((name) => name === 'manifest' || name.endsWith('.notes'));
  expect(names).toHaveLength(2);
  for (const name of names) {
    const path = `/base/${name}`;
    await eachDamage(disk, path, async (offset) => {
      const error = await damageOf(() => BaseDirectory.open(options));
      expect(error, `${name}, offset ${offset}`).toBeInstanceOf(BaseDamageError);
      expect((error as BaseDamageError).path).toBe(path);
    });
  }
  expect((await BaseDirectory.open(options)).manifest.revision).toBe(5);
});

it('files of another engine, another store or a newer version are refused, and stay', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const options = { disk, directory: '/base', engine: 'lsm', storeId: STORE_ID } as const;
  await BaseDirectory.open(options);
  await expect(BaseDirectory.open({ ...options, engine: 'bitcask' })).rejects.toThrow('--engine lsm');
  const foreign = BaseDirectory.open({ ...options, storeId: new Uint8Array(16) });
  await expect(foreign).rejects.toThrow('belongs to the store 05050505');
  await disk.remove('/base/manifest');
  disk.setContent('/base/0000000000000001.run', new Uint8Array(10));
  await expect(BaseDirectory.open(options)).rejects.toThrow('the manifest is missing');
  expect(await disk.list('/base')).toEqual(['0000000000000001.run']);
});
