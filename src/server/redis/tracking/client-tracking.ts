/**
 * `ClientTracking`: what one connection has said by CLIENT TRACKING, from ON to OFF, RESET or its end; what of its calls is of
 * interest for that; and the keys that it is still to be told of.
 */
import { fixed, serverFixed } from '../../../limits.ts';
import { toKeyText } from '../../../store/views/keys.ts';
import type { Arguments, Command } from '../commands/command.ts';
import type { KeyspaceEvent } from '../commands/running-call.ts';
import type { ClientSession } from '../commands/session-command.ts';
import type { SessionTracking, TrackedRun, TrackingOptions } from '../commands/session-tracking.ts';
import { eachKey } from '../connection/key-access.ts';
import { keyNameTextOf } from '../keyspace/key-names.ts';
import type { KeyNameText } from './tracked-keys.ts';

/** The connection of a client that caches. */
export type TrackedSession = Pick<
  ClientSession,
  | 'id'
  | 'userName'
  | 'protocolVersion'
  | 'subscriptionCounts'
  | 'figures'
  | 'mayReadAllKeys'
  | 'push'
  | 'kill'
  | 'seesCommitted'
  | 'tracking'
>;

/** What keeps what all clients have read (`Tracking`). */
export interface Tracker {
  read(client: ClientTracking, name: KeyNameText, revision: number): void;
  /** It has read more keys than are noted: it is to forget all of them. */
  readMany(client: ClientTracking): void;
  wrote(client: ClientTracking, revision: number): void;
  owe(client: ClientTracking, name: KeyNameText): void;
  end(client: ClientTracking): void;
}

export class ClientTracking implements SessionTracking {
  redirect = 0;
  mode: TrackingOptions['mode'] = 'reads';
  isNoLoop = false;
  readonly prefixes = new Set<string>();
  isRedirectBroken = false;
  isCachingSaid = false;
  isEnded = false;
  /** What it is still to be told of; `owesAll`: that is all keys. */
  readonly owed = new Set<KeyNameText>();
  owesAll = false;
  readonly session: TrackedSession;
  readonly #tracker: Tracker;
  /** What calls of the transaction that runs have read. */
  readonly #reads: KeyNameText[] = [];
  /** And more than are noted. */
  #hasReadMany = false;

  constructor(session: TrackedSession, tracker: Tracker) {
    this.session = session;
    this.#tracker = tracker;
  }

  get isBroadcast(): boolean {
    return this.mode === 'broadcast';
  }

  ran(row: Command, args: Arguments, { revision, hasChanged }: TrackedRun): void {
    if (hasChanged) this.#wrote(revision + 1);
    if (!this.#wantsReads) return;
    if (args.count > serverFixed.redisTrackedKeysPerCallMax) this.#tracker.readMany(this);
    else eachRead(row, args, (name) => this.#tracker.read(this, name, revision));
  }

  ranWithin(row: Command, args: Arguments): void {
    if (!this.#wantsReads && !this.isBroadcast) return;
    if (this.#reads.length + args.count > serverFixed.redisTrackedKeysPerCallMax) this.#hasReadMany = true;
    else eachRead(row, args, (name) => this.#reads.push(name));
  }

  transactionFailed(): void {
    this.#reads.length = 0;
    this.#hasReadMany = false;
  }

  /** A call may have been shown what a later one has changed again, so that the key is as it was: of that no change tells. */
  transactionRan(events: readonly KeyspaceEvent[] | undefined, { revision, hasChanged }: TrackedRun): void {
    if (hasChanged) this.#wrote(revision + 1);
    if (this.#hasReadMany) {
      this.transactionFailed();
      this.#tracker.readMany(this);
    }
    if (this.#reads.length === 0) return;
    const touched = events && new Set(events.map(({ key }) => keyNameTextOf(toKeyText(key))));
    for (const name of this.#reads.splice(0)) {
      const isTouched = touched === undefined || touched.has(name);
      if (isTouched && !this.isNoLoop && this.#isTold(name)) this.#tracker.owe(this, name);
      else if (!this.isBroadcast) this.#tracker.read(this, name, revision);
    }
  }

  commandEnded(name: string | undefined, isQueuing: boolean): void {
    if (!isQueuing && name?.startsWith('client|') !== true) this.isCachingSaid = false;
  }

  end(): void {
    this.#tracker.end(this);
  }

  #wrote(revision: number): void {
    if (this.isNoLoop) this.#tracker.wrote(this, revision);
  }

  #isTold(name: KeyNameText): boolean {
    if (!this.isBroadcast) return true;
    for (const prefix of this.prefixes) if (name.startsWith(prefix)) return true;
    return false;
  }

  get #wantsReads(): boolean {
    if (this.mode === 'optIn') return this.isCachingSaid;
    if (this.mode === 'optOut') return !this.isCachingSaid;
    return this.mode === 'reads';
  }
}

/** Tells the keys that a call reads. */
function eachRead(row: Command, args: Arguments, tell: (name: KeyNameText) => void): void {
  if (row.keys === undefined || row.flags.includes('write')) return;
  eachKey(row, args, (index) => {
    const word = args.passing(index);
    // A longer one is no key, and the command has said so.
    if (word.length <= fixed.keyBytesMax) tell(toKeyText(word));
  });
}
