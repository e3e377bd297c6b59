/** What `kelp verify` finds out; plain data, which it prints as JSON as it is. */
import type { EngineName } from '../../engine-names.ts';
import type { BaseFile } from '../base-files.ts';
import type { TornTail } from '../../wal/segments/segment-end.ts';

export interface VerifyReport {
  /** Nothing is damaged. A torn tail and files that were left over are no damage. */
  readonly isWhole: boolean;
  /** The newest revision whose state can be had from what is whole; 0: none. */
  readonly wholeRevision: number;
  /** `undefined`: the file that names it is damaged. */
  readonly engine: EngineName | undefined;
  readonly log: LogReport;
  /** What an engine on disk keeps; `undefined`: the engine is in memory, or not known. */
  readonly base: BaseReport | undefined;
  /** The newest first. */
  readonly snapshots: readonly SnapshotReport[];
  readonly damages: readonly Damage[];
  /** What an operator may want to know besides. */
  readonly notes: readonly string[];
  readonly recovery: Forecast;
}

/** A place that is not as it was written, or a file that is missing. */
export interface Damage {
  readonly file: string;
  readonly offset: number;
  readonly what: string;
  /** The revisions concerned, both inclusive; `undefined`: all that follow. */
  readonly fromRevision: number;
  readonly toRevision: number | undefined;
}

export interface LogReport {
  /** As `kelp status` shows it; empty when there is no segment. */
  readonly storeId: string;
  readonly segmentCount: number;
  readonly bytes: number;
  /** The first revision that the oldest segment may hold; 0: there is no segment. */
  readonly firstRevision: number;
  /** The last revision that was read; 0: none. */
  readonly lastRevision: number;
  readonly recordCount: number;
  /** Records without a revision, such as the renewal of a lease. */
  readonly noteCount: number;
  /** What a crash left of a write under way, which the next start cuts off. */
  readonly torn: TornTail | undefined;
}

export interface SnapshotReport {
  readonly file: string;
  readonly revision: number;
  readonly bytes: number;
  readonly isWhole: boolean;
  /** Of what was read. */
  readonly versionCount: number;
  readonly leaseCount: number;
  readonly accessCount: number;
}

export interface BaseReport {
  /** Of the state that it holds; 0: none yet, or it can't be read. */
  readonly revision: number;
  readonly bytes: number;
  readonly isWhole: boolean;
  /** Leases that are noted with it. */
  readonly leaseCount: number;
  readonly files: readonly BaseFile[];
}

/** What the next start would do. */
export type Forecast =
  /** The directory holds nothing yet. */
  | { readonly kind: 'newStore' }
  | {
      readonly kind: 'starts';
      readonly revision: number;
      /** 0: from the log alone. */
      readonly snapshotRevision: number;
      /** That the files of an engine on disk hold; 0: they hold nothing yet, or the engine is in memory. */
      readonly baseRevision: number;
      /** Damage in these that does not stop the start: what needs a damaged place is refused. */
      readonly isBaseDamaged: boolean;
      /** How much of a torn write it cuts off. */
      readonly cutBytes: number;
      /** The damaged snapshots that it passes over. */
      readonly skippedSnapshots: readonly number[];
    }
  | { readonly kind: 'stops'; readonly why: string };
