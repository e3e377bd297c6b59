/** What the store has counted since it was opened, for metrics: nothing here holds keys or values. */

/** Why a watch ended. */
export type WatchEnd =
  /** By its reader. */
  | 'requested'
  /** It read so slowly that what follows was dropped. */
  | 'fell_behind'
  /** The store closed. */
  | 'closed'
  /** Anything else. */
  | 'failed';

/** What rests when it has done as much as one turn of the event loop has time for. */
export type RestingWork = 'calls' | 'long_reads' | 'watches' | 'expiry';

/** How far the watch that is furthest behind has to go to the visible revision. */
export interface WatchLag {
  /** The watches that are behind at all, with something to go through. */
  readonly behindCount: number;
  readonly revisions: number;
  /** Of the log, as far as samples of it tell: in steps of 256 KiB. */
  readonly logBytes: number;
  /** Since the first revision that it has not dealt with became visible. */
  readonly ms: number;
}

/** Answers to writes that are held while changes outrun the files of an engine on disk. */
export interface HeldAnswers {
  /** How often some began to be held. */
  readonly holdCount: number;
  /** How long the oldest of those that are held now has waited; 0: none is. */
  readonly heldMs: number;
}

/** Writes that wait for room in memory, which a checkpoint makes. */
export interface WaitingWrites {
  /** How many do now. */
  readonly count: number;
  /** How long writes have waited, together; those that do now, too. */
  readonly waitedMs: number;
}

/** What became of a value that was long enough to be compressed. */
export type CompressionOutcome =
  /** It is kept compressed. */
  | 'kept'
  /** It was compressed, and that saved too little. */
  | 'in_vain'
  /** It did not look as if it gave way. */
  | 'not_tried';

export interface StoreFigures {
  readonly expiredKeyCount: number;
  readonly expiredLeaseCount: number;
  /** Keys that went before their time since memory was scarce. */
  readonly evictedKeyCount: number;
  readonly watchLag: WatchLag;
  readonly watchEventsSent: number;
  readonly watchEndCounts: Readonly<Record<WatchEnd, number>>;
  readonly restCounts: Readonly<Record<RestingWork, number>>;
  readonly compressionCounts: Readonly<Record<CompressionOutcome, number>>;
  readonly heldAnswers: HeldAnswers;
  readonly waitingWrites: WaitingWrites;
  /** Requests that were refused since they had used up their budget. */
  readonly budgetRefusalCount: number;
}
