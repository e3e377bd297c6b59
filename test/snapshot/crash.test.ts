import { describe, expect, it } from 'vitest';
import { listSnapshots } from '../../src/snapshot/snapshot-directory.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { DIRECTORY, example, readSnapshot, writeSnapshot } from './whole-snapshot.ts';

/** Writes revision 1 in peace, then revision 2 until the disk is about to do its call number `callsUntilEnd`. */
async function crashWhileWriting(
  seed: number,
  callsUntilEnd: number,
  end: 'losePower' | 'endProcess',
): Promise<{ disk: SimulatedDisk; isFinished: boolean; hasCrashed: boolean }> {
  let callsLeft = Number.POSITIVE_INFINITY;
  let after: SimulatedDisk | undefined;
  const disk = new SimulatedDisk({
    seed,
    schedule: (action) =>
      queueMicrotask(() => {
        if (callsLeft-- === 0) after = disk[end]();
        action();
      }),
  });
  await disk.makeDirectory(DIRECTORY);
  await writeSnapshot(disk, 1, example);
  callsLeft = callsUntilEnd;
  const isFinished = await writeSnapshot(disk, 2, example).then(
    () => true,
    () => false,
  );
  callsLeft = Number.POSITIVE_INFINITY;
  return { disk: after ?? disk[end](), isFinished, hasCrashed: after !== undefined };
}

describe.each(['losePower', 'endProcess'] as const)('a crash (%s) at any call', (end) => {
  it('leaves only whole snapshots under their names, and each that was finished', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 15; seed++) {
      for (let calls = 0; ; calls++) {
        const { disk, isFinished, hasCrashed } = await crashWhileWriting(seed, calls, end);
        const revisions = (await listSnapshots(disk, DIRECTORY)).map(({ revision }) => revision);
        expect(revisions).toContain(1);
        if (isFinished) expect(revisions).toContain(2);
        for (const revision of revisions) {
          const { blocks, error } = await readSnapshot(disk, revision);
          expect(error).toBeUndefined();
          expect(blocks).toEqual(example.blocks);
        }
        outcomes.add(`${isFinished ? 'finished' : 'unfinished'}, ${revisions.length} found`);
        if (!hasCrashed) break;
      }
    }
    expect([...outcomes].sort()).toEqual(['finished, 2 found', 'unfinished, 1 found', 'unfinished, 2 found']);
  });
});
