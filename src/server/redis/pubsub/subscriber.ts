/** A client that messages are sent to, and what it listens to. */

import type { ClientSession } from '../commands/session-command.ts';

/** The connection of a client, as pub/sub needs it. */
export type Subscriber = Pick<
  ClientSession,
  | 'protocolVersion'
  | 'figures'
  | 'push'
  | 'kill'
  | 'onClose'
  | 'subscriptionCounts'
  | 'isLoggedIn'
  | 'mayReadAllKeys'
>;

/** Names and patterns are Latin-1, so that each byte is one character. */
export type ChannelName = string;

/**
 * `channel`: SUBSCRIBE; `pattern`: PSUBSCRIBE; `shard`: SSUBSCRIBE, names of their own, which no pattern and no keyspace event has
 * to do with.
 */
export type ListeningKind = 'channel' | 'pattern' | 'shard';

/** What one client listens to, in the order in which it has begun. */
export class Subscriptions {
  readonly subscriber: Subscriber;
  readonly names: Readonly<Record<ListeningKind, Set<ChannelName>>> = {
    channel: new Set(),
    pattern: new Set(),
    shard: new Set(),
  };

  constructor(subscriber: Subscriber) {
    this.subscriber = subscriber;
  }

  /** All of them. */
  get count(): number {
    const { channel, pattern, shard } = this.names;
    return channel.size + pattern.size + shard.size;
  }
}
