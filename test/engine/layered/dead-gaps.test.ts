/** Queues whose keys lie in the base: what was taken from them hides keys there until a checkpoint, and scans pass over it at once. */
import { describe, expect, it } from 'vitest';
import { type Base, DELETED_PER_STEP } from '../../../src/engine/layered/base/base.ts';
import { SPLIT_ABOVE } from '../../../src/engine/layered/census/census.ts';
import { behindKey } from '../../../src/engine/layered/dead-gaps.ts';
import type { EngineRange } from '../../../src/engine/engine.ts';
import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { bytes, deletion, put } from '../contract/changes.ts';
import { ALL_KEYS, NEWEST, asText } from '../contract/forms.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { openSmall } from '../lsm/small-lsm.ts';
import { MapBase } from './map-base.ts';

const KEYS = 4000;
const nameOf = (index: number): string => `q${String(index).padStart(6, '0')}`;

class Queue {
  readonly engine: LayeredEngine;
  revision = 0;

  constructor(base: Base = new MapBase()) {
    this.engine = new LayeredEngine(base, { clock: new ManualClock() });
  }

  async fill(): Promise<void> {
    for (let index = 0; index < KEYS; index++) this.put(nameOf(index));
    await this.checkpoint();
  }

  async checkpoint(): Promise<void> {
    this.engine.durable.seal(this.revision);
    this.engine.compact(this.revision);
    await this.engine.durable.commit(new Uint8Array(0));
  }

  put(key: string): void {
    this.engine.apply(put(key, ++this.revision, 'v'));
  }

  delete(key: string): void {
    this.engine.apply(deletion(key, ++this.revision));
  }

  /** The first key, or the last, at a revision, and what it cost to find it. */
  end(reverse: boolean, revision = NEWEST): { readonly key: string | undefined; readonly visits: number } {
    const budget = new WorkBudget();
    let key: string | undefined;
    this.engine.scan(ALL_KEYS, revision, { reverse, budget }, (shown) => {
      key = asText(shown.key);
      return false;
    });
    return { key, visits: budget.visitsSpent };
  }
}

describe('a queue over a base', () => {
  it.each([false, true])(
    'is taken from at an end (the last: %s) with the same bounded work, however much was taken',
    async (reverse) => {
      const queue = new Queue();
      await queue.fill();
      let visitsMax = 0;
      for (let taken = 0; taken < KEYS - 1; taken++) {
        const { key, visits } = queue.end(reverse);
        expect(key).toBe(nameOf(reverse ? KEYS - 1 - taken : taken));
        visitsMax = Math.max(visitsMax, visits);
        queue.delete(key ?? '');
      }
      expect(visitsMax).toBeLessThan(400);
      // A reader that is some revisions behind passes over most of it, too.
      expect(queue.end(reverse, queue.revision - 5).visits).toBeLessThan(1500);
      expect(queue.engine.count(ALL_KEYS)).toBe(1);
    },
  );

  it('finds none at the end of an empty one with little work', async () => {
    const queue = new Queue();
    await queue.fill();
    for (let index = 0; index < KEYS; index++) queue.delete(nameOf(index));
    const range = { start: bytes('q'), end: bytes('r') };
    const visitsOf = (): number => {
      const budget = new WorkBudget();
      expect(queue.engine.scan(range, NEWEST, { reverse: false, budget }, () => true)).toBeUndefined();
      return budget.visitsSpent;
    };
    expect(visitsOf()).toBeLessThan(100);
  });

  it('shows keys that come back into what was passed over, and those of older revisions, beside a plain model', async () => {
    const seed = 11;
    const random = new SeededRandom(seed);
    const queue = new Queue();
    await queue.fill();
    const alive = new Set(Array.from({ length: KEYS }, (_, index) => index));
    const held: { readonly revision: number; readonly keys: string }[] = [];
    const keysAt = (revision: number, reverse: boolean): string => {
      const keys: string[] = [];
      const budget = new WorkBudget();
      queue.engine.scan(ALL_KEYS, revision, { reverse, budget }, ({ key }) => keys.push(asText(key)) > 0);
      return (reverse ? keys.reverse() : keys).join(' ');
    };
    for (let step = 0; step < 60; step++) {
      const from = random.below(KEYS);
      const length = random.below(random.pick([30, 600]));
      for (let index = from; index < Math.min(KEYS, from + length); index++) {
        const isBorn = random.chance(0.02);
        if (isBorn && !alive.has(index)) {
          queue.put(nameOf(index));
          alive.add(index);
        } else if (!isBorn && alive.delete(index)) queue.delete(nameOf(index));
      }
      const back = random.below(KEYS);
      if (!alive.has(back)) queue.put(nameOf(back));
      alive.add(back);
      const expected = [...alive]
        .sort((a, b) => a - b)
        .map(nameOf)
        .join(' ');
      expect(keysAt(NEWEST, step % 2 === 0), `seed ${seed}, step ${step}`).toBe(expected);
      expect(keysAt(NEWEST, step % 2 === 1), `seed ${seed}, step ${step}, again`).toBe(expected);
      held.push({ revision: queue.revision, keys: expected });
      const old = random.pick(held);
      expect(keysAt(old.revision, random.chance(0.5)), `seed ${seed}, step ${step}, at ${old.revision}`).toBe(
        old.keys,
      );
      if (step % 20 === 19) {
        await queue.checkpoint();
        held.length = 0;
        held.push({ revision: queue.revision, keys: expected });
      }
    }
  });
});

describe('what hides keys of a base', () => {
  it.each([1 / 2, 1 / 20, 1 / 500, 0])(
    'is passed over between two live keys with bounded work where %d are left',
    async (part) => {
      const random = new SeededRandom(7);
      const queue = new Queue();
      await queue.fill();
      const left: string[] = [];
      const order = Array.from({ length: KEYS }, (_, index) => index);
      for (let count = KEYS; count > 0; count--) {
        const [index = 0] = order.splice(random.below(count), 1);
        if (random.chance(part)) left.push(nameOf(index));
        else queue.delete(nameOf(index));
      }
      left.sort();
      verifyIntegrity(queue.engine);
      for (const reverse of [false, true]) {
        const found: string[] = [];
        let range: EngineRange = ALL_KEYS;
        let visits = 0;
        let visitsMax = 0;
        const budget = new WorkBudget(1_000_000);
        // Each by itself, so that none of them has the whole way.
        for (let isOver = false; !isOver;) {
          const before = found.length;
          queue.engine.scan(range, NEWEST, { reverse, budget }, ({ key }) => {
            found.push(asText(key));
            range = reverse ? { ...range, end: key.slice() } : { ...range, start: behindKey(key) };
            return false;
          });
          isOver = found.length === before;
          visitsMax = Math.max(visitsMax, budget.visitsSpent - visits);
          visits = budget.visitsSpent;
        }
        expect(reverse ? found.reverse() : found).toEqual(left);
        expect(visitsMax).toBeLessThan(2 * SPLIT_ABOVE + 60);
      }
      for (const [index, key] of left.entries()) expect(queue.engine.rank(ALL_KEYS, bytes(key))).toBe(index);
    },
  );

  it('leaves no buckets for keys that are gone once a checkpoint has taken it away', async () => {
    const queue = new Queue();
    await queue.fill();
    const bucketCount = (): number => [...queue.engine.newestState.census.buckets()].length;
    const before = bucketCount();
    for (let index = 0; index < KEYS; index++) if (index % 100 !== 0) queue.delete(nameOf(index));
    expect(bucketCount()).toBe(before);
    await queue.checkpoint();
    while (queue.engine.maintain());
    expect(bucketCount()).toBeLessThan(5);
    verifyIntegrity(queue.engine);
    for (let index = 0; index < KEYS; index++) if (index % 100 !== 0) queue.put(nameOf(index));
    verifyIntegrity(queue.engine);
  });
});

describe('deletions that a base keeps until it merges', () => {
  it.each([false, true])('are passed over in front of a queue (from behind: %s)', async (reverse) => {
    const base = await openSmall(new SimulatedDisk({ seed: 5 }));
    const queue = new Queue(base);
    await queue.fill();
    const indexOf = (taken: number): number => (reverse ? KEYS - 1 - taken : taken);
    // None of them is looked for, so that no scan has passed over them before they come to lie in the base.
    for (let taken = 0; taken < KEYS / 2; taken++) queue.delete(nameOf(indexOf(taken)));
    await queue.checkpoint();
    while (queue.engine.maintain());
    expect(base.hasDeletions).toBe(true);
    let visitsMax = 0;
    for (let taken = KEYS / 2; taken < KEYS - 1; taken++) {
      if (taken % 300 === 0) await queue.checkpoint();
      const { key, visits } = queue.end(reverse);
      expect(key).toBe(nameOf(indexOf(taken)));
      // Reads of blocks that the cache has not are paid, too.
      visitsMax = Math.max(visitsMax, visits);
      queue.delete(key ?? '');
    }
    expect(visitsMax).toBeLessThan(2 * SPLIT_ABOVE + 4 * DELETED_PER_STEP);
    await base.close();
  });

  it('are paid for where they are stepped over', async () => {
    const base = await openSmall(new SimulatedDisk({ seed: 5 }));
    const queue = new Queue(base);
    await queue.fill();
    for (let index = 1; index < KEYS - 1; index++) queue.delete(nameOf(index));
    await queue.checkpoint();
    // What scans have found is not known to a start.
    const started = await new LayeredEngine(base, { clock: new ManualClock() }).open();
    while (started.maintain());
    const visitsOf = (): number => {
      const budget = new WorkBudget();
      const keys: string[] = [];
      started.scan(ALL_KEYS, NEWEST, { reverse: false, budget }, ({ key }) => keys.push(asText(key)) > 0);
      expect(keys).toEqual([nameOf(0), nameOf(KEYS - 1)]);
      return budget.visitsSpent;
    };
    expect(visitsOf()).toBeGreaterThan(KEYS - 3 * DELETED_PER_STEP);
    expect(visitsOf()).toBeLessThan(4 * DELETED_PER_STEP);
    expect(started.rank(ALL_KEYS, bytes('r'))).toBe(2);
    await base.close();
  });
});
