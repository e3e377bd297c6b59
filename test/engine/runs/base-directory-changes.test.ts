/** What a change of the state leaves that fails: nothing that no crash can find, so that it can be tried again and again on a full disk. */
import { describe, expect, test } from 'vitest';
import { BaseDirectory } from '../../../src/engine/runs/base-directory.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import type { Fault } from '../../support/simulated-fault.ts';

const DIRECTORY = '/data/base';

/** The sync of the names of new files, and what writes the new manifest beside the old one. */
const BEFORE_RENAME: readonly Fault[] = [
  { call: 'syncDirectory', at: 1, effect: 'none' },
  { call: 'create', pathEnd: 'manifest.new' },
  { call: 'write', pathEnd: 'manifest.new', code: 'noSpace' },
  { call: 'sync', pathEnd: 'manifest.new' },
];
const FROM_RENAME: readonly Fault[] = [
  { call: 'rename', effect: 'none' },
  { call: 'rename', effect: 'whole' },
  { call: 'syncDirectory', at: 2, effect: 'part' },
];

function open(disk: SimulatedDisk): Promise<BaseDirectory> {
  return BaseDirectory.open({
    disk,
    directory: DIRECTORY,
    engine: 'lsm',
    storeId: new Uint8Array(16).fill(7),
  });
}

function moveTo(directory: BaseDirectory, revision: number): Promise<void> {
  return directory.change((manifest) => ({ ...manifest, revision }), Buffer.from(`notes of ${revision}`));
}

async function numberedNames(disk: SimulatedDisk): Promise<string[]> {
  return (await disk.list(DIRECTORY)).filter((name) => /^\d/.test(name));
}

/** One that has failed, with a run that was written for it. */
async function fail(directory: BaseDirectory, disk: SimulatedDisk, fault: Fault): Promise<void> {
  disk.injectFault(fault);
  const number = directory.takeNumber();
  await (await disk.create(directory.runPath(number))).close();
  await expect(moveTo(directory, 20)).rejects.toThrow('simulated');
  await directory.discard([number]);
}

describe('a change that fails', () => {
  test.each(BEFORE_RENAME)('before the new manifest gets its name leaves nothing: %j', async (fault) => {
    const disk = new SimulatedDisk({ seed: 1 });
    const directory = await open(disk);
    await moveTo(directory, 10);
    const names = await numberedNames(disk);
    for (let round = 0; round < 3; round++) {
      await fail(directory, disk, fault);
      expect(await numberedNames(disk)).toEqual(names);
    }
    await moveTo(directory, 20);
    expect((await open(disk.losePower())).manifest.revision).toBe(20);
  });

  test.each(FROM_RENAME)(
    'from there on keeps what a crash may find until the next one: %j',
    async (fault) => {
      const disk = new SimulatedDisk({ seed: 1 });
      const directory = await open(disk);
      await moveTo(directory, 10);
      const names = await numberedNames(disk);
      await fail(directory, disk, fault);
      // The notes of both manifests; none names the run.
      const kept = await numberedNames(disk);
      expect(kept).toEqual(expect.arrayContaining(names));
      expect(kept).toHaveLength(names.length + 1);
      await moveTo(directory, 30);
      await directory.discard();
      expect(await numberedNames(disk)).toHaveLength(names.length);
      expect(Buffer.from((await open(disk.losePower())).notes).toString()).toBe('notes of 30');
    },
  );

  test('leaves one of the two states, whatever is removed and fails behind it', async () => {
    const found = new Set<number>();
    for (let seed = 1; seed <= 60; seed++) {
      const disk = new SimulatedDisk({ seed });
      const directory = await open(disk);
      await moveTo(directory, 10);
      for (const fault of [FROM_RENAME[seed % 3], BEFORE_RENAME[seed % 4]])
        if (fault !== undefined) await fail(directory, disk, fault);
      disk.clearFaults();
      const { manifest, notes } = await open(disk.losePower());
      expect(Buffer.from(notes).toString(), `seed ${seed}`).toBe(`notes of ${manifest.revision}`);
      found.add(manifest.revision);
    }
    expect(found).toEqual(new Set([10, 20]));
  });
});
