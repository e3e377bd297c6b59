import { expect, it } from 'vitest';
import { fixed } from '../../src/limits.ts';
import { SeamHarness } from '../store/seam/seam-harness.ts';

it.each(['', '\ud800', 'k'.repeat(5000)])(
  'a call of a turn whose key is none is refused alone: %j',
  async (wrong) => {
    // Without the checks that come before it in a program.
    const { calls } = await SeamHarness.open();
    const outcomes = await Promise.allSettled(['a', 'b', wrong, 'c'].map((key) => calls.put(key, '')));
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'invalidArgument' } },
      { status: 'fulfilled' },
    ]);
    expect(await calls.keys('*')).toMatchObject({ keys: ['a', 'b', 'c'] });
  },
);

it('writes of a turn keep what their callers gave, whatever the buffers hold by the time they run', async () => {
  const { calls } = await SeamHarness.open();
  const buffer = new Uint8Array(1000);
  const lengths = Array.from({ length: 600 }, (_, index) => (index * 37) % 1000);
  const puts = lengths.map((length, index) => {
    buffer.fill(index & 0xff);
    return calls.put(`k${index}`, buffer.subarray(0, length));
  });
  buffer.fill(0xee);
  await Promise.all(puts);
  const read = await Promise.all(lengths.map((_, index) => calls.get(`k${index}`)));
  expect(read.map(({ entry }) => entry?.value)).toEqual(
    lengths.map((length, index) => new Uint8Array(length).fill(index & 0xff)),
  );
});

it('calls of a turn run at one reading of the clock', async () => {
  const { calls, clock } = await SeamHarness.open();
  let readings = 0;
  const nowMs = clock.nowMs.bind(clock);
  clock.nowMs = () => (readings++, nowMs());
  await Promise.all(Array.from({ length: 100 }, (_, index) => calls.put(`k${index}`, '', { ttlMs: 1000 })));
  // The first runs at once, by itself.
  expect(readings).toBeLessThanOrEqual(4);
  const { entries } = await calls.scan({});
  expect(new Set(entries.map(({ expireTimeMs }) => expireTimeMs)).size).toBe(1);
});

it('calls that rest run in the order in which they were made, with what their callers gave', async () => {
  const { calls } = await SeamHarness.open();
  const half = Buffer.alloc(fixed.turnBytesMax / 2, 'v');
  await calls.put('long', half);
  const buffer = new Uint8Array(1);
  const given = (byte: string): Uint8Array => {
    buffer.fill(byte.charCodeAt(0));
    return buffer;
  };
  await calls.grantLease(60_000, 7);
  const reads = [calls.get('long'), calls.get('long'), calls.get('long'), calls.get('long')];
  const made = [
    calls.put('k', given('1')),
    calls.txn({ success: [{ kind: 'put', key: 't', value: given('2') }] }),
    calls.increment('k', 5),
    calls.get('k', { refreshTtl: true }),
    calls.put(given('l'), '', { leaseId: 7 }),
    calls.getLease(7, { includeKeys: true }),
    calls.deleteRange({ key: given('k') }),
    calls.count({}),
    calls.touch(given('t'), { ttlMs: 1000 }),
    calls.put('k', 'last'),
  ] as const;
  const scanned = calls.scan({ prefix: given('l') });
  buffer.fill(0xee);
  await Promise.all(reads);
  const [put, txn, increment, read, , lease, deleted, counted, touched, last] = await Promise.all(made);
  const revisions = [put, txn, increment, read, deleted, touched, last].map(({ revision }) => revision);
  expect(revisions).toEqual([2, 3, 4, 4, 6, 7, 8]);
  expect(increment.value).toBe(6n);
  expect(lease.keys).toEqual(['l']);
  expect(deleted.deletedCount).toBe(1);
  expect(counted.count).toBe(3);
  expect(touched.entry.key).toBe('t');
  // What is visible, which the writes before it are not yet.
  expect((await scanned).entries.map(({ key }) => key)).toEqual(['long']);
});

it('pages and transactions that one caller starts together leave the event loop between them', async () => {
  const { calls } = await SeamHarness.open();
  await calls.put('long', Buffer.alloc(fixed.turnBytesMax / 2));
  let turns = 0;
  const state = { isOver: false };
  const started = Promise.all([
    ...Array.from({ length: 10 }, () => calls.scan({})),
    ...Array.from({ length: 10 }, () => calls.txn({ success: [{ kind: 'get', key: 'long' }] })),
    ...Array.from({ length: 10 }, () => calls.getMany(['long'])),
  ]).finally(() => (state.isOver = true));
  for (; !state.isOver; turns++) await new Promise(setImmediate);
  await started;
  expect(turns).toBeGreaterThanOrEqual(14);
});

it('a store that is closed runs the calls that rest first', async () => {
  const { calls } = await SeamHarness.open();
  await calls.put('long', Buffer.alloc(fixed.turnBytesMax));
  const made = [calls.get('long'), calls.get('long'), calls.put('k', 'v')] as const;
  await calls.close();
  expect((await made[2]).revision).toBe(2);
  expect((await made[1]).entry).toBeDefined();
});
