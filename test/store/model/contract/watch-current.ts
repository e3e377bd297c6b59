/** Watches that begin with the present entries. */
import { expect, it } from 'vitest';
import { messageText, Watching } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

export function testWatchCurrent(open: OpenHarness): void {
  it('sends the present entries of its ranges in key order, then every change after them', async () => {
    const { store } = await open();
    for (const key of ['z', 'a2', 'b', 'a1']) await store.put(key, key);
    await store.put('dead', '');
    await store.delete('dead');
    const watching = new Watching(store, {
      includeCurrent: true,
      ranges: [{ key: 'z' }, { prefix: 'a' }, { key: 'dead' }],
    });
    await store.put('a1', 'new');
    expect(await watching.texts(4)).toEqual([
      'current 6: a1=a1, a2=a2',
      'current 6: z=z',
      'synced 6',
      '7: put a1=new',
    ]);
  });

  it('says at once that it is live when there is nothing present', async () => {
    const { store } = await open();
    const watching = new Watching(store, { includeCurrent: true });
    expect(await watching.nextText()).toBe('synced 0');
    await store.put('a', '');
    expect(await watching.nextText()).toBe('1: put a=');
  });

  it('leaves out what is past its deadline, and sends its end', async () => {
    const harness = await open();
    const { store, clock } = harness;
    await store.put('dead', '', { ttlMs: 1000 });
    await store.put('alive', '');
    clock.jump(1000);
    const watching = new Watching(store, { includeCurrent: true });
    expect(await watching.texts(2)).toEqual(['current 2: alive=', 'synced 2']);
    await harness.advance(1000);
    expect(await watching.nextText()).toBe('3: delete dead expired');
  });

  it('sends present entries without values when asked for', async () => {
    const { store } = await open();
    await store.put('a', 'value');
    const watching = new Watching(store, { includeCurrent: true, keysOnly: true });
    expect(await watching.nextText()).toBe('current 1: a=');
  });

  it('shows one revision in many messages, while the state changes and is compacted', async () => {
    const { store } = await open({ historyRevisionsMax: 10 });
    const keys = Array.from({ length: 5000 }, (_, index) => `k${String(index).padStart(5, '0')}`);
    await store.txn({ success: keys.map((key) => ({ kind: 'put', key, value: 'old' })) });
    const watching = new Watching(store, { includeCurrent: true });
    const seen: string[] = [];
    let changeCount = 0;
    for (let message = await watching.next(); message.kind === 'current'; message = await watching.next()) {
      expect(message.revision).toBe(1);
      seen.push(...message.entries.map(({ key, value }) => `${key}=${Buffer.from(value).toString()}`));
      for (let index = 0; index < 10; index++) await store.put(keys[4999 - changeCount++] ?? '', 'new');
    }
    expect(seen).toEqual(keys.map((key) => `${key}=old`));
    expect(changeCount).toBeGreaterThan(30);
    for (let index = 0; index < changeCount; index++) {
      expect(messageText(await watching.next())).toBe(`${index + 2}: put ${keys[4999 - index]}=new`);
    }
    await store.put('end', '');
    expect((await store.status()).oldestRevision).toBe(changeCount + 2 - 10);
  });

  it('ends when it is read too slowly for its revision to be kept', async () => {
    const harness = await open({ historyRevisionsMax: 10 });
    const { store } = harness;
    const keys = Array.from({ length: 5000 }, (_, index) => `k${index}`);
    await store.txn({ success: keys.map((key) => ({ kind: 'put', key, value: '' })) });
    const watching = new Watching(store, { includeCurrent: true });
    await watching.next();
    for (let index = 0; index < 20; index++) await store.put('k', '');
    expect((await watching.next()).kind).toBe('current');
    await harness.advance(61_000);
    await store.put('k', '');
    const rest = async () => {
      while ((await watching.next()).kind === 'current');
    };
    await expect(rest()).rejects.toMatchObject({ code: 'slowWatcher', details: { resumeRevision: 0 } });
  });
}
