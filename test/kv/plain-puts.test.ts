/** Puts without conditions, leases and times to live that come in one turn go through the store as a row. */
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/api.ts';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { fixed } from '../../src/limits.ts';
import { FailingEngine } from '../store/seam/failing-engine.ts';
import { Watching, messageText, refused, valueOf } from '../store/model/readable.ts';
import { SeamHarness } from '../store/seam/seam-harness.ts';
import { MemoryHarness } from '../store/model/store-harness.ts';

/** A store that tells how many puts its engine has taken as a row, each time, and how many it was given. */
async function openCounting(): Promise<
  MemoryHarness & { readonly rows: number[]; readonly given: number[] }
> {
  const rows: number[] = [];
  const given: number[] = [];
  const harness = await MemoryHarness.open({
    makeEngine: () => {
      const engine = new MemoryEngine({ hashSeed: [1, 2] });
      const putAll = engine.putAll.bind(engine);
      engine.putAll = (row) => {
        const count = putAll(row);
        rows.push(count);
        given.push(row.length);
        return count;
      };
      return engine;
    },
  });
  return Object.assign(harness, { rows, given });
}

describe('plain puts of one turn', () => {
  it('go through the store together, but for the first, and get a revision each, in their order', async () => {
    const { store, rows } = await openCounting();
    await store.put('first of its life', '');
    const names = Array.from({ length: 100 }, (_, index) => `k${index % 40}`);
    const puts = await Promise.all(names.map((name, index) => store.put(name, `${index}`)));
    expect(puts.map(({ revision }) => revision)).toEqual(names.map((_, index) => index + 2));
    expect(rows).toEqual([99]);
    const { entry } = await store.get('k3');
    expect(entry).toMatchObject({ createRevision: 5, modRevision: 85, version: 3 });
    expect(await valueOf(store, 'k3', 84)).toBe('43');
    expect(await store.status()).toMatchObject({ keyCount: 41, revision: 101 });
  });

  it('keep their place among other calls', async () => {
    const { store, rows } = await openCounting();
    await store.grantLease(60_000, 7);
    await store.put('leased', '', { leaseId: 7 });
    const [, , , seen, , , deleted, , last] = await Promise.all([
      store.put('a', '1'),
      store.put('a', '2'),
      store.put('b', '1'),
      store.txn({ success: [{ kind: 'get', key: 'a' }] }),
      store.put('a', '3'),
      // Its lease is let go of.
      store.put('leased', ''),
      store.delete('a', { returnPrevious: true }),
      store.put('a', '4', { condition: { kind: 'mustNotExist' } }),
      store.put('a', '5'),
    ]);
    expect(rows).toEqual([2, 1, 0, 1]);
    const [read] = seen.results;
    expect(read?.kind === 'get' && Buffer.from(read.entry?.value ?? []).toString()).toBe('2');
    expect(Buffer.from(deleted.previous?.value ?? []).toString()).toBe('3');
    expect(await store.getLease(7)).toMatchObject({ keyCount: 0 });
    expect((await store.get('a')).entry).toMatchObject({ version: 2, modRevision: last.revision });
  });

  it('are given to the engine about once each, however many keys among them stand against a row', async () => {
    const { store, given } = await openCounting();
    await store.grantLease(60_000, 7);
    const names = Array.from({ length: 200 }, (_, index) => `k${index}`);
    const options = names.map((_, index) => (index % 2 === 0 ? { leaseId: 7 } : {}));
    await Promise.all(names.map((name, index) => store.put(name, '', options[index])));
    await Promise.all(names.map((name) => store.put(name, 'new')));
    // The whole of the rest was given for each put that let go of its lease.
    expect(given.reduce((sum, count) => sum + count, 0)).toBeLessThan(4 * names.length);
    expect(await store.getLease(7)).toMatchObject({ keyCount: 0 });
    expect(await store.status()).toMatchObject({ revision: 400 });
  });

  it('are in no row when their values are long', async () => {
    const { store, rows } = await openCounting();
    await store.put('first of its life', '');
    const long = 'x'.repeat(fixed.putRowValueBytesMax + 1);
    const values = ['', '', long.slice(1), long, ''];
    await Promise.all(values.map((value, index) => store.put(`k${index}`, value)));
    expect(rows).toEqual([2, 1]);
    expect(await valueOf(store, 'k3')).toBe(long);
  });

  it('that are the first of a life of the store say so', async () => {
    const harness = await MemoryHarness.open();
    const { store } = harness;
    await Promise.all([store.get('none'), ...['a', 'b', 'c'].map((key) => store.put(key, ''))]);
    expect(await store.status()).toMatchObject({ revision: 3, incarnation: expect.stringMatching(/^.+$/) });
  });

  it.each([
    ['puts', (store: Store) => store.put('k', '')],
    ['gets', (store: Store) => store.get('k')],
    ['gets of long values', (store: Store) => store.get('long')],
  ])('%s leave the event loop when they have done much together', async (kind, call) => {
    const { store } = await MemoryHarness.open();
    const isLong = kind.endsWith('values');
    await store.put('long', new Uint8Array(fixed.turnBytesMax / 8));
    const count = isLong ? 8 * 4 : 3 * fixed.turnVisitsMax;
    let turns = 0;
    const state = { isOver: false };
    const all = Promise.all(Array.from({ length: count }, () => call(store))).finally(
      () => (state.isOver = true),
    );
    for (; !state.isOver; turns++) await new Promise(setImmediate);
    await all;
    expect(turns).toBeGreaterThanOrEqual(2);
  });

  it('on keys that are overdue create them anew, as one event', async () => {
    const { calls, clock } = await SeamHarness.open();
    await calls.put('k', 'old', { ttlMs: 1000 });
    clock.jump(2000);
    const watching = new Watching(calls, { startRevision: 2 });
    await Promise.all(['a', 'b', 'k', 'c'].map((key) => calls.put(key, 'new')));
    expect((await calls.get('k')).entry).toMatchObject({ createRevision: 4, version: 1, expireTimeMs: 0 });
    const texts = [];
    for (let event = 0; event < 4; event++) texts.push(messageText(await watching.next()));
    expect(texts).toEqual(['2: put a=new', '3: put b=new', '4: put k=new replacedExpired', '5: put c=new']);
  });

  it.each(['before they are made', 'while they wait for their flush'])(
    'are seen one by one by watches that are opened %s',
    async (when) => {
      const { calls, flushes } = await SeamHarness.open();
      await calls.put('k', '');
      const isBefore = when.startsWith('before');
      const open = () => new Watching(calls, { startRevision: 2, ranges: [{ prefix: 'k' }] });
      let watching = isBefore ? open() : undefined;
      flushes.hold();
      const puts = Promise.all(['k1', 'x', 'k2', 'k1'].map((key, index) => calls.put(key, `${index}`)));
      watching ??= open();
      flushes.release();
      await puts;
      const texts = [];
      for (let event = 0; event < 3; event++) texts.push(messageText(await watching.next()));
      expect(texts).toEqual([
        expect.stringContaining('k1'),
        expect.stringContaining('k2'),
        expect.stringContaining('k1'),
      ]);
    },
  );

  it.each(['before', 'after'] as const)(
    'stop the store when the engine breaks %s it has them, and none is told that nothing has changed',
    async (when) => {
      let engine: FailingEngine | undefined;
      const harness = await SeamHarness.open({
        makeEngine: () => (engine = new FailingEngine({ hashSeed: [1, 2] })),
      });
      const { calls, store } = harness;
      await calls.put('k', 'old');
      const first = calls.put('first', '');
      const puts = ['a', 'k', 'b'].map((key) => calls.put(key, 'new'));
      // Once the first has run, by itself.
      engine?.failNext(new Error('of the engine'), when);
      await refused(first, 'storageFailed');
      for (const put of puts) await refused(put, 'storageFailed');
      await expect(store.failed).resolves.toMatchObject({ code: 'storageFailed' });
      expect(await valueOf(calls, 'k')).toBe('old');
      await refused(calls.put('k', ''), 'readOnly');
      await harness.crash();
      expect(await valueOf(harness.calls, 'k')).toBe('old');
      expect(await harness.calls.put('k', 'next')).toMatchObject({ revision: 2 });
    },
  );

  it('are each refused for itself where a limit stands against it', async () => {
    const { calls } = await SeamHarness.open({ limits: { valueBytesMax: 10 } });
    const outcomes = await Promise.allSettled(
      ['short', 'short', 'too long for it', 'short'].map((value, index) => calls.put(`k${index}`, value)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await calls.keys('*')).toMatchObject({ keys: ['k0', 'k1', 'k3'] });
  });

  it('tell what became of each when the log fails under them', async () => {
    const harness = await MemoryHarness.open({ limits: { valueBytesMax: 10 } });
    const { store, disk } = harness;
    await store.put('first of its life', '');
    disk.injectFault({ call: 'sync', at: 1, pathEnd: '.log', isPermanent: true });
    const values = ['first', 'a', 'too long for it', 'b'];
    const puts = values.map((value, index) => store.put(`k${index}`, value));
    const outcomes = await Promise.allSettled(puts);
    expect(outcomes).toMatchObject([
      { reason: { code: 'storageFailed' } },
      { reason: { code: 'storageFailed' } },
      // It says what is wrong with the call itself, whatever is on disk.
      { reason: { code: 'invalidArgument' } },
      { reason: { code: 'storageFailed' } },
    ]);
    const behind = await Promise.allSettled(values.map((value, index) => store.put(`k${index}`, value)));
    expect(behind.map((outcome) => (outcome as PromiseRejectedResult).reason.code)).toEqual([
      'readOnly',
      'readOnly',
      'invalidArgument',
      'readOnly',
    ]);
  });

  it('are there again after a restart, with the clock of leases', async () => {
    const harness = await SeamHarness.open();
    const { calls, clock } = harness;
    await calls.grantLease(60_000, 7);
    const puts = ['a', 'b', 'c'].map((key) => calls.put(key, key));
    // The first has run, the others run behind this. No timer of the store is there to note the clock.
    clock.dropTimers();
    clock.pause(20_000);
    await Promise.all(puts);
    await harness.crash();
    expect((await harness.calls.scan({})).entries.map(({ key, modRevision }) => [key, modRevision])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    expect(await harness.calls.getLease(7)).toMatchObject({ remainingMs: 40_000 });
  });
});
