/**
 * The contract of a running server as the source of a store that follows it, without a log that nodes share: a read replica. The server
 * may be alone, or any node of a cluster, or a follower of this kind itself.
 *
 * Places are its revisions. What it gives is visible there, so it has been acknowledged, or will be; it is never taken back, unless
 * its disk loses what was not flushed, or its files are put back. Then it has another history, and is refused.
 */
import type { FollowerPlace, StoreHead } from '../../store/replication/record-feed.ts';

/** How far the server is. */
export type ServerHead = StoreHead;

export interface FollowedCall {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
}

/** Where the follower is. */
export interface FollowedFrom {
  readonly storeId: Uint8Array;
  readonly after: FollowerPlace;
}

export interface FollowedStep {
  /** Whole records with their prefixes. It may be empty. */
  readonly records: Uint8Array;
  /** All that is up to there has been given; `undefined`: more comes at once. */
  readonly head: StoreHead | undefined;
}

export type FollowErrorCode =
  /** It does not answer, or can't now: it may later. */
  | 'unavailable'
  /** It does not let the follower have its records, or does not know how: for its operator. */
  | 'refused'
  /**
   * The records that come next are no longer in its log, or it can't tell whether the follower has all that came before: a snapshot gives a
   * state to go on from.
   */
  | 'trimmed'
  /** It serves another store. */
  | 'otherStore'
  /** It does not have what the follower has: it was put back to an earlier state, or has lost writes. */
  | 'wentBack';

export class FollowError extends Error {
  readonly code: FollowErrorCode;

  constructor(code: FollowErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FollowError';
    this.code = code;
  }
}

/** All calls reject with a `FollowError`, or with the reason of their signal. */
export interface FollowedServer {
  /** As the operator says it. */
  readonly address: string;

  /** Linearizable: all that was acknowledged before the call is in it. */
  head(call: FollowedCall): Promise<StoreHead>;

  /**
   * What lies behind a place, in its order, and then what comes, without an end. At least every `limits.cluster.heartbeatMs` there is a
   * step. It is read no further than its user takes it.
   */
  follow(from: FollowedFrom, signal: AbortSignal): AsyncIterable<FollowedStep>;

  /** A backup, as the bytes of a snapshot file. */
  snapshot(signal: AbortSignal): AsyncIterable<Uint8Array>;

  /** Breaks off all calls. */
  close(): void;
}
