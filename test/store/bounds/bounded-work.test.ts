/**
 * Every call of a store gets the worst input that its limits allow, among 1,000,000 keys, beside a client that calls `get` in
 * each turn of the event loop. What is asserted is the work of one turn, in keys looked at and bytes (`counted-engine.ts`), and
 * no time.
 *
 * The tests share one store and stand in an order: each changes keys of its own, the last ones all. The last test tells a call that
 * has no row.
 */
import { allowed } from '../../support/open-access.ts';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PipelineResponseShape } from '../../../gen/kelp/v1/kv_codec.ts';
import { PipelineRequestSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import type {
  Collections,
  Compare,
  GetResult,
  Key,
  KeyRange,
  Operation,
  ScanPageOptions,
  Store,
} from '../../../src/api.ts';
import { CheckedStore } from '../../../src/kv/checked-store.ts';
import { KvStore } from '../../../src/kv/kv-store.ts';
import { defaults, fixed } from '../../../src/limits.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { kvMethods } from '../../../src/server/services/kv/kv.ts';
import { UnreadRequest } from '../../../src/server/services/method.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import { LeaseOrder } from '../../../src/store/leases/lease-order.ts';
import { openDurableStore } from '../../../src/store/open-durable-store.ts';
import { EventMaker } from '../../../src/store/watch/messages/event-maker.ts';
import { WatchIndex } from '../../../src/store/watch/matching/watch-index.ts';
import { RecordWalk } from '../../../src/store/watch/sources/record-walk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { CountedEngine, type Work, WorkMeter } from './counted-engine.ts';
import { refused, Watching } from '../model/readable.ts';
import { DATA_DIR } from '../model/store-harness.ts';

/** How many keys there are of each prefix: together 1,000,000. */
const counts = { live: 400_000, gone: 100_000, due: 300_000, half: 100_000, many: 100_000 };
const TTL_MS = 1000;
const LEASE = 7;
const LEASE_TTL_MS = 5000;
/** The first of all keys. */
const LONG_KEYS = Array.from(
  { length: 512 },
  (_, index) => 'a'.repeat(4090) + String(index).padStart(4, '0'),
);
const LARGE_VALUE = 'v'.repeat(64 * 1024);
/** What the client reads beside; the last of all keys. */
const READ_KEY = 'z';
const LIVE_START = Buffer.from('live/');

/** Of the many that it takes to forget all. */
const FORGETTING_TURNS = 300;

/*
 * What one turn of the event loop may do. Numbers of their own, so that a limit that is raised is seen here.
 */
/** What is one piece by nature, a transaction: it looks at 128 Ki keys at most, and then changes 100,000. */
const TRANSACTION_VISITS = 240_000;
/** A page, or a part of a reply that comes in parts. */
const PAGE_VISITS = 25_000;
/** The places that are looked at in one go for watches that wait. */
const NOTICE_VISITS = 12_000;
/** A turn of a watch, and background work. */
const SLICE_VISITS = 5000;
/** A request that ends early: what it looks at is next to nothing. */
const FEW_VISITS = 5000;
/** Values of one request, and the last one that goes over it. */
const REQUEST_BYTES = 65 * 1024 * 1024;
const PAGE_BYTES = 2.1 * 1024 * 1024;
/** Keys of one request: their bytes are paid as visits. */
const KEY_BYTES = 20 * 1024 * 1024;
/** Values that the calls of a turn read, and as much that they write. */
const TURN_BYTES = 8.3 * 1024 * 1024;
/** Those of one lease, which go in one transaction. */
const LEASE_KEY_BYTES = 4 * 1024 * 1024;

const meter = new WorkMeter();
const clock = new ManualClock();
let store: Store;
/** The same store as doors have it, and with the calls that only the server makes. */
let durable: DurableStore;
let kvStore: KvStore;

/**
 * All calls of a store, but for its end, and those on collections, which `test/collections/bounded-reads.test.ts` measures: one that
 * is new is to be added, and then needs a row.
 */
const calls: Record<Exclude<keyof Store, 'storeId' | 'failed' | 'close' | keyof Collections>, true> = {
  get: true,
  put: true,
  delete: true,
  deleteRange: true,
  getMany: true,
  exists: true,
  scan: true,
  count: true,
  keys: true,
  increment: true,
  touch: true,
  txn: true,
  watch: true,
  grantLease: true,
  renewLease: true,
  revokeLease: true,
  getLease: true,
  listLeases: true,
  status: true,
  snapshot: true,
  backup: true,
  compact: true,
  compactStorage: true,
};
/** Those that were made while work was measured. */
const measured = new Set<PropertyKey>();
const state = { isMeasuring: false };

// What takes seconds on an idle machine may take minutes on a busy one.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

beforeAll(async () => {
  const random = new SeededRandom(1);
  durable = await openDurableStore({
    dataDir: DATA_DIR,
    clock,
    random,
    disk: new SimulatedDisk({ seed: 1 }),
    fsync: 'never',
    memoryBytesMax: 4 * 1024 ** 3,
    limits: { historyRevisionsMax: 1e9, historyBytesMax: 1e12, historyAgeMs: 1e12, logRetentionMs: 1e12 },
    makeEngine: () => new CountedEngine(meter),
  });
  kvStore = new KvStore({ store: durable, clock, random });
  store = noteCalls(new CheckedStore(kvStore));
  for (const [prefix, count] of Object.entries(counts))
    await putAll(keysOf(prefix, count), prefix === 'due' ? { ttlMs: TTL_MS } : {});
  await putAll([...LONG_KEYS, READ_KEY]);
  await store.put('large', LARGE_VALUE);
  countCalls(RecordWalk.prototype, 'next');
  countCalls(EventMaker.prototype, 'ofEffect');
  countCalls(EventMaker.prototype, 'ofRecent');
  countPlaces();
});

afterAll(() => store.close({ snapshotMsMax: 0 }));

/** Notes which calls are made while work is measured. */
function noteCalls(noted: Store): Store {
  return new Proxy(noted, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (state.isMeasuring) measured.add(name);
      return member.bind(target) as unknown;
    },
  });
}

function keysOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}/${String(index).padStart(7, '0')}`);
}

async function putAll(keys: readonly string[], options: { ttlMs?: number; leaseId?: number } = {}) {
  for (let from = 0; from < keys.length; from += fixed.txnOperationsMax) {
    const operations = keys.slice(from, from + fixed.txnOperationsMax);
    await store.txn({
      success: operations.map((key): Operation => ({ kind: 'put', key, value: 'v', ...options })),
    });
  }
}

/** Calls of a method count as visits, too. */
function countCalls<Name extends string, Method extends (...args: never[]) => unknown>(
  prototype: Record<Name, Method>,
  name: Name,
): void {
  const counted = prototype[name];
  prototype[name] = new Proxy(counted, {
    apply: (method, receiver, args) => {
      meter.spend(1);
      return Reflect.apply(method, receiver, args) as unknown;
    },
  });
}

/** A lease that is listed, or written, counts as a visit, and so does a place where watches wait that is looked at. */
function countPlaces(): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its receiver
  const { visit } = WatchIndex.prototype;
  WatchIndex.prototype.visit = function (this: WatchIndex<unknown>, key, tell) {
    const places = visit.call(this, key, tell);
    meter.spend(places);
    return places;
  };
  // oxlint-disable-next-line typescript/unbound-method -- called with its receiver
  const { after } = LeaseOrder.prototype;
  LeaseOrder.prototype.after = function (this: LeaseOrder, afterId, limit) {
    const ids = after.call(this, afterId, limit);
    meter.spend(ids.length);
    return ids;
  };
}

interface Outcome<Result> {
  readonly result: Result;
  /** Of the turn in which most was done. */
  readonly most: Work;
  readonly all: Work;
  /** In each of them a `get` was answered. */
  readonly turns: number;
}

/** Does something beside a client that reads in each turn. */
async function beside<Result>(work: () => Promise<Result>): Promise<Outcome<Result>> {
  await clock.settled();
  meter.begin();
  const progress = { isOver: false };
  // First, so that no turn has the work of two.
  let turn = new Promise(setImmediate);
  state.isMeasuring = true;
  const working = work().finally(() => {
    progress.isOver = true;
    state.isMeasuring = false;
  });
  working.catch(() => undefined);
  let turns = 0;
  const gets: Promise<GetResult>[] = [];
  while (!progress.isOver) {
    await turn;
    turn = new Promise(setImmediate);
    meter.endTurn();
    turns++;
    // Not noted as a call that is measured. It may wait behind those, and no turn waits for it.
    gets.push(kvStore.get(READ_KEY));
  }
  for (const { entry } of await Promise.all(gets)) expect(entry).toBeDefined();
  meter.endTurn();
  const { most, all } = meter;
  return { result: await working, most, all: { visits: all.visits - turns, bytes: all.bytes }, turns };
}

/** The same for what is refused. */
async function refusedBeside(work: () => Promise<unknown>): Promise<Outcome<undefined>> {
  return await beside(async () => {
    await refused(
      work().then(() => undefined),
      'limitReached',
    );
    return undefined;
  });
}

/** All pages of a scan. @returns how many entries and pages there are. */
async function scanAll(range: KeyRange, options: ScanPageOptions = {}) {
  let entryCount = 0;
  let pageCount = 0;
  let pageToken = '';
  do {
    const page = await store.scan(range, {
      keysOnly: true,
      limit: fixed.pageLimitMax,
      ...options,
      pageToken,
    });
    entryCount += page.entries.length;
    pageCount++;
    ({ nextPageToken: pageToken } = page);
    await new Promise(setImmediate);
  } while (pageToken !== '');
  return { entryCount, pageCount };
}

function rangeCompares(prefix: string, operand: Compare['operand']): Compare[] {
  return Array.from({ length: fixed.txnComparesMax }, () => {
    return { subject: { range: { prefix } }, relation: 'equal', operand };
  });
}

function times(count: number, operation: Operation): Operation[] {
  return Array.from({ length: count }, () => operation);
}

async function newestRevision(): Promise<number> {
  return (await store.status()).revision;
}

describe('reads', () => {
  it('of a pattern end a page by the bytes of the keys that it looked at', async () => {
    const pattern = `*${'a'.repeat(253)}b`;
    const { result, most } = await beside(() => store.keys(pattern));
    expect(result).toMatchObject({ keys: [], nextPageToken: expect.not.stringMatching(/^$/) });
    expect(most.bytes).toBeLessThanOrEqual(PAGE_BYTES);
    expect(most.visits).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('of a pattern that nothing matches look at some of all keys in each page', async () => {
    let pageCount = 0;
    const { most } = await beside(async () => {
      let pageToken = '';
      do {
        const page = await store.keys('*[x]?nothing*', { pageToken });
        expect(page.keys).toEqual([]);
        pageCount++;
        ({ nextPageToken: pageToken } = page);
        await new Promise(setImmediate);
      } while (pageToken !== '');
    });
    expect(pageCount).toBeGreaterThanOrEqual(1_000_000 / PAGE_VISITS);
    expect(most.visits).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('of the longest page, of the most keys and of their existence', async () => {
    const keys = keysOf('live', fixed.getManyKeysMax);
    const page = await beside(() => store.scan({ prefix: 'live' }, { limit: fixed.pageLimitMax }));
    expect(page.result.entries).toHaveLength(fixed.pageLimitMax);
    const many = await beside(() => store.getMany(keys));
    expect(many.result.entries).toHaveLength(keys.length);
    const exists = await beside(() => store.exists(keys));
    expect(exists.result.exists).not.toContain(false);
    for (const { most } of [page, many, exists]) expect(most.visits).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('of many large values are refused once their bytes are too many', async () => {
    const keys = Array.from({ length: fixed.getManyKeysMax }, (): Key => 'large');
    const { most } = await refusedBeside(() => store.getMany(keys));
    expect(most.bytes).toBeLessThanOrEqual(REQUEST_BYTES);
  });

  it('of the newest state are counted by ranks, and the status costs nothing', async () => {
    const counted = await beside(() => store.count({ prefix: 'live' }));
    expect(counted.result.count).toBe(counts.live);
    expect(counted.all.visits).toBeLessThan(100);
    expect((await beside(() => store.status())).all.visits).toBeLessThan(100);
  });
});

describe('a call of one key', () => {
  it('looks at little, whatever it is', async () => {
    const each: (() => Promise<unknown>)[] = [
      () => store.get('live/0000001'),
      () => store.get('live/0000001', { refreshTtl: true }),
      () => store.put('live/0000001', 'w', { returnPrevious: true }),
      () => store.touch('live/0000001', { ttlMs: 0 }),
      () => store.increment('counted'),
      () => store.delete('counted', { returnPrevious: true }),
    ];
    for (const call of each) expect((await beside(call)).all.visits).toBeLessThan(20);
  });
});

describe('a request of many long keys', () => {
  const long = (index: number): string => LONG_KEYS[index % LONG_KEYS.length] ?? '';
  const many = Array.from({ length: fixed.existsKeysMax }, (_, index) => long(index));
  /** New ones, as many as their bytes allow in one transaction. */
  const added = Array.from({ length: 8000 }, (_, index) => `${'b'.repeat(4090)}${index}`);
  const bound = (index: number): KeyRange => ({ start: long(index), end: `${long(index)}/` });
  const rangeCompare = (_: unknown, index: number): Compare => ({
    subject: { range: bound(index) },
    relation: 'equal',
    operand: { kind: 'version', value: 1 },
  });

  it.each<[string, () => Promise<unknown>]>([
    ['asks whether they exist', () => store.exists(many)],
    ['reads them together', () => store.getMany(many)],
    ['gets them', () => store.txn({ success: many.map((key) => ({ kind: 'get', key })) })],
    ['puts them', () => store.txn({ success: added.map((key) => ({ kind: 'put', key, value: 'v' })) })],
    ['deletes them', () => store.txn({ success: many.map((key) => ({ kind: 'delete', key })) })],
    [
      'increments them',
      () => store.txn({ success: added.map((key) => ({ kind: 'increment', key, delta: 1 })) }),
    ],
    [
      'deletes ranges between them',
      () => store.txn({ success: many.map((_, at) => ({ kind: 'deleteRange', range: bound(at) })) }),
    ],
  ])('is refused when it %s', async (_, call) => {
    const revision = await newestRevision();
    const { most } = await refusedBeside(call);
    expect(most.bytes).toBeLessThanOrEqual(KEY_BYTES);
    expect(await newestRevision()).toBe(revision);
  });

  it('is done as far as compares may go', async () => {
    const compares = Array.from({ length: fixed.txnComparesMax }, rangeCompare);
    const { result, most } = await beside(() => store.txn({ compares }));
    expect(result.succeeded).toBe(true);
    expect(most.bytes).toBeLessThanOrEqual(KEY_BYTES);
  });
});

describe('a transaction', () => {
  it('compares ranges of which all keys are deleted at next to no visits', async () => {
    await store.deleteRange({ prefix: 'gone' });
    const compares = rangeCompares('gone', { kind: 'exists', value: false });
    const { result, all } = await beside(() => store.txn({ compares }));
    expect(result.succeeded).toBe(true);
    expect(all.visits).toBeLessThan(FEW_VISITS);
  });

  it('is refused when its compares look at too much', async () => {
    const compares = rangeCompares('many', { kind: 'version', value: 1 });
    const { most } = await refusedBeside(() => store.txn({ compares }));
    expect(most.visits).toBeLessThanOrEqual(TRANSACTION_VISITS);
  });

  it.each<[string, Compare['subject']]>([
    ['keys', { key: 'large' }],
    ['ranges', { range: { prefix: 'large' } }],
  ])('is refused when its compares of %s read too many bytes', async (_, subject) => {
    const compare: Compare = { subject, relation: 'equal', operand: { kind: 'value', value: LARGE_VALUE } };
    const compares = Array.from({ length: fixed.txnComparesMax }, () => compare);
    expect((await store.txn({ compares })).succeeded).toBe(true);
    const success = times(100, { kind: 'get', key: 'large' });
    const { most } = await refusedBeside(() => store.txn({ compares, success }));
    expect(most.bytes).toBeLessThanOrEqual(REQUEST_BYTES);
  });

  it('is refused when it reads too many bytes', async () => {
    const gets = times(fixed.txnOperationsMax, { kind: 'get', key: 'large' });
    const { most } = await refusedBeside(() => store.txn({ success: gets }));
    expect(most.bytes).toBeLessThanOrEqual(REQUEST_BYTES);
    const puts = times(fixed.txnOperationsMax, {
      kind: 'put',
      key: 'large',
      value: 'v',
      returnPrevious: true,
    });
    expect((await store.txn({ success: puts.slice(0, 2) })).results).toHaveLength(2);
    await store.put('large', LARGE_VALUE);
  });

  it('writes one key as often as it may, and looks at no other', async () => {
    const increments = times(fixed.txnOperationsMax, { kind: 'increment', key: 'number', delta: 1 });
    const { result, all } = await beside(() => store.txn({ success: increments }));
    expect(result.results.at(-1)).toMatchObject({ value: BigInt(fixed.txnOperationsMax) });
    expect(all.visits).toBeLessThan(FEW_VISITS);
  });

  it('is refused when it deletes one range again and again', async () => {
    const { revision } = await store.status();
    const deletes = times(fixed.txnOperationsMax, { kind: 'deleteRange', range: { prefix: 'many' } });
    const { most } = await refusedBeside(() => store.txn({ success: deletes }));
    expect(most.visits).toBeLessThanOrEqual(TRANSACTION_VISITS);
    expect(await newestRevision()).toBe(revision);
  });

  it('deletes no more than it may', async () => {
    const { most } = await refusedBeside(() => store.deleteRange({ all: true }));
    expect(most.visits).toBeLessThanOrEqual(TRANSACTION_VISITS);
    expect((await store.count({ prefix: 'live' })).count).toBe(counts.live);
  });
});

describe('watches', () => {
  it('read the longest transaction from the log in slices', async () => {
    const watches = await Promise.all(Array.from({ length: 5 }, () => Watching.live(store)));
    const { result, most } = await beside(async () => {
      const { revision, deletedCount } = await store.deleteRange({ prefix: 'many' });
      meter.begin();
      const read = watches.map((watching) => countEvents(watching, revision));
      expect(deletedCount).toBe(counts.many);
      return await Promise.all(read);
    });
    expect(result).toEqual(watches.map(() => counts.many));
    expect(most.visits).toBeLessThanOrEqual(SLICE_VISITS);
    await Promise.all(watches.map((watching) => watching.stop()));
  });

  it('that nobody reads keep one message each, made one by one', async () => {
    const WATCHES = 900;
    await putAll(keysOf('many', counts.many));
    const watches = await Promise.all(Array.from({ length: WATCHES }, () => Watching.live(store)));
    const asked = watches.map((watching) => watching.next());
    const { most, all } = await beside(async () => {
      await store.deleteRange({ prefix: 'many' });
      meter.begin();
      return await Promise.all(asked);
    });
    for (const message of await Promise.all(asked))
      expect(message.kind === 'events' && message.events.length).toBe(fixed.watchMessageEventsMax);
    expect(most.visits).toBeLessThanOrEqual(SLICE_VISITS);
    // An effect is looked at, and an event made of it.
    expect(all.visits).toBeLessThan(WATCHES * 2.5 * fixed.watchMessageEventsMax);
    await Promise.all(watches.map((watching) => watching.stop()));
  });

  it('of all of the log that want nothing of it go through it in slices', async () => {
    const ranges = keysOf('nothing', fixed.watchRangesMax).map((prefix) => ({ prefix }));
    const watching = new Watching(store, { startRevision: 1, ranges });
    const { result, most, all } = await beside(() => watching.next());
    expect(result.kind).toBe('synced');
    expect(all.visits).toBeGreaterThan(1_000_000);
    expect(most.visits).toBeLessThanOrEqual(SLICE_VISITS);
    await watching.stop();
  });

  it('of present entries go through all keys in slices', async () => {
    const { result, most } = await beside(async () => {
      const watching = new Watching(store, { includeCurrent: true, keysOnly: true });
      let entryCount = 0;
      let message = await watching.next();
      for (; message.kind === 'current'; message = await watching.next())
        entryCount += message.entries.length;
      await watching.stop();
      return entryCount;
    });
    expect(result).toBeGreaterThan(counts.live);
    expect(most.visits).toBeLessThanOrEqual(SLICE_VISITS);
  });
});

describe('deleted keys between live ones', () => {
  it('are passed over by the index', async () => {
    const half = keysOf('half', counts.half);
    const deletes = half
      .filter((_, index) => index % 2 === 0)
      .map((key): Operation => ({ kind: 'delete', key }));
    for (let from = 0; from < deletes.length; from += fixed.txnOperationsMax)
      await store.txn({ success: deletes.slice(from, from + fixed.txnOperationsMax) });
    const { result, all } = await beside(() => scanAll({ prefix: 'half' }));
    expect(result.entryCount).toBe(counts.half / 2);
    expect(all.visits).toBeLessThanOrEqual(result.entryCount * 1.1);
  });

  it('are looked at in bounded pages by scans and counts of an older revision', async () => {
    const revision = 103;
    const scanned = await beside(() => scanAll({ start: 'b' }, { revision }));
    const counted = await beside(() => store.count({ start: 'b' }, { revision }));
    expect(counted.result.count).toBe(scanned.result.entryCount);
    expect(counted.result.count).toBeGreaterThan(counts.live + counts.half);
    for (const { most } of [scanned, counted]) expect(most.visits).toBeLessThanOrEqual(PAGE_VISITS);
    expect(counted.turns).toBeGreaterThan(counted.result.count / PAGE_VISITS);
  });
});

describe('keys that are past their deadline and not removed yet', () => {
  beforeAll(() => clock.jump(2 * TTL_MS));

  it('are passed over by pages that may be empty', async () => {
    const { result, most } = await beside(() => scanAll({ prefix: 'due' }));
    expect(result.entryCount).toBe(0);
    expect(result.pageCount).toBeLessThanOrEqual(Math.ceil(counts.due / fixed.pageVisitsMax) + 1);
    expect(most.visits).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('refuse what would have to look at too many of them', async () => {
    const revision = await newestRevision();
    const compares = rangeCompares('due', { kind: 'exists', value: false });
    const outcomes = [
      await refusedBeside(() => store.deleteRange({ prefix: 'due' })),
      await refusedBeside(() => store.txn({ compares })),
      await refusedBeside(() => store.count({ prefix: 'due' })),
    ];
    for (const { most } of outcomes) expect(most.visits).toBeLessThanOrEqual(TRANSACTION_VISITS);
    expect(await newestRevision()).toBe(revision);
  });

  it('are passed over by a delete in parts', async () => {
    const { result, most } = await beside(() => store.deleteRange({ prefix: 'due' }, { inParts: true }));
    expect(result.deletedCount).toBe(0);
    expect(most.visits).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('do not show in a watch of present entries, which leaves the event loop in between', async () => {
    const watching = new Watching(store, { includeCurrent: true, ranges: [{ prefix: 'due' }] });
    const { result, most, turns } = await beside(() => watching.next());
    expect(result.kind).toBe('synced');
    expect(most.visits).toBeLessThanOrEqual(SLICE_VISITS);
    expect(turns).toBeGreaterThanOrEqual(counts.due / SLICE_VISITS);
    await watching.stop();
  });

  it('are removed some at a time', async () => {
    const revision = await newestRevision();
    const { most } = await beside(() => clock.pass(TTL_MS));
    expect(await newestRevision()).toBe(revision + counts.due);
    expect(most.visits).toBeLessThanOrEqual(SLICE_VISITS);
    expect((await store.count({ prefix: 'due' })).count).toBe(0);
  });
});

describe('a lease of the most keys', () => {
  const keys = keysOf('leased', fixed.leaseKeysMax);

  beforeEach(async () => {
    await store.grantLease(LEASE_TTL_MS, LEASE);
    await putAll(keys, { leaseId: LEASE });
  });

  it('is shown with its keys in slices, and ends in one transaction', async () => {
    const { result, turns } = await beside(() => store.getLease(LEASE, { includeKeys: true }));
    expect(result.keys).toEqual(keys);
    // They are sorted by merging: each of them is looked at several times.
    expect(turns).toBeGreaterThanOrEqual((4 * fixed.leaseKeysMax) / SLICE_VISITS);
    const { result: end, most } = await beside(() => store.revokeLease(LEASE));
    expect(end.deletedCount).toBe(keys.length);
    expect(most.visits).toBeLessThanOrEqual(TRANSACTION_VISITS);
  });

  it('ends by itself in one transaction', async () => {
    const revision = await newestRevision();
    const { most } = await beside(() => clock.pass(LEASE_TTL_MS));
    expect(await newestRevision()).toBe(revision + 1);
    expect((await store.count({ prefix: 'leased' })).count).toBe(0);
    expect(most.visits).toBeLessThanOrEqual(TRANSACTION_VISITS);
  });
});

describe('a lease of the longest keys', () => {
  it('has few of them, and ends in one transaction', async () => {
    await store.grantLease(LEASE_TTL_MS, LEASE);
    const puts = Array.from({ length: LEASE_KEY_BYTES / 4096 }, (_, index): Operation => ({
      kind: 'put',
      key: `l${index}`.padEnd(4096, 'k'),
      value: 'v',
      leaseId: LEASE,
    }));
    await store.txn({ success: puts });
    await refused(store.put('leased', 'v', { leaseId: LEASE }), 'limitReached');
    const { result, most } = await beside(() => store.revokeLease(LEASE));
    expect(result.deletedCount).toBe(puts.length);
    // Each is looked at and deleted.
    expect(most.bytes).toBeLessThanOrEqual(2.1 * LEASE_KEY_BYTES);
  });
});

describe('a store of the most leases', () => {
  const IDS = 1000;

  beforeAll(async () => {
    for (let from = IDS; from < IDS + defaults.leasesMax; from += fixed.txnOperationsMax) {
      durable.decide((view) => {
        for (let id = from; id < from + fixed.txnOperationsMax; id++) view.grantLease(id, LEASE_TTL_MS);
      });
      await clock.settled();
    }
  });

  it('refuses one more, and renews and shows one by looking at next to nothing', async () => {
    const one = [
      await refusedBeside(() => store.grantLease(LEASE_TTL_MS)),
      await beside(() => store.renewLease(IDS)),
      await beside(() => store.getLease(IDS)),
      await beside(() => store.revokeLease(IDS)),
      await beside(() => store.grantLease(LEASE_TTL_MS, IDS)),
    ];
    for (const { all } of one) expect(all.visits).toBeLessThan(20);
  });

  it('renews many in one transaction', async () => {
    const { most } = await beside(async () => {
      durable.decide((view) => {
        for (let id = IDS; id < IDS + fixed.txnOperationsMax; id++) view.renewLease(id);
      });
      await clock.settled();
    });
    expect(most.visits).toBeLessThanOrEqual(FEW_VISITS);
  });

  it('lists them in pages, whatever changes between', async () => {
    const { result, most, all } = await beside(async () => {
      let count = 0;
      let pageToken = '';
      do {
        const page = await store.listLeases({ limit: fixed.pageLimitMax, pageToken });
        count += page.leases.length;
        ({ nextPageToken: pageToken } = page);
        await store.revokeLease(IDS + defaults.leasesMax - 1);
        await store.grantLease(LEASE_TTL_MS, IDS + defaults.leasesMax - 1);
      } while (pageToken !== '');
      return count;
    });
    expect(result).toBe(defaults.leasesMax);
    expect(most.visits).toBeLessThanOrEqual(PAGE_VISITS);
    expect(all.visits).toBeLessThan(2 * defaults.leasesMax);
  });

  it('writes them as a backup and as a snapshot in slices', async () => {
    const backup = await beside(async () => {
      for await (const piece of store.backup()) expect(piece.length).toBeGreaterThan(0);
    });
    const snapshot = await beside(() => store.snapshot());
    for (const { most, all } of [backup, snapshot]) {
      expect(all.visits).toBeGreaterThan(defaults.leasesMax);
      expect(most.visits).toBeLessThanOrEqual(SLICE_VISITS);
    }
  });

  afterAll(async () => {
    for (let from = IDS; from < IDS + defaults.leasesMax; from += fixed.txnOperationsMax) {
      durable.decide((view) => {
        for (let id = from; id < from + fixed.txnOperationsMax; id++) view.endLease(id, 'leaseRevoked');
      });
      await clock.settled();
    }
  });
});

describe('what doors do', () => {
  it('decisions that listeners queue share the work of one request', async () => {
    let left = fixed.queuedDecisionsMax;
    let failures = 0;
    const stop = durable.onCommitted(() => {
      for (; left > 0; left--)
        durable.queueDecide(
          (view) => void view.count({ start: LIVE_START, end: undefined }),
          () => failures++,
        );
    });
    const { most } = await beside(async () => {
      durable.decide((view) => view.put(LIVE_START, Buffer.from('v')));
      await clock.settled();
    });
    stop();
    expect(left).toBe(0);
    expect(failures).toBeGreaterThan(0);
    expect(most.visits).toBeLessThanOrEqual(TRANSACTION_VISITS);
  });

  it('a stream of all keys reads a chunk at a time', async () => {
    const { signal } = new AbortController();
    const stream = kvStore.scanStream(
      {},
      {
        keysOnly: true,
        chunkLimit: fixed.pageLimitMax,
        chunkBytesMax: fixed.scanChunkBytesMax,
        admit: () => true,
        signal,
      },
    );
    const { result, most } = await beside(async () => {
      let count = 0;
      for await (const { entries } of stream) count += entries.length;
      return count;
    });
    expect(result).toBeGreaterThan(counts.live);
    expect(most.visits).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('a batch of the most operations of one key looks at these', async () => {
    const keys = keysOf('live', fixed.pipelineOperationsMax);
    const { most } = await beside(() =>
      Promise.all(keys.map((key, index) => (index % 2 === 0 ? store.put(key, 'w') : store.get(key)))),
    );
    expect(most.visits).toBeLessThanOrEqual(4 * fixed.pipelineOperationsMax);
  });

  it.each<[string, (at: number) => Promise<unknown>]>([
    ['puts that return', () => store.put('large', LARGE_VALUE, { returnPrevious: true })],
    ['gets of', () => store.get('large')],
    [
      'calls of all kinds that read',
      (at) => {
        if (at % 3 === 0) return store.get('large', { refreshTtl: true });
        if (at % 3 === 1) return store.txn({ success: [{ kind: 'get', key: 'large' }] });
        return store.put('large', LARGE_VALUE, { returnPrevious: true });
      },
    ],
  ])('%s long values, made in one turn, leave the event loop between them', async (_, call) => {
    const CALLS = 1000;
    const { most, all } = await beside(() =>
      Promise.all(Array.from({ length: CALLS }, (__, at) => call(at))),
    );
    expect(all.bytes).toBeGreaterThan(CALLS * LARGE_VALUE.length);
    expect(most.bytes).toBeLessThanOrEqual(TURN_BYTES);
  });

  it('a batch of a pipeline reads long values some at a time', async () => {
    const method = kvMethods.pipeline;
    if (method.kind !== 'bidiStream') throw new Error('it is no stream');
    const value = Buffer.from(LARGE_VALUE);
    const operations = Array.from({ length: fixed.pipelineOperationsMax }, (_, at) => ({
      operation:
        at % 2 === 0
          ? { case: 'get' as const, value: { key: 'large' } }
          : { case: 'put' as const, value: { key: 'large', value, returnPrevious: true } },
    }));
    const request = create(PipelineRequestSchema, { operations });
    const bytes = Buffer.from(toBinary(PipelineRequestSchema, request));
    const limits = { callsMax: 1, callBytesMax: 2 ** 30, replyBytesMax: 2 ** 30 };
    const call = allowed(new CallTable(limits).open({ cut: () => undefined }, true));
    const { result, most } = await beside(async () => {
      const requests = once(new UnreadRequest(method, bytes));
      const replies = method.run(kvStore, requests, call, call.signal)[Symbol.asyncIterator]();
      return (await replies.next()) as IteratorResult<PipelineResponseShape>;
    });
    expect((result.value as PipelineResponseShape).results).toHaveLength(operations.length);
    expect(most.bytes).toBeLessThanOrEqual(TURN_BYTES);
  });

  it('watches of many prefixes are found by a change in slices', async () => {
    const WATCHES = 200;
    const watches = await Promise.all(
      Array.from({ length: WATCHES }, (_, index) => {
        const ranges = keysOf(`watched${index}`, fixed.watchRangesMax).map((prefix) => ({ prefix }));
        return Watching.live(store, { ranges });
      }),
    );
    const asked = watches.map((watching) => watching.next());
    const keys = Array.from({ length: WATCHES }, (_, index) => `watched${index}/0000000/key`);
    const { most } = await beside(async () => {
      await putAll(keys);
      return await Promise.all(asked);
    });
    for (const message of await Promise.all(asked)) expect(message.kind).toBe('events');
    expect(most.visits).toBeLessThanOrEqual(NOTICE_VISITS);
    await Promise.all(watches.map((watching) => watching.stop()));
  });
});

describe('the state of all keys', () => {
  it('is written as a snapshot, and read as a backup, in slices', async () => {
    const snapshot = await beside(() => store.snapshot());
    const backup = await beside(async () => {
      let bytes = 0;
      for await (const piece of store.backup()) bytes += piece.length;
      return bytes;
    });
    expect(backup.result).toBeGreaterThan(0);
    for (const { most, all } of [snapshot, backup]) {
      expect(all.visits).toBeGreaterThan(counts.live);
      expect(most.visits).toBeLessThanOrEqual(SLICE_VISITS);
    }
  });

  it('is deleted in parts, and then no visits are paid for it', async () => {
    const deleted = await beside(() => store.deleteRange({ start: 'a', end: READ_KEY }, { inParts: true }));
    expect(deleted.result.deletedCount).toBeGreaterThan(counts.live);
    expect(deleted.most.visits).toBeLessThanOrEqual(PAGE_VISITS);
    const watching = new Watching(store, { includeCurrent: true });
    const { result, all } = await beside(() => watching.next());
    expect(result).toMatchObject({ kind: 'current', entries: [{ key: READ_KEY }] });
    expect(all.visits).toBeLessThan(FEW_VISITS);
    await watching.stop();
  });

  it('is forgotten in slices when history is dropped', async () => {
    const revision = await newestRevision();
    const { most, all } = await beside(async () => {
      await store.compact(revision);
      for (let turn = 0; turn < FORGETTING_TURNS; turn++) await new Promise(setImmediate);
    });
    expect(all.visits).toBeGreaterThan(FORGETTING_TURNS * 500);
    expect(most.visits).toBeLessThanOrEqual(SLICE_VISITS);
  });

  it('costs nothing to merge where it is in memory', async () => {
    const { all } = await beside(() => store.compactStorage());
    expect(all.visits).toBeLessThan(FEW_VISITS);
  });
});

describe('every call of a store', () => {
  it('has a row here', () => {
    expect(Object.keys(calls).filter((name) => !measured.has(name))).toEqual([]);
  });
});

async function* once<Item>(item: Item): AsyncGenerator<Item> {
  await Promise.resolve();
  yield item;
}

/** Of a revision. */
async function countEvents(watching: Watching, revision: number): Promise<number> {
  let count = 0;
  for (;;) {
    const message = await watching.next();
    if (message.kind !== 'events' || message.revision !== revision) continue;
    count += message.events.length;
    if (!message.moreFragments) return count;
  }
}
