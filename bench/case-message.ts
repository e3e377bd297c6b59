/** What the bench and the process of a case say to each other. */
import type { Measured } from './bench-case.ts';
import type { EngineName } from './load/engines.ts';

/** What a process is started for; handed over as JSON in its only argument. */
export interface CaseOrder {
  readonly caseName: string;
  readonly step: 'prepare' | 'run';
  readonly keyCount: number;
  readonly isQuick: boolean;
  readonly repetitions: number;
  readonly directory: string;
  readonly engine: EngineName;
  readonly profileDirectory: string | undefined;
}

/** What the process of a case tells while it runs. */
export type CaseMessage =
  | { readonly kind: 'measured'; readonly measured: Measured }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'started' | 'ended'; readonly processId: number }
  | { readonly kind: 'failed'; readonly reason: string };
