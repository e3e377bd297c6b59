/** A flush into a database in memory is written in pieces, between which each key is read as it was or as it will be. */
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { type Change, deletionOf } from '../../../src/engine/version.ts';
import { fixed } from '../../../src/limits.ts';
import { bytes, put } from '../contract/changes.ts';
import { commitAll, found, rowsOf, textOf } from './base-model.ts';
import { openTestBase, STORE_ID } from './open-test-base.ts';

const ROWS = 6000;
const VALUE_BYTES = 500;

const nameOf = (index: number): string => `key ${100_000 + index}`;
const valueOf = (revision: number): string => String(revision).repeat(VALUE_BYTES);

function putsOf(revision: number, from: number, to: number): Change[] {
  return Array.from({ length: to - from }, (_, index) =>
    put(nameOf(from + index), revision, valueOf(revision)),
  );
}

/** A clock that shows each pause. */
function watchedClock(onPause: () => void): Clock {
  return {
    ...systemClock,
    yieldNow: (callback) =>
      systemClock.yieldNow(() => {
        onPause();
        callback();
      }),
  };
}

test('a commit pauses at each piece, and so does what it forgets', async () => {
  let pauseCount = 0;
  let look: (base: Base) => void = () => undefined;
  const clock = watchedClock(() => {
    pauseCount++;
    look(base);
  });
  const base: Base = await openTestBase(undefined, STORE_ID, clock);
  const before = putsOf(1, 0, ROWS);
  await commitAll(base, 1, before);
  expect(pauseCount).toBeGreaterThanOrEqual(Math.floor((ROWS * VALUE_BYTES) / fixed.btreeBatchBytes));

  const written = putsOf(2, 1000, 3000);
  const deleted = before.slice(500, 1000).map(({ key }) => deletionOf(key, 2));
  const unchanged = before.slice(0, 500).map(textOf);
  const gone = { start: bytes(nameOf(3000)), end: undefined };
  base.hide(gone);
  expect(rowsOf(base).length).toBe(3000);
  look = () => {
    expect(rowsOf(base).slice(0, 500)).toEqual(unchanged);
    for (const index of [0, 1000, 1999]) {
      const change = written[index];
      const old = before[1000 + index];
      if (change === undefined || old === undefined) throw new Error('there are as many');
      expect([textOf(old), textOf(change)]).toContain(found(base, change.key));
    }
    expect(found(base, bytes(nameOf(4000)))).toBeUndefined();
    // The state is that of before until all is written.
    expect(base.revision).toBe(1);
  };
  pauseCount = 0;
  await commitAll(base, 2, [...deleted, ...written], { forget: [gone] });
  // Of what is forgotten, too.
  expect(pauseCount).toBeGreaterThan((2000 * VALUE_BYTES) / fixed.btreeBatchBytes + 1);
  look = () => undefined;
  expect(rowsOf(base)).toEqual([...unchanged, ...written.map(textOf)]);
  expect(base.figures().runs).toMatchObject([{ recordCount: 2500 }]);
});
