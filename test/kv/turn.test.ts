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
