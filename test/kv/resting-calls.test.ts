/** Calls that wait since the turn has done much: what is kept for them, their order, and what becomes of them. */
import { describe, expect, it, vi } from 'vitest';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { fixed } from '../../src/limits.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { PlacedChange } from '../../src/engine/version.ts';
import { WorkBudget } from '../../src/work-budget.ts';
import { keptArguments } from '../../src/kv/turns/kept-arguments.ts';
import { refused, valueOf } from '../store/model/readable.ts';
import { SeamHarness } from '../store/seam/seam-harness.ts';
import type { ManualClock } from '../support/manual-clock.ts';

/** A store whose turn rests as soon as `long` has been read. */
async function openLong(options: Parameters<typeof SeamHarness.open>[0] = {}) {
  const harness = await SeamHarness.open(options);
  const { calls, store, clock, disk } = harness;
  await calls.put('long', Buffer.alloc(fixed.turnBytesMax, 'v'));
  return { harness, calls, store, clock, disk };
}

describe('what is kept of arguments', () => {
  it('is a copy of lists, bytes and members to their depth', () => {
    const given = { list: [{ key: Buffer.from('k'), deep: { value: Uint8Array.of(1) } }], count: 1 };
    const kept = keptArguments(given);
    given.list[0]!.key.fill(0);
    given.list[0]!.deep.value.fill(0);
    given.list.push(given.list[0]!);
    given.count = 2;
    expect(kept).toEqual({ list: [{ key: Buffer.from('k'), deep: { value: Buffer.of(1) } }], count: 1 });
  });

  it('is a copy of bytes in every form that a value may have', () => {
    const numbers = Uint16Array.of(1, 2, 3);
    const { buffer } = Uint8Array.of(4, 5);
    const view = new DataView(Uint8Array.of(6, 7, 8).buffer, 1);
    const kept = keptArguments([numbers.subarray(1), buffer, view]);
    numbers.fill(0);
    new Uint8Array(buffer).fill(0);
    view.setUint8(0, 0);
    expect(kept).toEqual([Buffer.of(2, 0, 3, 0), Buffer.of(4, 5), Buffer.of(7, 8)]);
  });

  it('has the members that an object inherits, or computes', () => {
    const defaults = { ttlMs: 1000 };
    class Options {
      limit = 7;
      get reverse(): boolean {
        return this.limit === 7;
      }
    }
    expect(keptArguments(Object.create(defaults))).toEqual({ ttlMs: 1000 });
    expect(keptArguments(new Options())).toMatchObject({ limit: 7, reverse: true });
    expect(keptArguments(Object.create(null, { limit: { value: 1, enumerable: true } }))).toEqual({
      limit: 1,
    });
  });

  it('is the thing itself where that is a function, a signal or another object of the language', () => {
    const { signal } = new AbortController();
    const charge = (): void => undefined;
    const map = new Map();
    const kept = keptArguments({ signal, charge, map, nothing: null, delta: 3n });
    expect(kept.signal).toBe(signal);
    expect(kept.charge).toBe(charge);
    expect(kept.map).toBe(map);
    expect([kept.nothing, kept.delta]).toEqual([null, 3n]);
  });
});

it.each(['of a turn', 'that rest'])('calls %s have the options that theirs inherit', async (which) => {
  const { calls, clock } = await openLong();
  if (which === 'that rest') void calls.get('long');
  const inherited = Object.create({ ttlMs: 1000, returnPrevious: true });
  class Touched {
    get ttlMs(): number {
      return 1000;
    }
  }
  await Promise.all([
    calls.put('first', ''),
    calls.put('put', '', inherited),
    calls.put('on condition', '', Object.create({ ttlMs: 1000, condition: { kind: 'mustNotExist' } })),
    calls.put('touched', ''),
    calls.touch('touched', new Touched()),
  ]);
  const { previous } = await calls.delete('first', inherited);
  expect(previous).toBeDefined();
  const keys = ['put', 'on condition', 'touched'];
  const deadlines = (await calls.getMany(keys)).entries.map((entry) => entry?.expireTimeMs);
  expect(deadlines).toEqual(keys.map(() => clock.nowMs() + 1000));
});

it('reads of leases go by the options that were given, whatever these are by the time they run', async () => {
  const { calls } = await openLong();
  await calls.grantLease(60_000, 7);
  await calls.grantLease(60_000, 8);
  void calls.get('long');
  void calls.put('k', '', { leaseId: 7 });
  const leaseOptions = { includeKeys: true };
  const pageOptions = { limit: 1 };
  const lease = calls.getLease(7, leaseOptions);
  const page = calls.listLeases(pageOptions);
  leaseOptions.includeKeys = false;
  pageOptions.limit = 5;
  expect((await lease).keys).toEqual(['k']);
  expect((await page).leases).toHaveLength(1);
});

it('lists and transactions that rest hold nothing that their callers may change', async () => {
  const { calls } = await openLong();
  await calls.put('a', 'A');
  const resting = calls.get('long');
  const key = Buffer.from('a');
  const keyList = [key];
  const compares = [
    { subject: { key }, relation: 'equal' as const, operand: { kind: 'exists' as const, value: true } },
  ];
  const success = [{ kind: 'put' as const, key: Buffer.from('t'), value: Buffer.from('1') }];
  const options = { limit: 1, reverse: false };
  const made = [
    calls.getMany(keyList),
    calls.exists(keyList),
    calls.txn({ compares, success }),
    calls.keys('*', options),
    calls.scan({ start: key }, options),
    calls.delete(key, { returnPrevious: true }),
  ] as const;
  key.fill(0x7a);
  keyList.push(key);
  success[0]?.value.fill(0x32);
  success.length = 0;
  options.limit = 9;
  options.reverse = true;
  const [many, exists, txn, keys, scanned, deleted] = await Promise.all(made);
  await resting;
  expect(many.entries.map((entry) => entry?.key)).toEqual(['a']);
  expect(exists.exists).toEqual([true]);
  expect(txn.succeeded).toBe(true);
  expect(await valueOf(calls, 't')).toBe('1');
  expect(keys.keys).toEqual(['a']);
  expect(scanned.entries.map((entry) => entry.key)).toEqual(['a']);
  expect(deleted.deleted).toBe(true);
});

it('calls that rest are in their order in pieces, however many they are', async () => {
  const fetched: number[] = [];
  const makeEngine = () => {
    const engine = new MemoryEngine({ hashSeed: [1, 2] });
    const fetch = engine.fetch.bind(engine);
    engine.fetch = (keys, start, end) => (fetched.push(end - start), fetch(keys, start, end));
    return engine;
  };
  const { calls, store } = await openLong({ makeEngine });
  const instants = vi.spyOn(store, 'atOneInstant');
  const count = 1.5 * fixed.turnVisitsMax;
  void calls.get('long');
  const made = Array.from({ length: count }, (_, index) =>
    calls.put(`k${index % 500}`, '', { ttlMs: 60_000 }),
  );
  expect(instants).not.toHaveBeenCalled();
  const revisions = (await Promise.all(made)).map(({ revision }) => revision);
  expect(revisions).toEqual(made.map((_, index) => index + 2));
  const rests = Math.ceil((2 * count) / fixed.turnVisitsMax) + 1;
  // A rest cuts one piece in two; nothing is looked at again but what is in that.
  expect(instants.mock.calls.length).toBeLessThanOrEqual(Math.ceil(count / fixed.turnCallsMax) + rests);
  const fetchedCount = fetched.reduce((sum, length) => sum + length, 0);
  expect(fetchedCount).toBeLessThanOrEqual(count + rests * fixed.turnCallsMax);
});

/** Each reading of the clock comes a millisecond after the one before. */
function slow(clock: ManualClock): void {
  let readMs = 0;
  clock.monotonicMs = () => ++readMs;
}

it('calls that take long rest, however little they do, and all are answered in their order', async () => {
  const { calls, clock } = await SeamHarness.open();
  await calls.put('k', '');
  slow(clock);
  const count = 10 * fixed.turnCallsMax;
  const made = Array.from({ length: count }, (_, index) =>
    index % 2 === 0 ? calls.put(`k${index % 7}`, '', { ttlMs: 60_000 }) : calls.touch('k', { ttlMs: 60_000 }),
  );
  const before = calls.figures().restCounts['calls'] ?? 0;
  expect((await Promise.all(made)).map(({ revision }) => revision)).toEqual(
    made.map((_, index) => index + 2),
  );
  const rests = (calls.figures().restCounts['calls'] ?? 0) - before;
  // It looks at the clock behind each 16 calls, which do too little for any other rest.
  expect(rests).toBeGreaterThanOrEqual(Math.floor(count / 16 / fixed.turnMs) - 1);
  expect(count).toBeLessThan(fixed.turnVisitsMax);
});

it('what waits for all before it waits for those that rest, and for none that come behind', async () => {
  const { calls } = await openLong();
  expect(calls.inTurn(() => undefined)).toBeUndefined();
  const order: string[] = [];
  void calls.get('long');
  void calls.put('a', '').then(() => order.push('a'));
  const caughtUp = calls
    .inTurn(() => undefined)
    ?.then(async () => {
      order.push('caught up');
      expect(calls.existsVisible(['b']).exists).toEqual([false]);
    });
  expect(caughtUp).toBeDefined();
  const reads = [calls.get('long'), calls.get('long')];
  const last = calls.put('b', '').then(() => order.push('b'));
  await Promise.all([caughtUp, ...reads, last]);
  expect(order.indexOf('caught up')).toBeLessThan(order.indexOf('b'));
});

it('what is called behind all others has its place among those that come for ever', async () => {
  const { calls } = await openLong();
  const state = { isOver: false };
  // Each reads on as soon as it has its answer.
  const readers = Array.from({ length: 8 }, async () => {
    while (!state.isOver) await calls.get('long', { revision: 1 });
  });
  let runs = 0;
  await calls.inTurn(() => runs++);
  state.isOver = true;
  await Promise.all(readers);
  expect(runs).toBe(1);
});

it('what is called behind all others may fail alone', async () => {
  const { calls } = await openLong();
  const read = calls.get('long');
  const failed = calls.inTurn(() => {
    throw new Error('by itself');
  });
  await expect(failed).rejects.toThrow('by itself');
  await read;
});

it('a rest lasts though a group has nothing to wait for, and there is one of them at a time', async () => {
  const { calls, clock } = await openLong();
  const rests = vi.spyOn(clock, 'yieldNow');
  calls.getVisible('long', 0);
  expect([calls.isResting, rests.mock.calls.length]).toEqual([true, 1]);
  calls.together(0, new WorkBudget(), () => undefined);
  expect(calls.isResting).toBe(true);
  // A backup can't wait: what rests runs before it, and rests again.
  for (let round = 0; round < 4; round++) {
    void calls.get('long', { revision: 1 });
    await calls.backup().return?.();
    calls.getVisible('long', 0);
  }
  expect(rests).toHaveBeenCalledTimes(1);
});

it('calls that one of those that rest makes have memory of their own, and run behind them', async () => {
  const { calls } = await openLong();
  const many = [calls.getMany(['long']), calls.getMany(['long'])];
  const inner: Promise<unknown>[] = [];
  const outer = calls.get('long', {
    admit: () => {
      inner.push(calls.increment('counter', 1));
      for (let index = 0; index < 50; index++) inner.push(calls.put(`inner${index}`, 'INNER'));
    },
  });
  const puts = Array.from({ length: 300 }, (_, index) => calls.put(`k${index}`, `value ${index}`));
  const revisions = (await Promise.all(puts)).map(({ revision }) => revision);
  await Promise.all([...many, outer, ...inner]);
  expect(revisions).toEqual(revisions.map((_, index) => index + 2));
  const { entries } = await calls.getMany(puts.map((_, index) => `k${index}`));
  expect(entries.map((entry) => Buffer.from(entry?.value ?? []).toString())).toEqual(
    puts.map((_, index) => `value ${index}`),
  );
});

it.each<[string, (calls: KvStore) => Promise<unknown>]>([
  ['reads many', (calls) => calls.getMany(['other'])],
  ['looks what exists', (calls) => calls.exists(['other'])],
  ['counts', (calls) => calls.count({ key: 'other' })],
  ['reads the past', (calls) => calls.get('other', { revision: 1 })],
])('a put whose decision calls what %s writes its own key', async (_, call) => {
  const { calls } = await openLong();
  await calls.put('a key of its own', '');
  const inner: Promise<unknown>[] = [];
  await calls.put('a key of its own', 'v', {
    returnPrevious: true,
    admit: () => void inner.push(call(calls)),
  });
  await Promise.all(inner);
  expect((await calls.keys('*')).keys).toEqual(['a key of its own', 'long']);
  expect(await valueOf(calls, 'a key of its own')).toBe('v');
});

it('a get of a row that finds no memory for its value is answered by itself, and so are those behind it', async () => {
  const { calls } = await openLong();
  const keyList = ['a', 'b', 'c', 'd'];
  for (const key of keyList) await calls.put(key, key);
  let copies = 0;
  // oxlint-disable-next-line typescript/unbound-method -- called with its receiver
  const { copyValue } = PlacedChange.prototype;
  const copying = vi.spyOn(PlacedChange.prototype, 'copyValue').mockImplementation(function (
    this: PlacedChange,
  ) {
    if (++copies === 2) throw new RangeError('Array buffer allocation failed');
    return copyValue.call(this);
  });
  const results = await Promise.all(keyList.map((key) => calls.get(key)));
  copying.mockRestore();
  expect(copies).toBeGreaterThan(1);
  expect(results.map(({ entry }) => Buffer.from(entry?.value ?? []).toString())).toEqual(keyList);
});

it('a group runs behind all that rest, at once', async () => {
  const { calls } = await openLong();
  const reads = [calls.get('long'), calls.get('long'), calls.get('long')];
  const put = calls.put('k', 'rested');
  let seen: string | undefined;
  calls.together(0, new WorkBudget(), (group) => {
    seen = group.decide(0, (view) => String(view.nextRevision));
  });
  expect(seen).toBe('3');
  await Promise.all([...reads, put]);
});

it('each call that rests is told of its own when the log fails meanwhile', async () => {
  const { calls, disk } = await openLong();
  disk.injectFault({ call: 'sync', at: 1, pathEnd: '.log', isPermanent: true });
  const written = calls.put('x', '');
  const read = calls.get('long');
  const resting = [calls.get('long'), calls.get('long')];
  const writes = [calls.put('y', ''), calls.put('z', '', { ttlMs: 1000 }), calls.delete('long')];
  const txn = calls.txn({ success: [{ kind: 'put', key: 't', value: '' }] });
  await refused(written, 'storageFailed');
  expect((await read).entry?.key).toBe('long');
  for (const get of resting) expect((await get).entry?.value.length).toBe(fixed.turnBytesMax);
  for (const write of [...writes, txn]) await refused(write, 'readOnly');
  expect(calls.existsVisible(['x', 'y', 'long']).exists).toEqual([false, false, true]);
});

it('calls that rest are answered while others rest, and what they got is not kept until all have run', async () => {
  const { calls } = await openLong();
  const rests = 48;
  const count = 3 * fixed.jointAnswersMax;
  const answeredAt: { readonly get: number[]; readonly put: number[] } = { get: [], put: [] };
  let turn = 0;
  void calls.get('long');
  const made = Array.from({ length: count }, (_, index) => [
    calls.get(index % (count / rests) === 0 ? 'long' : 'k').then(() => answeredAt.get.push(turn)),
    calls.put(`k${index}`, '').then(() => answeredAt.put.push(turn)),
  ]);
  const state = { isOver: false };
  const all = Promise.all(made.flat()).finally(() => (state.isOver = true));
  for (; !state.isOver; turn++) await new Promise(setImmediate);
  await all;
  // A turn reads the long value once.
  for (const turns of [answeredAt.get, answeredAt.put]) {
    expect(turns[0]).toBeLessThan(rests / 2);
    expect(turns.at(-1)).toBeGreaterThanOrEqual(rests - 4);
    expect(turns.filter((each) => each === turns[0]).length).toBeLessThanOrEqual(fixed.jointAnswersMax);
  }
});

it('values of calls that rest are not written over by those that come while they run', async () => {
  const { calls } = await openLong();
  const buffer = Buffer.alloc(8);
  const valueFor = (index: number): Buffer => (buffer.writeUInt32LE(index), buffer);
  const put = (index: number): Promise<unknown> => calls.put(`k${index}`, valueFor(index));
  const made: Promise<unknown>[] = [];
  for (let index = 0; index < 1000; index++) {
    // Between rests: some values are kept while those before have not been released.
    if (index % 100 === 0) made.push(calls.get('long'));
    made.push(put(index));
    if (index % 250 === 249) await new Promise(setImmediate);
  }
  await Promise.all(made);
  const keys = Array.from({ length: 1000 }, (_, index) => `k${index}`);
  const { entries } = await calls.getMany(keys);
  expect(entries.map((entry) => Buffer.from(entry?.value ?? []).readUInt32LE())).toEqual(
    keys.map((_, i) => i),
  );
});

describe('calls that a listener makes in a decision', () => {
  it.each(['run at once', 'of a turn', 'that rests'])('are queued behind one %s', async (which) => {
    const { calls, store } = await openLong();
    const made: Promise<unknown>[] = [];
    const key = Buffer.from('by the listener 0');
    const stop = store.onCommitted(([change]) => {
      if (change === undefined || Buffer.from(change.key).toString() !== 'told') return;
      stop();
      made.push(
        calls.put(key, 'put'),
        calls.txn({ success: [{ kind: 'put', key, value: 'txn' }] }),
        calls.increment('counter', 2),
        calls.delete(key),
      );
      key.write('1', key.length - 1);
    });
    if (which === 'that rests') void calls.get('long');
    const before = which === 'run at once' ? [] : [calls.put('before', '')];
    const told = calls.put('told', '');
    const behind = which === 'run at once' ? [] : [calls.put('behind', '')];
    const revisions = (await Promise.all([...before, told, ...behind])).map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.map((_, index) => index + 2));
    const last = revisions.at(-1) ?? 0;
    const results = (await Promise.all(made)) as { readonly revision: number }[];
    expect(results.map(({ revision }) => revision)).toEqual([1, 2, 3, 4].map((step) => last + step));
    expect(await valueOf(calls, 'by the listener 0', last + 2)).toBe('txn');
    expect(await valueOf(calls, 'counter')).toBe('2');
  });

  it('run, also when nothing else of the turn does', async () => {
    const { calls, store } = await openLong();
    const made: Promise<unknown>[] = [];
    const stop = store.onCommitted(() => {
      stop();
      made.push(calls.touch('long', { ttlMs: 1000 }), calls.put('k', ''));
    });
    await calls.increment('counter', 1);
    expect(await Promise.all(made)).toMatchObject([{ revision: 3 }, { revision: 4 }]);
  });
});
