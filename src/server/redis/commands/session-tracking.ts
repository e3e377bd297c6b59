/** Client-side caching, as a connection and its commands see it: what CLIENT TRACKING has set, and what is to be told of calls. */
import type { Arguments, Command } from './command.ts';
import type { KeyspaceEvent } from './running-call.ts';

export interface TrackingOptions {
  /** The client that is told in the place of this one; 0: this one. */
  readonly redirect: number;
  /**
   * `reads`: it is told of the keys that it has read; `optIn`: of those behind CLIENT CACHING YES; `optOut`: but for those behind CLIENT
   * CACHING NO; `broadcast`: of all keys with its prefixes.
   */
  readonly mode: 'reads' | 'optIn' | 'optOut' | 'broadcast';
  /** It is not told of what it has changed itself. */
  readonly isNoLoop: boolean;
}

/** How a call has run. */
export interface TrackedRun {
  /** Of the state that it has found. */
  readonly revision: number;
  /** Whether the revision behind that one is its own. */
  readonly hasChanged: boolean;
}

/** From CLIENT TRACKING ON to OFF, RESET or the end of the connection. */
export interface SessionTracking extends TrackingOptions {
  readonly isBroadcast: boolean;
  /** Of `broadcast`: each character is a byte. */
  readonly prefixes: ReadonlySet<string>;
  /** The client that it redirects to was gone when there was something to tell. */
  readonly isRedirectBroken: boolean;
  /** CLIENT CACHING was said: for the next command, or transaction. */
  isCachingSaid: boolean;
  /** A call has run by itself. */
  ran(row: Command, args: Arguments, run: TrackedRun): void;
  /** A call of a transaction has run, which has not ended. */
  ranWithin(row: Command, args: Arguments): void;
  /** The transaction is tried again, or has failed. */
  transactionFailed(): void;
  /**
   * A transaction has ended, and its reply is written.
   * @param events what its calls have noted; `undefined`: they may have changed anything.
   */
  transactionRan(events: readonly KeyspaceEvent[] | undefined, run: TrackedRun): void;
  /** A command has come to its end. @param isQueuing between MULTI and EXEC. */
  commandEnded(name: string | undefined, isQueuing: boolean): void;
  /** The client is told of nothing any more. */
  end(): void;
}
