/** Many keys that share one deadline: gone for readers at its instant, removed in an order that is known, bit by bit. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import { allPairs, refused, Watching } from '../model/readable.ts';
import { MemoryHarness } from '../model/store-harness.ts';

const KEY_COUNT = 10_000;
const TTL_MS = 5000;

describe('keys that share one deadline', () => {
  it('can not be read from its instant on, though most are still to be removed', async () => {
    const { store, clock } = await openFilled();
    clock.advance(TTL_MS - 1);
    expect(await store.count({})).toMatchObject({ count: KEY_COUNT });
    clock.advance(1);
    expect(await store.exists(['k0000', 'k5000', 'k9999'])).toMatchObject({ exists: [false, false, false] });
    expect(await store.get('k9999')).toMatchObject({ entry: undefined });
    expect(await allPairs(store)).toEqual([]);
    expect(await store.count({})).toMatchObject({ count: 0 });
    expect((await store.keys('k*')).keys).toEqual([]);
    await refused(store.touch('k9998', { ttlMs: 1 }), 'keyNotFound');
    expect((await store.status()).keyCount).toBeGreaterThan(0.5 * KEY_COUNT);
    await clock.settled();
    expect(await store.status()).toMatchObject({ keyCount: 0 });
  });

  it('are removed a batch at a time, and other writes take effect in between', async () => {
    const { store, clock } = await openFilled();
    clock.advance(TTL_MS);
    let leftCount = (await store.status()).keyCount;
    const between: Promise<{ readonly revision: number }>[] = [];
    while (leftCount > 0) {
      await new Promise(setImmediate);
      const { keyCount } = await store.status();
      expect(leftCount - keyCount).toBeLessThanOrEqual(2 * fixed.expiryBatchMax);
      leftCount = keyCount;
      between.push(store.put('other', ''), store.delete('other'));
    }
    expect(between.length).toBeGreaterThan(KEY_COUNT / fixed.expiryBatchMax / 2);
    const revisions = (await Promise.all(between)).map(({ revision }) => revision);
    expect(revisions[0]).toBeLessThan(0.2 * KEY_COUNT);
    expect(revisions.at(-1)).toBeGreaterThan(0.9 * KEY_COUNT);
  });

  it('have an event for each that is removed, and none for those that are written again before', async () => {
    const harness = await openFilled();
    const { store } = harness;
    // The wall clock alone moves, so that nothing has been removed yet.
    harness.clock.jump(TTL_MS);
    const again = [keyOf(0), keyOf(5000), keyOf(KEY_COUNT - 1)];
    await Promise.all(again.map((key) => store.put(key, 'again')));
    await harness.advance(fixed.expiryCheckMsMax);
    const texts = await new Watching(store, { startRevision: 2 }).texts(KEY_COUNT);
    expect(texts.slice(0, again.length)).toEqual(
      again.map((key, index) => `${index + 2}: put ${key}=again replacedExpired`),
    );
    const removed = Array.from({ length: KEY_COUNT }, (_, index) => keyOf(index)).filter(
      (key) => !again.includes(key),
    );
    expect(texts.slice(again.length)).toEqual(
      removed.map((key, index) => `${index + 2 + again.length}: delete ${key} expired`),
    );
    expect(await allPairs(store)).toEqual(again.map((key) => `${key}=again`));
  });

  it.each(['reopen', 'crash'] as const)(
    'are logged and watched in key order, each at its own revision, over a %s in the middle',
    async (how) => {
      const harness = await openFilled();
      harness.clock.advance(TTL_MS);
      while ((await harness.store.status()).revision < KEY_COUNT / 3) await new Promise(setImmediate);
      await (how === 'reopen' ? harness.reopen() : harness.crash('losePower'));
      const { revision } = await harness.store.status();
      expect(revision).toBeGreaterThan(1);
      expect(revision).toBeLessThan(KEY_COUNT);
      // Nobody sees them come back.
      expect(await harness.store.count({})).toMatchObject({ count: 0 });
      await harness.advance(fixed.expiryCheckMsMax);
      const watching = new Watching(harness.store, { startRevision: 2 });
      expect(await watching.texts(KEY_COUNT)).toEqual(
        Array.from({ length: KEY_COUNT }, (_, index) => `${index + 2}: delete ${keyOf(index)} expired`),
      );
    },
  );
});

function keyOf(index: number): string {
  return `k${String(index).padStart(4, '0')}`;
}

/** A store whose keys were written in one transaction, the last one first. */
async function openFilled(): Promise<MemoryHarness> {
  const harness = await MemoryHarness.open();
  const success = Array.from({ length: KEY_COUNT }, (_, index) => ({
    kind: 'put' as const,
    key: keyOf(KEY_COUNT - 1 - index),
    value: '',
    ttlMs: TTL_MS,
  }));
  await harness.store.txn({ success });
  return harness;
}
