/**
 * Many calls that go on piece by piece, begun in one turn of the event loop: what one turn does of all of them, in keys looked at
 * and leases and keys listed, and no time.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScanPage } from '../../../src/api.ts';
import { KvStore } from '../../../src/kv/kv-store.ts';
import type { RangeStreamOptions } from '../../../src/kv/reads/range-stream.ts';
import { fixed } from '../../../src/limits.ts';
import { LeaseOrder } from '../../../src/store/leases/lease-order.ts';
import { openDurableStore } from '../../../src/store/open-durable-store.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { DATA_DIR } from '../model/store-harness.ts';
import { CountedEngine, WorkMeter } from './counted-engine.ts';

const KEYS = 60_000;
const CALLS = 30;
const LEASES = 10_000;
const LEASE = 1_000_000;
const LEASED_KEYS = 8200;
/** Of one piece: a number of its own, so that a limit that is raised is seen here. */
const PAGE_VISITS = 25_000;
/** Of the first parts of deletes, which are calls of their turn as all are; each key that goes is looked at twice. */
const FIRST_PARTS_VISITS = 45_000;

const meter = new WorkMeter();
const clock = new ManualClock();
let store: KvStore;
/** At which all keys are there, and are not the newest. */
let revision: number;

beforeAll(async () => {
  const random = new SeededRandom(1);
  const durable = await openDurableStore({
    dataDir: DATA_DIR,
    clock,
    random,
    disk: new SimulatedDisk({ seed: 1 }),
    fsync: 'never',
    makeEngine: () => new CountedEngine(meter),
  });
  store = new KvStore({ store: durable, clock, random });
  const fill = async (prefix: string, count: number, leaseId = 0): Promise<void> => {
    for (let from = 0; from < count; from += fixed.txnOperationsMax) {
      const length = Math.min(count - from, fixed.txnOperationsMax);
      await store.txn({
        success: Array.from({ length }, (_, index) => ({
          kind: 'put',
          key: `${prefix}${String(from + index).padStart(6, '0')}`,
          value: '',
          leaseId,
        })),
      });
    }
  };
  await fill('k', KEYS);
  ({ revision } = await store.status());
  durable.decide((view) => {
    for (let id = 1; id <= LEASES; id++) view.grantLease(id, 1_000_000);
  });
  await store.grantLease(1_000_000, LEASE);
  await fill('l', LEASED_KEYS, LEASE);
  // oxlint-disable-next-line typescript/unbound-method -- called with its receiver
  const { after } = LeaseOrder.prototype;
  LeaseOrder.prototype.after = function (this: LeaseOrder, afterId, limit) {
    const ids = after.call(this, afterId, limit);
    meter.spend(ids.length);
    return ids;
  };
});

afterAll(() => store.close({ snapshotMsMax: 0 }));

/** @returns the most that was done in one turn, and how many turns there were. */
async function measured<Result>(work: () => Promise<Result>) {
  await clock.settled();
  await new Promise(setImmediate);
  meter.begin();
  let turns = 0;
  const progress = { isOver: false };
  const count = (): void => {
    meter.endTurn();
    turns++;
    if (!progress.isOver) setImmediate(count);
  };
  setImmediate(count);
  const result = await work().finally(() => (progress.isOver = true));
  meter.endTurn();
  return { result, most: meter.most.visits, all: meter.all.visits, turns };
}

const many = <Result>(call: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: CALLS }, (_, index) => call(index)));

function stream(given: Partial<RangeStreamOptions> = {}): AsyncIterableIterator<ScanPage> {
  const { signal } = new AbortController();
  const options = { chunkLimit: fixed.pageLimitMax, chunkBytesMax: 1e9, admit: () => true, keysOnly: true };
  return store.scanStream({}, { ...options, signal, ...given });
}

async function countOf(chunks: AsyncIterable<ScanPage>): Promise<number> {
  let count = 0;
  for await (const { entries } of chunks) count += entries.length;
  return count;
}

describe('many long calls of one turn do one piece in each turn of all', () => {
  it('streams of a range of which little is shown', async () => {
    const { result, most, all } = await measured(() => many(() => countOf(stream({ revision: 1 }))));
    expect(new Set(result)).toEqual(new Set([fixed.txnOperationsMax]));
    expect(all).toBeGreaterThan(CALLS * KEYS);
    expect(most).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('streams whose memory comes for all at once', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const admitted = many(() => countOf(stream({ revision: 1, admit: () => promise })));
    for (let turn = 0; turn < 2 * CALLS; turn++) await new Promise(setImmediate);
    const { most } = await measured(() => {
      resolve(true);
      return admitted;
    });
    expect(most).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('counts of an old revision', async () => {
    const { result, most } = await measured(() => many(() => store.count({}, { revision })));
    expect(new Set(result.map(({ count }) => count))).toEqual(new Set([KEYS]));
    expect(most).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('lists of leases', async () => {
    const { result, most } = await measured(() =>
      many(() => store.listLeases({ limit: fixed.pageLimitMax })),
    );
    expect(new Set(result.map(({ leases }) => leases.length))).toEqual(new Set([fixed.pageLimitMax]));
    expect(most).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('lists of the keys of a lease', async () => {
    const { result, turns } = await measured(() => many(() => store.getLease(LEASE, { includeKeys: true })));
    expect(new Set(result.map(({ keys }) => keys.length))).toEqual(new Set([LEASED_KEYS]));
    // Three slices to sort, two and more to merge, and two to hand out.
    expect(turns).toBeGreaterThan(CALLS * 5);
  });

  it('deletes of a range in parts', async () => {
    const { result, most } = await measured(() =>
      many((index) => store.deleteRange({ prefix: `k${String(index).padStart(3, '0')}` }, { inParts: true })),
    );
    expect(new Set(result.map(({ deletedCount }) => deletedCount))).toEqual(new Set([1000]));
    expect(most).toBeLessThanOrEqual(FIRST_PARTS_VISITS);
  });
});

describe('a long call', () => {
  it('that comes later has its turn when each of those before had one', async () => {
    const ended: number[] = [];
    const counting = many(async (index) => {
      await store.count(index < CALLS - 1 ? {} : { prefix: 'k' }, { revision });
      ended.push(index);
    });
    const small = store.count({ prefix: 'k00001' }, { revision }).then(() => ended.push(CALLS));
    await Promise.all([counting, small]);
    expect(ended).toHaveLength(CALLS + 1);
    // It has one piece, the others have three.
    expect(ended[0]).toBe(CALLS);
  });

  it('that is cancelled takes no turn, and ends with the reason', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const { result, all, turns } = await measured(async () => {
      const counts = many(() => store.count({}, { revision, signal }));
      const streams = many(() => countOf(stream({ revision, signal })));
      controller.abort(new Error('enough'));
      return await Promise.allSettled([counts, streams]);
    });
    expect(result).toEqual([
      { status: 'rejected', reason: new Error('enough') },
      { status: 'rejected', reason: new Error('enough') },
    ]);
    expect(turns).toBeLessThan(5);
    expect(all).toBeLessThanOrEqual(PAGE_VISITS);
  });

  it('that is left while it waits for its turn is not begun', async () => {
    const counting = store.count({}, { revision });
    const left = stream({ revision });
    const asked = left.next();
    await left.return?.();
    expect(await asked).toEqual({ done: true, value: undefined });
    await counting;
  });

  it('that is alone waits for no turn', async () => {
    let turns = 0;
    setImmediate(() => turns++);
    expect((await store.count({ prefix: 'k00001' }, { revision })).count).toBe(10);
    expect(turns).toBe(0);
  });
});
