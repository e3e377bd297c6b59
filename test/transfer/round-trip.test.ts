/** What comes back from an export is what was there, through every form, from one to another, in process and by a client. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { exportTo, importFrom } from '../../src/index.ts';
import { elementKey, tags } from '../../src/store/collections/collection-keys.ts';
import { kinds } from '../../src/store/collections/kinds.ts';
import { opened } from '../access/opened.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { KEPT_HISTORY } from '../support/test-engine.ts';
import { startTestServer } from '../support/test-server.ts';
import '../support/property-seed.ts';
import { Collected, NOW_MS, contentOf, exported, inPieces, openedStore, standingClock } from './transfers.ts';

const forms = ['jsonl', 'json', 'binary'] as const;

const keys = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  fc.constantFrom(
    'base64:',
    '{"base64":"AA=="}',
    'version',
    'data',
    '__proto__',
    'toString',
    '\ufeff',
    '"',
    '\\',
  ),
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
  // Bytes that are escaped in the engine.
  fc
    .uint8Array({ minLength: 1, maxLength: 3 })
    .map((bytes) => Uint8Array.of(0xf8 + ((bytes[0] ?? 0) % 8), ...bytes)),
);
const values = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text)),
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => Buffer.from(text)),
  fc.constantFrom('{"base64":"AA=="}', '"', '\\', '\u2028', '\0').map((text) => Buffer.from(text)),
);
const entries = fc.array(
  fc.record({
    key: keys,
    value: values,
    ttlMs: fc.option(fc.integer({ min: 1, max: 1e12 }), { nil: undefined }),
  }),
  { maxLength: 30 },
);

test('through every form, and from one to the next, all keys, values and times to live stay', async () => {
  await fc.assert(
    fc.asyncProperty(
      entries,
      fc.shuffledSubarray([...forms], { minLength: 1 }),
      fc.integer({ min: 1, max: 200 }),
      async (puts, path, length) => {
        let store = await openedStore();
        for (const { key, value, ttlMs } of puts) {
          await store.put(key, value, ttlMs === undefined ? {} : { ttlMs });
        }
        const content = await contentOf(store);
        for (const format of path) {
          const bytes = await exported(store, { format });
          store = await openedStore();
          const summary = await importFrom(store, inPieces(bytes, length), { format }, standingClock);
          expect(summary).toMatchObject({ format, bytes: bytes.length, writtenCount: content.length });
          expect(await contentOf(store)).toEqual(content);
        }
      },
    ),
    { numRuns: 25 },
  );
});

/** A store with what all three ways to read it have to get right. */
async function storeWithAll(): Promise<Awaited<ReturnType<typeof openedStore>>> {
  const store = await openedStore(undefined, KEPT_HISTORY);
  await store.put('a', 'old');
  for (let index = 0; index < 2500; index++) await store.put(`many/${index}`, `value ${index}`);
  await store.put('a', 'new', { ttlMs: 5000 });
  await store.put(Buffer.from('many/\xff', 'latin1'), Buffer.from([0, 255]));
  await store.put(Buffer.from('ff', 'hex'), 'last');
  return store;
}

describe('a part of a store', () => {
  test.each(forms)('as %s: what lies in the range, at the revision', async (format) => {
    const store = await storeWithAll();
    // First, since a whole backup may begin with a checkpoint, and history with that.
    const first = await openedStore();
    await importFrom(first, inPieces(await exported(store, { format, revision: 1 })), {}, standingClock);
    expect(await contentOf(first)).toEqual([['a', Buffer.from('old').toString('hex'), 0]]);
    const content = await contentOf(store);
    const cases = [
      { options: { range: { prefix: 'many/1' } }, holds: (key: string) => key.startsWith('many/1') },
      { options: { range: { prefix: 'many/' } }, holds: (key: string) => /^many\/|^0x6d616e79/.test(key) },
      {
        options: { range: { start: 'many/5' } },
        holds: (key: string) => key >= 'many/5' || key.startsWith('0x'),
      },
      { options: { range: { end: 'b' } }, holds: (key: string) => key === 'a' },
      { options: { range: { key: 'many/7' } }, holds: (key: string) => key === 'many/7' },
      { options: { range: { prefix: 'none/' } }, holds: () => false },
      { options: { range: { prefix: '' } }, holds: () => true },
    ];
    for (const { options, holds } of cases) {
      const copy = await openedStore();
      await importFrom(copy, inPieces(await exported(store, { format, ...options })), {}, standingClock);
      expect(await contentOf(copy)).toEqual(content.filter(([key]) => holds(key)));
    }
  });
});

test('a client and a store in process export the same bytes, and import alike', async () => {
  const clock = new ManualClock(NOW_MS);
  const server = await startTestServer({ storeOptions: { clock } });
  const other = await startTestServer({ storeOptions: { clock } });
  await using client = createClient({ address: server.address });
  await using copyClient = createClient({ address: other.address });
  const store = await storeWithAll();
  await importFrom(client, inPieces(await exported(store), 64 * 1024), {}, standingClock);
  for (const format of ['jsonl', 'json'] as const) {
    expect((await exported(client, { format })).equals(await exported(store, { format }))).toBe(true);
  }
  const whole = await exported(client, { format: 'binary' });
  await importFrom(copyClient, inPieces(whole, 64 * 1024), {}, standingClock);
  const part = { format: 'binary', range: { prefix: 'many/' } } as const;
  await importFrom(
    copyClient,
    inPieces(await exported(client, part), 64 * 1024),
    { onConflict: 'replace' },
    standingClock,
  );
  expect((await exported(copyClient)).equals(await exported(store))).toBe(true);
});

test('keys of leases are left out and counted, in exports and where a backup holds them', async () => {
  const store = await openedStore();
  const { leaseId } = await store.grantLease(60_000);
  await store.put('lock', 'held', { leaseId });
  await store.put('plain', '1');
  for (const format of ['jsonl', 'json'] as const) {
    expect(await exportTo(store, new Collected(), { format })).toMatchObject({
      entryCount: 1,
      leasedCount: 1,
    });
  }
  const part = { format: 'binary', range: { start: 'a' } } as const;
  expect(await exportTo(store, new Collected(), part)).toMatchObject({ entryCount: 1, leasedCount: 1 });
  const copy = await openedStore();
  const backup = await exported(store, { format: 'binary' });
  expect(await importFrom(copy, inPieces(backup))).toMatchObject({
    entryCount: 2,
    writtenCount: 1,
    leasedCount: 1,
  });
  expect((await contentOf(copy)).map(([key]) => key)).toEqual(['plain']);
});

test('collections are left out and counted, in exports and where a backup holds them', async () => {
  const { store } = await opened();
  await store.put('plain', '1');
  await store.transact((view) => {
    const collectionId = view.newCollectionId();
    view.put(elementKey(collectionId, tags.field, Buffer.from('field')), Buffer.from('value'));
    view.put(Buffer.from('h'), Buffer.from('metadata'), { kind: kinds.hash, collectionId });
  });
  const left = { entryCount: 1, collectionCount: 1 };
  for (const format of ['jsonl', 'json'] as const)
    expect(await exportTo(store, new Collected(), { format })).toMatchObject(left);
  const part = { format: 'binary', range: { start: 'a' } } as const;
  expect(await exportTo(store, new Collected(), part)).toMatchObject(left);
  const copy = await openedStore();
  const backup = await exported(store, { format: 'binary' });
  const written = { entryCount: 2, writtenCount: 1, collectionCount: 1 };
  expect(await importFrom(copy, inPieces(backup))).toMatchObject(written);
  expect((await contentOf(copy)).map(([key]) => key)).toEqual(['plain']);
});

test('what has ended by the time of the import is left out and counted; what was left begins anew', async () => {
  const store = await openedStore();
  await store.put('short', '1', { ttlMs: 1000 });
  await store.put('long', '2', { ttlMs: 10_000 });
  const deadlines = await exported(store);
  const rests = await exported(store, { ttl: 'remaining' });
  const clock = new ManualClock(NOW_MS + 1000);
  const later = await openedStore(clock);
  const summary = await importFrom(later, inPieces(deadlines), {}, clock);
  expect(summary).toMatchObject({ entryCount: 2, writtenCount: 1, expiredCount: 1 });
  expect((await contentOf(later)).map(([key, , timeMs]) => [key, timeMs])).toEqual([
    ['long', NOW_MS + 10_000],
  ]);
  const anew = await openedStore(clock);
  await importFrom(anew, inPieces(rests), {}, clock);
  expect((await contentOf(anew)).map(([key, , timeMs]) => [key, timeMs])).toEqual([
    ['long', NOW_MS + 11_000],
    ['short', NOW_MS + 2000],
  ]);
});
