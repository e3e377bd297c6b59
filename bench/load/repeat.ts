/** Measures a piece of work several times over. */
import type { CaseContext } from '../bench-case.ts';

interface Work<Input> {
  /** What one run does so often; the rate is this many in the time of a run. */
  readonly count: number;
  /** Makes what a run needs; its time does not count. */
  setUp(repetition: number): Input;
  run(input: Input): Promise<void>;
}

/** @returns the rate of each repetition, in `count` a second. A first run, which compiles the code, is left out. */
export async function ratesOf<Input>(context: CaseContext, work: Work<Input>): Promise<number[]> {
  const rates: number[] = [];
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    const input = work.setUp(repetition);
    // Each run pays for its own garbage, not for what was before.
    globalThis.gc?.();
    const startMs = performance.now();
    await work.run(input);
    const seconds = (performance.now() - startMs) / 1000;
    if (repetition > 0) rates.push(work.count / seconds);
  }
  return rates;
}
