/**
 * Processor time in place of the time by the clock: on a machine that has other work to do it still tells what an operation
 * costs, but for the caches, which the others use too.
 */
import type { CaseContext } from '../bench-case.ts';

interface CostlyWork<Input> {
  /** What one run does so often. */
  readonly count: number;
  /** Makes what a run needs; its time does not count. */
  setUp(repetition: number): Input;
  run(input: Input): void;
}

const NANOS_PER_MICRO = 1000;

/** What all threads of this process have used so far, the garbage collector's among them. */
export function cpuNanos(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * NANOS_PER_MICRO;
}

/** @returns nanoseconds of the processor for one operation, by repetition. A first run, which compiles the code, is left out. */
export function costsOf<Input>(context: CaseContext, work: CostlyWork<Input>): number[] {
  const costs: number[] = [];
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    const input = work.setUp(repetition);
    // Each run pays for its own garbage, not for what was before.
    globalThis.gc?.();
    const before = cpuNanos();
    work.run(input);
    if (repetition > 0) costs.push((cpuNanos() - before) / work.count);
  }
  return costs;
}
