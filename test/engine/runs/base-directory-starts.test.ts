/** What a start makes of what a life left whose last sync of the folder failed, also where the disk has no room for anything. */
import { describe, expect, test } from 'vitest';
import type { Disk } from '../../../src/disk/disk.ts';
import { BaseDirectory } from '../../../src/engine/runs/base-directory.ts';
import { runName } from '../../../src/engine/runs/file-names.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { withCalls } from '../../support/wrapped-disk.ts';

const DIRECTORY = '/data/base';
const STORE_ID = new Uint8Array(16).fill(7);
const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);

function open(disk: Disk): Promise<BaseDirectory> {
  return BaseDirectory.open({ disk, directory: DIRECTORY, engine: 'lsm', storeId: STORE_ID });
}

function moveTo(directory: BaseDirectory, revision: number): Promise<void> {
  return directory.change((manifest) => ({ ...manifest, revision }), Buffer.from(`notes of ${revision}`));
}

/** The disk of a process that has ended when the last sync of a change had failed. */
async function leftBy(seed: number): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed });
  const directory = await open(disk);
  await moveTo(directory, 10);
  // The first one is that of the notes.
  disk.injectFault({ call: 'syncDirectory', at: 2, effect: 'part' });
  await expect(moveTo(directory, 20)).rejects.toThrow('syncDirectory');
  return disk.endProcess();
}

test('what a start has found is there after a loss of power, too', async () => {
  for (const seed of SEEDS) {
    const disk = await leftBy(seed);
    const { revision } = (await open(disk)).manifest;
    const { manifest, notes } = await open(disk.losePower());
    expect(manifest.revision, `seed ${seed}`).toBe(revision);
    expect(Buffer.from(notes).toString(), `seed ${seed}`).toBe(`notes of ${revision}`);
  }
});

test('a loss of power within a start leaves a state that can be opened', async () => {
  for (const seed of SEEDS) {
    for (let call = 1; call <= 12; call++) {
      const disk = await leftBy(seed);
      disk.injectFault({ call: 'any', at: call, isPermanent: true });
      await open(disk).catch(() => undefined);
      disk.clearFaults();
      const { manifest, notes } = await open(disk.losePower());
      expect([10, 20], `seed ${seed}, call ${call}`).toContain(manifest.revision);
      expect(Buffer.from(notes).toString()).toBe(`notes of ${manifest.revision}`);
    }
  }
});

describe('a start on a full disk', () => {
  /** All that makes a file longer has no room. */
  async function openFull(disk: SimulatedDisk): Promise<BaseDirectory> {
    disk.injectFault({ call: 'write', code: 'noSpace', isPermanent: true });
    return open(disk);
  }

  test('shows what it has found, and removes nothing of the state before, since a crash may find it', async () => {
    const found = new Set<number>();
    for (const seed of SEEDS) {
      const disk = await leftBy(seed);
      const names = await disk.list(DIRECTORY);
      const directory = await openFull(disk);
      expect(directory.manifest.revision).toBe(20);
      expect(Buffer.from(directory.notes).toString()).toBe('notes of 20');
      expect(directory.unsettled).toMatchObject({ code: 'noSpace' });
      await expect(moveTo(directory, 30)).rejects.toMatchObject({ code: 'noSpace' });
      await directory.discard();
      expect(await disk.list(DIRECTORY), `seed ${seed}`).toEqual(expect.arrayContaining(names));
      expect(directory.unsettled).toBeDefined();
      disk.clearFaults();
      const { manifest, notes } = await open(disk.losePower());
      expect(Buffer.from(notes).toString(), `seed ${seed}`).toBe(`notes of ${manifest.revision}`);
      found.add(manifest.revision);
    }
    // Both can be found, or this shows nothing.
    expect(found).toEqual(new Set([10, 20]));
  });

  test('makes up for it with the next change, and removes then what is not needed', async () => {
    for (const seed of SEEDS) {
      const disk = await leftBy(seed);
      const directory = await openFull(disk);
      disk.clearFaults();
      await moveTo(directory, 30);
      expect(directory.unsettled).toBeUndefined();
      await directory.discard();
      const names = await disk.list(DIRECTORY);
      expect(names.filter((name) => /^\d+/.test(name))).toHaveLength(1);
      const { manifest, notes } = await open(disk.losePower());
      expect(manifest.revision, `seed ${seed}`).toBe(30);
      expect(Buffer.from(notes).toString(), `seed ${seed}`).toBe('notes of 30');
    }
  });

  test('a loss of power within that change leaves a state that can be opened', async () => {
    for (const seed of SEEDS) {
      for (let call = 1; call <= 12; call++) {
        const disk = await leftBy(seed);
        const directory = await openFull(disk);
        disk.clearFaults();
        disk.injectFault({ call: 'any', at: call, isPermanent: true });
        await moveTo(directory, 30)
          .then(() => directory.discard())
          .catch(() => undefined);
        disk.clearFaults();
        const { manifest, notes } = await open(disk.losePower());
        expect([10, 20, 30], `seed ${seed}, call ${call}`).toContain(manifest.revision);
        expect(Buffer.from(notes).toString()).toBe(`notes of ${manifest.revision}`);
      }
    }
  });

  test('removes what no manifest can name, and no other file gets the number of one that is left', async () => {
    for (const seed of SEEDS) {
      const disk = await leftBy(seed);
      const names = await disk.list(DIRECTORY);
      for (const number of [3, 4, 1000]) await (await disk.create(`${DIRECTORY}/${runName(number)}`)).close();
      const directory = await openFull(disk);
      expect(directory.unsettled).toBeDefined();
      expect(await disk.list(DIRECTORY)).not.toContain(runName(3));
      expect(await disk.list(DIRECTORY)).toEqual(expect.arrayContaining(names));
      expect(directory.takeNumber()).toBe(3);
      disk.clearFaults();
      const { manifest, notes } = await open(disk.losePower());
      expect(Buffer.from(notes).toString(), `seed ${seed}`).toBe(`notes of ${manifest.revision}`);
    }
  });

  test('has room again once that is removed', async () => {
    const simulated = await leftBy(1);
    const left = `${DIRECTORY}/${runName(3)}`;
    await (await simulated.create(left)).close();
    simulated.injectFault({ call: 'write', code: 'noSpace', isPermanent: true });
    const disk = withCalls(simulated, {
      remove: async (path) => {
        await simulated.remove(path);
        if (path === left) simulated.clearFaults();
      },
    });
    const directory = await open(disk);
    expect(directory.unsettled).toBeUndefined();
    expect(directory.manifest.revision).toBe(20);
  });

  test('keeps nothing of what is given up in its life', async () => {
    for (const seed of SEEDS) {
      const disk = await leftBy(seed);
      const directory = await openFull(disk);
      const names = await disk.list(DIRECTORY);
      for (let round = 0; round < 3; round++) {
        const number = directory.takeNumber();
        await (await disk.create(directory.runPath(number))).close();
        await expect(moveTo(directory, 30)).rejects.toMatchObject({ code: 'noSpace' });
        await directory.discard([number]);
        expect(await disk.list(DIRECTORY), `seed ${seed}`).toEqual(names);
      }
      disk.clearFaults();
      const { manifest, notes } = await open(disk.losePower());
      expect(Buffer.from(notes).toString(), `seed ${seed}`).toBe(`notes of ${manifest.revision}`);
    }
  });
});
