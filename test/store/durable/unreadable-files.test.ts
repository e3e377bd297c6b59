/** Files of an engine that can't be read for a while: what the store does by itself is tried again, and ends no process. */
import { expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import { allPairs } from '../model/readable.ts';
import { openLayered } from './layered-store.ts';

it('a key is removed once what has it can be read again', async () => {
  const { harness, bases } = await openLayered();
  const { store } = harness;
  await store.put('short', '1', { ttlMs: 60_000 });
  await store.put('b', '2');
  await store.snapshot();
  for (const key of bases.newest.keys()) if (key.includes('short')) bases.newest.unreadable.add(key);
  await harness.advance(60_000 + fixed.expiryCheckMsMax);
  expect((await store.status()).keyCount).toBe(2);
  bases.newest.unreadable.clear();
  await harness.advance(fixed.expiryCheckMsMax);
  expect((await store.status()).keyCount).toBe(1);
  expect(await allPairs(store)).toEqual(['b=2']);
});

it('a collection is swept once what has it can be read again', async () => {
  const { harness, bases } = await openLayered({ limits: { historyRevisionsMax: 2 } });
  const { store } = harness;
  const elements = Array.from({ length: 2000 }, (_, index) => `an element ${index}`);
  await store.set.add('set', elements);
  await store.snapshot();
  for (const key of bases.newest.keys()) if (key.includes('an element')) bases.newest.unreadable.add(key);
  await store.delete('set');
  const elementCount = (): number => bases.newest.keys().filter((key) => key.includes('an element')).length;
  const goOn = async (): Promise<void> => {
    for (let count = 0; count < 5; count++) {
      await store.put(`k${count}`, 'v');
      await harness.clock.settled();
    }
  };
  await goOn();
  expect(elementCount()).toBe(elements.length);
  bases.newest.unreadable.clear();
  await goOn();
  expect(elementCount()).toBe(0);
});
