/** What a transaction leaves without a key is swept: its elements are there as long as a read may come to them, and no longer. */
import { describe, expect, it } from 'vitest';
import { elementKey, elementsOf, tags } from '../../../src/store/collections/collection-keys.ts';
import type { View } from '../../../src/store/views/view.ts';
import { engineOfTests } from '../../support/test-engine.ts';
import { bytesOf, SeamHarness } from '../seam/seam-harness.ts';
import {
  checkStates,
  checkSwept,
  counts,
  create,
  elementAt,
  goOn,
  KIND,
  rename,
  resize,
} from './collections.ts';

const limits = { historyRevisionsMax: 2 };
const key = bytesOf('key');
const other = bytesOf('other');
const LEASE = 7;

const endings: [string, (harness: SeamHarness) => Promise<void>][] = [
  ['deletes its key', (harness) => harness.decide((view) => void view.delete(key))],
  [
    'deletes a range',
    (harness) => harness.decide((view) => void view.deleteRange({ start: key, end: bytesOf('l') })),
  ],
  ['puts a plain value there', (harness) => harness.decide((view) => void view.put(key, bytesOf('plain')))],
  ['puts another collection there', (harness) => harness.decide((view) => void create(view, key, 3))],
  ['renames another key to it', (harness) => harness.decide((view) => rename(view, other, key))],
  ['ends its lease', (harness) => harness.decide((view) => void view.endLease(LEASE, 'leaseRevoked'))],
  [
    'touches it and then deletes it',
    (harness) =>
      harness.decide((view) => {
        view.touch(key, 5000);
        view.delete(key);
      }),
  ],
  [
    'deletes it and makes it anew',
    (harness) =>
      harness.decide((view) => {
        view.delete(key);
        create(view, key, 2);
      }),
  ],
];

describe('a transaction that leaves a collection without a key', () => {
  it.each(endings)('has it swept: %s', async (_name, end) => {
    const harness = await SeamHarness.open({ limits });
    await harness.decide((view) => {
      view.grantLease(LEASE, 60_000);
      create(view, key, 1000, { leaseId: LEASE });
      create(view, other, 2000);
    });
    await end(harness);
    expect(counts(harness.store).marks).toBe(1);
    await checkSwept(harness.store, harness.clock);
    expect(harness.store.status().keyCount).toBeLessThanOrEqual(3);
  });

  it('has it swept when its time is over', async () => {
    const harness = await SeamHarness.open({ limits });
    await harness.decide((view) => void create(view, key, 700, { ttlMs: 1000 }));
    await harness.clock.pass(5000);
    expect(counts(harness.store)).toEqual({ elements: 700, marks: 1 });
    await checkSwept(harness.store, harness.clock);
    expect(counts(harness.store)).toEqual({ elements: 0, marks: 0 });
  });

  it('has it swept when its time is over and not yet told, and something else takes its place', async () => {
    const harness = await SeamHarness.open({ limits });
    await harness.decide((view) => void create(view, key, 10, { ttlMs: 1000 }));
    harness.clock.jump(1000);
    await harness.decide((view) => {
      view.put(key, bytesOf('plain'));
      view.delete(key);
      view.put(key, bytesOf('plain'));
    });
    await checkSwept(harness.store, harness.clock);
    expect(counts(harness.store).elements).toBe(0);
  });

  it('has swept what it made itself and gave up', async () => {
    const harness = await SeamHarness.open({ limits });
    await harness.decide((view) => {
      view.put(other, bytesOf('x'));
      create(view, key, 5);
      view.delete(key);
    });
    expect(counts(harness.store)).toEqual({ elements: 5, marks: 1 });
    await checkSwept(harness.store, harness.clock);
  });

  it('has none swept that a savepoint brings back', async () => {
    const harness = await SeamHarness.open({ limits });
    await harness.decide((view) => void create(view, key, 5));
    await harness.decide((view) => {
      view.put(other, bytesOf('x'));
      const savepoint = view.savepoint();
      view.put(key, bytesOf('plain'));
      create(view, other, 5);
      view.rollBack(savepoint);
    });
    expect(counts(harness.store)).toEqual({ elements: 5, marks: 0 });
    await checkSwept(harness.store, harness.clock);
  });

  it('marks as many as it likes, beyond the limit of what it changes', async () => {
    const harness = await SeamHarness.open({ limits });
    const count = 20;
    await harness.decide((view) => {
      view.grantLease(LEASE, 60_000);
      for (let index = 0; index < count; index++) create(view, bytesOf(`k${index}`), 1, { leaseId: LEASE });
    });
    await harness.decide((view) => void view.endLease(LEASE, 'leaseRevoked'));
    expect(counts(harness.store).marks).toBe(count);
    await checkSwept(harness.store, harness.clock);
  });
});

describe('a collection', () => {
  it('moves to another key as a whole', async () => {
    const harness = await SeamHarness.open({ limits });
    const id = await harness.decide((view) => create(view, key, 50));
    await harness.decide((view) => {
      rename(view, key, other);
      resize(view, other, 1);
    });
    await checkSwept(harness.store, harness.clock);
    expect(harness.store.decide((view) => view.read(other)?.collectionId).result).toBe(id);
    expect(counts(harness.store)).toEqual({ elements: 51, marks: 0 });
  });

  it('is kept by a change of the time to live, over a restart', async () => {
    const harness = await SeamHarness.open({ limits });
    const id = await harness.decide((view) => create(view, key, 5));
    await harness.decide((view) => void view.touch(key, 60_000));
    await harness.reopen();
    expect(harness.store.decide((view) => view.read(key)).result).toMatchObject({
      collectionId: id,
      kind: KIND,
    });
    await checkSwept(harness.store, harness.clock);
  });

  const wrong: [string, (view: View, id: number) => void][] = [
    ['a second one', (view, id) => view.put(other, bytesOf('1'), { kind: KIND, collectionId: id })],
    [
      'both of two in one transaction',
      (view, id) => {
        view.put(key, bytesOf('1'), { kind: KIND, collectionId: id });
        view.put(other, bytesOf('1'), { kind: KIND, collectionId: id });
      },
    ],
  ];

  it.each(wrong)('belongs to no key beside its own: %s', async (_name, run) => {
    const harness = await SeamHarness.open({ limits });
    const id = await harness.decide((view) => create(view, key, 5));
    const { committedSequence } = harness.store;
    expect(() => harness.store.decide((view) => run(view, id))).toThrow('broken invariant');
    expect(harness.store.committedSequence).toBe(committedSequence);
  });
});

describe('the sweep', () => {
  it('leaves the elements to a state that is kept, and waits for it', async () => {
    const harness = await SeamHarness.open({ limits });
    const id = await harness.decide((view) => create(view, key, 600));
    const pin = harness.store.pin();
    await harness.decide((view) => void view.delete(key));
    await goOn(harness.store, harness.clock, 10);
    const seen = (): number =>
      pin.read((view) => {
        let count = 0;
        view.scan(elementsOf(id), false, () => ++count > 0);
        return count;
      });
    expect(seen()).toBe(600);
    expect(counts(harness.store)).toEqual({ elements: 600, marks: 1 });
    pin.release();
    await checkSwept(harness.store, harness.clock);
    expect(counts(harness.store).elements).toBe(0);
  });

  it('waits for a backup that is being read of what is in memory', async () => {
    const harness = await SeamHarness.open({ limits });
    await harness.decide((view) => void create(view, key, 600));
    await harness.decide((view) => void view.delete(key));
    const backup = harness.store.backup();
    await backup.next();
    await goOn(harness.store, harness.clock, 10);
    // That of an engine on disk reads files, in which the elements stay.
    const isWaiting = engineOfTests() === undefined;
    expect(counts(harness.store)).toEqual(
      isWaiting ? { elements: 600, marks: 1 } : { elements: 0, marks: 0 },
    );
    await backup.return?.();
    await checkSwept(harness.store, harness.clock);
  });

  it.each(['before', 'after'])('goes on after a restart with a snapshot %s the delete', async (when) => {
    const harness = await SeamHarness.open({ limits: { historyRevisionsMax: 1000 } });
    await harness.decide((view) => void create(view, key, 600));
    if (when === 'before') await harness.store.snapshot();
    await harness.decide((view) => void view.delete(key));
    if (when === 'after') await harness.store.snapshot();
    await harness.crash();
    // Behind a checkpoint of an engine on disk no older revision can be read, so that the sweep begins with the start.
    if (when === 'before' || engineOfTests() === undefined)
      expect(counts(harness.store)).toEqual({ elements: 600, marks: 1 });
    checkStates(harness.store);
    const { revision } = harness.store.status();
    await goOn(harness.store, harness.clock, 1);
    await harness.calls.compact(revision);
    await checkSwept(harness.store, harness.clock);
    expect(counts(harness.store).elements).toBe(0);
  });

  it('is done again by a start that finds an older snapshot, of which no state shows what is gone', async () => {
    const harness = await SeamHarness.open({ limits: { historyRevisionsMax: 3 } });
    await harness.decide((view) => void create(view, key, 600));
    await harness.store.snapshot();
    await harness.decide((view) => void view.delete(key));
    await goOn(harness.store, harness.clock, 5);
    expect(counts(harness.store)).toEqual({ elements: 0, marks: 0 });
    await harness.crash();
    expect(counts(harness.store)).toEqual({ elements: 0, marks: 0 });
    expect(harness.store.status().oldestRevision).toBeGreaterThanOrEqual(2);
    checkStates(harness.store);
  });

  it('takes away what a slice has room for, and the rest in the next', async () => {
    const harness = await SeamHarness.open({ limits });
    await harness.decide((view) => void create(view, key, 5000));
    await harness.decide((view) => void view.delete(key));
    const left = new Set<number>();
    for (let step = 0; step < 3; step++) {
      const { result, hasChanged } = harness.store.decide((view) => void view.put(other, bytesOf(`${step}`)));
      await harness.store.whenDurable(result, hasChanged);
      left.add(counts(harness.store).elements);
    }
    while (counts(harness.store).elements > 0) {
      left.add(counts(harness.store).elements);
      await new Promise(setImmediate);
    }
    expect(left.size).toBeGreaterThan(2);
    await checkSwept(harness.store, harness.clock);
  });
});

describe('ids of collections', () => {
  it('are given out once, whatever becomes of the transaction, over crashes', async () => {
    const harness = await SeamHarness.open({ limits });
    const ids: number[] = [];
    for (let life = 0; life < 4; life++) {
      const take = (view: View): void => void ids.push(view.newCollectionId());
      expect(() =>
        harness.store.decide((view) => {
          take(view);
          throw new Error('given up');
        }),
      ).toThrow('given up');
      await harness.decide((view) => {
        take(view);
        view.put(key, bytesOf('x'));
      });
      ids.push(await harness.decide((view) => create(view, key, 1)));
      if (life === 1) await harness.store.snapshot();
      await (life === 2 ? harness.reopen() : harness.crash());
    }
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id, index) => id > (ids[index - 1] ?? 0))).toBe(true);
    await checkSwept(harness.store, harness.clock);
  });

  it('stand in the keys of elements in their order', () => {
    const [low, high] = [elementAt(255, 1), elementAt(2 ** 40 + 3, 0)];
    expect(Buffer.compare(low, high)).toBeLessThan(0);
    expect(Buffer.from(elementKey(2 ** 40 + 3, tags.field, bytesOf('a'))).toString('hex')).toBe(
      'fa00000100000000036661',
    );
  });
});
