/** A store without files: `dataDir: null`. */
import { readdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store, StoreOptions } from '../../src/index.ts';
import { openBlobs, openStore } from '../../src/index.ts';

async function openInMemory(options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await openStore({ ...options, dataDir: null });
  onTestFinished(() => store.close());
  return store;
}

const textOf = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString();

describe('a store without a data directory', () => {
  it('makes no file, and shares nothing with another one', async () => {
    const before = readdirSync('.');
    const [first, second] = [await openInMemory(), await openInMemory()];
    await first.put('key', 'first');
    expect((await second.get('key')).entry).toBeUndefined();
    expect(textOf((await first.get('key')).entry?.value)).toBe('first');
    expect(readdirSync('.')).toEqual(before);
  });

  it('watches from an old revision, through segments and snapshots of its log', async () => {
    const store = await openInMemory({
      limits: { segmentBytes: 65_536, snapshotLogBytes: 65_536, historyRevisionsMax: 10 },
    });
    const value = Buffer.alloc(1000, 'v');
    const count = 500;
    for (let index = 0; index < count; index++) await store.put(`key-${index}`, value);
    const seen: string[] = [];
    for await (const message of store.watch({ startRevision: 1 })) {
      if (message.kind !== 'events') continue;
      for (const event of message.events) if (event.type === 'put') seen.push(event.entry.key);
      if (seen.length === count) break;
    }
    expect(seen).toEqual(Array.from({ length: count }, (_, index) => `key-${index}`));
  });

  it('cuts its log, so that what is overwritten takes no memory for long', async () => {
    const store = await openInMemory({ limits: { historyRevisionsMax: 10 } });
    const value = Buffer.alloc(65_536, 'v');
    const before = process.memoryUsage().arrayBuffers;
    for (let index = 0; index < 4000; index++) await store.put('key', value);
    // 256 MiB were written. What the log keeps, what is under way and what the garbage collector has not seen yet remain.
    expect((process.memoryUsage().arrayBuffers - before) / (1 << 20)).toBeLessThan(160);
  });

  it('lets timers have their turn while writes follow each other', async () => {
    const store = await openInMemory();
    const signal = AbortSignal.timeout(5);
    let writes = 0;
    while (!signal.aborted) {
      await store.put('key', String(writes));
      writes++;
    }
    expect(textOf((await store.get('key')).entry?.value)).toBe(String(writes - 1));
  });

  it('has volumes of blobs, too', async () => {
    const blobs = await openBlobs({ dataDir: null });
    onTestFinished(() => blobs.close());
    await blobs.put('photo', Buffer.from('bytes'));
    expect((await blobs.stats()).keyCount).toBe(1);
  });
});
