/** A crash at each call of the disk: in flushes, in merges, in what a start does. */
import { describe, expect, it } from 'vitest';
import type { Base } from '../../../src/engine/layered/base.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import {
  expectState,
  flush,
  notesOf,
  randomStep,
  stateAfter,
  textOf,
  textOfState,
  type State,
  type Step,
} from './base-model.ts';
import { openSmall, rangeOf } from './small-base.ts';

const SHAPE = { keyCount: 25, changeCount: 14, valueBytesMax: 1500, deletedShare: 0.3 };
const STEPS = 5;

interface Run {
  readonly disk: SimulatedDisk;
  readonly states: ReadonlyMap<number, State>;
  /** The revision of the last flush that was acknowledged. */
  readonly committed: number;
  readonly hasCrashed: boolean;
}

function stepsOf(seed: number): Step[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: STEPS }, (_, index) => ({
    ...randomStep(random, 20 * (index + 1), SHAPE),
    forgotten: random.chance(0.4) ? [rangeOf(random)] : [],
  }));
}

/** Flushes, merges and reopens until the disk is about to do its call number `callsUntilEnd`. */
async function work(seed: number, callsUntilEnd: number, end: 'losePower' | 'endProcess'): Promise<Run> {
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
  const states = new Map<number, State>([[0, new Map()]]);
  let committed = 0;
  let base: Base | undefined;
  try {
    base = await openSmall(disk);
    for (const [index, step] of stepsOf(seed).entries()) {
      states.set(step.revision, stateAfter(states.get(committed) ?? new Map(), step));
      await flush(base, step);
      committed = step.revision;
      if (index % 3 === 1) await base.compactStorage();
      if (index === 3) {
        await base.close();
        base = await openSmall(disk);
      }
    }
    await base.close();
    callsLeft = Number.POSITIVE_INFINITY;
  } catch (error) {
    if (after === undefined) throw error;
    await base?.close().catch(() => undefined);
  }
  return { disk: after ?? disk[end](), states, committed, hasCrashed: after !== undefined };
}

describe.each(['losePower', 'endProcess'] as const)('a crash (%s) at any call', (end) => {
  it('leaves the state of the last flush, or that of the one under way, and a base that goes on', async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 2; seed++) {
      for (let calls = 0; ; calls++) {
        const { disk, states, committed, hasCrashed } = await work(seed, calls, end);
        const random = new SeededRandom(seed);
        let base = await openSmall(disk);
        const { revision } = base;
        const what = `seed ${seed}, call ${calls}: revision ${revision}, ${committed} was committed`;
        const state = states.get(revision);
        expect(state !== undefined && revision >= committed, what).toBe(true);
        expect(textOf(base), what).toBe(textOfState(state!));
        expect(Buffer.from(base.notes), what).toEqual(revision === 0 ? Buffer.alloc(0) : notesOf(revision));
        const next = randomStep(random, revision + 20, SHAPE);
        await flush(base, next);
        await base.compactStorage();
        await base.close();
        base = await openSmall(disk);
        expect(textOf(base), what).toBe(textOfState(stateAfter(state!, next)));
        if (calls % 16 === 0) expectState(base, stateAfter(state!, next), random);
        await base.close();
        outcomes.add(revision === committed ? 'last' : 'under way');
        if (!hasCrashed) break;
      }
    }
    expect([...outcomes].sort()).toEqual(['last', 'under way']);
  });
});
