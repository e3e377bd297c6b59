import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** The clock, the client's own for pauses that its tests pass at once, and that of the console, which runs in a browser. */
const clocks = ['clock.ts', join('client', 'calls', 'pace.ts'), join('console', 'page', 'clock.ts')];

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.tsx?$/.test(name),
);

test('timers are set through a clock: those of Node end at once when they are set for a month', () => {
  const setting = files.filter((file) =>
    // `setTimeout(0)` of a socket takes its timer away.
    /\bset(?:Timeout|Interval)\b(?!\(0\))|\bAbortSignal\.timeout\b|timers\/promises/.test(
      readFileSync(join('src', file), 'utf8'),
    ),
  );
  expect(setting.toSorted()).toEqual(clocks.toSorted());
});
