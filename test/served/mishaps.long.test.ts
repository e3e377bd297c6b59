/** A script of calls and a watch, in which a connection breaks behind every byte, and a server ends at every step. */
import { describe, expect, test } from 'vitest';
import { places, timeLimitMs } from '../support/share.ts';
import { type Mishap, runScript, type ScriptedRun } from './scripted-run.ts';
import { directions } from './simulated-network.ts';

const TIMEOUT_MS = timeLimitMs(600_000);
/** So long that a value takes several frames; connections then break at fewer places. */
const LONG_VALUE_BYTES = 20_000;
const LONG_VALUE_STRIDE = 997;

const clean = await runScript();
const cleanAndLong = await runScript({}, LONG_VALUE_BYTES);

async function runWith(mishap: Mishap, valueBytes = 0): Promise<ScriptedRun> {
  const run = await runScript(mishap, valueBytes);
  expect(run.fault, JSON.stringify(mishap)).toBeUndefined();
  return run;
}

function unanswered({ calls }: ScriptedRun): number {
  return calls.filter(({ answeredAt }) => answeredAt === undefined).length;
}

test('without a mishap all is well, on a connection for calls and one for the watch', () => {
  for (const run of [clean, cleanAndLong]) {
    expect(run).toMatchObject({ fault: undefined, interruptions: 0 });
    expect(run.bytes).toHaveLength(2);
    expect(unanswered(run)).toBe(0);
  }
});

describe.each([
  [0, 'short', 1, clean],
  [1, 'short', 1, clean],
  [0, 'long', LONG_VALUE_STRIDE, cleanAndLong],
  [1, 'long', LONG_VALUE_STRIDE, cleanAndLong],
] as const)('connection %i, with %s values,', (connection, _, stride, { bytes }) => {
  test.each(directions)(
    'may break behind any byte that goes %s',
    async (direction) => {
      const end = bytes[connection]?.[direction] ?? 0;
      expect(end).toBeGreaterThan(100);
      for (const place of places(Math.ceil(end / stride))) {
        const breakAt = { connection, direction, bytes: place * stride };
        const run = await runWith({ breakAt }, stride === 1 ? 0 : LONG_VALUE_BYTES);
        expect(run.bytes.length, JSON.stringify(breakAt)).toBeGreaterThan(2);
      }
    },
    TIMEOUT_MS,
  );
});

test(
  'a server may be told to stop at any step: each call is answered, by it or by the next one',
  async () => {
    for (const endAtStep of places(clean.stepCount + 1)) {
      const run = await runWith({ endAtStep, end: 'stop' });
      expect(unanswered(run), `in doubt, stopped at step ${endAtStep}`).toBe(0);
    }
  },
  TIMEOUT_MS,
);

test.each(['endProcess', 'losePower'] as const)(
  'a server may end at any step without a word (%s)',
  async (end) => {
    for (const endAtStep of places(clean.stepCount + 1)) await runWith({ endAtStep, end });
  },
  TIMEOUT_MS,
);
