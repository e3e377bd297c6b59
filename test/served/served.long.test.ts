/**
 * Clients of the whole server on a simulated machine, whose servers end and whose connections break as a seed decides.
 * SERVED_SEED is the first seed.
 */
import { expect, test } from 'vitest';
import { rounds, timeLimitMs } from '../support/share.ts';
import { engineOfTests } from '../support/test-engine.ts';
import { runServed } from './served-run.ts';

const FIRST_SEED = Number(process.env['SERVED_SEED'] ?? 1);
const REPEATED = 10;
const RUNS = engineOfTests() === undefined ? Math.max(120, rounds(2000)) : rounds(400);

test(
  `what clients and watches are told can be true, in ${RUNS} runs`,
  async () => {
    const total = { connections: 0, interruptions: 0, resumptions: 0 };
    let [answered, open] = [0, 0];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      const run = await runServed(seed).catch((reason: unknown) => {
        throw new Error(`SERVED_SEED=${seed} shows it again: ${String(reason)}`, { cause: reason });
      });
      expect(run.fault, `SERVED_SEED=${seed} shows it again`).toBeUndefined();
      for (const name of ['connections', 'interruptions', 'resumptions'] as const) total[name] += run[name];
      for (const { answeredAt } of run.calls) {
        if (answeredAt === undefined) open++;
        else answered++;
      }
    }
    // The runs were not about nothing.
    expect(answered).toBeGreaterThan(30 * RUNS);
    expect(open).toBeGreaterThan(RUNS / 2);
    expect(total.connections).toBeGreaterThan(10 * RUNS);
    expect(total.interruptions).toBeGreaterThan(RUNS);
    expect(total.resumptions).toBeGreaterThan(RUNS);
  },
  timeLimitMs(1_200_000),
);

test('a seed shows the same run again', async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + REPEATED; seed++) {
    const first = await runServed(seed);
    expect(await runServed(seed), `seed ${seed}`).toEqual(first);
  }
});
