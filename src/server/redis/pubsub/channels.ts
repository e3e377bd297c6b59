/**
 * Who listens to what. A name is here while a client listens to it.
 *
 * Each listening has the order in which it began, and a message the order in which it was published: it goes to those that had
 * begun by then, and listen still, although it may be sent a little later (`delivery.ts`).
 */
import { serverFixed } from '../../../limits.ts';
import { type RedisGlob, compileRedisGlob } from '../../../types/glob.ts';
import { patternsExceeded, subscriptionsExceeded } from '../replies/errors.ts';
import { type ChannelName, type ListeningKind, type Subscriber, Subscriptions } from './subscriber.ts';

/** The clients that listen to a name, with the order in which each has begun. */
type Listeners = ReadonlyMap<Subscriber, number>;

export class Channels {
  readonly #listenersByName: Readonly<Record<ListeningKind, Map<ChannelName, Map<Subscriber, number>>>> = {
    channel: new Map(),
    pattern: new Map(),
    shard: new Map(),
  };
  readonly #globByPattern = new Map<ChannelName, RedisGlob>();
  #patternBytes = 0;
  /** The clients that tell when they close. */
  readonly #known = new WeakSet<Subscriber>();
  #nameBytes = 0;
  readonly #bySubscriber = new Map<Subscriber, Subscriptions>();
  #order = 0;
  #onUse: () => void = () => undefined;

  /** What a client listens to; `undefined`: nothing. */
  of(subscriber: Subscriber): Subscriptions | undefined {
    return this.#bySubscriber.get(subscriber);
  }

  /** @param tell is called when the first client has begun to listen, and when the last one has ended. */
  onUse(tell: () => void): void {
    this.#onUse = tell;
  }

  /** The order that something takes which happens now. */
  takeOrder(): number {
    return ++this.#order;
  }

  /** Throws a `ReplyError` when the client listens to too much, or there are too many patterns. */
  listen(kind: ListeningKind, name: ChannelName, subscriber: Subscriber): void {
    let subscriptions = this.#bySubscriber.get(subscriber);
    if (subscriptions?.names[kind].has(name) === true) return;
    if ((subscriptions?.count ?? 0) >= serverFixed.redisSubscriptionsMax) throw subscriptionsExceeded();
    if (this.#nameBytes >= serverFixed.redisSubscriptionBytesMax) throw subscriptionsExceeded();
    if (kind === 'pattern') this.#addPattern(name);
    if (subscriptions === undefined) {
      subscriptions = new Subscriptions(subscriber);
      this.#bySubscriber.set(subscriber, subscriptions);
      if (!this.#known.has(subscriber)) {
        this.#known.add(subscriber);
        subscriber.onClose(() => this.leaveAll(subscriber));
      }
      if (this.#bySubscriber.size === 1) this.#onUse();
    }
    subscriptions.names[kind].add(name);
    this.#nameBytes += bytesOf(name);
    const byName = this.#listenersByName[kind];
    const listeners = byName.get(name);
    if (listeners === undefined) byName.set(name, new Map([[subscriber, this.takeOrder()]]));
    else listeners.set(subscriber, this.takeOrder());
    tellCounts(subscriptions);
  }

  /** Nothing happens when the client does not listen to it. */
  leave(kind: ListeningKind, name: ChannelName, subscriber: Subscriber): void {
    const subscriptions = this.#bySubscriber.get(subscriber);
    if (subscriptions?.names[kind].delete(name) !== true) return;
    this.#forget(kind, name, subscriber);
    tellCounts(subscriptions);
    if (subscriptions.count === 0) this.#remove(subscriber);
  }

  /** The client is gone. */
  leaveAll(subscriber: Subscriber): void {
    const subscriptions = this.#bySubscriber.get(subscriber);
    if (subscriptions === undefined) return;
    this.#remove(subscriber);
    for (const kind of ['channel', 'pattern', 'shard'] as const) {
      for (const name of subscriptions.names[kind]) this.#forget(kind, name, subscriber);
      subscriptions.names[kind].clear();
    }
    tellCounts(subscriptions);
  }

  listeners(kind: ListeningKind, name: ChannelName): Listeners | undefined {
    return this.#listenersByName[kind].get(name);
  }

  listenerCount(kind: ListeningKind, name: ChannelName): number {
    return this.#listenersByName[kind].get(name)?.size ?? 0;
  }

  names(kind: ListeningKind): Iterable<ChannelName> {
    return this.#listenersByName[kind].keys();
  }

  nameCount(kind: ListeningKind): number {
    return this.#listenersByName[kind].size;
  }

  get isEmpty(): boolean {
    return this.#bySubscriber.size === 0;
  }

  get subscriberCount(): number {
    return this.#bySubscriber.size;
  }

  /** The patterns that a channel matches. */
  patternsOf(channel: Uint8Array): readonly ChannelName[] {
    if (this.#globByPattern.size === 0) return NO_NAMES;
    const matching: ChannelName[] = [];
    for (const [pattern, glob] of this.#globByPattern) {
      if (beginsWith(channel, glob.literalHead) && glob.matches(channel, 0, channel.length))
        matching.push(pattern);
    }
    return matching;
  }

  #addPattern(name: ChannelName): void {
    if (this.#globByPattern.has(name)) return;
    const { redisPatternsMax, redisPatternBytesMax } = serverFixed;
    if (
      this.#globByPattern.size >= redisPatternsMax ||
      this.#patternBytes + name.length > redisPatternBytesMax
    )
      throw patternsExceeded();
    this.#globByPattern.set(name, compileRedisGlob(Buffer.from(name, 'latin1')));
    this.#patternBytes += name.length;
  }

  #remove(subscriber: Subscriber): void {
    this.#bySubscriber.delete(subscriber);
    if (this.#bySubscriber.size === 0) this.#onUse();
  }

  #forget(kind: ListeningKind, name: ChannelName, subscriber: Subscriber): void {
    this.#nameBytes -= bytesOf(name);
    const byName = this.#listenersByName[kind];
    const listeners = byName.get(name);
    if (listeners?.delete(subscriber) !== true || listeners.size > 0) return;
    byName.delete(name);
    if (kind !== 'pattern') return;
    this.#globByPattern.delete(name);
    this.#patternBytes -= name.length;
  }
}

const NO_NAMES: readonly ChannelName[] = [];

function tellCounts({ subscriber, names: { channel, pattern, shard } }: Subscriptions): void {
  const { subscriptionCounts } = subscriber;
  subscriptionCounts.channels = channel.size;
  subscriptionCounts.patterns = pattern.size;
  subscriptionCounts.shardChannels = shard.size;
}

function beginsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  if (bytes.length < head.length) return false;
  for (let index = 0; index < head.length; index++) if (bytes[index] !== head[index]) return false;
  return true;
}

/** What a client that listens to a name takes, roughly: an entry in its own set, and one in that of the name. */
function bytesOf(name: ChannelName): number {
  return 200 + name.length;
}
