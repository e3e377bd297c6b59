/** Fields with a time to live against a model: what is past its time is never shown, and goes with a count that is right. */
import { describe, expect, it } from 'vitest';
import { collectionIdOf, elementsWithTag, tags } from '../../../src/store/collections/collection-keys.ts';
import { ELEMENT, SWEPT } from '../../../src/store/views/regions.ts';
import type { ReadView, View } from '../../../src/store/views/view.ts';
import { visitElements } from '../../../src/types/collections/element-table.ts';
import { isPacked, readCount } from '../../../src/types/collections/metadata.ts';
import { isTimed } from '../../../src/types/collections/timed-table.ts';
import { swapDatabases } from '../../../src/types/databases/swapping.ts';
import {
  deadlineOfField,
  removeFieldDeadline,
  setFieldDeadline,
} from '../../../src/types/hash/field-deadlines.ts';
import { changeField, editHash, hashType, readHash } from '../../../src/types/hash/hash.ts';
import { copyKey } from '../../../src/types/keys/copying.ts';
import { moveKey } from '../../../src/types/keys/moving.ts';
import { bytesOf, SeamHarness, textOf } from '../../store/seam/seam-harness.ts';
import { SharedBatches } from '../../store/replication/shared-batches.ts';
import { linesOf, unsweptCount } from '../../store/replication/same-state.ts';
import { TestNode } from '../../store/replication/test-node.ts';
import { SeededRandom } from '../../support/random.ts';
import { KEPT_HISTORY } from '../../support/test-engine.ts';

interface Field {
  readonly value: string;
  /** 0: none. */
  readonly deadlineMs: number;
}

type Hashes = Map<string, Map<string, Field>>;

const KEYS = ['a', 'b', 'c'];
const key = bytesOf('key');

/** What is to be seen at an instant. */
function shown(fields: ReadonlyMap<string, Field> | undefined, instantMs: number): Map<string, Field> {
  const live = [...(fields ?? [])].filter(([, { deadlineMs }]) => deadlineMs === 0 || deadlineMs > instantMs);
  return new Map(live);
}

function readAll(view: ReadView, name: string): Map<string, Field> {
  const fields = new Map<string, Field>();
  const hash = readHash(view, bytesOf(name));
  if (hash === undefined) return fields;
  visitElements(view, hash, hashType, undefined, (field, value) => {
    const deadlineMs = deadlineOfField(view, hash, field) ?? -1;
    fields.set(textOf(field), { value: textOf(value), deadlineMs });
    return true;
  });
  return fields;
}

/** The count of each hash is that of its keys, whatever is past its deadline. */
function checkCounts(view: View): void {
  for (const name of KEYS) {
    const hash = readHash(view, bytesOf(name));
    if (hash === undefined || isPacked(hash)) continue;
    const keyCount = view.count(elementsWithTag(hash.collectionId, tags.field));
    expect(readCount(hash).count).toBe(keyCount);
    expect(keyCount).toBeGreaterThan(0);
  }
}

describe('random changes of fields and of time leave what the model has', () => {
  it.each([1, 2, 3, 4, 5, 6])('seed %i', { timeout: 60_000 }, async (seed) => {
    const random = new SeededRandom(seed);
    const harness = await SeamHarness.open({ seed, limits: KEPT_HISTORY });
    const now: Hashes = new Map();
    for (let round = 0; round < 250; round++) {
      harness.store.decide((view) => {
        for (let count = random.between(1, 3); count > 0; count--) change(view, random, now);
        for (const name of KEYS) expect(readAll(view, name)).toEqual(shown(now.get(name), view.instantMs));
        checkCounts(view);
      });
      // Time that goes on with its timers, or is found to have gone.
      const step = random.below(4);
      if (step === 0) await harness.clock.pass(random.between(1, 400));
      else if (step === 1) harness.clock.jump(random.between(1, 200));
      if (random.chance(0.02)) {
        await harness.durable();
        await (random.chance(0.5) ? harness.reopen() : harness.crash());
      }
    }
    await harness.clock.pass(60_000);
    await harness.durable();
    harness.store.decide((view) => {
      for (const name of KEYS) expect(readAll(view, name)).toEqual(shown(now.get(name), view.instantMs));
      // All that is past its time is removed by now, and a hash without fields with it.
      for (const name of KEYS) {
        const hash = readHash(view, bytesOf(name));
        const live = shown(now.get(name), view.instantMs).size;
        expect(hash === undefined).toBe(live === 0);
        if (hash !== undefined && isTimed(hash)) expect(readCount(hash).count).toBe(live);
      }
      checkCounts(view);
    });
  });
});

function change(view: View, random: SeededRandom, now: Hashes): void {
  const name = random.pick(KEYS);
  const { instantMs } = view;
  const live = shown(now.get(name), instantMs);
  now.set(name, live);
  if (random.chance(0.02)) {
    view.delete(bytesOf(name));
    now.delete(name);
    return;
  }
  if (random.chance(0.06)) {
    const to = random.pick(KEYS.filter((other) => other !== name));
    if (random.chance(0.5)) {
      // What stays behind its time alone has no fields to be copied, yet is there.
      const isThere = view.readMeta(bytesOf(name)) !== undefined;
      expect(moveKey(view, bytesOf(name), bytesOf(to), true)).toBe(isThere ? 'moved' : 'noKey');
      if (isThere) now.set(to, live);
      now.delete(name);
    } else if (copyKey(view, bytesOf(name), bytesOf(to), true)) now.set(to, new Map(live));
    return;
  }
  const edit = editHash(view, bytesOf(name));
  for (let count = random.chance(0.05) ? 70 : random.between(1, 4); count > 0; count--) {
    const field = `field-${random.below(random.chance(0.5) ? 8 : 90)}`;
    const bytes = bytesOf(field);
    const before = live.get(field);
    const choice = random.below(6);
    if (choice === 0) {
      expect(edit.remove(bytes)).toBe(live.delete(field));
    } else if (choice === 1) {
      const value = 'v'.repeat(random.below(12));
      expect(edit.set(bytes, bytesOf(value))).toBe(before === undefined);
      live.set(field, { value, deadlineMs: 0 });
    } else if (choice === 2) {
      const expected = before === undefined ? 'noField' : before.deadlineMs === 0 ? 'unchanged' : 'set';
      expect(removeFieldDeadline(edit, bytes)).toBe(expected);
      if (before !== undefined) live.set(field, { ...before, deadlineMs: 0 });
    } else if (choice === 3) {
      const value = 'k'.repeat(random.below(12));
      edit.set(bytes, bytesOf(value), edit.lifetimeOf(bytes));
      live.set(field, { value, deadlineMs: before?.deadlineMs ?? 0 });
    } else {
      const deadlineMs = instantMs + random.between(-20, random.chance(0.5) ? 100 : 2000);
      const isPast = deadlineMs <= instantMs;
      const expected = before === undefined ? 'noField' : isPast ? 'deleted' : 'set';
      expect(setFieldDeadline(edit, bytes, deadlineMs, instantMs)).toBe(expected);
      if (before === undefined) continue;
      if (isPast) live.delete(field);
      else live.set(field, { ...before, deadlineMs });
    }
  }
  edit.save();
}

function fill(view: View, name: Uint8Array, count: number, ttlMs: (index: number) => number): void {
  const edit = editHash(view, name);
  for (let index = 0; index < count; index++) {
    const field = bytesOf(`field-${index}`);
    const ttl = ttlMs(index);
    edit.set(field, bytesOf('value'), ttl === 0 ? undefined : { ttlMs: ttl });
  }
  edit.save();
}

describe('many fields whose time is over at once', () => {
  it('go in bounded steps, each one revision with its count, and leave the others', async () => {
    const harness = await SeamHarness.open();
    const { store, clock } = harness;
    // Each step that has been committed, by how many elements it has removed.
    await harness.decide((view) => fill(view, key, 20_010, (index) => (index < 20_000 ? 1000 : 0)));
    const steps: number[] = [];
    const counts: number[] = [];
    store.onCommitted((changes) => {
      steps.push(changes.filter(({ type }) => type === 'delete').length);
      const metadata = changes.find((one) => textOf(one.key) === 'key');
      if (metadata !== undefined) counts.push(readCount(metadata).count);
      expect(changes).toHaveLength((steps.at(-1) ?? 0) + 1);
    });
    await clock.pass(1000);
    expect(steps.reduce((sum, count) => sum + count, 0)).toBe(20_000);
    expect(Math.max(...steps)).toBe(64);
    expect(counts[0]).toBe(20_010 - 64);
    expect(counts.at(-1)).toBe(10);
    await harness.durable();
    store.readVisible((view) => expect(readAll(view, 'key').size).toBe(10));
  });

  it('take the hash with them when none is left, and what is swept has nothing to come back', async () => {
    const harness = await SeamHarness.open({ limits: { historyRevisionsMax: 2 } });
    await harness.decide((view) => fill(view, key, 300, () => 1000));
    await harness.clock.pass(1000);
    await harness.durable();
    expect(harness.store.status().keyCount).toBe(0);
    for (let round = 0; round < 5; round++) await harness.decide((view) => void view.put(key, bytesOf('x')));
    await harness.crash();
    await harness.clock.pass(5000);
    harness.store.readVisible((view) => expect(textOf(view.read(key)?.value ?? key)).toBe('x'));
  });

  it('of a hash that was deleted before are removed without it', async () => {
    const harness = await SeamHarness.open({ limits: KEPT_HISTORY });
    await harness.decide((view) => fill(view, key, 200, () => 1000));
    await harness.decide((view) => void view.delete(key));
    await harness.decide((view) => fill(view, key, 100, () => 0));
    await harness.clock.pass(2000);
    await harness.durable();
    harness.store.readVisible((view) => expect(readAll(view, 'key').size).toBe(100));
    await harness.crash();
    await harness.clock.pass(2000);
    harness.store.readVisible((view) => expect(readAll(view, 'key').size).toBe(100));
  });

  it('go with the hash, whose own time is over, too', async () => {
    const harness = await SeamHarness.open();
    await harness.decide((view) => {
      fill(view, key, 100, (index) => (index === 0 ? 500 : 0));
      view.touch(key, 600);
    });
    harness.clock.jump(1000);
    await harness.clock.pass(2000);
    await harness.durable();
    expect(harness.store.status().keyCount).toBe(0);
  });

  it('go although memory is full', async () => {
    const harness = await SeamHarness.open({ memoryBytesMax: 24 * 1024 * 1024 });
    await harness.decide((view) => fill(view, key, 1000, (index) => (index < 900 ? 1000 : 0)));
    const value = new Uint8Array(256 * 1024);
    const fillUp = (): void => {
      for (let index = 0; index < 1000; index++)
        harness.store.decide((view) => view.put(bytesOf(`other-${index}`), value));
    };
    expect(fillUp).toThrow(/memory/);
    await harness.clock.pass(1000);
    harness.store.decide((view) => expect(readCount(readHash(view, key) ?? { value: key }).count).toBe(100));
  });
});

describe('fields with a time to live', () => {
  it('go with a hash to another name and another database, and are removed there', async () => {
    const harness = await SeamHarness.open();
    await harness.decide((view) => fill(view, key, 3, (index) => (index === 0 ? 1000 : 0)));
    await harness.decide((view) => moveKey(view, key, bytesOf('moved'), true));
    await harness.decide((view) => swapDatabases(view, 0, 3));
    await harness.decide((view) => swapDatabases(view, 3, 0));
    await harness.clock.pass(1000);
    await harness.durable();
    harness.store.readVisible((view) => {
      const hash = readHash(view, bytesOf('moved'));
      expect(hash && readCount(hash).count).toBe(2);
    });
  });

  it('keep their time when their value is changed, and lose it when they are written', async () => {
    const harness = await SeamHarness.open();
    await harness.decide((view) => {
      fill(view, key, 2, () => 1000);
      changeField(view, key, bytesOf('field-0'), () => bytesOf('changed'));
      const edit = editHash(view, key);
      edit.set(bytesOf('field-1'), bytesOf('written'));
      edit.save();
    });
    await harness.clock.pass(1000);
    await harness.durable();
    harness.store.readVisible((view) =>
      expect(readAll(view, 'key')).toEqual(new Map([['field-1', { value: 'written', deadlineMs: 0 }]])),
    );
  });

  it('are there in states of before, and not counted twice when one takes the place of one past its time', async () => {
    const harness = await SeamHarness.open({ limits: KEPT_HISTORY });
    await harness.decide((view) => fill(view, key, 2, () => 1000));
    await harness.durable();
    const revision = harness.store.visibleRevision;
    harness.clock.jump(1000);
    await harness.decide((view) => {
      const edit = editHash(view, key);
      expect(edit.set(bytesOf('field-0'), bytesOf('anew'))).toBe(true);
      edit.save();
      expect(edit.count).toBe(2);
    });
    await harness.clock.pass(1000);
    await harness.durable();
    harness.store.readVisible((view) => expect([...readAll(view, 'key').keys()]).toEqual(['field-0']));
    harness.store.readAt({ revision, instantMs: 0 }, (view) => expect(readAll(view, 'key').size).toBe(2));
  });

  it('are the same at a follower, which sweeps by itself, and goes on when it writes', async () => {
    const limits = { historyRevisionsMax: 2 };
    const shared = new SharedBatches();
    const first = await TestNode.open(shared, { name: 'first', seed: 1, limits });
    const second = await TestNode.open(shared, { name: 'second', seed: 2, limits });
    await first.lead();
    first.store.decide((view) => fill(view, key, 150, (index) => (index < 100 ? 1000 : 5000)));
    first.store.decide((view) => fill(view, bytesOf('gone'), 100, () => 1500));
    await first.settled();
    // The writer keeps what the follower sweeps: its removals come behind that.
    const pin = first.store.pin();
    first.store.decide((view) => view.delete(bytesOf('gone')));
    for (let index = 0; index < 5; index++)
      first.store.decide((view) => view.put(bytesOf('other'), bytesOf(`${index}`)));
    await first.settled();
    await second.follow();
    await second.clock.pass(100);
    expect(unsweptCount(second.store)).toBe(0);
    expect(unsweptCount(first.store)).toBe(1);
    await first.clock.pass(2000);
    await first.settled();
    // What is swept is not removed once more.
    second.store.onCommitted((changes) => {
      for (const { deleted, hadEntry } of changes) expect(hadEntry || !deleted).toBe(true);
    });
    await second.follow();
    second.store.readVisible((view) => expect(readAll(view, 'key').size).toBe(50));
    const { visibleRevision } = first.store;
    expect(linesOf(second.store, visibleRevision)).toEqual(linesOf(first.store, visibleRevision));
    second.store.readVisible((view) =>
      view.scan(
        { start: Uint8Array.of(ELEMENT), end: Uint8Array.of(SWEPT) },
        false,
        ({ collectionId, key: at }) => {
          expect(collectionId).toBe(0);
          expect([readHash(view, key)?.collectionId]).toContain(collectionIdOf(at));
          return true;
        },
      ),
    );
    pin.release();
    await first.close();
    await second.lead();
    await second.clock.pass(5000);
    await second.settled();
    expect(second.store.status().keyCount).toBe(1);
    await second.close();
  });
});
