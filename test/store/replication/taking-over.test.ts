/** A follower that becomes the writer goes on where the newest record stands; one that was overtaken says so. */
import { expect, onTestFinished, test } from 'vitest';
import type { StoreError } from '../../../src/errors.ts';
import { refused } from '../model/readable.ts';
import { SharedBatches } from './shared-batches.ts';
import { TestNode } from './test-node.ts';

const FIRST_MS = 1_000_000;

async function two(secondMs: number): Promise<{ first: TestNode; second: TestNode }> {
  const shared = new SharedBatches();
  const first = await TestNode.open(shared, { name: 'node-0', seed: 1, nowMs: FIRST_MS });
  const second = await TestNode.open(shared, { name: 'node-1', seed: 2, nowMs: secondMs });
  for (const node of [first, second]) onTestFinished(() => node.close().catch(() => undefined));
  await first.lead();
  return { first, second };
}

test('time goes on from the newest record where the clock of the machine is behind', async () => {
  const { first, second } = await two(5000);
  await first.kv.put('a', '1', { ttlMs: 1000 });
  await second.lead();
  await second.kv.put('b', '2', { ttlMs: 1000 });
  const { entry } = await second.kv.get('b');
  expect(entry?.expireTimeMs).toBe(FIRST_MS + 1000);
  expect(second.events.map(({ kind }) => kind)).toContain('clockBehind');
  await second.clock.pass(1200);
  expect((await second.kv.exists(['a', 'b'])).exists).toEqual([false, false]);
  expect(second.store.status().keyCount).toBe(0);
});

test('time goes on from the clock of the machine where that is ahead', async () => {
  const { first, second } = await two(FIRST_MS + 5000);
  await first.kv.put('a', '1', { ttlMs: 1000 });
  await second.follow();
  // As long as it follows, the key is there, as the writer has it.
  await second.clock.pass(60_000);
  expect((await second.kv.exists(['a'])).exists).toEqual([true]);
  await second.lead();
  // As soon as the log tells that time.
  await second.kv.put('b', '2');
  expect((await second.kv.exists(['a'])).exists).toEqual([false]);
});

test.each([
  ['a read', async ({ kv }: TestNode) => (await kv.exists(['a'])).exists[0] === false],
  ['a count', async ({ kv }: TestNode) => (await kv.count({})).count === 0],
  ['a transaction', async ({ kv }: TestNode) => !(await kv.delete('a')).deleted],
  [
    'a refusal',
    ({ kv }: TestNode) => {
      const code = (error: unknown): unknown => (error as StoreError).code;
      return kv
        .touch('a', { ttlMs: 1 })
        .catch(code)
        .then((found) => found === 'keyNotFound');
    },
  ],
])('what %s of the writer has left out as overdue is left out by all that follow then', async (_, isGone) => {
  const { first, second } = await two(FIRST_MS);
  await first.kv.put('a', '1', { ttlMs: 1000 });
  // Nothing of this store is due yet.
  first.clock.jump(1000);
  const wasGone = await isGone(first);
  await second.follow();
  const { exists } = await second.kv.exists(['a']);
  expect(exists[0] && wasGone).toBe(false);
});

test('a lease keeps what it had left at the newest record, however long a node has followed', async () => {
  const { first, second } = await two(FIRST_MS);
  await first.kv.grantLease(10_000, 7);
  await first.kv.put('a', '1', { leaseId: 7 });
  await first.clock.pass(4000);
  await first.kv.put('b', '2');
  await second.follow();
  await second.clock.pass(100_000);
  expect((await second.kv.getLease(7)).remainingMs).toBe(6000);
  await second.lead();
  await second.clock.pass(5900);
  expect((await second.kv.exists(['a'])).exists).toEqual([true]);
  await second.clock.pass(500);
  expect((await second.kv.exists(['a'])).exists).toEqual([false]);
  expect((await second.kv.listLeases()).leases).toEqual([]);
});

test('its first transaction begins a life of its own, and ids of collections are given out behind all others', async () => {
  const { first, second } = await two(FIRST_MS);
  const fields = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field-${index}`, 'x']));
  await first.kv.hash.set('h', fields);
  await second.lead();
  await second.kv.hash.set('g', fields);
  expect(second.store.incarnationOf(1)).toBe(first.store.incarnationOf(1));
  expect(second.store.incarnationOf(2)).not.toBe(second.store.incarnationOf(1));
  expect((await second.kv.hash.get('h')).count).toBe(100);
  expect((await second.kv.hash.get('g')).count).toBe(100);
});

test('what was committed and not stored may be there, and what changes nothing is for the new writer', async () => {
  const { first, second } = await two(FIRST_MS);
  await first.kv.put('a', '1');
  await second.lead();
  const written = refused(first.kv.put('a', '2'), 'storageFailed');
  const read = refused(first.kv.put('a', '3', { condition: { kind: 'mustNotExist' } }), 'notWriter', {
    writerAddress: 'node-1',
  });
  await Promise.all([written, read]);
  await refused(first.kv.put('b', '1'), 'notWriter', { writerAddress: 'node-1' });
  expect(await first.store.failed).toMatchObject({ code: 'storageFailed' });
  expect(first.events.at(-1)).toMatchObject({ kind: 'overtaken' });
  // What is visible is what the shared log has.
  expect((await first.kv.get('a')).entry?.version).toBe(1);
});
