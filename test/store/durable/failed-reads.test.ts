/** Reads of the files of an engine that the disk fails for a while: the call is told so, has changed nothing, and may be made again. */
import { describe, expect, it } from 'vitest';
import type { WatchMessage } from '../../../src/api.ts';
import { DiskError } from '../../../src/disk/disk.ts';
import { fixed } from '../../../src/limits.ts';
import { allPairs, refused } from '../model/readable.ts';
import { MemoryHarness } from '../model/store-harness.ts';
import { openLayered } from './layered-store.ts';

const VALUE = Buffer.alloc(1000, 'v');

describe.each(['lsm', 'bitcask'] as const)('a read of files that the disk fails (%s)', (engine) => {
  it('refuses the call that needed it, and the next one is served', async () => {
    const harness = await MemoryHarness.open({ engine });
    const { store, disk } = harness;
    await store.put('a', VALUE);
    await store.put('b', '2');
    await store.snapshot();
    const failing = (): void => disk.injectFault({ call: 'read', pathEnd: '.run' });
    const calls = [
      () => store.get('a'),
      () => store.scan(),
      () => store.txn({ compares: [], success: [{ kind: 'get', key: 'a' }] }),
      () => store.watch({ includeCurrent: true }).next(),
    ];
    for (const call of calls) {
      failing();
      await expect(call()).rejects.toMatchObject({
        name: 'StoreError',
        code: 'readFailed',
        details: undefined,
        cause: expect.any(DiskError) as unknown,
      });
      disk.clearFaults();
    }
    expect((await store.get('a')).entry?.value).toHaveLength(VALUE.length);
    expect((await store.status()).revision).toBe(2);
  });
});

it.each(['lsm', 'bitcask'] as const)('a start whose reads the disk fails says so (%s)', async (engine) => {
  const harness = await MemoryHarness.open({ engine });
  await harness.store.put('a', VALUE, { leaseId: (await harness.store.grantLease(60_000)).leaseId });
  await harness.store.put('short', '1', { ttlMs: 60_000 });
  await harness.store.snapshot();
  await harness.store.put('a', '2');
  await harness.store.put('b', '2');
  await harness.close();
  let failureCount = 0;
  for (; ; failureCount++) {
    harness.disk.injectFault({ call: 'read', at: failureCount + 1, pathEnd: '.run' });
    const failure = await harness.open().catch((error: unknown) => error);
    harness.disk.clearFaults();
    if (failure === undefined) break;
    expect(failure).toMatchObject({
      code: 'storageFailed',
      message: expect.stringContaining('can not be used: read ') as unknown,
      cause: expect.any(DiskError) as unknown,
    });
  }
  expect(failureCount).toBeGreaterThan(3);
  expect(await allPairs(harness.store)).toEqual(['a=2', 'b=2', 'short=1']);
});

describe('a read of files that the disk fails', () => {
  it('refuses counts and places, too', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    await store.put('b', '2');
    await store.snapshot();
    makeUnreadable(bases.newest, 'a');
    await refused(store.count({ start: 'a', end: 'b' }), 'readFailed');
    await refused(store.scan({ prefix: 'a' }), 'readFailed');
    bases.newest.unreadable.clear();
    expect(await store.count({ start: 'a', end: 'b' })).toMatchObject({ count: 1 });
  });

  it('leaves a write without effect, whatever it had decided by then', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    await store.put('b', '2');
    await store.snapshot();
    makeUnreadable(bases.newest, 'b');
    await refused(store.put('b', '3'), 'readFailed');
    await refused(store.delete('b'), 'readFailed');
    await refused(
      store.txn({
        compares: [],
        success: [
          { kind: 'put', key: 'a', value: 'new' },
          { kind: 'put', key: 'c', value: 'new' },
          { kind: 'delete', key: 'b' },
        ],
      }),
      'readFailed',
    );
    bases.newest.unreadable.clear();
    expect(await allPairs(store)).toEqual(['a=1', 'b=2']);
    expect(await store.put('b', '3')).toMatchObject({ revision: 3 });
    await harness.crash('endProcess');
    expect(await allPairs(harness.store)).toEqual(['a=1', 'b=3']);
  });

  it('refuses of many writes at once those alone that needed it', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    for (const key of ['a', 'b', 'c']) await store.put(key, '1');
    await store.snapshot();
    makeUnreadable(bases.newest, 'b');
    const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd'].map((key) => store.put(key, '2')));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'readFailed' } });
    bases.newest.unreadable.clear();
    expect(await allPairs(store)).toEqual(['a=2', 'b=1', 'c=2', 'd=2']);
    await harness.crash('endProcess');
    expect(await allPairs(harness.store)).toEqual(['a=2', 'b=1', 'c=2', 'd=2']);
  });

  it('refuses of calls on elements those alone that needed it', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    // Too many for one key.
    const others = Array.from({ length: 600 }, (_, index): [string, string] => [`field ${index}`, '1']);
    await store.hash.set('hash', [['first', '1'], ['other', '1'], ...others]);
    // The first transaction of a life goes by itself.
    await store.put('a', '1');
    await store.snapshot();
    makeUnreadable(bases.newest, 'first');
    const outcomes = await Promise.allSettled(
      ['other', 'first', 'third'].map((field) => store.hash.set('hash', [[field, '2']])),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'readFailed' } });
    bases.newest.unreadable.clear();
    const names = ['first', 'other', 'third'];
    const { fields } = await store.hash.get('hash', { names });
    expect(names.map((name) => fields.get(name)?.text())).toEqual(['1', '2', '2']);
  });

  it('stops the store when the transaction is in the log by then, and the next start has it', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    await store.put('b', '1');
    await store.snapshot();
    // It is decided by a read that is served; that of the step into the engine fails.
    bases.newest.failRead('b', 1);
    await refused(
      store.txn({
        compares: [],
        success: [
          { kind: 'put', key: 'a', value: '2' },
          { kind: 'put', key: 'b', value: '2' },
        ],
      }),
      'storageFailed',
    );
    expect(bases.newest.haveReadsFailed).toBe(true);
    await refused(store.put('c', '1'), 'readOnly');
    expect(await allPairs(store)).toEqual(['a=1', 'b=1']);
    await harness.crash('endProcess');
    expect([
      ['a=1', 'b=1'],
      ['a=2', 'b=2'],
    ]).toContainEqual(await allPairs(harness.store));
  });

  it('does not stop the store by what it does between calls', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('short', '1', { ttlMs: 60_000 });
    await store.put('b', '2');
    await store.snapshot();
    bases.newest.areDeadlinesUnreadable = true;
    await store.put('short', '2');
    for (let count = 0; count < 5; count++) {
      await store.put('b', String(count));
      await harness.advance(fixed.tidyAfterMs);
    }
    expect(harness.events.map(({ kind }) => kind)).not.toContain('storageFailed');
    bases.newest.areDeadlinesUnreadable = false;
    expect(await allPairs(store)).toEqual(['b=4', 'short=2']);
  });

  it('lets a count go on where a bucket of many keys can not be cut', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('k', '1');
    await store.snapshot();
    makeUnreadable(bases.newest, 'k');
    const keys = Array.from({ length: 400 }, (_, index) => `n${index}`);
    for (const key of keys) await store.put(key, '1');
    bases.newest.unreadable.clear();
    expect(await store.count()).toMatchObject({ count: 401 });
    expect(await store.count({ start: 'n' })).toMatchObject({ count: 400 });
  });

  it('is told to the operator, now and then', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    await store.snapshot();
    makeUnreadable(bases.newest, 'a');
    for (let count = 0; count < 3; count++) await refused(store.get('a'), 'readFailed');
    const told = (): number => harness.events.filter(({ kind }) => kind === 'readFailed').length;
    expect(told()).toBe(1);
    await harness.advance(fixed.damageEventMs);
    await refused(store.get('a'), 'readFailed');
    expect(told()).toBe(2);
  });
});

describe('a watch', () => {
  it('that meets a failed read of files ends, and goes on behind what it has told', async () => {
    const { harness, bases } = await openLayered();
    const { store } = harness;
    await store.put('a', '1');
    await store.snapshot();
    const watch = store.watch({ startRevision: 2, returnPrevious: true });
    expect(await next(watch)).toMatchObject({ kind: 'synced', revision: 1 });
    await store.put('b', '1');
    expect(await next(watch)).toMatchObject({ kind: 'events', revision: 2 });
    await store.put('a', '2');
    makeUnreadable(bases.newest, 'a');
    await refused(watch.next(), 'readFailed');
    expect(await watch.next()).toMatchObject({ done: true });
    bases.newest.unreadable.clear();
    const again = store.watch({ startRevision: 3, returnPrevious: true });
    expect(await next(again)).toMatchObject({
      kind: 'events',
      revision: 3,
      events: [{ previous: { key: 'a' } }],
    });
  });

  it('that meets a failed read of the log ends likewise, with an engine in memory, too', async () => {
    const harness = await MemoryHarness.open({ engine: 'memory' });
    const { store, disk } = harness;
    for (let count = 1; count <= 3; count++) await store.put('a', String(count));
    await harness.reopen();
    harness.disk.injectFault({ call: 'read', pathEnd: '.log' });
    await expect(harness.store.watch({ startRevision: 2 }).next()).rejects.toMatchObject({
      code: 'readFailed',
      cause: expect.any(DiskError) as unknown,
    });
    disk.clearFaults();
    expect(await next(harness.store.watch({ startRevision: 2 }))).toMatchObject({ revision: 2 });
  });
});

async function next(watch: AsyncIterator<WatchMessage>): Promise<WatchMessage | undefined> {
  return (await watch.next()).value as WatchMessage | undefined;
}

function makeUnreadable(base: { readonly unreadable: Set<string>; keys(): string[] }, part: string): void {
  const found = base.keys().filter((key) => key.includes(part));
  expect(found).not.toHaveLength(0);
  for (const key of found) base.unreadable.add(key);
}
