/** Calls that are made in one turn of the event loop: they run in their order, as a batch. */
import { describe, expect, it } from 'vitest';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { refused, valueOf } from '../store/model/readable.ts';
import { MemoryHarness } from '../store/model/store-harness.ts';

/** A store that tells how many keys were fetched together, each time. */
async function openCounting(): Promise<MemoryHarness & { readonly fetched: number[] }> {
  const fetched: number[] = [];
  const harness = await MemoryHarness.open({
    makeEngine: () => {
      const engine = new MemoryEngine({ hashSeed: [1, 2] });
      const fetch = engine.fetch.bind(engine);
      engine.fetch = (keys, start, end) => {
        fetched.push(end - start);
        fetch(keys, start, end);
      };
      return engine;
    },
  });
  return Object.assign(harness, { fetched });
}

describe('calls of one turn', () => {
  it('have their keys fetched together, but for the first, which runs at once', async () => {
    const { store, fetched } = await openCounting();
    const options = { ttlMs: 60_000 };
    await Promise.all(Array.from({ length: 100 }, (_, index) => store.put(`k${index}`, '', options)));
    expect(fetched).toEqual([99]);
    await Promise.all(Array.from({ length: 50 }, (_, index) => store.get(`k${index}`)));
    expect(fetched).toEqual([99, 49]);
    await store.put('alone', '');
    expect(fetched).toEqual([99, 49]);
  });

  it('take effect in the order in which they were made, whatever they are', async () => {
    const { store } = await MemoryHarness.open();
    const [first, second, seen, deleted, raised, third, revoked] = await Promise.all([
      store.put('k', '1'),
      store.put('k', '2'),
      store.txn({ success: [{ kind: 'get', key: 'k' }] }),
      store.delete('k', { returnPrevious: true }),
      store.increment('k', 5),
      store.put('k', '3', { returnPrevious: true }),
      store.grantLease(5000, 7).then(() => store.revokeLease(7)),
    ]);
    expect([first, second, deleted, raised, third].map(({ revision }) => revision)).toEqual([1, 2, 3, 4, 5]);
    const [read] = seen.results;
    expect(read?.kind === 'get' && Buffer.from(read.entry?.value ?? []).toString()).toBe('2');
    expect(Buffer.from(deleted.previous?.value ?? []).toString()).toBe('2');
    expect(raised.value).toBe(5n);
    expect(Buffer.from(third.previous?.value ?? []).toString()).toBe('5');
    expect(revoked.deletedCount).toBe(0);
    expect(await valueOf(store, 'k')).toBe('3');
  });

  it('are seen by reads of leases that are made behind them', async () => {
    const { store } = await MemoryHarness.open();
    await store.grantLease(60_000, 7);
    const puts = [store.put('a', '', { leaseId: 7 }), store.put('b', '', { leaseId: 7 })];
    const lease = store.getLease(7);
    puts.push(store.put('c', ''), store.put('d', '', { leaseId: 7 }));
    const leases = store.listLeases();
    expect((await lease).keyCount).toBe(2);
    expect((await leases).leases[0]?.keyCount).toBe(3);
    await Promise.all(puts);
  });

  it('hold nothing that their caller may change once it has the promise', async () => {
    const { store } = await MemoryHarness.open();
    const key = Buffer.from([0xff, 1]);
    const value = Buffer.from('a');
    const condition = { kind: 'modRevisionEquals', modRevision: 0 } as const;
    const options = {
      ttlMs: 60_000,
      condition: { ...condition } as { kind: 'modRevisionEquals'; modRevision: number },
    };
    const calls = [0, 1, 2].map((index) => {
      key[1] = index;
      value[0] = 0x61 + index;
      options.ttlMs = 60_000 * (index + 1);
      return store.put(key, value, options);
    });
    key.fill(0);
    value.fill(0);
    options.ttlMs = 1;
    options.condition.modRevision = 77;
    await Promise.all(calls);
    const { entries } = await store.getMany([0, 1, 2].map((index) => Buffer.from([0xff, index])));
    expect(entries.map((entry) => Buffer.from(entry?.value ?? []).toString())).toEqual(['a', 'b', 'c']);
    const deadlines = entries.map((entry) => entry?.expireTimeMs ?? 0);
    expect(deadlines.map((deadline) => deadline - (deadlines[0] ?? 0))).toEqual([0, 60_000, 120_000]);
  });

  it('fail each for itself', async () => {
    const { store } = await MemoryHarness.open();
    await store.put('there', '');
    const mustNotExist = { condition: { kind: 'mustNotExist' } } as const;
    await Promise.all([
      store.put('a', '1'),
      refused(store.put('there', '', mustNotExist), 'conditionFailed', { currentModRevision: 1 }),
      refused(store.put('', ''), 'invalidArgument'),
      refused(store.get('x'.repeat(5000)), 'invalidArgument'),
      store.put('b', '2'),
    ]);
    expect([await valueOf(store, 'a'), await valueOf(store, 'b')]).toEqual(['1', '2']);
  });
});

describe('getMany', () => {
  it('reads several keys at one revision', async () => {
    const { store } = await MemoryHarness.open();
    await store.put('a', '1');
    await store.put('b', '2');
    const { entries, revision } = await store.getMany(['b', 'none', 'a', 'b']);
    expect(revision).toBe(2);
    expect(entries.map((entry) => entry && Buffer.from(entry.value).toString())).toEqual([
      '2',
      undefined,
      '1',
      '2',
    ]);
    expect((await store.getMany(['a', 'b'], { revision: 1 })).entries.map((entry) => entry?.key)).toEqual([
      'a',
      undefined,
    ]);
    expect((await store.getMany(['a'], { keysOnly: true })).entries[0]?.value.length).toBe(0);
    await refused(store.getMany([]), 'invalidArgument');
    await refused(store.getMany(['a'], { revision: 9 }), 'revisionFuture', {
      requestedRevision: 9,
      oldestRevision: 0,
      newestRevision: 2,
    });
  });

  it('refuses more values than a request may read', async () => {
    const { store } = await MemoryHarness.open();
    await store.put('large', new Uint8Array(10 * 1024 * 1024));
    await refused(store.getMany(Array.from({ length: 8 }, () => 'large')), 'limitReached');
  });
});
