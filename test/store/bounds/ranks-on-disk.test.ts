/**
 * What an engine on disk looks at to find ranks is bounded: many places of one range are found by going through it once at most. Counted in
 * steps of the base's cursors; no time is asserted.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elementKey, elementsWithTag, tags } from '../../../src/store/collections/collection-keys.ts';
import { kinds } from '../../../src/store/collections/kinds.ts';
import type { View } from '../../../src/store/views/view.ts';
import { spreadMetadata } from '../../../src/types/collections/metadata.ts';
import { areFewToSelect } from '../../../src/types/collections/random-elements.ts';
import { memoryUsageOf } from '../../../src/types/keys/memory-usage.ts';
import { meanValueBytes } from '../../../src/kv/reads/mean-value.ts';
import type { MapBase } from '../../engine/layered/map-base.ts';
import { Bases } from '../durable/layered-store.ts';
import { SeamHarness } from '../seam/seam-harness.ts';

const MEMBERS = 6000;
/** More than the mean of values takes all of. */
const USERS = 2000;
const KEY = Buffer.from('set');
let harness: SeamHarness;
let id: number;
let steps: number;

beforeAll(async () => {
  const bases = new Bases();
  harness = await SeamHarness.openShared({ engine: 'lsm', makeEngine: bases.makeEngine });
  const { store } = harness;
  id = store.decide((view) => {
    const collectionId = view.newCollectionId();
    view.put(KEY, spreadMetadata(1).value, { kind: kinds.set, collectionId });
    return collectionId;
  }).result;
  store.decide((view) => {
    for (let index = 0; index < MEMBERS; index++) view.put(memberAt(index), Buffer.alloc(0));
    for (let index = 0; index < USERS; index++) view.put(Buffer.from(`user ${index}`), KEY);
    view.put(KEY, spreadMetadata(MEMBERS).value, { kind: kinds.set, collectionId: id });
  });
  await harness.calls.snapshot();
  countSteps(bases.newest);
}, 120_000);

afterAll(() => harness.close());

function countSteps(base: MapBase): void {
  const cursor = base.cursor.bind(base);
  base.cursor = (...given) => {
    const opened = cursor(...given);
    return {
      next: (placed) => {
        steps++;
        return opened.next(placed);
      },
      close: () => opened.close(),
    };
  };
}

const memberAt = (index: number): Uint8Array =>
  elementKey(id, tags.member, Buffer.from(String(100_000 + index)));

const all = () => elementsWithTag(id, tags.member);

interface Done {
  readonly steps: number;
  readonly error: unknown;
}

const TAKEN_BACK = new Error('what a test has changed is not for the next one');

/** Runs a transaction that is taken back. */
function done(run: (view: View) => void): Done {
  steps = 0;
  let error: unknown;
  try {
    harness.store.decide((given) => {
      run(given);
      throw TAKEN_BACK;
    });
  } catch (thrown) {
    if (thrown !== TAKEN_BACK) error = thrown;
  }
  return { steps, error };
}

const every = (count: number, step: number): Float64Array =>
  Float64Array.from({ length: count }, (_, index) => index * step);

describe('over an engine on disk', () => {
  it('many places of a set are found by going through it once, and taken out', () => {
    const { steps: looked, error } = done((view) => {
      const keys = view.deleteElementsAt(all(), every(1800, 3));
      expect(keys.length).toBe(1800);
      expect(Buffer.compare(keys[1001] ?? KEY, memberAt(3003))).toBe(0);
      expect(view.count(all())).toBe(MEMBERS - 1800);
    });
    expect(error).toBeUndefined();
    expect(looked).toBeLessThan(MEMBERS + 1500);
  });

  it('some of them are found among what the transaction has changed, too', () => {
    const { error } = done((view) => {
      for (let index = 0; index < MEMBERS; index += 1000) view.delete(memberAt(index));
      view.put(memberAt(MEMBERS), Buffer.alloc(0));
      const live = MEMBERS - MEMBERS / 1000 + 1;
      const keys = view.selectAll(all(), Float64Array.of(0, 998, 999, 1998, live - 2, live - 1));
      expect(
        keys.map((key) => Number(Buffer.from(key).toString('latin1', key.length - 6)) - 100_000),
      ).toEqual([1, 999, 1001, 2001, MEMBERS - 1, MEMBERS]);
    });
    expect(error).toBeUndefined();
  });

  it('as many are found by their places at once as have room in the budget', () => {
    const { error } = done((view) => {
      expect(areFewToSelect(view, 500)).toBe(true);
      expect(areFewToSelect(view, 5000)).toBe(false);
    });
    expect(error).toBeUndefined();
  });

  it('samples of many places are found so, too', () => {
    expect(
      done((view) => expect(memoryUsageOf(view, KEY, 0)).toBeGreaterThan(MEMBERS)).error,
    ).toBeUndefined();
    expect(done((view) => expect(meanValueBytes(view)).toBeCloseTo(KEY.length)).error).toBeUndefined();
  });
});
