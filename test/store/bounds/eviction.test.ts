/** Where a memory policy asks for it, a full store lets keys go that have a time to live, and takes writes as long as there are any. */
import { describe, expect, it } from 'vitest';
import type { WatchEvent } from '../../../src/api.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { isStoreError } from '../../../src/errors.ts';
import { fixed } from '../../../src/limits.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import type { MemoryPolicy } from '../../../src/memory-policies.ts';
import { MemoryDisk } from '../../../src/disk/memory-disk.ts';
import { SeamHarness } from '../seam/seam-harness.ts';

const MIB = 1024 * 1024;
const LIMIT_BYTES = 8 * MIB;
const VALUE = Buffer.alloc(10_000, 'v');
/** More than twice as many as there is room for. */
const COUNT = 2000;
const TTL_MS = 1_000_000;

function open(memoryPolicy: MemoryPolicy): Promise<SeamHarness> {
  return SeamHarness.open({
    memoryBytesMax: LIMIT_BYTES,
    memoryPolicy,
    makeEngine: () => new MemoryEngine(),
  });
}

/** Puts keys with a time to live that rises. @returns how many were refused. */
async function putVolatile({ calls }: SeamHarness, prefix: string, count = COUNT): Promise<number> {
  let refusedCount = 0;
  for (let index = 0; index < count; index++) {
    try {
      await calls.put(`${prefix}${index}`, VALUE, { ttlMs: TTL_MS + index });
    } catch (error) {
      if (!isStoreError(error, 'limitReached')) throw error;
      refusedCount++;
    }
  }
  return refusedCount;
}

async function placesOf({ calls }: SeamHarness, prefix: string, count = COUNT): Promise<number[]> {
  const places: number[] = [];
  for (let index = 0; index < count; index++)
    if ((await calls.exists([`${prefix}${index}`])).exists[0] === true) places.push(index);
  return places;
}

/** What a watch has shown so far. */
function watched({ calls }: SeamHarness): WatchEvent[] {
  const events: WatchEvent[] = [];
  void (async () => {
    for await (const message of calls.watch({}))
      if (message.kind === 'events') events.push(...message.events);
  })().catch(() => undefined);
  return events;
}

describe('a full store', () => {
  it('lets those go with volatile-ttl that are nearest to the end of their time, for good, and tells of each', async () => {
    const harness = await open('volatile-ttl');
    const { calls, clock } = harness;
    for (let index = 0; index < 100; index++) await calls.put(`lasting${index}`, VALUE);
    const events = watched(harness);
    expect(await putVolatile(harness, 'k')).toBe(0);
    await clock.settled();
    const places = await placesOf(harness, 'k');
    // The last ones, of which as many are there as there is room for.
    expect(places).toEqual(
      Array.from({ length: places.length }, (_, index) => COUNT - places.length + index),
    );
    expect(places.length * VALUE.length).toBeGreaterThan(0.75 * (LIMIT_BYTES - 100 * VALUE.length));
    expect((await placesOf(harness, 'lasting', 100)).length).toBe(100);
    const { memoryBytes } = await calls.status();
    expect(memoryBytes).toBeLessThanOrEqual(1.001 * LIMIT_BYTES);
    expect(harness.events.filter(({ kind }) => kind === 'memoryFull')).toEqual([]);

    const evicted = events.filter((event) => event.type === 'delete');
    expect(evicted.every((event) => event.reason === 'evicted')).toBe(true);
    expect(evicted.length).toBe(COUNT - places.length);
    expect(calls.figures()).toMatchObject({ evictedKeyCount: evicted.length, expiredKeyCount: 0 });

    await harness.reopen();
    expect(await placesOf(harness, 'k')).toEqual(places);
  });

  it('lets any of them go with volatile-random', async () => {
    const harness = await open('volatile-random');
    expect(await putVolatile(harness, 'k')).toBe(0);
    const places = await placesOf(harness, 'k');
    expect(places.length * VALUE.length).toBeGreaterThan(0.75 * LIMIT_BYTES);
    // Of those that were there longer more are gone, but not all.
    expect(places.filter((place) => place < COUNT / 2).length).toBeGreaterThan(5);
    const late = COUNT - places.length;
    expect(places.filter((place) => place >= late).length).toBeLessThan(places.length - 5);
  });

  it('refuses writes when none is left that has a time to live, and those without stay', async () => {
    const harness = await open('volatile-ttl');
    const { calls, clock } = harness;
    expect(await putVolatile(harness, 'k', 300)).toBe(0);
    let count = 0;
    const fill = async (): Promise<void> => {
      for (; count < COUNT; count++) await calls.put(`lasting${count}`, VALUE);
    };
    await expect(fill()).rejects.toMatchObject({ code: 'limitReached' });
    expect(count * VALUE.length).toBeGreaterThan(0.9 * LIMIT_BYTES);
    await clock.settled();
    expect(await placesOf(harness, 'k', 300)).toEqual([]);
    expect((await placesOf(harness, 'lasting', count)).length).toBe(count);
    // Deletes lead out, as ever.
    for (let index = 0; index < 200; index++) await calls.delete(`lasting${index}`);
    await clock.settled();
    await calls.put('again', VALUE);
  });

  it('evicts nothing with noeviction, and does when it is told to', async () => {
    const harness = await open('noeviction');
    expect(await putVolatile(harness, 'k')).toBeGreaterThan(COUNT / 2);
    expect(harness.calls.figures().evictedKeyCount).toBe(0);
    harness.store.memoryPolicy = 'volatile-ttl';
    expect(await putVolatile(harness, 'next')).toBe(0);
    expect((await placesOf(harness, 'next')).length).toBeGreaterThan(300);
  });

  it.each([
    { fieldCount: 1000, valueBytes: 250 },
    { fieldCount: 12, valueBytes: 25_000 },
  ])('lets whole collections go, and no more of them than it has to: $fieldCount', async (shape) => {
    const { fieldCount, valueBytes } = shape;
    const harness = await open('volatile-ttl');
    const { calls, clock } = harness;
    for (let hash = 0; hash < 40; hash++) {
      const fields = Array.from(
        { length: fieldCount },
        (_, index) => [`f${index}`, 'v'.repeat(valueBytes)] as const,
      );
      await calls.hash.set(`h${hash}`, Object.fromEntries(fields));
      await calls.touch(`h${hash}`, { ttlMs: TTL_MS + hash });
    }
    for (let turn = 0; turn < 20; turn++) await clock.settled();
    const places = await placesOf(harness, 'h', 40);
    expect(places.length).toBeGreaterThan(5);
    expect(places).toEqual(Array.from({ length: places.length }, (_, index) => 40 - places.length + index));
    expect((await calls.status()).memoryBytes).toBeGreaterThan(0.6 * LIMIT_BYTES);
    for (const place of places)
      expect(await calls.hash.get(`h${place}`, { names: ['f0'] })).toMatchObject({ count: fieldCount });
  });

  it('makes one step alone while a backup keeps what is evicted', async () => {
    const harness = await open('volatile-ttl');
    const { calls, clock } = harness;
    expect(await putVolatile(harness, 'k', 600)).toBe(0);
    const backup = calls.backup();
    await backup.next();
    const puts = Promise.allSettled(
      Array.from({ length: 400 }, (_, index) => calls.put(`next${index}`, VALUE, { ttlMs: TTL_MS })),
    );
    await clock.settled();
    expect(calls.figures().evictedKeyCount).toBeGreaterThan(0);
    expect(calls.figures().evictedKeyCount).toBeLessThanOrEqual(2 * fixed.evictedKeysMax);
    await backup.return?.();
    await clock.pass(fixed.roomWaitMsMax);
    expect((await puts).filter(({ status }) => status === 'rejected')).toEqual([]);
  });
});

it('an engine that keeps keys in files refuses to evict them', async () => {
  const refusal = {
    code: 'invalidArgument',
    message: /^memoryPolicy volatile-ttl: keys are evicted with the engine memory alone/,
  };
  const options = { dataDir: 'data', disk: new MemoryDisk(), engine: 'lsm' } as const;
  await expect(openStore({ ...options, memoryPolicy: 'volatile-ttl' })).rejects.toMatchObject({
    code: refusal.code,
    message: expect.stringMatching(refusal.message) as string,
  });
});
