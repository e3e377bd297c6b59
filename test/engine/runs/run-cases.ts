/** Runs for tests: their records, how they are written to a disk, and how they are read again. */
import { systemClock } from '../../../src/clock.ts';
import type { Disk } from '../../../src/disk/disk.ts';
import type { RunEngine, RunForm } from '../../../src/engine/runs/format.ts';
import { RunFile } from '../../../src/engine/runs/table/run-file.ts';
import { RunScan } from '../../../src/engine/runs/table/run-scan.ts';
import { RunWriter } from '../../../src/engine/runs/table/run-writer.ts';
import type { RunInfo } from '../../../src/engine/runs/table/run-writer.ts';
import { deletionOf, PlacedChange, placeChange } from '../../../src/engine/version.ts';
import type { Change } from '../../../src/engine/version.ts';
import type { SeededRandom } from '../../support/random.ts';
import { toldOf } from '../base/base-model.ts';

export const RUN_PATH = '/base/0000000000000007.run';
const NUMBER = 7;

/** Records of all shapes, in key order, no key twice. */
export function someRecords(random: SeededRandom, count: number, valueBytesMax = 300): Change[] {
  const byKey = new Map<string, Change>();
  for (let index = 0; index < count; index++) {
    const key = random.bytes(random.pick([1, 2, 3, 8, 16, 200]));
    byKey.set(Buffer.from(key).toString('hex'), someChange(random, key, valueBytesMax));
  }
  return [...byKey.values()].sort((a, b) => Buffer.compare(a.key, b.key));
}

export function someChange(random: SeededRandom, key: Uint8Array, valueBytesMax: number): Change {
  const revision = random.between(1, 2 ** 31) * random.pick([1, 2 ** 20]);
  if (random.chance(0.2)) return deletionOf(key, revision);
  const maybe = (value: number): number => (random.chance(0.3) ? value : 0);
  return {
    key,
    revision,
    deleted: false,
    value: random.chance(0.5)
      ? random.bytes(random.below(valueBytesMax))
      : new Uint8Array(random.below(valueBytesMax)).fill(random.below(256)),
    kind: maybe(random.below(256)),
    collectionId: maybe(random.uint32() * 2 ** 20),
    createRevision: random.pick([revision, random.uint32()]),
    modRevision: random.pick([revision, random.uint32()]),
    version: random.pick([1, 2, random.uint32()]),
    leaseId: maybe(random.uint32() * 2 ** 21),
    ttlMs: maybe(random.uint32()),
    expireTimeMs: maybe(random.pick([1_000, 2_000, random.uint32() * 1000])),
  };
}

export async function writeRun(
  disk: Disk,
  records: readonly Change[],
  form: RunForm,
  compressionLevel?: number,
  pieceBytes?: number,
): Promise<RunInfo> {
  await disk.makeDirectory('/base');
  const writer = await RunWriter.create({
    disk,
    clock: systemClock,
    path: RUN_PATH,
    number: NUMBER,
    engine: engineOf(form),
    form,
    compressionLevel,
    pieceBytes,
  });
  for (const record of records) {
    writer.add(placeChange(record));
    if (writer.isFull) await writer.drain();
  }
  return writer.finish();
}

export function openRun(disk: Disk, form: RunForm, info: RunInfo): Promise<RunFile> {
  return RunFile.open(disk, RUN_PATH, engineOf(form), form, info);
}

function engineOf(form: RunForm): RunEngine {
  return form === 'sparse' ? 'lsm' : 'bitcask';
}

export async function scanRun(run: RunFile): Promise<Record<string, unknown>[]> {
  const scan = new RunScan(run);
  const placed = new PlacedChange();
  const found: Record<string, unknown>[] = [];
  do while (scan.next(placed)) found.push(toldOf(placed));
  while (await scan.fill());
  return found;
}
