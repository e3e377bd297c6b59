import { describe, expect, it } from 'vitest';
import type { EngineRange } from '../../../src/engine/engine.ts';
import { StoreError } from '../../../src/errors.ts';
import { fixed } from '../../../src/limits.ts';
import { keyAfter } from '../../../src/store/views/keys.ts';
import type { View } from '../../../src/store/views/view.ts';
import { ALL, bytesOf, SeamHarness, textOf } from './seam-harness.ts';

const key = bytesOf('k');
const value = bytesOf('v');

describe('decide', () => {
  it('returns what the function returns, with the sequence that it waits for, and whether it has changed anything', async () => {
    const { store } = await SeamHarness.open();
    expect(store.decide((view) => view.read(key))).toEqual({
      result: undefined,
      sequence: 0,
      hasChanged: false,
    });
    const put = store.decide((view) => textOf(view.put(key, value).value));
    expect(put).toEqual({ result: 'v', sequence: 1, hasChanged: true });
    // A read of what is not durable yet waits for it, too.
    expect(store.durableSequence).toBe(0);
    const read = store.decide((view) => textOf(view.read(key)?.value ?? bytesOf('')));
    expect(read).toEqual({ result: 'v', sequence: 1, hasChanged: false });
    await store.whenDurable(undefined, false);
    expect(store).toMatchObject({ committedSequence: 1, durableSequence: 1, visibleRevision: 1 });
  });

  it('looks once at a key that it reads first, or last, and then writes', async () => {
    const { store } = await SeamHarness.open();
    const [first, second, last] = [bytesOf('first'), bytesOf('second'), bytesOf('last')];
    store.decide((view) => {
      for (const each of [first, second, last]) view.put(each, value);
    });
    const { result } = store.decide((view) => {
      for (const each of [first, second, last]) view.read(each);
      return [first, last].map((each) => view.put(each, value).version);
    });
    expect(result).toEqual([2, 2]);
    expect(store.decidedWork.visitsSpent).toBe(3);
    // The next one looks anew: what was found is another version by now.
    expect(store.decide((view) => view.put(first, value).version).result).toBe(3);
    expect(store.decidedWork.visitsSpent).toBe(1);
  });

  const wrongKeys: [string, Uint8Array][] = [
    ['none', new Uint8Array(0)],
    ['one that is too long', new Uint8Array(fixed.keyBytesMax + 1).fill(0x61)],
    ['an escape alone', Uint8Array.of(0xf8)],
    ['an escape before what needs none', Uint8Array.of(0xf8, 0x61)],
    ['one of the store itself that is too long', new Uint8Array(fixed.keyBytesMax + 1).fill(0xfc)],
    ['none of a database', Uint8Array.of(0xf9, 1)],
    ['one that names database 0', Uint8Array.of(0xf9, 0, 0x61)],
    ['one of a database that is too long', new Uint8Array(fixed.keyBytesMax + 3).fill(0xf9)],
    ['a collection without a tag', new Uint8Array(9).fill(0xfa)],
    ['an element that is too long', new Uint8Array(fixed.engineKeyBytesMax + 1).fill(0xfa)],
    ['a mark that is too long', new Uint8Array(10).fill(0xfb)],
  ];

  it.each(wrongKeys)('takes no key that a start would refuse to read again: %s', async (_name, wrong) => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    expect(() => store.decide((view) => view.put(wrong, value))).toThrow(
      'a key is one that the engine may have',
    );
    expect(store.committedSequence).toBe(0);
    await harness.decide((view) => {
      view.put(new Uint8Array(fixed.keyBytesMax).fill(0x61), value);
      view.put(new Uint8Array(fixed.keyBytesMax + 1).fill(0xf8), value);
      view.put(new Uint8Array(fixed.keyBytesMax + 2).fill(0xf9), value);
      view.put(new Uint8Array(fixed.engineKeyBytesMax).fill(0xfa), value);
      view.put(new Uint8Array(9).fill(0xfb), value);
      view.put(new Uint8Array(fixed.keyBytesMax).fill(0xff), value);
    });
    await harness.reopen();
    expect(shown(harness)).toHaveLength(6);
  });

  it('writes no entry past its deadline', async () => {
    const { store } = await SeamHarness.open();
    expect(() => store.decide((view) => view.put(key, value, { expireTimeMs: view.instantMs }))).toThrow(
      'not written past its deadline',
    );
    expect(store.committedSequence).toBe(0);
  });

  it('changes nothing while a scan shows what there is', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    const writes: ((view: View, shown: Uint8Array) => unknown)[] = [
      (view, shown) => view.put(shown, value),
      (view, shown) => view.delete(shown),
      (view) => view.delete(bytesOf('d')),
      (view, shown) => view.touch(shown, 5),
      (view) => view.deleteRange(ALL),
    ];
    for (const write of writes) {
      const run = (view: View): unknown => {
        for (const name of ['a', 'b', 'c', 'd']) view.put(bytesOf(name), value);
        return view.scan(ALL, false, (shown) => (write(view, shown.copyKey()), true));
      };
      expect(() => store.decide(run)).toThrow('nothing is changed while a scan');
    }
    expect(store.committedSequence).toBe(0);
    // A scan that ended so is over.
    await harness.decide((view) => view.put(key, value));
    expect(shown(harness)).toEqual(['k=v']);
  });

  it('takes one revision for all keys that it changes, and one record', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    await harness.decide((view) => {
      view.put(bytesOf('a'), value);
      view.put(bytesOf('b'), value);
      view.grantLease(7, 60_000);
      view.put(bytesOf('c'), value, { leaseId: 7 });
      view.put(bytesOf('a'), bytesOf('again'));
    });
    expect(store).toMatchObject({ committedSequence: 1, visibleRevision: 1 });
    expect(shown(harness)).toEqual(['a=again', 'b=v', 'c=v']);
  });

  it('takes neither revision nor record when nothing has changed in the end', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    await harness.decide((view) => view.put(key, value));
    const told: unknown[] = [];
    store.onCommitted((changes) => told.push(changes));
    const runs: ((view: View) => unknown)[] = [
      () => undefined,
      (view) => view.delete(bytesOf('missing')),
      (view) => view.touch(bytesOf('missing'), 5),
      (view) => view.deleteRange({ start: bytesOf('x'), end: undefined }),
      (view) => [view.put(bytesOf('new'), value), view.delete(bytesOf('new'))],
      (view) => {
        const savepoint = view.savepoint();
        view.put(key, bytesOf('other'));
        view.grantLease(7, 1000);
        view.rollBack(savepoint);
      },
    ];
    for (const run of runs) expect(store.decide(run)).toMatchObject({ hasChanged: false, sequence: 1 });
    expect(store).toMatchObject({ committedSequence: 1, visibleRevision: 1 });
    expect(told).toEqual([]);
    await harness.reopen();
    expect(harness.store.visibleRevision).toBe(1);
  });

  it('takes a sequence and no revision for what changes leases alone', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    await harness.decide((view) => view.put(key, value));
    for (const run of [
      (view: View) => view.grantLease(7, 60_000),
      (view: View) => view.renewLease(7),
      (view: View) => view.endLease(7, 'leaseRevoked'),
    ]) {
      const before = store.committedSequence;
      expect(store.decide(run)).toMatchObject({ hasChanged: true, sequence: before + 1 });
      await harness.durable();
    }
    expect(store.visibleRevision).toBe(1);
    await harness.reopen();
    expect(harness.store.visibleRevision).toBe(1);
    expect(await harness.store.readLeases((leases) => leases.list(0, 10))).toEqual([]);
  });

  it('tells which revision a reply is to say', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    await harness.decide((view) => view.put(key, value));
    store.decide((view) => {
      const revisions = () => [view.revision, view.nextRevision, view.replyRevision];
      expect(revisions()).toEqual([1, 2, 1]);
      view.grantLease(7, 1000);
      expect(revisions()).toEqual([1, 2, 1]);
      const savepoint = view.savepoint();
      expect(view.put(bytesOf('new'), value)).toMatchObject({ revision: 2, createRevision: 2 });
      expect(revisions()).toEqual([1, 2, 2]);
      view.delete(bytesOf('new'));
      expect(revisions()).toEqual([1, 2, 1]);
      view.delete(key);
      expect(revisions()).toEqual([1, 2, 2]);
      view.rollBack(savepoint);
      expect(revisions()).toEqual([1, 2, 1]);
    });
    // The revision before is not visible yet: the next transaction goes on from it all the same.
    store.decide((view) => view.put(key, value));
    expect(store.visibleRevision).toBe(1);
    expect(store.decide((view) => view.replyRevision).result).toBe(2);
  });
});

describe('a transaction that throws', () => {
  const failures: [string, (view: View) => void][] = [
    ['at once', () => undefined],
    [
      'after writes',
      (view) => {
        view.put(key, bytesOf('lost'));
        view.put(bytesOf('new'), value);
        view.delete(bytesOf('other'));
        view.grantLease(8, 1000);
        view.endLease(7, 'leaseRevoked');
        view.count(ALL);
      },
    ],
    [
      'behind a savepoint',
      (view) => {
        view.put(key, bytesOf('lost'));
        view.savepoint();
        view.put(key, bytesOf('lost, too'));
      },
    ],
    [
      'after it was rolled back',
      (view) => {
        const savepoint = view.savepoint();
        view.put(key, bytesOf('lost'));
        view.rollBack(savepoint);
        view.put(bytesOf('other'), bytesOf('lost'));
      },
    ],
    [
      'within a scan',
      (view) => {
        view.put(bytesOf('a'), bytesOf('lost'));
        view.scan(ALL, false, () => {
          throw new Error('of the visitor');
        });
      },
    ],
  ];

  it.each(failures)('has changed nothing: %s', async (_, run) => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    await harness.decide((view) => {
      view.grantLease(7, 60_000);
      view.put(key, value, { leaseId: 7 });
      view.put(bytesOf('other'), value);
    });
    const told: unknown[] = [];
    store.onCommitted((changes) => told.push(changes));
    const failure = new Error('of the door');
    expect(() =>
      store.decide((view) => {
        run(view);
        throw failure;
      }),
    ).toThrow(/of the (door|visitor)/);
    const check = async (): Promise<void> => {
      expect(shown(harness)).toEqual(['k=v', 'other=v']);
      expect(await harness.store.readLeases((leases) => leases.list(0, 10))).toMatchObject([{ leaseId: 7 }]);
      const seen = harness.store.decide((view) => [view.count(ALL), view.lease(8), view.replyRevision]);
      expect(seen).toMatchObject({ result: [2, undefined, 1], hasChanged: false });
    };
    await check();
    expect(store.committedSequence).toBe(1);
    expect(told).toEqual([]);
    await harness.reopen();
    await check();
    await harness.decide((view) => view.put(bytesOf('next'), value));
    expect(shown(harness)).toEqual(['k=v', 'next=v', 'other=v']);
  });
});

describe('a spent budget', () => {
  const spend: [string, (view: View) => unknown][] = [
    ['read', (view) => view.read(bytesOf('x'))],
    ['readMeta', (view) => view.readMeta(bytesOf('x'))],
    ['a read of what was written', (view) => view.read(key)],
    ['put', (view) => view.put(bytesOf('x'), value)],
    ['put of what was written', (view) => view.put(key, value)],
    ['delete', (view) => view.delete(bytesOf('x'))],
    ['touch', (view) => view.touch(bytesOf('x'), 5)],
    ['rank', (view) => view.rank(ALL, key)],
    ['select', (view) => view.select(ALL, 0)],
    ['count', (view) => view.count(ALL)],
  ];

  it.each(spend)('gives limitReached and changes nothing: %s', async (_, call) => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    expect(() =>
      store.decide((view) => {
        view.put(key, value);
        for (let index = 0; index <= fixed.requestVisitsMax; index++) call(view);
      }),
    ).toThrow(expect.objectContaining({ code: 'limitReached' }));
    expect(store.committedSequence).toBe(0);
    // The next one has all of it.
    await harness.decide((view) => view.put(key, value));
    expect(shown(harness)).toEqual(['k=v']);
  });

  it('ends a delete of a range with what is deleted, and where to go on', async () => {
    const { store } = await filled(10);
    const { result } = store.decide((view) => {
      view.put(bytesOf('key 0'), bytesOf('written before'));
      view.budget.begin(4);
      const part = view.deleteRange(ALL);
      view.budget.begin();
      return { ...part, left: view.count(ALL) };
    });
    expect(result.count).toBeGreaterThan(0);
    expect(result.count + result.left).toBe(10);
    expect(result.nextKey && textOf(result.nextKey)).toBe(`key ${result.count}`);
  });

  it('stops a scan before it shows anything', async () => {
    const { store } = await filled(3);
    for (const isWritten of [false, true]) {
      for (const reverse of [false, true]) {
        store.decide((view) => {
          if (isWritten) for (const name of ['a', 'key 1', 'z']) view.put(bytesOf(name), value);
          view.budget.begin(0);
          const next = view.scan(ALL, reverse, () => expect.unreachable());
          const [first, last] = isWritten ? ['a', 'z'] : ['key 0', 'key 2'];
          expect(next && textOf(next)).toBe(reverse ? last : first);
          view.budget.begin();
          view.deleteRange(ALL);
          view.put(bytesOf('key 0'), value);
          view.put(bytesOf('key 1'), value);
          view.put(bytesOf('key 2'), value);
        });
      }
    }
  });

  it.each([false, true])(
    'of one visit takes a scan on, behind stored keys, too; reverse: %s',
    async (reverse) => {
      const harness = await filled(10);
      await harness.decide((view) => view.deleteRange({ start: bytesOf('key 3'), end: bytesOf('key 8') }));
      harness.store.decide((view) => {
        for (const name of ['key 2+', 'key 5+', 'key 9+']) view.put(bytesOf(name), value);
        let { start, end }: EngineRange = { start: bytesOf('key 2+'), end: undefined };
        const seen: string[] = [];
        for (let pieces = 0; pieces < 20; pieces++) {
          view.budget.begin(1);
          const next = view.scan({ start, end }, reverse, (entry) => seen.push(textOf(entry.key)) > 0);
          if (next === undefined) break;
          if (reverse) end = keyAfter(next);
          else start = next;
        }
        const all = ['key 2+', 'key 5+', 'key 8', 'key 9', 'key 9+'];
        expect(seen).toEqual(reverse ? all.reverse() : all);
        view.budget.begin();
      });
    },
  );

  it('stops a scan among many writes of the transaction that lie between two stored keys', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    await harness.decide((view) => [view.put(bytesOf('a'), value), view.put(bytesOf('z'), value)]);
    store.decide((view) => {
      for (let index = 0; index < 1000; index++) view.put(bytesOf(`m${index}`), value);
      view.budget.begin(10);
      let seen = 0;
      const next = view.scan(ALL, false, () => ++seen > 0);
      expect(seen).toBeLessThanOrEqual(11);
      expect(next).toBeDefined();
    });
  });
});

describe('nothing of the seam is re-entrant', () => {
  const inner: [string, (harness: SeamHarness, isUsed: () => void) => void][] = [
    ['a decide within run', ({ store }) => void store.decide(() => store.decide(() => undefined))],
    [
      'a decide within a visitor',
      ({ store }) =>
        void store.decide((view) => {
          view.put(bytesOf('lost'), value);
          view.scan(ALL, false, () => store.decide(() => true).result);
        }),
    ],
    [
      'a queued decision within run',
      ({ store }) => {
        void store.decide(() =>
          store.queueDecide(
            () => undefined,
            () => undefined,
          ),
        );
      },
    ],
    [
      'a queued decision outside',
      ({ store }) =>
        store.queueDecide(
          () => undefined,
          () => undefined,
        ),
    ],
    [
      'a read of old state within another',
      ({ store }) => {
        store.readVisible(() => store.readAt({ revision: 1, instantMs: 0 }, () => undefined));
      },
    ],
    [
      'a pinned read within another',
      ({ store }) => {
        const pinned = store.pin();
        store.readVisible(() => pinned.read(() => undefined));
      },
    ],
  ];

  it.each(inner)('%s breaks, and the store goes on', async (_, run) => {
    const harness = await filled(3);
    expect(() => run(harness, () => undefined)).toThrow(/^broken invariant: /);
    expect(shown(harness)).toEqual(['key 0=v', 'key 1=v', 'key 2=v']);
    expect(harness.store.decide((view) => view.count(ALL)).result).toBe(3);
    await harness.decide((view) => view.put(key, value));
    expect(shown(harness)).toEqual(['k=v', 'key 0=v', 'key 1=v', 'key 2=v']);
  });

  it.each<[string, (view: View) => unknown]>([
    ['put', (view) => view.put(key, value)],
    ['delete', (view) => view.delete(bytesOf('key 0'))],
    ['touch', (view) => view.touch(bytesOf('key 0'), 5)],
    ['grantLease', (view) => view.grantLease(7, 1000)],
  ])('a view is of no use after its call: %s', async (_, write) => {
    const harness = await filled(1);
    const { store } = harness;
    const { result: kept } = store.decide((view) => view);
    expect(() => write(kept)).toThrow(/^broken invariant: /);
    await harness.decide((view) => view.put(bytesOf('next'), value));
    expect(shown(harness)).toEqual(['key 0=v', 'next=v']);
    expect(await store.readLeases((leases) => leases.list(0, 10))).toEqual([]);
  });
});

describe('a lease that a transaction has ended', () => {
  it('can not be granted again in it, and the store goes on', async () => {
    const harness = await filled(0);
    const { store } = harness;
    await harness.decide((view) => {
      view.grantLease(7, 60_000);
      view.put(key, value, { leaseId: 7 });
    });
    expect(() =>
      store.decide((view) => {
        view.endLease(7, 'leaseRevoked');
        view.grantLease(7, 1000);
      }),
    ).toThrow('broken invariant: the id of a lease that a transaction has ended is free after it');
    await harness.decide((view) => view.endLease(7, 'leaseRevoked'));
    await harness.decide((view) => view.grantLease(7, 1000));
    expect(await store.readLeases((leases) => leases.list(0, 10))).toMatchObject([
      { leaseId: 7, ttlMs: 1000 },
    ]);
  });
});

describe('a call that the log refuses', () => {
  it('has changed nothing', async () => {
    const harness = await SeamHarness.open({ limits: { unflushedBytesMax: 3000 } });
    const { store } = harness;
    harness.flushes.hold();
    const long = new Uint8Array(1000);
    store.decide((view) => view.put(key, long));
    store.decide((view) => view.put(key, long));
    const refused = (): unknown =>
      store.decide((view) => {
        view.put(key, long);
        view.put(bytesOf('new'), long);
      });
    expect(refused).toThrow(StoreError);
    expect(refused).toThrow(expect.objectContaining({ code: 'limitReached' }));
    expect(store.committedSequence).toBe(2);
    harness.flushes.release();
    await harness.durable();
    expect(store.visibleRevision).toBe(2);
    expect(store.decide((view) => view.count(ALL)).result).toBe(1);
    await harness.decide((view) => view.put(bytesOf('new'), long));
    expect(store.visibleRevision).toBe(3);
  });
});

async function filled(count: number): Promise<SeamHarness> {
  const harness = await SeamHarness.open();
  await harness.decide((view) => {
    for (let index = 0; index < count; index++) view.put(bytesOf(`key ${index}`), value);
  });
  return harness;
}

/** What is visible. */
function shown({ store }: SeamHarness): string[] {
  return store.readVisible((view) => {
    const pairs: string[] = [];
    view.scan(ALL, false, (entry) => pairs.push(`${textOf(entry.key)}=${textOf(entry.value)}`) > 0);
    return pairs;
  });
}
