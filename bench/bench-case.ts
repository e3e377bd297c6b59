/**
 * What a case is, what it may use and what it tells.
 *
 * A case runs in a process of its own, once for each number of keys, so that no case sees the heap or the compiled code
 * that another one left behind. Before it, `prepare` may fill the case's directory, in another process of its own.
 */
import type { EngineName } from './load/engines.ts';

export interface BenchCase {
  prepare?(context: CaseContext): Promise<void>;
  run(context: CaseContext): Promise<void>;
}

export interface CaseContext {
  /** How many keys there are; a case that has no use for it ignores it. */
  readonly keyCount: number;
  /** Everything is small: the figures mean nothing, only that the case works. */
  readonly isQuick: boolean;
  /** How often a figure is measured, after a first time that does not count. */
  readonly repetitions: number;
  /** An empty folder, which `prepare` and `run` share; removed afterwards. */
  readonly directory: string;
  readonly engine: EngineName;
  /** Where processes that the case starts are to leave a CPU profile, if they can. */
  readonly profileDirectory: string | undefined;
  report(measured: Measured): void;
  /** Says why there is no figure, as for a peer that is not installed. */
  reportMissing(reason: string): void;
  /** A process was started; it is ended even if the case breaks. */
  started(processId: number): void;
  ended(processId: number): void;
}

/** One figure of one process of a case: what was measured, as often as it was measured. */
export interface Measured {
  readonly name: string;
  readonly unit: Unit;
  readonly samples: readonly number[];
}

/** `/s`: a rate, where more is better. Of `ratio` and `count` the figure's name tells it; all others are costs. */
export type Unit =
  | 'operations/s'
  | 'entries/s'
  | 'events/s'
  | 'records/s'
  | 'keys/s'
  | 'ns'
  | 'µs'
  | 'ms'
  | 's'
  | 'bytes'
  | 'bytes/key'
  | 'MB'
  | 'ratio'
  | 'count';

/** Operations of a repetition: few when only the case itself is tried. */
export function operationCount(context: CaseContext, count: number): number {
  return context.isQuick ? Math.max(1, Math.ceil(count / 100)) : count;
}
