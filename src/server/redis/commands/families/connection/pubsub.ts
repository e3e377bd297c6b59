/**
 * Pub/sub. Channels are bytes, as keys are, and no keys: each user may use all of them, and databases don't tell them apart. But those of
 * keyspace events tell names of keys: they are for users who may read all keys. Shard channels are names of their own; without a
 * cluster that is all there is to them.
 */
import { compileRedisGlob } from '../../../../../types/glob.ts';
import { serverFixed } from '../../../../../limits.ts';
import type { ListeningKind } from '../../../pubsub/subscriber.ts';
import { replyHelp } from '../../../replies/help.ts';
import { badSubcommand, subscriptionsExceeded } from '../../../replies/errors.ts';
import type { Arguments, CommandCall } from '../../command.ts';
import type { Door, DoorCommand } from '../../door.ts';
import type { ClientSession } from '../../session-command.ts';

type Run = DoorCommand['door'];

function listen(kind: ListeningKind, word: string): Run {
  return ({ channels }, session, { args, reply }) => {
    const count = channels.of(session)?.count ?? 0;
    // Before any of them: a command that fails has done nothing.
    if (count + args.count - 1 > serverFixed.redisSubscriptionsMax) throw subscriptionsExceeded();
    for (let index = 1; index < args.count; index++) {
      channels.listen(kind, args.text(index), session);
      reply.push(3);
      reply.text(word);
      reply.bulk(args.bytes(index));
      reply.integer(countTold(session, kind));
    }
  };
}

function leave(kind: ListeningKind, word: string): Run {
  return ({ channels }, session, { args, reply }) => {
    const tell = (name: Uint8Array | undefined): void => {
      reply.push(3);
      reply.text(word);
      if (name === undefined) reply.nil();
      else reply.bulk(name);
      reply.integer(countTold(session, kind));
    };
    for (let index = 1; index < args.count; index++) {
      channels.leave(kind, args.text(index), session);
      tell(args.bytes(index));
    }
    if (args.count > 1) return;
    const names = [...(channels.of(session)?.names[kind] ?? [])];
    for (const name of names) {
      channels.leave(kind, name, session);
      tell(Buffer.from(name, 'latin1'));
    }
    if (names.length === 0) tell(undefined);
  };
}

/** Channels and patterns count together, shard channels alone. */
function countTold({ subscriptionCounts }: ClientSession, kind: ListeningKind): number {
  const { channels, patterns, shardChannels } = subscriptionCounts;
  return kind === 'shard' ? shardChannels : channels + patterns;
}

/** What it takes to send a message to one more receiver. */
const VISITS_OF_RECEIVER = 16;

function publishTo(kind: 'channel' | 'shard'): Run {
  return ({ delivery, events, channels }, session, call) => {
    const { args, reply } = call;
    events.settle();
    const [channel, payload] = [args.bytes(1), args.bytes(2)];
    const count = session.isInTransaction
      ? delivery.publishBehind(kind, channel, payload)
      : delivery.publish(kind, channel, payload);
    // Each pattern was looked at, and each receiver is sent the message.
    call.spend(channels.nameCount('pattern') + count * VISITS_OF_RECEIVER, count * payload.length);
    reply.integer(count);
  };
}

/** All names, or those that match. */
function replyNames(
  { channels }: Door,
  kind: ListeningKind,
  session: ClientSession,
  call: CommandCall,
): void {
  if (call.args.count > 3) throw badSubcommand(call.args.text(1), 'pubsub');
  const { args, reply } = call;
  const glob = args.count > 2 ? compileRedisGlob(args.bytes(2)) : undefined;
  const begun = reply.beginArray();
  let count = 0;
  for (const name of channels.names(kind)) {
    if (isOfEvents(name) && !session.mayReadAllKeys) continue;
    const bytes = Buffer.from(name, 'latin1');
    if (glob !== undefined && !glob.matches(bytes, 0, bytes.length)) continue;
    count++;
    reply.bulk(bytes);
  }
  reply.endArray(begun, count);
}

function replyCounts({ channels }: Door, kind: ListeningKind, { args, reply }: CommandCall): void {
  reply.array((args.count - 2) * 2);
  for (let index = 2; index < args.count; index++) {
    reply.bulk(args.bytes(index));
    reply.integer(channels.listenerCount(kind, args.text(index)));
  }
}

const subscribe = listen('channel', 'subscribe');
const psubscribe = listen('pattern', 'psubscribe');
const ssubscribe = listen('shard', 'ssubscribe');
const unsubscribe = leave('channel', 'unsubscribe');
const punsubscribe = leave('pattern', 'punsubscribe');
const sunsubscribe = leave('shard', 'sunsubscribe');
const publish = publishTo('channel');
const spublish = publishTo('shard');
const channels: Run = (door, session, call) => replyNames(door, 'channel', session, call);
const shardChannels: Run = (door, session, call) => replyNames(door, 'shard', session, call);
const numsub: Run = (door, _, call) => replyCounts(door, 'channel', call);
const shardNumsub: Run = (door, _, call) => replyCounts(door, 'shard', call);
const numpat: Run = (door, _, { reply }) => reply.integer(door.channels.nameCount('pattern'));
const help: Run = (_, __, { reply }) =>
  replyHelp(
    reply,
    'pubsub',
    pubSubCommands.filter(({ name }) => name.startsWith('pubsub|')),
  );

/** Where the names of channels of keyspace events begin: `__keyspace@0__:key`, `__keyevent@0__:event`. */
const EVENT_HEADS = ['__keyspace@', '__keyevent@'] as const;

function namesEvents(args: Arguments): number | undefined {
  for (let index = 1; index < args.count; index++)
    if (isOfEvents(args.head(index, EVENT_HEADS[0].length))) return index;
  return undefined;
}

function isOfEvents(name: string): boolean {
  return EVENT_HEADS.some((head) => name.startsWith(head));
}

/**
 * A pattern that is about events: what it begins with, up to its first special character, is a part of such a name, or begins with
 * one. `*` is about all sorts of messages, and gets no events without the right (`pubsub/delivery.ts`).
 */
function matchesEvents(args: Arguments): number | undefined {
  for (let index = 1; index < args.count; index++) {
    const head = Buffer.from(compileRedisGlob(args.bytes(index)).literalHead).toString('latin1');
    if (head !== '' && EVENT_HEADS.some((name) => name.startsWith(head) || head.startsWith(name)))
      return index;
  }
  return undefined;
}

/** Shard channels stand where keys do, for clusters, and are none. */
const noKeys = (): void => undefined;

export const pubSubCommands: readonly DoorCommand[] = [
  {
    name: 'subscribe',
    arity: -2,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Listens to channels',
    since: '2.0.0',
    complexity: 'O(1) per channel',
    syntax: 'channel [channel ...]',
    readsAllKeys: namesEvents,
    door: subscribe,
  },
  {
    name: 'psubscribe',
    arity: -2,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Listens to all channels whose names match a pattern',
    since: '2.0.0',
    complexity: 'O(1) per pattern',
    syntax: 'pattern [pattern ...]',
    readsAllKeys: matchesEvents,
    door: psubscribe,
  },
  {
    name: 'ssubscribe',
    arity: -2,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: { find: noKeys, told: [1, -1, 1] },
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Listens to shard channels',
    since: '7.0.0',
    complexity: 'O(1) per channel',
    syntax: 'shardchannel [shardchannel ...]',
    door: ssubscribe,
  },
  {
    name: 'unsubscribe',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Ends listening to channels, or to all of them',
    since: '2.0.0',
    complexity: 'O(1) per channel',
    syntax: '[channel [channel ...]]',
    door: unsubscribe,
  },
  {
    name: 'punsubscribe',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Ends listening by patterns, or by all of them',
    since: '2.0.0',
    complexity: 'O(1) per pattern',
    syntax: '[pattern [pattern ...]]',
    door: punsubscribe,
  },
  {
    name: 'sunsubscribe',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: { find: noKeys, told: [1, -1, 1] },
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Ends listening to shard channels, or to all of them',
    since: '7.0.0',
    complexity: 'O(1) per channel',
    syntax: '[shardchannel [shardchannel ...]]',
    door: sunsubscribe,
  },
  {
    name: 'publish',
    arity: 3,
    flags: ['pubsub', 'loading', 'stale', 'fast'],
    categories: ['pubsub', 'fast'],
    group: 'pubsub',
    summary: 'Sends a message to the listeners of a channel, and counts them',
    since: '2.0.0',
    complexity: 'O(n + m) for n listeners, m patterns of all clients',
    syntax: 'channel message',
    door: publish,
  },
  {
    name: 'spublish',
    arity: 3,
    flags: ['pubsub', 'loading', 'stale', 'fast'],
    keys: { find: noKeys, told: [1, 1, 1] },
    categories: ['pubsub', 'fast'],
    group: 'pubsub',
    summary: 'Sends a message to the listeners of a shard channel, and counts them',
    since: '7.0.0',
    complexity: 'O(n) in the listeners',
    syntax: 'shardchannel message',
    door: spublish,
  },
  {
    name: 'pubsub|channels',
    arity: -2,
    flags: ['pubsub', 'loading', 'stale'],
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Lists the channels that have listeners',
    since: '2.8.0',
    complexity: 'O(n) in the channels',
    syntax: '[pattern]',
    door: channels,
  },
  {
    name: 'pubsub|numsub',
    arity: -2,
    flags: ['pubsub', 'loading', 'stale'],
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Counts the listeners of channels',
    since: '2.8.0',
    complexity: 'O(1) per channel',
    syntax: '[channel [channel ...]]',
    door: numsub,
  },
  {
    name: 'pubsub|numpat',
    arity: 2,
    flags: ['pubsub', 'loading', 'stale'],
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Counts the patterns that clients listen by',
    since: '2.8.0',
    complexity: 'O(1)',
    syntax: '',
    door: numpat,
  },
  {
    name: 'pubsub|shardchannels',
    arity: -2,
    flags: ['pubsub', 'loading', 'stale'],
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Lists the shard channels that have listeners',
    since: '7.0.0',
    complexity: 'O(n) in the channels',
    syntax: '[pattern]',
    door: shardChannels,
  },
  {
    name: 'pubsub|shardnumsub',
    arity: -2,
    flags: ['pubsub', 'loading', 'stale'],
    categories: ['pubsub', 'slow'],
    group: 'pubsub',
    summary: 'Counts the listeners of shard channels',
    since: '7.0.0',
    complexity: 'O(1) per channel',
    syntax: '[shardchannel [shardchannel ...]]',
    door: shardNumsub,
  },
  {
    name: 'pubsub|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['slow'],
    group: 'pubsub',
    summary: 'Lists the subcommands',
    since: '6.2.0',
    complexity: 'O(1)',
    syntax: '',
    door: help,
  },
];
