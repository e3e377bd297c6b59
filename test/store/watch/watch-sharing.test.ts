/**
 * Watches that want the same share what was made for one of them: each is handed what it would have made itself, a slow one
 * costs the others nothing, and what is kept for it is bounded.
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Key, Operation, WatchMessage, WatchRequest } from '../../../src/api.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { openUncheckedStore } from '../../../src/kv/open-store.ts';
import { fixed } from '../../../src/limits.ts';
import { EventMaker } from '../../../src/store/watch/messages/event-maker.ts';
import type { PulledWatch, WatchForm, WatchReader } from '../../../src/store/watch/messages/pulled-watch.ts';
import { plainForm } from '../../../src/store/watch/messages/pulled-watch.ts';
import { type SharedMessage, SharedMessages } from '../../../src/store/watch/messages/shared-messages.ts';
import { WatchGroups } from '../../../src/store/watch/watch-group.ts';
import { WatchPlace } from '../../../src/store/watch/sources/watch-work.ts';
import type { WatchSource } from '../../../src/store/watch/sources/watch-source.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { KEPT_HISTORY } from '../../support/test-engine.ts';
import { engineOfStore } from '../model/engine-of-harness.ts';
import { lineOf, messageText } from '../model/readable.ts';

/** A message as a form of the test has it. */
interface Item {
  readonly text: string;
  readonly message: WatchMessage;
}

/** Makes items that are shared, and counts those of events. */
class CountingForm implements WatchForm<Item> {
  readonly isShared = true;
  madeCount = 0;

  make(message: WatchMessage): Item {
    if (message.kind === 'events') this.madeCount++;
    return { text: messageText(message), message };
  }
}

/** Takes what there is as it comes, unless it rests. */
class Reader implements WatchReader {
  readonly items: Item[] = [];
  isResting = false;
  error: unknown;
  readonly #watch: PulledWatch<Item>;

  constructor(store: KvStore, form: WatchForm<Item>, request: WatchRequest) {
    this.#watch = store.openWatch(request, form, this);
    this.ready();
  }

  get texts(): string[] {
    return this.items.map(({ text }) => text);
  }

  /** One line for each event and for the end of each revision, whatever the fragments. */
  get lines(): string[] {
    return this.items.flatMap(({ message }) => {
      if (message.kind !== 'events') return [];
      const { revision, moreFragments } = message;
      const events = message.events.map((event) => `${revision} ${lineOf(event)}`);
      return moreFragments ? events : [...events, `${revision} ends`];
    });
  }

  get eventCount(): number {
    return this.items.reduce(
      (sum, { message }) => sum + (message.kind === 'events' ? message.events.length : 0),
      0,
    );
  }

  ready(): void {
    if (!this.isResting) this.take(Infinity);
  }

  /** Takes so many, if there are. */
  take(count: number): void {
    try {
      for (let left = count; left > 0; left--) {
        const item = this.#watch.take();
        if (item === undefined) return;
        this.items.push(item);
      }
    } catch (error) {
      this.error = error;
    }
  }

  goOn(): void {
    this.isResting = false;
    this.ready();
  }

  end(): void {
    this.#watch.end();
  }
}

const unsharedForm: WatchForm<Item> = {
  isShared: false,
  make: (message) => ({ text: messageText(message), message: plainForm.make(message) }),
};

async function openStore(): Promise<{ store: KvStore; clock: ManualClock }> {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const store = await openUncheckedStore({
    dataDir: '/data',
    disk: new SimulatedDisk({ seed: 1 }),
    clock,
    random,
    // What was before an event is read from history.
    ...engineOfStore({ limits: KEPT_HISTORY }),
  });
  onTestFinished(() => store.close());
  return { store, clock };
}

function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `k${String(index).padStart(6, '0')}`);
}

function puts(keys: readonly Key[], value = ''): Operation[] {
  return keys.map((key) => ({ kind: 'put', key, value }));
}

describe('watches that want the same', () => {
  it('are handed the same items, each made once', async () => {
    const { store, clock } = await openStore();
    const form = new CountingForm();
    const readers = Array.from({ length: 20 }, () => new Reader(store, form, { ranges: [{ key: 'a' }] }));
    await store.put('a', '1');
    await clock.settled();
    await Promise.all(['2', '3', '4'].map((value) => store.put('a', value)));
    await store.put('b', '');
    await clock.settled();
    const [first, ...others] = readers;
    expect(first?.texts).toEqual(['synced 0', '1: put a=1', '2: put a=2', '3: put a=3', '4: put a=4']);
    for (const { items } of others) {
      expect(items).toHaveLength(5);
      for (let index = 1; index < 5; index++) expect(items[index]).toBe(first?.items[index]);
    }
    expect(form.madeCount).toBe(4);
  });

  it('may say it in other words: in another order, twice, in parts', async () => {
    const { store, clock } = await openStore();
    const form = new CountingForm();
    const whole = { ranges: [{ start: 'a', end: 'c' }, { key: 'x' }] };
    const inParts = {
      ranges: [{ key: 'x' }, { start: 'b', end: 'c' }, { start: 'a', end: 'b' }, { key: 'bb' }],
      eventTypes: ['delete', 'put'] as const,
      keysOnly: false,
    };
    const readers = [whole, inParts].map((request) => new Reader(store, form, request));
    await store.put('bb', '');
    await store.put('x', '');
    await clock.settled();
    expect(form.madeCount).toBe(2);
    expect(readers[1]?.lines).toEqual(readers[0]?.lines);
  });

  it.each<[string, WatchRequest, WatchRequest]>([
    ['a range', { ranges: [{ key: 'a' }] }, { ranges: [{ prefix: 'a' }] }],
    ['the end of a range', { ranges: [{ start: 'a', end: 'b' }] }, { ranges: [{ start: 'a', end: 'c' }] }],
    ['the types of events', { eventTypes: ['put'] }, { eventTypes: ['put', 'delete'] }],
    ['the values', {}, { keysOnly: true }],
    ['the entry before', {}, { returnPrevious: true }],
  ])('share nothing with those that differ in %s', async (_, one, other) => {
    const { store, clock } = await openStore();
    const form = new CountingForm();
    const readers = [one, other, one, other].map((request) => new Reader(store, form, request));
    const plain = [one, other, one, other].map((request) => new Reader(store, unsharedForm, request));
    await store.txn({ success: [...puts(['a', 'ab', 'b'], 'one'), { kind: 'put', key: 'c', value: '1' }] });
    await store.txn({ success: puts(['a', 'ab', 'b'], 'two') });
    await store.deleteRange({ prefix: 'a' });
    await clock.settled();
    expect(readers.map(({ texts }) => texts)).toEqual(plain.map(({ texts }) => texts));
    expect(readers[0]?.texts).not.toEqual(readers[1]?.texts);
  });

  it('share nothing in another form', async () => {
    const { store, clock } = await openStore();
    const forms = [new CountingForm(), new CountingForm()];
    const readers = [...forms, ...forms].map((form) => new Reader(store, form, {}));
    await store.put('a', '');
    await clock.settled();
    expect(forms.map(({ madeCount }) => madeCount)).toEqual([1, 1]);
    expect(readers[0]?.items[1]).toBe(readers[2]?.items[1]);
    expect(readers[0]?.items[1]).not.toBe(readers[1]?.items[1]);
  });

  it('are not compared when their ranges are long, and miss nothing', async () => {
    const { store, clock } = await openStore();
    const form = new CountingForm();
    const ranges = Array.from({ length: 10 }, (_, index) => ({ key: `${index}`.repeat(2000) }));
    const readers = [1, 2].map(() => new Reader(store, form, { ranges }));
    await store.put(ranges[3]?.key ?? '', '');
    await clock.settled();
    expect(readers.map(({ lines }) => lines.length)).toEqual([2, 2]);
    expect(form.madeCount).toBe(2);
  });

  it('share the fragments of a long revision, each at its place', async () => {
    const { store, clock } = await openStore();
    const form = new CountingForm();
    const readers = Array.from({ length: 4 }, () => new Reader(store, form, { returnPrevious: true }));
    const plain = new Reader(store, unsharedForm, { returnPrevious: true });
    const [, second, third, fourth] = readers;
    for (const reader of [second, third, fourth]) if (reader !== undefined) reader.isResting = true;
    const keys = keysOf(4500);
    await store.txn({ success: puts(keys) });
    await store.txn({ success: puts(keys, 'x'.repeat(300)) });
    await clock.settled();
    const fragmentCount = form.madeCount;
    expect(fragmentCount).toBeGreaterThan(9);
    // One is within the first revision while another goes on to the second.
    second?.take(3);
    third?.take(fragmentCount - 1);
    await clock.settled();
    for (const reader of readers) reader.goOn();
    await clock.settled();
    for (const reader of readers) expect(reader.texts).toEqual(plain.texts);
    expect(form.madeCount).toBe(fragmentCount);
  });
});

describe('a slow watch among others', () => {
  it('gets everything, and nothing is made anew for the others, wherever it has to read', async () => {
    const { store, clock } = await openStore();
    const form = new CountingForm();
    const request = { ranges: [{ prefix: 'k' }], keysOnly: true };
    const fast = Array.from({ length: 3 }, () => new Reader(store, form, request));
    const slow = new Reader(store, form, request);
    slow.isResting = true;
    const made = vi.spyOn(EventMaker.prototype, 'ofRecent');
    onTestFinished(() => made.mockRestore());
    // More than is kept of the recent changes, so that the first of it is in the log alone.
    const keys = keysOf(9000);
    for (let count = 0; count < 8; count++) {
      await store.txn({ success: puts(keys) });
      await clock.settled();
    }
    expect(8 * keys.length).toBeGreaterThan(fixed.recentChangesMax);
    // Each event about once, though all of them take turns at the same messages.
    expect(made.mock.results.filter(({ value }) => value !== undefined).length).toBeLessThan(
      8.5 * keys.length,
    );
    made.mockRestore();
    slow.goOn();
    await clock.settled();
    while (slow.eventCount < 8 * keys.length) await new Promise(setImmediate);
    expect(slow.lines).toEqual(fast[0]?.lines);
    for (const { lines } of fast) expect(lines.length).toBe(8 * (keys.length + 1));
  });

  it('takes what is kept, and makes what is not kept any more', async () => {
    const { store, clock } = await openStore();
    const form = new CountingForm();
    const [fast, slow] = [new Reader(store, form, {}), new Reader(store, form, {})];
    slow.isResting = true;
    const putCount = 80;
    // Together more than is kept.
    for (let count = 0; count < putCount; count++) {
      await store.put('a', Buffer.alloc((2 * fixed.sharedWatchBytesMax) / putCount, count));
      await clock.settled();
    }
    expect(form.madeCount).toBe(putCount);
    slow.goOn();
    while (slow.items.length < 1 + putCount) await new Promise(setImmediate);
    const sharedCount = slow.items.filter((item) => fast.items.includes(item)).length;
    expect(sharedCount).toBeGreaterThan(putCount / 3);
    expect(sharedCount).toBeLessThan(putCount / 2 + 1);
    expect(form.madeCount).toBe(2 * putCount - sharedCount);
    expect(slow.lines).toEqual(fast.lines);
  });
});

describe('any watches at any pace', () => {
  it.each([1, 2, 3])('get what they would have got alone (seed %i)', async (seed) => {
    const { store, clock } = await openStore();
    const random = new SeededRandom(seed);
    const form = new CountingForm();
    const requests: WatchRequest[] = [
      {},
      { returnPrevious: true, eventTypes: ['put', 'delete', 'touch'] },
      { ranges: [{ prefix: 'k0000' }], eventTypes: ['put'] },
      { ranges: [{ key: 'k000003' }, { start: 'k001', end: 'k002' }], returnPrevious: true },
      { keysOnly: true },
    ];
    const plain = requests.map((request) => new Reader(store, unsharedForm, request));
    const readers = requests.flatMap((request) => [1, 2, 3].map(() => new Reader(store, form, request)));
    const keys = keysOf(1300);
    for (let step = 0; step < 80; step++) {
      switch (random.below(12)) {
        case 0:
          await store.txn({ success: puts(keys.slice(random.below(1200)), 'some') });
          break;
        case 1:
          await store.deleteRange({ prefix: `k00${random.below(3)}` });
          break;
        case 2:
          await store.txn({ success: puts(keys.slice(0, 5), 'v'.repeat(random.below(300_000))) });
          break;
        default:
          await Promise.all(
            [1, 2, 3].map((count) => store.put(`k00000${random.below(9)}`, `${step} ${count}`)),
          );
      }
      for (const reader of readers) {
        if (random.chance(0.1)) reader.isResting = !reader.isResting;
        if (reader.isResting) reader.take(random.below(3));
        else reader.ready();
      }
      if (random.chance(0.3)) await clock.settled();
    }
    for (const reader of readers) reader.goOn();
    await clock.settled();
    const wanted = plain.map(({ lines }) => lines);
    readers.forEach((reader, index) => expect(reader.lines).toEqual(wanted[Math.floor(index / 3)]));
    const taken = readers.reduce((count, { items }) => count + items.length, 0);
    expect(form.madeCount).toBeLessThan(taken / 2);
  });
});

describe('what is kept for watches that come later', () => {
  /** A group of so many watches, and what it shares. */
  function openGroup(watchCount: number) {
    const shared = new SharedMessages();
    const groups = new WatchGroups(shared);
    const group = groups.of({}, new CountingForm(), {} as WatchSource);
    for (let count = 0; count < watchCount; count++) groups.join(group);
    const find = (revision: number, changes: number): SharedMessage | undefined => {
      const place = new WatchPlace(revision - 1);
      place.passFragment(changes);
      return group.find(place);
    };
    const share = (revision: number, bytes: number): SharedMessage | undefined => {
      group.share({ revision, changesFrom: 0, changesTo: undefined, item: revision, eventCount: 1, bytes });
      return find(revision, 0);
    };
    return { shared, groups, group, share, find };
  }

  it('is bounded in bytes, the newest staying', () => {
    const { shared, share, find } = openGroup(2);
    let revision = 0;
    for (const [bytes, count] of [
      [0, 50_000],
      [100_000, 500],
      [fixed.sharedWatchBytesMax / 3, 10],
    ] as const) {
      let most = 0;
      for (let left = count; left > 0; left--) {
        share(++revision, bytes);
        most = Math.max(most, shared.bytes);
      }
      expect(most).toBeLessThanOrEqual(fixed.sharedWatchBytesMax);
      expect(shared.bytes).toBeGreaterThan(fixed.sharedWatchBytesMax / 2);
    }
    expect(find(revision, 0)?.item).toBe(revision);
    expect(find(revision - 3, 0)).toBeUndefined();
  });

  it('is not what is too long by itself', () => {
    const { shared, share } = openGroup(2);
    expect(share(1, fixed.sharedWatchBytesMax)).toBeUndefined();
    expect(shared.bytes).toBe(0);
  });

  it('is nothing where no other watch wants it, and is let go of when all have taken it', () => {
    const alone = openGroup(1);
    expect(alone.share(1, 10)).toBeUndefined();
    const { shared, group, share, find } = openGroup(3);
    const message = share(1, 10);
    if (message === undefined) throw new Error('it is kept');
    group.taken(message);
    expect(find(1, 0)).toBe(message);
    group.taken(message);
    expect(find(1, 0)).toBeUndefined();
    expect(shared.bytes).toBe(0);
  });

  it('goes with the last watch that wants it', () => {
    const { shared, groups, group, share, find } = openGroup(2);
    share(1, 10);
    group.share({ revision: 2, changesFrom: 0, changesTo: 5, item: 'a', eventCount: 1, bytes: 1 });
    group.share({ revision: 2, changesFrom: 5, changesTo: undefined, item: 'b', eventCount: 1, bytes: 1 });
    groups.leave(group);
    expect(find(2, 5)?.item).toBe('b');
    groups.leave(group);
    expect(shared.bytes).toBe(0);
    expect(find(1, 0)).toBeUndefined();
  });
});
