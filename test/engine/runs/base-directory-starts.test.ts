/** What a start makes of what a life left whose last sync of the folder failed. */
import { expect, test } from 'vitest';
import { BaseDirectory } from '../../../src/engine/runs/base-directory.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

const DIRECTORY = '/data/base';
const STORE_ID = new Uint8Array(16).fill(7);
const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);

function open(disk: SimulatedDisk): Promise<BaseDirectory> {
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
