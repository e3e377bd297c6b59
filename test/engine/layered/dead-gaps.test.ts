/** Queues whose keys lie in the base: what was taken from them hides keys there until a checkpoint, and scans pass over it at once. */
import { describe, expect, it } from 'vitest';
import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { bytes, deletion, put } from '../contract/changes.ts';
import { ALL_KEYS, NEWEST, asText } from '../contract/forms.ts';
import { MapBase } from './map-base.ts';

const KEYS = 4000;
const nameOf = (index: number): string => `q${String(index).padStart(6, '0')}`;

class Queue {
  readonly engine = new LayeredEngine(new MapBase(), { clock: new ManualClock() });
  revision = 0;

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

  it('finds none at the end of an empty one with little work when it asks again', async () => {
    const queue = new Queue();
    await queue.fill();
    for (let index = 0; index < KEYS; index++) queue.delete(nameOf(index));
    const range = { start: bytes('q'), end: bytes('r') };
    const visitsOf = (): number => {
      const budget = new WorkBudget();
      expect(queue.engine.scan(range, NEWEST, { reverse: false, budget }, () => true)).toBeUndefined();
      return budget.visitsSpent;
    };
    expect(visitsOf()).toBeGreaterThanOrEqual(KEYS);
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
