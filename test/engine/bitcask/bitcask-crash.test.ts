/** A crash at each call of the disk: in flushes, in merges, in what a start does. */
import { describe, expect, it } from 'vitest';
import type { Disk } from '../../../src/disk/disk.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { withCalls, withFiles } from '../../support/wrapped-disk.ts';
import { expectState, flush, notesOf, randomStep, stateAfter, textOf, textOfState } from './base-model.ts';
import { openSmall } from './small-base.ts';
import { Life, REVISIONS_PER_STEP, SHAPE } from './steps.ts';

type End = 'losePower' | 'endProcess';

/** Lives until the disk is about to do its call number `callsUntilEnd`. */
async function crash(
  seed: number,
  callsUntilEnd: number,
  end: End,
  wrap: (disk: Disk) => Disk = (disk) => disk,
): Promise<{ disk: SimulatedDisk; life: Life; hasCrashed: boolean }> {
  let callsLeft = callsUntilEnd;
  let after: SimulatedDisk | undefined;
  const disk = new SimulatedDisk({
    seed,
    schedule: (action) =>
      queueMicrotask(() => {
        if (callsLeft-- === 0) after = disk[end]();
        action();
      }),
  });
  const life = new Life();
  try {
    await life.live(wrap(disk), seed);
  } catch (error) {
    if (after === undefined) throw error;
    await life.base?.close().catch(() => undefined);
  }
  callsLeft = Number.POSITIVE_INFINITY;
  return { disk: after ?? disk[end](), life, hasCrashed: after !== undefined };
}

/** Holds that a crash has left a state that it may leave, and a base that goes on. @returns its revision. */
async function expectWhole(disk: SimulatedDisk, life: Life, seed: number, what: string): Promise<number> {
  const random = new SeededRandom(seed);
  let base = await openSmall(disk);
  const { revision } = base;
  const state = life.states.get(revision);
  expect(state !== undefined && revision >= life.committed, `${what}: revision ${revision}`).toBe(true);
  expect(textOf(base), what).toBe(textOfState(state!));
  expect(Buffer.from(base.notes), what).toEqual(revision === 0 ? Buffer.alloc(0) : notesOf(revision));
  const next = randomStep(random, revision + REVISIONS_PER_STEP, SHAPE);
  await flush(base, next);
  await base.compactStorage();
  await base.close();
  base = await openSmall(disk);
  expect(textOf(base), what).toBe(textOfState(stateAfter(state!, next)));
  if (random.chance(0.1)) expectState(base, stateAfter(state!, next), random);
  await base.close();
  return revision;
}

describe.each([
  ['losePower', 1],
  ['endProcess', 3],
] as const)('a crash (%s) at any call', (end, step) => {
  it('leaves the state of the last flush, or that of the one under way, and a base that goes on', async () => {
    const outcomes = new Set<string>();
    // All calls of one life, or a part, and some of others.
    for (let seed = 1; seed <= 3; seed++) {
      for (let calls = seed; ; calls += seed === 1 ? step : 19) {
        const { disk, life, hasCrashed } = await crash(seed, calls, end);
        const revision = await expectWhole(disk, life, seed, `seed ${seed}, call ${calls}`);
        outcomes.add(revision === life.committed ? 'last' : 'under way');
        if (!hasCrashed) break;
      }
    }
    expect([...outcomes].sort()).toEqual(['last', 'under way']);
  }, 120_000);
});

/** Disks on which nothing comes of one of the syncs. */
const forgetful: Readonly<Record<string, (disk: Disk) => Disk>> = {
  'of a run': (disk) => withoutSync(disk, '.run'),
  'of the notes': (disk) => withoutSync(disk, '.notes'),
  'of the manifest': (disk) => withoutSync(disk, 'manifest.new'),
  'of the directory': (disk) => withCalls(disk, { syncDirectory: () => Promise.resolve() }),
};

function withoutSync(disk: Disk, pathEnd: string): Disk {
  return withCalls(disk, {
    async create(path) {
      const file = await disk.create(path);
      if (!path.endsWith(pathEnd)) return file;
      const over = withFiles(withCalls(disk, { create: () => Promise.resolve(file) }), () => ({
        sync: () => Promise.resolve(),
      }));
      return over.create(path);
    },
  });
}

describe('a crash on a disk on which nothing comes of a sync', () => {
  it.each(Object.keys(forgetful))('%s is found by this test', async (which) => {
    const isCaught = async (): Promise<boolean> => {
      for (let seed = 1; seed <= 30; seed++) {
        for (let calls = 20 + seed; ; calls += 17) {
          const { disk, life, hasCrashed } = await crash(seed, calls, 'losePower', forgetful[which]);
          const isWhole = await expectWhole(disk, life, seed, 'a state').then(
            () => true,
            () => false,
          );
          if (!isWhole) return true;
          if (!hasCrashed) break;
        }
      }
      return false;
    };
    expect(await isCaught()).toBe(true);
  });
});
