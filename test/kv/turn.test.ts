import { expect, it } from 'vitest';
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
