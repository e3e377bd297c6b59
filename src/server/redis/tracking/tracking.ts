/**
 * Client-side caching: clients that keep what they have read are told when it is no longer so.
 *
 * 1. A call that reads has its keys noted with the revision of the state that it was shown, in the turn in which it reads. Each change
 *    with a later revision, through whatever door, a deadline and the end of a lease included, is told as it becomes visible: behind the
 *    reply to the read, which is on its way by then, and before any reply that shows something else.
 * 2. While a client tracks, all that is committed is listened to. What was committed before and is not visible yet is told to no one, so a
 *    client that begins is shown, from then on, states that have it (`seesCommitted`).
 * 3. Told late, or once too often, does no harm: the client reads again. So a client that is owed much, a transaction that changes much,
 *    and FLUSHALL are told as `all keys`, and so is what can't be told otherwise.
 * 4. What is noted is bounded in keys and bytes: beyond that keys by chance are told as changed, and forgotten.
 * 5. What a client is owed goes out at the end of the turn, as one message; one that does not read is broken off, as with pub/sub.
 *
 * Keys of all databases have one name here, as in Redis.
 */
import type { Clock } from '../../../clock.ts';
import { serverFixed } from '../../../limits.ts';
import type { Seam, Stop } from '../../../store/seam.ts';
import type { RecentChange } from '../../../store/watch/matching/recent-changes.ts';
import type { ClientSessions } from '../commands/session-command.ts';
import type { TrackingOptions } from '../commands/session-tracking.ts';
import { keyNameTextOf } from '../keyspace/key-names.ts';
import { BroadcastPrefixes } from './broadcast-prefixes.ts';
import { ClientTracking, type Tracker, type TrackedSession } from './client-tracking.ts';
import { brokenRedirect, invalidation } from './invalidation.ts';
import { type KeyNameText, TrackedKeys } from './tracked-keys.ts';

type TrackedSeam = Pick<Seam, 'committedSequence' | 'durableSequence' | 'onVisible' | 'onDurable'>;

export interface TrackingParts {
  readonly seam: TrackedSeam;
  readonly clock: Pick<Clock, 'yieldNow'>;
  readonly sessions: () => Pick<ClientSessions, 'byId'>;
}

/** What a key that a client is owed takes beside its bytes, roughly. */
const BYTES_OF_OWED = 60;

export class Tracking implements Tracker {
  readonly #seam: TrackedSeam;
  readonly #clock: TrackingParts['clock'];
  readonly #sessions: TrackingParts['sessions'];
  /** By the numbers of connections, so that one that has ended is not kept. */
  readonly #keys = new TrackedKeys<number>();
  readonly #prefixes = new BroadcastPrefixes<ClientTracking>();
  readonly #clients = new Map<number, ClientTracking>();
  /** Those that are owed something, and what that takes. */
  readonly #owing = new Set<ClientTracking>();
  #owedBytes = 0;
  #isSending = false;
  /** Of clients that are not told of their own changes: those that are not visible yet. */
  readonly #ownRevisions = new Map<number, ClientTracking>();
  #keysMax: number = serverFixed.redisTrackedKeysDefault;
  #stopVisible: Stop | undefined;
  /** Once this is durable all clients are to forget all keys; 0: nothing is waited for. */
  #flushSequence = 0;
  #stopDurable: Stop | undefined;

  constructor({ seam, clock, sessions }: TrackingParts) {
    this.#seam = seam;
    this.#clock = clock;
    this.#sessions = sessions;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  get figures(): { readonly keyCount: number; readonly itemCount: number; readonly prefixCount: number } {
    const { keyCount, itemCount } = this.#keys;
    return { keyCount, itemCount, prefixCount: this.#prefixes.count };
  }

  /** `tracking-table-max-keys`; 0: only their bytes are bounded. */
  get keysMax(): number {
    return this.#keysMax;
  }

  set keysMax(count: number) {
    this.#keysMax = count;
    if (this.#isFull) this.#forgetAll();
  }

  /**
   * Begins, or goes on in another way. Throws a `ReplyError` for too many prefixes.
   * @param prefixes further ones, for `broadcast`.
   */
  begin(session: TrackedSession, options: TrackingOptions, prefixes: readonly string[]): void {
    const client = this.#clients.get(session.id) ?? new ClientTracking(session, this);
    this.#prefixes.add(prefixes, client);
    for (const prefix of prefixes) client.prefixes.add(prefix);
    client.redirect = options.redirect;
    client.mode = options.mode;
    client.isNoLoop = options.isNoLoop;
    client.isRedirectBroken = false;
    this.#clients.set(session.id, client);
    session.tracking = client;
    this.#stopVisible ??= this.#seam.onVisible(this.#visible);
    session.seesCommitted();
  }

  end(client: ClientTracking): void {
    if (client.isEnded) return;
    client.isEnded = true;
    client.session.tracking = undefined;
    this.#prefixes.remove(client.prefixes, client);
    this.#clients.delete(client.session.id);
    this.#settle(client);
    // What it has read is forgotten as it changes, or when there is no room for it.
    if (this.#clients.size === 0) this.stop();
  }

  stop(): void {
    this.#stopVisible?.();
    this.#stopVisible = undefined;
    this.#waitForFlush(0);
    this.#keys.clear();
    this.#ownRevisions.clear();
  }

  /** FLUSHALL or FLUSHDB has run, or does so in the decision that is being made. */
  flushed(): void {
    if (this.#clients.size === 0) return;
    queueMicrotask(() => {
      const { committedSequence, durableSequence } = this.#seam;
      if (committedSequence <= durableSequence) this.#forgetAll();
      else this.#waitForFlush(committedSequence);
    });
  }

  read(client: ClientTracking, name: KeyNameText, revision: number): void {
    if (client.isEnded) return;
    this.#keys.add(name, client.session.id, revision);
    while (this.#isFull) this.#keys.evict(Math.random(), this.#tellEvicted);
  }

  readMany(client: ClientTracking): void {
    if (!client.isEnded) this.#oweAll(client);
  }

  wrote(client: ClientTracking, revision: number): void {
    if (!client.isEnded) this.#ownRevisions.set(revision, client);
  }

  owe(client: ClientTracking, name: KeyNameText): void {
    if (client.isEnded || client.owesAll || client.owed.has(name)) return;
    client.owed.add(name);
    this.#owedBytes += BYTES_OF_OWED + name.length;
    if (this.#owedBytes > serverFixed.redisOwedInvalidationBytesMax) this.#oweAll(client);
    else this.#sendLater(client);
  }

  get #isFull(): boolean {
    const { keyCount, bytes } = this.#keys;
    return (this.#keysMax > 0 && keyCount > this.#keysMax) || bytes > serverFixed.redisTrackedBytesMax;
  }

  readonly #tellEvicted = (name: KeyNameText, id: number): void => {
    const client = this.#clients.get(id);
    if (client !== undefined) this.owe(client, name);
  };

  readonly #visible = (revision: number, changes: readonly RecentChange[]): void => {
    try {
      const author = this.#ownRevisions.get(revision);
      if (author !== undefined) this.#ownRevisions.delete(revision);
      let left: number = serverFixed.redisInvalidationVisitsMax;
      for (const { key } of changes) {
        const name = keyNameTextOf(key);
        if (name === undefined) continue;
        if (left <= 0) {
          this.#forgetAll();
          return;
        }
        left -= this.#changed(name, revision, author);
      }
    } catch (error) {
      // It is told no more, so those that count on it must not go on.
      for (const { session } of this.#clients.values()) session.kill('now');
      throw error;
    }
  };

  /** @returns how much was looked at: the key, prefixes and clients. */
  #changed(name: KeyNameText, revision: number, author: ClientTracking | undefined): number {
    let visits = 1 + this.#prefixes.count;
    this.#keys.changed(name, revision, (id) => {
      visits++;
      const client = this.#clients.get(id);
      if (client === undefined) return true;
      if (client === author) return false;
      if (!client.isBroadcast) this.owe(client, name);
      return true;
    });
    this.#prefixes.eachOf(name, (client) => {
      visits++;
      if (client !== author) this.owe(client, name);
    });
    return visits;
  }

  /** @param sequence 0: nothing is waited for. */
  #waitForFlush(sequence: number): void {
    this.#flushSequence = sequence;
    if (sequence === 0) {
      this.#stopDurable?.();
      this.#stopDurable = undefined;
      return;
    }
    this.#stopDurable ??= this.#seam.onDurable((durable, failure) => {
      // What was decided and never will be durable is shown to no one.
      if (failure !== undefined) this.#waitForFlush(0);
      else if (durable >= this.#flushSequence) {
        this.#waitForFlush(0);
        this.#forgetAll();
      }
    });
  }

  /** All clients are to forget all keys. */
  #forgetAll(): void {
    this.#keys.clear();
    for (const client of this.#clients.values()) this.#oweAll(client);
  }

  #oweAll(client: ClientTracking): void {
    this.#settle(client);
    client.owesAll = true;
    this.#sendLater(client);
  }

  /** Nothing of what a client was owed is to be told any more. */
  #settle(client: ClientTracking): void {
    for (const { length } of client.owed) this.#owedBytes -= BYTES_OF_OWED + length;
    client.owed.clear();
    client.owesAll = false;
    this.#owing.delete(client);
  }

  #sendLater(client: ClientTracking): void {
    this.#owing.add(client);
    if (this.#isSending) return;
    this.#isSending = true;
    queueMicrotask(this.#sendAll);
  }

  readonly #sendAll = (): void => {
    let left: number = serverFixed.redisPubsubSentPerTurnMax;
    for (const client of this.#owing) {
      if (left-- === 0) {
        this.#clock.yieldNow(this.#sendAll);
        return;
      }
      const names = client.owesAll ? undefined : [...client.owed];
      this.#settle(client);
      this.#send(client, names);
    }
    this.#isSending = false;
  };

  #send(client: ClientTracking, names: readonly KeyNameText[] | undefined): void {
    const { session, redirect } = client;
    // It may have asked for names of keys that its user may not be told of any more.
    if (client.isBroadcast && !session.mayReadAllKeys) {
      session.kill('now');
      return;
    }
    const target = redirect === 0 ? session : this.#redirectOf(client);
    if (target === undefined) {
      client.isRedirectBroken = true;
      if (session.protocolVersion === 3) push(session, brokenRedirect(redirect));
      return;
    }
    const { protocolVersion, subscriptionCounts } = target;
    const { channels, patterns, shardChannels } = subscriptionCounts;
    // In RESP2 only one that listens to messages can be sent what is no reply.
    if (protocolVersion === 2 && (redirect === 0 || channels + patterns + shardChannels === 0)) return;
    push(target, invalidation(protocolVersion, names));
  }

  #redirectOf({ session, redirect }: ClientTracking): TrackedSession | undefined {
    const target = this.#sessions().byId(redirect);
    return target?.userName === session.userName ? target : undefined;
  }
}

function push(session: TrackedSession, bytes: Buffer): void {
  if (session.figures.outputBytes > serverFixed.redisPubsubUnsentBytesMax) session.kill('now');
  else session.push(bytes);
}
