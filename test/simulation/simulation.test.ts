import { describe, expect, test } from 'vitest';
import type { Disk } from '../../src/disk/disk.ts';
import { withCalls, withFiles } from '../support/wrapped-disk.ts';
import { engineNamed } from './engines.ts';
import type { MachineOptions } from './machine.ts';
import { simulate } from './simulation.ts';

const HEAP: MachineOptions = { engine: engineNamed('heap') };
const MIRROR: MachineOptions = { engine: engineNamed('mirror') };

describe('a simulated store', () => {
  test('goes the same way twice from the same seed', async () => {
    const hashes = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) {
      const once = await simulate(seed, MIRROR);
      const again = await simulate(seed, { ...MIRROR, isTraced: true });
      expect({ hash: again.hash, steps: again.stepCount }).toEqual({
        hash: once.hash,
        steps: once.stepCount,
      });
      hashes.add(once.hash);
    }
    expect(hashes.size).toBe(20);
  });

  test('counts what is visible when the log fails before the answer', async () => {
    expect((await simulate(6682, { engine: engineNamed('memory') })).failure).toBeUndefined();
  });

  test('is found out when the disk only claims to have flushed a file', async () => {
    const wrapDisk = (disk: Disk): Disk => withFiles(disk, () => ({ sync: () => Promise.resolve() }));
    expect(await failureWithin(50, { ...HEAP, wrapDisk })).toMatch(/was seen, .* was recovered|damaged/);
  });

  test('is found out when the disk only claims to have flushed a folder', async () => {
    const wrapDisk = (disk: Disk): Disk =>
      withCalls(disk, {
        syncDirectory: () => Promise.resolve(),
        openDirectory: async () => ({ sync: () => Promise.resolve(), close: () => Promise.resolve() }),
      });
    expect(await failureWithin(50, { ...HEAP, wrapDisk })).toMatch(/was seen, .* was recovered|damaged/);
  });
});

/** What the first schedule that fails says. */
async function failureWithin(schedules: number, options: MachineOptions): Promise<string | undefined> {
  for (let seed = 1; seed <= schedules; seed++) {
    const { failure } = await simulate(seed, options);
    if (failure !== undefined) return failure.message;
  }
  return undefined;
}
