/** What watches look at, make and hold is bounded, however much a transaction changes and however many watches there are. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import type { Operation, Store, WatchMessage } from '../../../src/api.ts';
import { EventMaker } from '../../../src/store/watch/messages/event-maker.ts';
import { RecordWalk } from '../../../src/store/watch/sources/record-walk.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { Watching } from '../model/readable.ts';
import { MemoryHarness } from '../model/store-harness.ts';

/** More than is kept of one transaction in memory. */
const MANY = fixed.watchStagedChangesMax + 5000;

/** Keys in key order. */
function keysOf(count: number, prefix = 'k'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(6, '0')}`);
}

async function putAll(store: Store, keys: readonly string[], value = ''): Promise<void> {
  for (let from = 0; from < keys.length; from += fixed.txnOperationsMax) {
    const operations = keys.slice(from, from + fixed.txnOperationsMax);
    await store.txn({ success: operations.map((key): Operation => ({ kind: 'put', key, value })) });
  }
}

/** The keys of a revision's events, and the longest message. */
async function readRevision(
  watching: Watching,
  revision: number,
): Promise<{ keys: string[]; longest: number }> {
  const keys: string[] = [];
  let longest = 0;
  for (;;) {
    const message = await watching.next();
    expect(message).toMatchObject({ kind: 'events', revision });
    if (message.kind !== 'events') break;
    longest = Math.max(longest, message.events.length);
    for (const event of message.events) keys.push(event.type === 'delete' ? event.key : event.entry.key);
    if (!message.moreFragments) break;
  }
  return { keys, longest };
}

/** By how much a count grew in the turn of the event loop in which it grew most. */
function countByTurn(count: () => number): { most(): number } {
  let before = count();
  let most = 0;
  let isOver = false;
  const endTurn = (): void => {
    most = Math.max(most, count() - before);
    before = count();
    if (!isOver) setImmediate(endTurn);
  };
  setImmediate(endTurn);
  onTestFinished(() => {
    isOver = true;
  });
  return { most: () => most };
}

function spyOn<Method extends 'next' | 'readEffect'>(method: Method) {
  const spy = vi.spyOn(RecordWalk.prototype, method);
  onTestFinished(() => spy.mockRestore());
  return spy;
}

describe('a message', () => {
  it.each(['recent changes', 'log'])('has a bounded number of events, from the %s', async (origin) => {
    const { store } = await MemoryHarness.open();
    const keys = keysOf(3500);
    const live = await Watching.live(store);
    await putAll(store, keys);
    const watching = origin === 'log' ? new Watching(store, { startRevision: 1 }) : live;
    if (origin === 'log') {
      // With no watch open nothing is kept of what is written.
      await live.stop();
      await store.put('later', '');
    }
    const read = await readRevision(watching, 1);
    expect(read).toEqual({ keys, longest: fixed.watchMessageEventsMax });
  });

  it('counts what entries take besides keys and values', async () => {
    const { store } = await MemoryHarness.open();
    const watching = await Watching.live(store, { returnPrevious: true });
    const keys = keysOf(1000);
    await putAll(store, keys, 'v'.repeat(400));
    await putAll(store, keys, 'v'.repeat(400));
    await readRevision(watching, 1);
    const { longest } = await readRevision(watching, 2);
    // Twice 256 bytes for entries, and more for the event.
    expect(longest).toBeLessThan(fixed.watchMessageBytesMax / (2 * (400 + 256)));
    expect(longest).toBeGreaterThan(500);
  });

  it('is made for a watch when it is asked for, and no event beyond it', async () => {
    const { store } = await MemoryHarness.open();
    const keys = keysOf(MANY);
    await putAll(store, keys);
    const made = vi.spyOn(EventMaker.prototype, 'ofEffect');
    onTestFinished(() => made.mockRestore());
    const watches = await Promise.all(Array.from({ length: 20 }, () => Watching.live(store)));
    const firsts = watches.map((watching) => watching.next());
    await store.deleteRange({ prefix: 'k' });
    for (const first of firsts) expect(await first).toMatchObject({ kind: 'events', moreFragments: true });
    const results = made.mock.results.filter(({ value }) => value !== undefined);
    expect(results).toHaveLength(watches.length * fixed.watchMessageEventsMax);
  });

  it('is not kept once it was handed out', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { store } = await MemoryHarness.open();
    const { iterator } = await Watching.live(store);
    const handOut = async (): Promise<WeakRef<WatchMessage>> => {
      await store.put('a', 'v'.repeat(1000));
      const { value } = (await iterator.next()) as { value: WatchMessage };
      return new WeakRef(value);
    };
    const message = await handOut();
    // A reference is kept to the end of the turn that made it.
    await new Promise(setImmediate);
    collect();
    expect(message.deref()).toBeUndefined();
    await iterator.return?.();
  });
});

describe('the memory of messages', () => {
  it('is asked for before any is made, set to what it takes, and given back when there is none', async () => {
    const { store, clock } = await MemoryHarness.open();
    const levels: number[] = [];
    const answers: ((answer: boolean) => void)[] = [];
    const admit = (bytes: number): boolean | Promise<boolean> => {
      const isMore = bytes > (levels.at(-1) ?? 0);
      levels.push(bytes);
      return isMore ? new Promise((resolve) => answers.push(resolve)) : true;
    };
    const made = vi.spyOn(EventMaker.prototype, 'ofRecent');
    onTestFinished(() => made.mockRestore());
    const watching = await Watching.live(store, { admit });
    const next = watching.next();
    await store.put('a', 'v'.repeat(1000));
    await clock.settled();
    expect(levels).toEqual([fixed.watchMessageBytesMax]);
    expect(made).not.toHaveBeenCalled();
    answers[0]?.(true);
    expect(await next).toMatchObject({ kind: 'events', revision: 1 });
    expect(levels.at(-1)).toBeGreaterThan(1000);
    expect(levels.at(-1)).toBeLessThan(2000);
    const waiting = watching.next();
    await clock.settled();
    expect(levels.at(-1)).toBe(0);
    await store.put('b', '');
    await clock.settled();
    answers[1]?.(false);
    await expect(waiting).rejects.toThrow('the watch has ended');
    expect(made.mock.results.filter(({ value }) => value !== undefined)).toHaveLength(1);
  });

  it.each(['live', 'log', 'current'])('is asked for a long value before it is copied: %s', async (origin) => {
    const { store } = await MemoryHarness.open();
    const value = 'v'.repeat(3 * fixed.watchMessageBytesMax);
    const levels: number[] = [];
    const request = { returnPrevious: true, admit: (bytes: number) => levels.push(bytes) > 0 };
    const live = await Watching.live(store, request);
    await store.put('a', value);
    await store.put('a', value);
    const from = { current: { includeCurrent: true }, log: { startRevision: 1 }, live: {} }[origin];
    if (origin !== 'live') {
      await live.stop();
      await store.put('b', '');
    }
    const watching = origin === 'live' ? live : new Watching(store, { ...request, ...from });
    levels.length = 0;
    if (origin !== 'current') expect(await watching.next()).toMatchObject({ revision: 1 });
    const message = await watching.next();
    expect(message.kind).toBe(origin === 'current' ? 'current' : 'events');
    const entryCount = origin === 'current' ? 1 : 2;
    expect(Math.max(...levels)).toBeGreaterThan(entryCount * value.length);
    expect(Math.max(...levels)).toBeLessThan(entryCount * value.length + 2000);
  });
});

describe('a watch that reads a long transaction from the log', () => {
  it('looks at each effect once, whatever the number of messages', async () => {
    const { store } = await MemoryHarness.open();
    const keys = keysOf(MANY);
    await putAll(store, keys);
    const { revision } = await store.deleteRange({ prefix: 'k' });
    const next = spyOn('next');
    const read = await readRevision(new Watching(store, { startRevision: revision }), revision);
    expect(read.keys).toEqual(keys);
    const messageCount = Math.ceil(MANY / fixed.watchMessageEventsMax);
    const turnCount = Math.ceil((5 * MANY) / fixed.watchTurnVisitsMax);
    // Again only the one at which it stopped.
    expect(next.mock.calls.length).toBeLessThan(MANY + messageCount + turnCount);
  });

  it('reads no body of what it does not want, and leaves the event loop in between', async () => {
    const { store } = await MemoryHarness.open();
    await putAll(store, keysOf(MANY));
    const { revision } = await store.deleteRange({ prefix: 'k' });
    const next = spyOn('next');
    const readEffect = spyOn('readEffect');
    const made = vi.spyOn(EventMaker.prototype, 'ofEffect');
    onTestFinished(() => made.mockRestore());
    const nextByTurn = countByTurn(() => next.mock.calls.length);
    const touches = new Watching(store, { startRevision: revision, eventTypes: ['touch'] });
    expect(await touches.nextText()).toBe(`synced ${revision}`);
    expect(next.mock.calls.length).toBeGreaterThan(MANY);
    expect(readEffect).not.toHaveBeenCalled();
    const others = new Watching(store, { startRevision: revision, ranges: [{ prefix: 'l' }, { key: 'a' }] });
    expect(await others.nextText()).toBe(`synced ${revision}`);
    expect(readEffect).toHaveBeenCalledTimes(MANY);
    expect(made).not.toHaveBeenCalled();
    await new Promise(setImmediate);
    expect(nextByTurn.most()).toBeLessThanOrEqual(fixed.watchTurnVisitsMax);
  });

  it('goes on in the log where the recent changes end within a transaction', async () => {
    const { store } = await MemoryHarness.open();
    const keys = keysOf(3500);
    const watching = await Watching.live(store);
    await putAll(store, keys);
    const first = await watching.next();
    expect(first).toMatchObject({ kind: 'events', revision: 1, moreFragments: true });
    for (let count = 0; count <= fixed.recentChangesMax; count += 10_000)
      await putAll(store, keysOf(10_000, 'l'));
    const made = vi.spyOn(EventMaker.prototype, 'ofEffect');
    onTestFinished(() => made.mockRestore());
    const rest = await readRevision(watching, 1);
    expect(rest.keys).toEqual(keys.slice(fixed.watchMessageEventsMax));
    expect(made.mock.calls.length).toBeGreaterThanOrEqual(rest.keys.length);
  });

  it('is not woken when the transaction lies outside its ranges, and else reads all of it', async () => {
    const { store } = await MemoryHarness.open();
    const keys = keysOf(MANY);
    await putAll(store, keys);
    const inside = await Watching.live(store, { ranges: [{ key: 'a' }, { key: keys[7] ?? '' }] });
    const outside = await Watching.live(store, { ranges: [{ prefix: 'a' }, { prefix: 'l' }] });
    const ofOtherTypes = await Watching.live(store, { eventTypes: ['touch', 'put'] });
    const next = spyOn('next');
    const texts = [outside, ofOtherTypes, inside].map((watching) => watching.nextText());
    const { revision } = await store.deleteRange({ prefix: 'k' });
    expect(await texts[2]).toBe(`${revision}: delete ${keys[7]} requested`);
    await store.put('l', '');
    expect(await texts[0]).toBe(`${revision + 1}: put l=`);
    expect(await texts[1]).toBe(`${revision + 1}: put l=`);
    // One of the three has read the log.
    expect(next.mock.calls.length).toBeLessThan(2 * MANY);
  });
});

describe('a watch of present entries', () => {
  it('passes over deleted keys at next to no visits', async () => {
    let visits = 0;
    const harness = await MemoryHarness.open({
      makeEngine: () => {
        const engine = new MemoryEngine({ hashSeed: [1, 2] });
        const scan = engine.scan.bind(engine);
        engine.scan = (range, revision, options, visit) => {
          const before = options.budget.visitsLeft;
          const next = scan(range, revision, options, visit);
          visits += before - options.budget.visitsLeft;
          return next;
        };
        return engine;
      },
    });
    const { store } = harness;
    await putAll(store, keysOf(30_000));
    await store.deleteRange({ prefix: 'k' });
    await store.put('z', '');
    visits = 0;
    const watching = new Watching(store, { includeCurrent: true });
    expect(await watching.nextText()).toBe('current 5: z=');
    expect(visits).toBeLessThan(1000);
  });
});
