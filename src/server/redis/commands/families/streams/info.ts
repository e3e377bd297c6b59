/** Streams: what XINFO tells of them, of their groups and of consumers. */
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { EntrySpan } from '../../../../../types/stream/entries.ts';
import {
  allConsumers,
  allGroups,
  type Consumer,
  countConsumers,
  countGroups,
  type Group,
  readGroup,
  UNKNOWN,
} from '../../../../../types/stream/groups.ts';
import { lagOf } from '../../../../../types/stream/lag.ts';
import { countOwned, countPending, type Pending, PendingWalk } from '../../../../../types/stream/pending.ts';
import { Stream } from '../../../../../types/stream/stream.ts';
import { formatId, ID_MAX, ID_ZERO } from '../../../../../types/stream/stream-id.ts';
import { badSubcommand, noGroupOfKey, noSuchKey } from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import type { Command, CommandCall, CommandFacts, Reply } from '../../command.ts';
import { writeEntry } from './words.ts';

/** Of entries and of what is pending, where FULL says nothing else. */
const FULL_COUNT = 10;
/** What Redis has in one node of its tree, where it is not told otherwise. */
const NODE_ENTRIES = 100;

function streamOf(view: View, { args }: CommandCall): Stream {
  const stream = Stream.read(view, args.key(2));
  if (stream === undefined) throw noSuchKey();
  return stream;
}

/** The count of `STREAM key FULL COUNT count`, 0: all; `undefined`: there is no FULL. */
function fullCount({ args }: CommandCall): number | undefined {
  if (args.count === 3) return undefined;
  const isKnown = args.is(3, 'FULL') && (args.count === 4 || (args.count === 6 && args.is(4, 'COUNT')));
  if (!isKnown) throw badSubcommand(args.text(1), 'xinfo');
  const count = args.count === 4 ? FULL_COUNT : args.integer(5);
  return count < 0 ? FULL_COUNT : count;
}

function ofStream(view: View, call: CommandCall): void {
  const { reply } = call;
  const stream = streamOf(view, call);
  const count = fullCount(call);
  const { lastId, maxDeletedId, firstId, added } = stream;
  // Redis has a tree of nodes with some entries each, which is not here.
  const nodeCount = Math.ceil(stream.count / NODE_ENTRIES);
  reply.map(count === undefined ? 10 : 9);
  replyNumber(reply, 'length', stream.count);
  replyNumber(reply, 'radix-tree-keys', nodeCount);
  replyNumber(reply, 'radix-tree-nodes', nodeCount + 1);
  replyId(reply, 'last-generated-id', lastId);
  replyId(reply, 'max-deleted-entry-id', maxDeletedId);
  replyNumber(reply, 'entries-added', added);
  replyId(reply, 'recorded-first-entry-id', firstId);
  if (count === undefined) {
    replyNumber(reply, 'groups', countGroups(view, stream));
    reply.text('first-entry');
    replyEdge(view, reply, stream, false);
    reply.text('last-entry');
    replyEdge(view, reply, stream, true);
    return;
  }
  const countMax = count === 0 ? Infinity : count;
  reply.text('entries');
  const span = new EntrySpan(view, stream, ID_ZERO, ID_MAX, false, countMax);
  reply.array(span.count);
  span.visitAll(view, (id, fields) => writeEntry(reply, id, fields));
  reply.text('groups');
  const groups = allGroups(view, stream);
  reply.array(groups.length);
  for (const group of groups) replyFullGroup(view, reply, stream, group, countMax);
}

function replyEdge(view: View, reply: Reply, stream: Stream, isLast: boolean): void {
  const span = new EntrySpan(view, stream, ID_ZERO, ID_MAX, isLast, 1);
  if (span.count === 0) reply.nil();
  else span.visitAll(view, (id, fields) => writeEntry(reply, id, fields));
}

function replyFullGroup(view: View, reply: Reply, stream: Stream, group: Group, countMax: number): void {
  reply.map(7);
  replyName(reply, group);
  replyId(reply, 'last-delivered-id', group.lastId);
  replyProgress(reply, stream, group);
  replyNumber(reply, 'pel-count', countPending(view, stream, group));
  reply.text('pending');
  replyPending(view, reply, new PendingWalk(stream, group, ID_ZERO, ID_MAX), countMax, true);
  reply.text('consumers');
  const consumers = allConsumers(view, stream, group);
  reply.array(consumers.length);
  for (const consumer of consumers) {
    reply.map(4);
    replyName(reply, consumer);
    replyNumber(reply, 'seen-time', consumer.seenMs);
    replyNumber(reply, 'pel-count', countOwned(view, stream, group, consumer));
    reply.text('pending');
    replyPending(view, reply, new PendingWalk(stream, group, ID_ZERO, ID_MAX, consumer), countMax, false);
  }
}

function replyPending(
  view: View,
  reply: Reply,
  walk: PendingWalk,
  countMax: number,
  areNamesTold: boolean,
): void {
  const begun = reply.beginArray();
  let count = 0;
  const write = ({ id, name, deliveredMs, deliveries }: Pending): void => {
    reply.array(areNamesTold ? 4 : 3);
    reply.text(formatId(id));
    if (areNamesTold) reply.bulk(name);
    reply.integer(deliveredMs);
    reply.integer(deliveries);
  };
  while (count < countMax && walk.hasMore) {
    for (const pending of walk.next(view, countMax - count)) {
      write(pending);
      count++;
    }
  }
  reply.endArray(begun, count);
}

function ofGroups(view: View, call: CommandCall): void {
  const { reply } = call;
  const stream = streamOf(view, call);
  const groups = allGroups(view, stream);
  reply.array(groups.length);
  for (const group of groups) {
    reply.map(6);
    replyName(reply, group);
    replyNumber(reply, 'consumers', countConsumers(view, stream, group));
    replyNumber(reply, 'pending', countPending(view, stream, group));
    replyId(reply, 'last-delivered-id', group.lastId);
    replyProgress(reply, stream, group);
  }
}

function ofConsumers(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const stream = streamOf(view, call);
  const group = readGroup(view, stream, args.bytes(3));
  if (group === undefined) throw noGroupOfKey(args.text(2), args.text(3));
  const consumers = allConsumers(view, stream, group);
  reply.array(consumers.length);
  for (const consumer of consumers) {
    reply.map(3);
    replyName(reply, consumer);
    replyNumber(reply, 'pending', countOwned(view, stream, group, consumer));
    replyNumber(reply, 'idle', Math.max(0, view.instantMs - consumer.seenMs));
  }
}

function replyName(reply: Reply, { name }: Pick<Group | Consumer, 'name'>): void {
  reply.text('name');
  reply.bulk(name);
}

/** How far a group is. */
function replyProgress(reply: Reply, stream: Stream, group: Group): void {
  reply.text('entries-read');
  if (group.entriesRead === UNKNOWN) reply.nil();
  else reply.integer(group.entriesRead);
  reply.text('lag');
  const lag = lagOf(stream, group);
  if (lag === undefined) reply.nil();
  else reply.integer(lag);
}

function replyNumber(reply: Reply, name: string, value: number): void {
  reply.text(name);
  reply.integer(value);
}

function replyId(reply: Reply, name: string, id: Uint8Array): void {
  reply.text(name);
  reply.text(formatId(id));
}

function help(_: ReadView, { reply }: CommandCall): void {
  replyHelp(reply, 'xinfo', streamInfoCommands);
}

const reading = {
  flags: ['readonly'],
  categories: ['read', 'stream', 'slow'],
  group: 'stream',
  since: '5.0.0',
  keys: [{ first: 2, last: 2, step: 1, use: 'read' }],
} as const satisfies Partial<CommandFacts>;

export const streamInfoCommands: readonly Command[] = [
  {
    ...reading,
    name: 'xinfo|stream',
    arity: -3,
    summary: 'Tells of a stream what it remembers and its ends, or with FULL its groups, too',
    complexity: 'O(log n), with FULL per group, consumer and entry told',
    syntax: 'key [FULL [COUNT count]]',
    newest: ofStream,
  },
  {
    ...reading,
    name: 'xinfo|groups',
    arity: 3,
    summary: 'Tells of the groups of a stream how far they are',
    complexity: 'O(log n) per group',
    syntax: 'key',
    newest: ofGroups,
  },
  {
    ...reading,
    name: 'xinfo|consumers',
    arity: 4,
    summary:
      'Tells of the consumers of a group how much is pending with each, and how long they were not seen',
    complexity: 'O(log n) per consumer',
    syntax: 'key group',
    newest: ofConsumers,
  },
  {
    name: 'xinfo|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['stream', 'slow'],
    group: 'stream',
    summary: 'Lists the subcommands',
    since: '5.0.0',
    complexity: 'O(1)',
    syntax: '',
    read: help,
  },
];
