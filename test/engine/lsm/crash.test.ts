/** A crash, or a failure, at each call of the disk: in flushes, in merges beside them, in what a start does. */
import { describe, expect, it } from 'vitest';
import type { Disk } from '../../../src/disk/disk.ts';
import type { LsmBase } from '../../../src/engine/lsm/lsm-base.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { withCalls, withFiles } from '../../support/wrapped-disk.ts';
import {
  expectState,
  flush,
  notesOf,
  randomStep,
  stateAfter,
  textOf,
  textOfState,
} from '../bitcask/base-model.ts';
import type { State, Step } from '../bitcask/base-model.ts';
import { openSmall } from './small-lsm.ts';

const SHAPE = { keyCount: 25, changeCount: 12, valueBytesMax: 400, deletedShare: 0.3 };
const STEPS = 6;

interface Life {
  readonly disk: SimulatedDisk;
  readonly states: ReadonlyMap<number, State>;
  /** The revision of the last flush that was acknowledged. */
  readonly committed: number;
  readonly hasCrashed: boolean;
}

function stepsOf(seed: number): Step[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: STEPS }, (_, index) => {
    const first = random.below(80);
    const range = { start: Buffer.from(`k${first}`), end: Buffer.from(`k${first + 1}`) };
    const step = randomStep(random, 20 * (index + 1), SHAPE);
    return { ...step, forgotten: random.chance(0.4) ? [range] : [] };
  });
}

/**
 * Flushes, beside which merges go on, merges by hand and opens again, until the disk is about to do its call number `callsUntilEnd`.
 * @param wrap what the base sees of the disk.
 */
async function live(
  seed: number,
  callsUntilEnd: number,
  end: 'losePower' | 'endProcess',
  wrap: (disk: Disk) => Disk = (disk) => disk,
): Promise<Life> {
  let callsLeft = callsUntilEnd;
  let after: SimulatedDisk | undefined;
  const disk = new SimulatedDisk({
    seed: seed * 1000 + callsUntilEnd,
    schedule: (action) =>
      queueMicrotask(() => {
        if (callsLeft-- === 0) after = disk[end]();
        action();
      }),
  });
  const states = new Map<number, State>([[0, new Map()]]);
  let committed = 0;
  let base: LsmBase | undefined;
  try {
    base = await openSmall(wrap(disk));
    for (const [index, step] of stepsOf(seed).entries()) {
      states.set(step.revision, stateAfter(states.get(committed) ?? new Map(), step));
      await flush(base, step);
      committed = step.revision;
      if (index === 4) {
        await base.settled();
        await base.close();
        base = await openSmall(wrap(disk));
      }
    }
    await base.compactStorage();
    await base.close();
    callsLeft = Number.POSITIVE_INFINITY;
  } catch (error) {
    if (after === undefined) throw error;
    await base?.close().catch(() => undefined);
  }
  return { disk: after ?? disk[end](), states, committed, hasCrashed: after !== undefined };
}

/** What a life left is wrong by this; `undefined`: nothing is. */
async function wrongOf({ disk, states, committed }: Life): Promise<string | undefined> {
  let base: LsmBase;
  try {
    base = await openSmall(disk);
  } catch (error) {
    return String(error);
  }
  try {
    const { revision } = base;
    const state = states.get(revision);
    if (state === undefined || revision < committed)
      return `at ${revision}, though ${committed} was committed`;
    if (textOf(base) !== textOfState(state)) return `another state than that of ${revision}`;
    const notes = revision === 0 ? Buffer.alloc(0) : notesOf(revision);
    return Buffer.compare(base.notes, notes) === 0 ? undefined : 'other notes';
  } catch (error) {
    return String(error);
  } finally {
    await base.close();
  }
}

describe.each(['losePower', 'endProcess'] as const)('a crash (%s) at any call', (end) => {
  it('leaves the state of the last flush, or that of the one under way, and a base that goes on', async () => {
    const outcomes = new Set<string>();
    for (const seed of [end === 'losePower' ? 1 : 2]) {
      for (let calls = 0; ; calls++) {
        const what = `seed ${seed}, call ${calls}`;
        const left = await live(seed, calls, end);
        expect(await wrongOf(left), what).toBeUndefined();
        let base = await openSmall(left.disk);
        const { revision } = base;
        outcomes.add(revision === left.committed ? 'last' : 'under way');
        const next = randomStep(new SeededRandom(seed), revision + 20, SHAPE);
        const state = stateAfter(left.states.get(revision) ?? new Map(), next);
        await flush(base, next);
        await base.compactStorage();
        await base.close();
        base = await openSmall(left.disk.losePower());
        expect(textOf(base) === textOfState(state), what).toBe(true);
        if (calls % 16 === 0) expectState(base, state, new SeededRandom(seed));
        await base.close();
        if (!left.hasCrashed) break;
      }
    }
    expect([...outcomes].sort()).toEqual(['last', 'under way']);
  });
});

/** The disk, where some syncs do nothing. */
function withoutSyncs(disk: Disk, kind: string): Disk {
  let isRenamed = false;
  const skipsFile = (path: string): boolean => path.endsWith(kind);
  const skipping = withCalls(disk, {
    create: async (path) => {
      const file = await disk.create(path);
      if (!skipsFile(path)) return file;
      const quiet = withFiles(withCalls(disk, { create: () => Promise.resolve(file) }), () => ({
        sync: () => Promise.resolve(),
      }));
      return quiet.create(path);
    },
    rename: async (from, to) => {
      await disk.rename(from, to);
      isRenamed = true;
    },
    syncDirectory: (path) => {
      const which = isRenamed ? 'manifest name' : 'names';
      isRenamed = false;
      return which === kind ? Promise.resolve() : disk.syncDirectory(path);
    },
  });
  return skipping;
}

async function wrongWithout(kind: string): Promise<string | undefined> {
  let wrong: string | undefined;
  for (let seed = 1; seed <= 3 && wrong === undefined; seed++) {
    for (let calls = 10; wrong === undefined; calls += 3) {
      const left = await live(seed, calls, 'losePower', (disk) => withoutSyncs(disk, kind));
      wrong = await wrongOf(left);
      if (!left.hasCrashed) break;
    }
  }
  return wrong;
}

describe('a sync that is left out', () => {
  it('is what the search finds, and nothing else', async () => {
    expect(await wrongWithout('none')).toBeUndefined();
  });

  it.each(['.run', '.notes', 'manifest.new', 'names', 'manifest name'])(
    'of %s is found by a crash',
    async (kind) => {
      expect(await wrongWithout(kind)).toBeDefined();
    },
  );
});

describe('a call that fails', () => {
  it.each([
    ['a full disk', 'noSpace'],
    ['an error of the device', 'failed'],
  ] as const)('(%s) leaves the old state or the new one, and a base that goes on', async (_, code) => {
    const steps = stepsOf(3);
    const failures = new Set<string>();
    for (let at = 1; at < 150; at++) {
      const what = `call ${at}`;
      const disk = new SimulatedDisk({ seed: at });
      let base = await openSmall(disk);
      let state: State = new Map();
      const possible = new Map<number, State>();
      let failed: Step | undefined;
      disk.injectFault({ call: 'any', at, code });
      for (const step of steps) {
        const next = stateAfter(state, step);
        try {
          await flush(base, step);
          state = next;
          possible.clear();
        } catch {
          failures.add(base.revision === step.revision ? 'new' : 'old');
          // What the process goes on with is the old state; a crash may find the new one.
          possible.set(step.revision, next);
          failed = step;
        }
        expect(readTwice(base) === textOfState(withHidden(state, failed)), what).toBe(true);
        if (failed !== undefined) break;
      }
      const committed = base.revision;
      possible.set(committed, state);
      await base.settled();
      if (at % 2 === 0) {
        // It goes on, and what it does then counts.
        const again = {
          ...randomStep(new SeededRandom(at), 1000, SHAPE),
          forgotten: failed?.forgotten ?? [],
        };
        disk.clearFaults();
        await flush(base, again);
        await base.close();
        base = await openSmall(disk.losePower());
        expect(base.revision, what).toBe(1000);
        expect(textOf(base) === textOfState(stateAfter(state, again)), what).toBe(true);
      } else {
        await base.close().catch(() => undefined);
        disk.clearFaults();
        base = await openSmall(disk.losePower());
        const found = possible.get(base.revision);
        expect(found, `${what}: ${base.revision}`).toBeDefined();
        expect(textOf(base) === textOfState(found ?? new Map()), what).toBe(true);
      }
      await base.close();
    }
    expect(failures.has('old')).toBe(true);
  });
});

/** The call that fails may be a read of this one; the next one does not. */
function readTwice(base: LsmBase): string {
  try {
    return textOf(base);
  } catch {
    return textOf(base);
  }
}

/** The state where the ranges are hidden already that a step which failed was to forget. */
function withHidden(state: State, step: Step | undefined): State {
  return step === undefined ? state : stateAfter(state, { ...step, changes: [] });
}
