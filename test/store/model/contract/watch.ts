/** Watches of what changes: order, completeness, filters, fragments, resuming, ending. */
import { expect, it } from 'vitest';
import type { Operation } from '../../../../src/api.ts';
import { lineOf, messageText, plain, refused, Watching } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

export function testWatch(open: OpenHarness): void {
  it('says that it is live, then what changes from now on', async () => {
    const { store, clock } = await open();
    await store.put('before', '');
    const watching = new Watching(store);
    expect(await watching.next()).toMatchObject({ kind: 'synced', revision: 1 });
    await store.put('a', '1');
    await store.delete('a');
    await store.txn({
      success: [put('c', '3'), put('b', '2'), { kind: 'deleteRange', range: { key: 'before' } }],
    });
    expect(await watching.texts(3)).toEqual([
      '2: put a=1',
      '3: delete a requested',
      '4: put c=3, put b=2, delete before requested',
    ]);
    await store.put('a', 'again');
    const message = await watching.next();
    expect(message).toMatchObject({
      kind: 'events',
      revision: 5,
      commitTimeMs: clock.nowMs(),
      moreFragments: false,
    });
    const event = message.kind === 'events' ? message.events[0] : undefined;
    expect(event?.type === 'put' && plain(event.entry)).toEqual({
      key: 'a',
      value: 'again',
      createRevision: 5,
      modRevision: 5,
      version: 1,
      leaseId: 0,
      expireTimeMs: 0,
    });
  });

  it('begins with any kept revision, and goes on live', async () => {
    const { store } = await open();
    for (let index = 1; index <= 5; index++) await store.put(`k${index}`, '');
    const watching = new Watching(store, { startRevision: 3 });
    expect(await watching.texts(4)).toEqual(['3: put k3=', '4: put k4=', '5: put k5=', 'synced 5']);
    await store.put('live', '');
    expect(await watching.nextText()).toBe('6: put live=');
    const next = new Watching(store, { startRevision: 7 });
    expect(await next.nextText()).toBe('synced 6');
    await refused(new Watching(store, { startRevision: 8 }).next(), 'revisionFuture', {
      requestedRevision: 8,
      oldestRevision: 0,
      newestRevision: 6,
    });
  });

  it('starts where it was asked for, however late it is read', async () => {
    const { store } = await open();
    const watching = new Watching(store);
    await store.put('a', '1');
    await store.put('b', '2');
    expect(await watching.texts(3)).toEqual(['1: put a=1', '2: put b=2', 'synced 2']);
  });

  it('sends only what lies in its ranges, and a key in several of them once', async () => {
    const { store } = await open();
    const ranges = [
      { prefix: 'a' },
      { key: 'ab' },
      { start: 'm', end: 'p' },
      { start: 'o', end: 'q' },
      { key: 'z' },
    ];
    const watching = await Watching.live(store, { ranges });
    const keys = ['a', 'ab', 'b', 'l', 'm', 'o', 'o0', 'q', 'z', 'z0', '\u{10ffff}'];
    for (const key of keys) await store.put(key, '');
    await store.txn({ success: ['y', 'z', 'b', 'a'].map((key) => put(key, 'txn')) });
    expect(await watching.texts(7)).toEqual([
      '1: put a=',
      '2: put ab=',
      '5: put m=',
      '6: put o=',
      '7: put o0=',
      '9: put z=',
      '12: put z=txn, put a=txn',
    ]);
    const fromLog = new Watching(store, { ranges, startRevision: 1 });
    expect(await fromLog.texts(7)).toHaveLength(7);
    expect(await fromLog.nextText()).toBe('synced 12');
  });

  it('sends the types that are asked for: puts and deletes unless said otherwise', async () => {
    const { store, clock } = await open();
    const watching = {
      usual: await Watching.live(store),
      empty: await Watching.live(store, { eventTypes: [] }),
      puts: await Watching.live(store, { eventTypes: ['put'] }),
      deletes: await Watching.live(store, { eventTypes: ['delete'] }),
      touches: await Watching.live(store, { eventTypes: ['touch'] }),
      all: await Watching.live(store, { eventTypes: ['put', 'delete', 'touch'] }),
    };
    await store.put('k', 'v', { ttlMs: 1000 });
    await store.touch('k', { ttlMs: 2000 });
    await store.delete('k');
    const touch = `2: touch k until ${clock.nowMs() + 2000}`;
    const [putLine, deleteLine] = ['1: put k=v', '3: delete k requested'];
    expect(await watching.usual.texts(2)).toEqual([putLine, deleteLine]);
    expect(await watching.empty.texts(2)).toEqual([putLine, deleteLine]);
    expect(await watching.puts.texts(1)).toEqual([putLine]);
    expect(await watching.deletes.texts(1)).toEqual([deleteLine]);
    expect(await watching.touches.texts(1)).toEqual([touch]);
    expect(await watching.all.texts(3)).toEqual([putLine, touch, deleteLine]);
    const again = new Watching(store, { eventTypes: ['put', 'delete', 'touch'], startRevision: 1 });
    expect(await again.texts(3)).toEqual([putLine, touch, deleteLine]);
  });

  it('sends the entry of a touch without its value, with all else as it is', async () => {
    const { store, clock } = await open();
    await store.grantLease(60_000, 7);
    await store.put('k', 'v');
    await store.put('k', 'v', { ttlMs: 1000, leaseId: 7 });
    const live = await Watching.live(store, { eventTypes: ['touch'] });
    await store.touch('k', { ttlMs: 3000 });
    const expected = {
      key: 'k',
      value: '',
      createRevision: 1,
      modRevision: 2,
      version: 2,
      leaseId: 7,
      expireTimeMs: clock.nowMs() + 3000,
    };
    const fromLog = new Watching(store, { eventTypes: ['touch'], startRevision: 1 });
    for (const watching of [live, fromLog]) {
      const message = await watching.next();
      const event = message.kind === 'events' ? message.events[0] : undefined;
      expect(event?.type === 'touch' && plain(event.entry)).toEqual(expected);
    }
  });

  it('sends entries without values, and entries before, when asked for', async () => {
    const { store } = await open();
    const previous = await Watching.live(store, { returnPrevious: true });
    const keysOnly = await Watching.live(store, { returnPrevious: true, keysOnly: true });
    await store.put('a', '1');
    await store.put('a', '2');
    await store.txn({ success: [{ kind: 'delete', key: 'a' }, put('b', '3')] });
    await store.put('a', '4');
    const lines = ['1: put a=1', '2: put a=2 was 1', '3: delete a requested was 2, put b=3', '4: put a=4'];
    const bare = ['1: put a=', '2: put a= was ', '3: delete a requested was , put b=', '4: put a='];
    expect(await previous.texts(4)).toEqual(lines);
    expect(await keysOnly.texts(4)).toEqual(bare);
    const request = { startRevision: 1, returnPrevious: true };
    expect(await new Watching(store, request).texts(4)).toEqual(lines);
    expect(await new Watching(store, { ...request, keysOnly: true }).texts(4)).toEqual(bare);
    await store.compact(2);
    await refused(new Watching(store, request).next(), 'revisionCompacted');
    await refused(new Watching(store, { ...request, startRevision: 2 }).next(), 'revisionCompacted');
    expect(await new Watching(store, { ...request, startRevision: 3 }).texts(2)).toEqual(lines.slice(2));
  });

  it('says how far it is when there was nothing for a while', async () => {
    const harness = await open();
    const { store } = harness;
    const watching = await Watching.live(store, { ranges: [{ prefix: 'a' }], progressIntervalMs: 500 });
    const first = watching.nextText();
    await store.put('b', '');
    await harness.advance(500);
    expect(await first).toBe('progress 1');
    const second = watching.nextText();
    await store.put('b', '');
    await harness.advance(499);
    await store.put('a', '');
    expect(await second).toBe('3: put a=');
    const third = watching.nextText();
    await harness.clock.settled();
    await harness.advance(500);
    expect(await third).toBe('progress 3');
    for (const progressIntervalMs of [99, 0, -1, NaN, Infinity]) {
      await refused(new Watching(store, { progressIntervalMs }).next(), 'invalidArgument');
    }
    await Watching.live(store, { progressIntervalMs: 100 });
  });

  it('says so every 10 seconds unless told otherwise', async () => {
    const harness = await open();
    const watching = await Watching.live(harness.store);
    let isTold = false;
    const next = watching.nextText().then((text) => {
      isTold = true;
      return text;
    });
    await harness.clock.settled();
    await harness.advance(9999);
    expect(isTold).toBe(false);
    await harness.advance(1);
    expect(await next).toBe('progress 0');
  });

  it('cuts a huge revision into fragments that say so', async () => {
    const { store } = await open();
    const live = await Watching.live(store, { returnPrevious: true });
    const value = 'v'.repeat(300_000);
    const keys = Array.from({ length: 10 }, (_, index) => `k${index}`);
    await store.txn({ success: keys.map((key) => put(key, value)) });
    await store.put('after', '');
    await expectFragments(live, keys, 4);
    const fromLog = new Watching(store, { startRevision: 1 });
    await expectFragments(fromLog, keys, 4);
    const keysOnly = new Watching(store, { startRevision: 1, keysOnly: true });
    await expectFragments(keysOnly, keys, 10);
  });

  it('goes on after a restart where it was left', async () => {
    const harness = await open();
    for (let index = 1; index <= 50; index++) await harness.store.put(`k${index}`, `${index}`);
    const first = await new Watching(harness.store, { startRevision: 1 }).texts(20);
    await harness.reopen();
    const second = new Watching(harness.store, { startRevision: 21 });
    const rest = await second.texts(30);
    expect([...first, ...rest]).toEqual(
      Array.from({ length: 50 }, (_, index) => `${index + 1}: put k${index + 1}=${index + 1}`),
    );
    expect(await second.nextText()).toBe('synced 50');
    await harness.store.put('live', '');
    expect(await second.nextText()).toBe('51: put live=');
  });

  it('answers calls of next that are made at once, in their order', async () => {
    const { store } = await open();
    const { iterator } = new Watching(store, { startRevision: 1 });
    const calls = [iterator.next(), iterator.next(), iterator.next(), iterator.next()];
    await store.put('a', '1');
    await store.put('b', '2');
    await store.put('c', '3');
    const results = await Promise.all(calls);
    const texts = results.map((result) => (result.done === true ? 'done' : messageText(result.value)));
    expect(texts.filter((text) => !text.startsWith('synced'))).toEqual([
      '1: put a=1',
      '2: put b=2',
      '3: put c=3',
    ]);
  });

  it('ends when its caller leaves, also while it waits', async () => {
    const { store } = await open();
    const watching = await Watching.live(store);
    expect((await store.status()).watcherCount).toBe(1);
    const waiting = watching.iterator.next();
    await watching.stop();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await watching.iterator.next()).toEqual({ done: true, value: undefined });
    expect((await store.status()).watcherCount).toBe(0);
    await store.put('a', '');
    for await (const message of store.watch({ startRevision: 1 })) {
      expect(message.kind).toBe('events');
      break;
    }
    expect((await store.status()).watcherCount).toBe(0);
  });

  it('says nothing more once its caller has left, wherever it was', async () => {
    const { store } = await open();
    await Promise.all(Array.from({ length: 10 }, (_, index) => store.put(`k${index}`, '')));
    for (let stepCount = 0; stepCount < 40; stepCount++) {
      const { iterator } = new Watching(store, { startRevision: 1 });
      const reading = iterator.next();
      for (let step = 0; step < stepCount; step++) await Promise.resolve();
      await iterator.return?.();
      await reading;
      expect(await iterator.next(), `after ${stepCount} steps`).toEqual({ done: true, value: undefined });
    }
  });

  it('ends by its signal, before it begins, while it waits and with messages unread', async () => {
    const { store } = await open();
    const aborted = store.watch({ signal: AbortSignal.abort() });
    expect(await aborted.next()).toMatchObject({ done: true });
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = await Watching.live(store, { signal });
    const call = waiting.iterator.next();
    const unread = await Watching.live(store, { signal });
    const inLog = new Watching(store, { signal, startRevision: 1 });
    await Promise.all([store.put('b', ''), store.put('c', '')]);
    await call;
    controller.abort();
    for (const { iterator } of [waiting, unread, inLog]) {
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
    }
    expect((await store.status()).watcherCount).toBe(0);
  });

  it('refuses requests that break a rule', async () => {
    const { store } = await open();
    await store.put('a', '');
    const wrong = [
      { startRevision: -1 },
      { startRevision: 1.5 },
      { startRevision: 1, includeCurrent: true },
      { ranges: [{ start: 'b', end: 'a' }] },
      { ranges: [{ key: 'a', prefix: 'a' }] },
      { ranges: Array.from({ length: 101 }, (_, index) => ({ key: `k${index}` })) },
    ];
    for (const request of wrong) {
      await refused(new Watching(store, request).next(), 'invalidArgument');
    }
    expect((await store.status()).watcherCount).toBe(0);
  });

  it('tells of what breaks a rule when it is read, and then is at its end', async () => {
    const { store } = await open();
    const iterator = store.watch({ startRevision: -1 });
    await refused(iterator.next(), 'invalidArgument');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('refuses more watches than allowed, until one has ended', async () => {
    const { store } = await open({ watchersMax: 2 });
    const first = await Watching.live(store);
    await Watching.live(store);
    await refused(new Watching(store).next(), 'limitReached');
    await first.stop();
    await Watching.live(store);
  });

  it('serves thousands of watches of one key each, every one its own events', async () => {
    const { store } = await open();
    const count = 3000;
    const watches = await Promise.all(
      Array.from({ length: count }, (_, index) => Watching.live(store, { ranges: [{ key: `k${index}` }] })),
    );
    const texts = Promise.all(watches.map((watching) => watching.nextText()));
    await store.txn({ success: Array.from({ length: count }, (_, index) => put(`k${index}`, `${index}`)) });
    expect(await texts).toEqual(Array.from({ length: count }, (_, index) => `1: put k${index}=${index}`));
    expect((await store.status()).watcherCount).toBe(count);
    await Promise.all(watches.map((watching) => watching.stop()));
  });

  it('misses nothing while many write at once', async () => {
    const { store } = await open();
    const live = await Watching.live(store, { ranges: [{ prefix: 'k' }] });
    const seen = live.texts(500);
    const writes: Promise<unknown>[] = [];
    for (let index = 1; index <= 500; index++) {
      writes.push(store.put(`k${index % 7}`, `${index}`));
      if (index % 50 === 0) await Promise.all(writes);
      if (index % 20 === 0) writes.push(new Watching(store, { startRevision: 1 }).texts(index));
    }
    const expected = Array.from(
      { length: 500 },
      (_, index) => `${index + 1}: put k${(index + 1) % 7}=${index + 1}`,
    );
    expect(await seen).toEqual(expected);
    expect(await new Watching(store, { startRevision: 1 }).texts(500)).toEqual(expected);
    await Promise.all(writes);
  });

  it('goes on only in the store that it began in, if that is asked for', async () => {
    const harness = await open();
    await harness.store.put('a', '1');
    await harness.reopen();
    const { storeId } = harness.store;
    const request = { startRevision: 1, storeId };
    expect(await new Watching(harness.store, request).nextText()).toBe('1: put a=1');
    const requestedStoreId = storeId.replace(/./, (digit) => (digit === '0' ? '1' : '0'));
    for (const startRevision of [0, 1]) {
      const other = new Watching(harness.store, { startRevision, storeId: requestedStoreId });
      await refused(other.next(), 'otherStore', { requestedStoreId, storeId });
    }
    await refused(new Watching(harness.store, { storeId: 'x' }).next(), 'invalidArgument');
  });
}

function put(key: string, value: string): Operation {
  return { kind: 'put', key, value };
}

/** Reads one revision in fragments of at most `perFragmentMax` events. */
async function expectFragments(
  watching: Watching,
  keys: readonly string[],
  perFragmentMax: number,
): Promise<void> {
  const lines: string[] = [];
  for (;;) {
    const message = await watching.next();
    if (message.kind !== 'events') throw new Error(`a message of kind ${message.kind} between fragments`);
    expect(message.revision).toBe(1);
    expect(message.events.length).toBeLessThanOrEqual(perFragmentMax);
    lines.push(...message.events.map((event) => lineOf(event).split('=')[0] ?? ''));
    expect(message.moreFragments).toBe(lines.length < keys.length);
    if (!message.moreFragments) break;
  }
  expect(lines).toEqual(keys.map((key) => `put ${key}`));
  expect(await watching.nextText()).toMatch(/^2: put after=|^synced/);
}
