/** Calls that find no room in memory wait for the checkpoint that is under way, and are decided again; everything else goes on. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NoRoomYetError } from '../../../src/errors.ts';
import { fixed } from '../../../src/limits.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { RoomWait } from '../../../src/store/commit/room-gate.ts';
import { Bases } from '../durable/layered-store.ts';
import { SeamHarness } from './seam-harness.ts';

const MIB = 1024 * 1024;
const VALUE = Buffer.alloc(MIB, 'v');
const LIMIT_BYTES = 16 * MIB;
/** One of many callers, whose calls do not wait for each other. */
const door = {};
/** More than memory has room for. */
const COUNT = 24;

class Full {
  readonly bases = new Bases();
  harness!: SeamHarness;
  calls!: KvStore;
  puts: Promise<{ readonly revision: number }>[] = [];

  /** Memory is full, and some puts wait; the checkpoint is held. */
  static async open(count = COUNT): Promise<Full> {
    const full = new Full();
    full.bases.hold();
    full.harness = await SeamHarness.open({
      engine: 'lsm',
      makeEngine: full.bases.makeEngine,
      memoryBytesMax: LIMIT_BYTES,
    });
    onTestFinished(() => full.bases.letGo());
    full.calls = full.harness.calls;
    full.puts = Array.from({ length: count }, (_, index) => full.calls.put(`k${index}`, VALUE, {}, door));
    for (const put of full.puts) put.catch(() => undefined);
    await full.settled();
    return full;
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await this.harness.clock.settled();
  }

  /** Lets time pass until something is settled. */
  async until<Result>(promise: Promise<Result>): Promise<Result> {
    const state = { isSettled: false };
    const noted = promise.finally(() => (state.isSettled = true));
    noted.catch(() => undefined);
    while (!state.isSettled) await this.harness.clock.pass(fixed.heldAnswerLookMs);
    return await promise;
  }

  /** Lets the checkpoint go on. */
  letGo(): Promise<unknown> {
    this.bases.letGo();
    return this.until(Promise.all(this.puts));
  }

  async textOf(key: string): Promise<string> {
    return Buffer.from((await this.calls.get(key)).entry?.value ?? []).toString();
  }

  async has(key: string): Promise<boolean> {
    return (await this.calls.exists([key])).exists[0] === true;
  }
}

it('a write that waits begins a checkpoint, which does not wait for history to get that far', async () => {
  const harness = await SeamHarness.open({ engine: 'lsm', makeEngine: new Bases().makeEngine });
  await harness.calls.put('a', VALUE);
  await harness.calls.put('b', VALUE);
  const goOn = vi.fn();
  const refusal = new NoRoomYetError('memory is full', fixed.busyRetryMs, MIB);
  expect(harness.store.waitForRoom(new RoomWait(goOn, {}), refusal)).toBe(true);
  for (let turn = 0; turn < 20; turn++) await harness.clock.settled();
  expect(harness.events.map(({ kind }) => kind)).toContain('checkpointWritten');
  expect(goOn).toHaveBeenCalledTimes(1);
});

describe('while memory is full of changes that a checkpoint writes', () => {
  it('puts wait, in their order, while reads and deletes go on, and none is refused', async () => {
    const full = await Full.open();
    const { calls, harness } = full;
    expect(await full.has('k0')).toBe(true);
    expect(await full.has(`k${COUNT - 1}`)).toBe(false);
    expect(harness.store.figures().waitingWrites.count).toBeGreaterThan(COUNT / 4);
    const deleting = calls.delete('k0');
    await full.settled();
    expect(await full.has('k0')).toBe(false);
    await full.letGo();
    await full.until(deleting);
    expect(harness.store.figures().waitingWrites.count).toBe(0);
    const revisions = (await Promise.all(full.puts)).map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((one, other) => one - other));
    for (let index = 1; index < COUNT; index++) {
      const { entry } = await calls.get(`k${index}`);
      expect([entry?.version, entry?.value.length]).toEqual([1, MIB]);
    }
    expect(harness.events.filter(({ kind }) => kind === 'memoryFull')).toEqual([]);
  });

  it('calls of a program that has opened the store wait behind its own, in their order, but for reads', async () => {
    const full = await Full.open();
    const { calls } = full;
    await calls.get('k0');
    const calling: Promise<unknown>[] = [
      calls.put('a', VALUE),
      calls.put('a', 'short'),
      calls.txn({ success: [{ kind: 'put', key: 'b', value: 'of a transaction' }] }),
      calls.delete('b'),
      calls.put('k0', 'last', { condition: { kind: 'mustExist' } }),
      calls.list.push('l', ['1']),
    ];
    await full.settled();
    // In another turn, by themselves.
    calling.push(calls.put('c', 'first'));
    await full.settled();
    calling.push(calls.deleteRange({ prefix: 'c' }), calls.increment('n', 1));
    await full.settled();
    const count = calls.count({ prefix: 'k' });
    expect((await full.until(count)).count).toBeLessThan(COUNT);
    expect((await calls.get('k0')).entry?.value.length).toBe(MIB);
    expect((await calls.exists(['a', 'b', 'c', 'l'])).exists).not.toContain(true);
    // One that waits for nothing that others have called goes on.
    await full.until(calls.put('other', 'v', {}, door));
    await full.letGo();
    await full.until(Promise.all(calling));
    expect((await calls.get('a')).entry).toMatchObject({ version: 2 });
    expect(await full.textOf('a')).toBe('short');
    expect((await calls.exists(['b', 'c', 'k0', 'l'])).exists).toEqual([false, false, true, true]);
    expect(await full.textOf('k0')).toBe('last');
  });

  it('a short write that is called behind a long one comes behind it', async () => {
    const full = await Full.open();
    const { calls } = full;
    const calling = [calls.put('long', VALUE), calls.put('short', 'v'), calls.increment('counter', 1)];
    await full.letGo();
    const revisions = (await full.until(Promise.all(calling))).map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((one, other) => one - other));
  });

  it('also where there is room for rows of short ones', async () => {
    const full = await Full.open(11);
    const { calls, harness } = full;
    const calling = [calls.put('long', Buffer.alloc(6 * MIB))];
    await full.settled();
    expect(harness.store.figures().waitingWrites.count).toBe(1);
    for (let index = 0; index < 4; index++) calling.push(calls.put('long', 'short'));
    await full.settled();
    expect(await full.has('long')).toBe(false);
    await full.letGo();
    await full.until(Promise.all(calling));
    expect((await calls.get('long')).entry?.version).toBe(5);
    expect(await full.textOf('long')).toBe('short');
  });

  it('what a call has charged for its reply is given back each time that it waits', async () => {
    const full = await Full.open();
    const charged: string[] = [];
    const owner = { releaseReply: (): void => void (charged.length = 0) };
    const admit = ({ kind }: { readonly kind: string }): void => void charged.push(kind);
    const success = [
      { kind: 'get', key: 'k0' },
      { kind: 'put', key: 'k1', value: VALUE },
    ] as const;
    const txn = full.calls.txn({ success, admit }, owner);
    await full.settled();
    expect(charged).toEqual([]);
    await full.letGo();
    await full.until(txn);
    expect(charged).toEqual(['get', 'put']);
  });

  it('what has waited is answered as soon as it is durable, though changes outrun the disk again', async () => {
    const full = await Full.open();
    const { bases, calls, harness } = full;
    let answeredCount = 0;
    const more = Array.from({ length: COUNT }, (_, index) => calls.put(`more${index}`, VALUE, {}, door));
    for (const put of [...full.puts, ...more]) void put.then(() => answeredCount++).catch(() => undefined);
    await full.settled();
    const answeredBefore = answeredCount;
    // The checkpoint goes on, and the next one does not.
    bases.letGo();
    bases.hold();
    await full.settled();
    expect(harness.store.status().storage?.sealedBytes).toBeGreaterThan(0);
    expect(answeredCount).toBeGreaterThan(answeredBefore);
    const state = { isAnswered: false };
    const other = calls.delete('k0').then(() => (state.isAnswered = true));
    await full.settled();
    expect(state.isAnswered).toBe(false);
    await full.letGo();
    await full.until(Promise.all([other, ...more]));
  });

  it('what waits is decided on the newest state', async () => {
    const full = await Full.open();
    const { calls } = full;
    const put = calls.put('k0', VALUE, { condition: { kind: 'mustExist' } }, door);
    const absent = calls.put('new', VALUE, { condition: { kind: 'mustNotExist' } }, door);
    const outcomes = Promise.allSettled([put, absent]);
    await full.settled();
    const meanwhile = [calls.delete('k0'), calls.put('new', 'v', {}, door)];
    await full.letGo();
    await full.until(Promise.all(meanwhile));
    for (const outcome of await full.until(outcomes))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'conditionFailed' } });
    expect((await calls.exists(['k0', 'new'])).exists).toEqual([false, true]);
  });

  it('what waits is what its caller has called with', async () => {
    const full = await Full.open();
    const { calls } = full;
    const value = Buffer.alloc(MIB, 'a');
    const key = Buffer.from('key');
    const calling = [
      calls.put(key, value),
      calls.put('second', value),
      calls.put('third', value, { ttlMs: 1_000_000 }),
      calls.txn({ success: [{ kind: 'put', key: 'fourth', value }] }),
    ];
    value.fill('b');
    key.write('wrong');
    await full.letGo();
    await full.until(Promise.all(calling));
    for (const name of ['key', 'second', 'third', 'fourth'])
      expect((await calls.get(name)).entry?.value[0], name).toBe('a'.charCodeAt(0));
  });

  it('a transaction waits as a whole', async () => {
    const full = await Full.open();
    const { calls } = full;
    const success = ['x', 'y', 'z'].map((key) => ({ kind: 'put', key, value: VALUE }) as const);
    const txn = calls.txn({ success: [{ kind: 'put', key: 'w', value: 'short' }, ...success] });
    await full.settled();
    expect((await calls.exists(['w', 'x', 'y', 'z'])).exists).not.toContain(true);
    await full.letGo();
    const { revision } = await full.until(txn);
    for (const key of ['w', 'x', 'y', 'z'])
      expect((await calls.get(key)).entry).toMatchObject({ modRevision: revision, version: 1 });
  });

  it('they wait for a bounded time, then get the refusal, and have changed nothing', async () => {
    const full = await Full.open();
    const { calls, harness } = full;
    const outcomes = Promise.allSettled(full.puts);
    let refusedCount = 0;
    for (const put of full.puts) put.catch(() => refusedCount++);
    await harness.clock.pass(fixed.roomWaitMsMax - 1);
    expect(refusedCount).toBe(0);
    const increment = calls.increment('counter', 1);
    expect(await full.has('k0')).toBe(true);
    const rejected = (await full.until(outcomes)).filter(({ status }) => status === 'rejected');
    expect(rejected.length).toBeGreaterThan(COUNT / 4);
    for (const outcome of rejected)
      expect(outcome).toMatchObject({
        reason: { code: 'limitReached', retryAfterMs: fixed.busyRetryMs, room: 'memory' },
      });
    expect(String((rejected[0] as PromiseRejectedResult).reason)).toMatch(
      /to write to its files, which is under way/,
    );
    expect(harness.events.filter(({ kind }) => kind === 'memoryFull').length).toBe(1);
    full.bases.letGo();
    await full.until(increment);
    expect((await calls.count({ prefix: 'k' })).count).toBe(COUNT - rejected.length);
    await full.until(calls.put('again', VALUE));
  });

  it('the same where no checkpoint can be written, and once one can they are taken again', async () => {
    const full = await Full.open();
    const { calls, harness, bases } = full;
    const begin = bases.newest.begin.bind(bases.newest);
    bases.newest.begin = () => Promise.reject(new Error('the disk is full'));
    // The one that was held is written yet, and has room for some.
    bases.letGo();
    await full.until(harness.store.snapshot().catch(() => undefined));
    const puts = Array.from({ length: COUNT }, (_, index) => calls.put(`more${index}`, VALUE));
    const rejected = (await full.until(Promise.allSettled(puts))).filter(
      ({ status }) => status === 'rejected',
    );
    expect(rejected.length).toBeGreaterThan(0);
    for (const outcome of rejected) expect(outcome).toMatchObject({ reason: { code: 'limitReached' } });
    expect(harness.events.map(({ kind }) => kind)).toContain('checkpointFailed');
    expect(await full.has('k0')).toBe(true);
    bases.newest.begin = begin;
    await full.until(harness.store.snapshot());
    await full.until(Promise.all(puts.map((_, index) => calls.put(`last${index}`, VALUE))));
    expect((await calls.count({ prefix: 'more' })).count).toBe(COUNT - rejected.length);
  });

  it('they are refused at once when the store closes', async () => {
    const full = await Full.open();
    const last = full.puts.at(-1);
    const closing = full.calls.close();
    await expect(last).rejects.toMatchObject({ code: 'closed' });
    full.bases.letGo();
    await full.until(closing);
  });

  it('and when nothing is written any more', async () => {
    const full = await Full.open();
    full.harness.store.fail(new Error('no disk'));
    await expect(full.puts.at(-1)).rejects.toMatchObject({ code: 'readOnly' });
    full.bases.letGo();
  });

  it('a call whose caller is gone meanwhile changes nothing', async () => {
    const full = await Full.open();
    const { calls } = full;
    const gone = new AbortController();
    const calling = [
      calls.put('first', VALUE, {}, gone),
      calls.put('second', VALUE, {}, gone),
      calls.txn({ success: [{ kind: 'put', key: 'third', value: VALUE }] }, gone),
    ];
    const outcomes = Promise.allSettled(calling);
    await full.settled();
    const reason = new Error('too late');
    gone.abort(reason);
    for (const outcome of await full.until(outcomes)) expect(outcome).toEqual({ status: 'rejected', reason });
    await full.letGo();
    expect((await calls.exists(['first', 'second', 'third'])).exists).not.toContain(true);
  });
});
