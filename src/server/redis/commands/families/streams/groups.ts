/** Streams: groups and consumers that come and go, and what is read by them. */
import { fixed, serverFixed } from '../../../../../limits.ts';
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { kinds } from '../../../../../store/collections/kinds.ts';
import {
  deliver,
  deliverAgain,
  type Delivered,
  isHalfSpent,
  newEntries,
  seenConsumer,
} from '../../../../../types/stream/delivery.ts';
import {
  createConsumer,
  createGroup,
  deleteConsumer,
  deleteGroup,
  type Group,
  readConsumer,
  readGroup,
  UNKNOWN,
  writeGroup,
} from '../../../../../types/stream/groups.ts';
import { PendingWalk, removeAllPending } from '../../../../../types/stream/pending.ts';
import { Stream } from '../../../../../types/stream/stream.ts';
import { formatId, ID_MAX, ID_ZERO, parseId } from '../../../../../types/stream/stream-id.ts';
import {
  badSubcommand,
  noGroupOfKey,
  noSuchGroup,
  ReplyError,
  streamTexts,
} from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import type { Arguments, Command, CommandCall, CommandFacts, Reply, Waiting } from '../../command.ts';
import { type ReadWords, readWords } from './read-words.ts';
import { beginStream, beginStreams } from './reads.ts';
import { idAt, keysOfStreams, writeEntry } from './words.ts';

function wrongSyntax({ args }: CommandCall): ReplyError {
  return badSubcommand(args.text(1), 'xgroup');
}

/** ENTRIESREAD and MKSTREAM. */
function groupOptions(call: CommandCall, mayMake: boolean): { makesStream: boolean; entriesRead: number } {
  const { args } = call;
  let makesStream = false;
  let entriesRead = UNKNOWN;
  for (let index = 5; index < args.count; index++) {
    if (mayMake && args.is(index, 'MKSTREAM')) makesStream = true;
    else if (args.is(index, 'ENTRIESREAD') && index + 1 < args.count) {
      entriesRead = args.integer(++index);
      if (entriesRead < 0 && entriesRead !== UNKNOWN) throw new ReplyError(streamTexts.negativeRead);
    } else throw wrongSyntax(call);
  }
  return { makesStream, entriesRead };
}

/** The stream of an XGROUP call, which has to be there. */
function streamOf(view: View, { args }: CommandCall): Stream {
  const stream = Stream.read(view, args.key(2));
  if (stream === undefined) throw new ReplyError(streamTexts.keyIsNeeded);
  return stream;
}

/** With its group, which has to be there, too. */
function groupOf(view: View, call: CommandCall): { readonly stream: Stream; readonly group: Group } {
  const { args } = call;
  const stream = streamOf(view, call);
  const group = readGroup(view, stream, args.bytes(3));
  if (group === undefined) throw noGroupOfKey(args.text(2), args.text(3));
  return { stream, group };
}

function create(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const { makesStream, entriesRead } = groupOptions(call, true);
  const key = args.key(2);
  const stream = makesStream ? (Stream.read(view, key) ?? Stream.create(view)) : streamOf(view, call);
  const lastId = args.text(4) === '$' ? stream.lastId : idAt(args, 4);
  const name = args.bytes(3);
  // A stream that is made has no group that could stand against this one.
  if (readGroup(view, stream, name) !== undefined) throw new ReplyError(streamTexts.groupIsThere);
  createGroup(view, stream, name, lastId, entriesRead);
  stream.write(view, key);
  call.notify('t', 'xgroup-create', key);
  reply.ok();
}

function setId(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const { entriesRead } = groupOptions(call, false);
  const { stream, group } = groupOf(view, call);
  const text = args.text(4);
  if (text === '$') group.lastId = stream.lastId;
  else if (text === '-') group.lastId = ID_ZERO;
  else if (text === '+') group.lastId = ID_MAX;
  else group.lastId = idAt(args, 4);
  group.entriesRead = entriesRead;
  writeGroup(view, stream, group);
  stream.write(view, args.key(2));
  call.notify('t', 'xgroup-setid', args.key(2));
  reply.ok();
}

/** A group of which much is pending goes in several decisions, of which the last one takes it away. */
function destroy(view: View, call: CommandCall): boolean {
  const { args, reply } = call;
  const stream = streamOf(view, call);
  const key = args.key(2);
  const group = readGroup(view, stream, args.bytes(3));
  if (group === undefined) {
    reply.integer(0);
    return false;
  }
  const walk = new PendingWalk(stream, group, ID_ZERO, ID_MAX);
  const hasMore = removeAllPending(view, stream, walk, group, removedMax(call));
  if (!hasMore) deleteGroup(view, stream, group);
  stream.write(view, key);
  if (hasMore) return true;
  call.notify('t', 'xgroup-destroy', key);
  reply.integer(1);
  return false;
}

function makeConsumer(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const { stream, group } = groupOf(view, call);
  const key = args.key(2);
  const isNew = readConsumer(view, stream, group, args.bytes(4)) === undefined;
  if (isNew) {
    createConsumer(view, stream, group, args.bytes(4));
    stream.write(view, key);
    call.notify('t', 'xgroup-createconsumer', key);
  }
  reply.integer(isNew ? 1 : 0);
}

/** A consumer with which much is pending goes as such a group does. */
function removeConsumer(view: View, call: CommandCall): boolean {
  const { args, reply } = call;
  const { stream, group } = groupOf(view, call);
  const key = args.key(2);
  const consumer = readConsumer(view, stream, group, args.bytes(4));
  if (consumer === undefined) {
    reply.integer(call.counted);
    return false;
  }
  const walk = new PendingWalk(stream, group, ID_ZERO, ID_MAX, consumer);
  const hasMore = removeAllPending(view, stream, walk, group, removedMax(call), () => call.counted++);
  if (!hasMore) deleteConsumer(view, stream, group, consumer);
  stream.write(view, key);
  if (hasMore) return true;
  call.notify('t', 'xgroup-delconsumer', key);
  reply.integer(call.counted);
  return false;
}

/** What is pending and goes in one decision. */
function removedMax({ session }: CommandCall): number {
  return session.isInTransaction ? Infinity : fixed.streamPendingRemovedMax;
}

function help(_: ReadView, { reply }: CommandCall): void {
  replyHelp(reply, 'xgroup', xgroupCommands);
}

/** Where a consumer begins: behind an id with what is its own; `undefined`: with what is new to the group. */
function startAt(args: Arguments, index: number): Uint8Array | undefined {
  const text = args.text(index);
  if (text === '>') return undefined;
  if (text === '$') throw new ReplyError(streamTexts.lastOfGroup);
  const id = parseId(text);
  if (id === undefined) throw new ReplyError(streamTexts.badId);
  return id;
}

function xreadgroup(view: View, call: CommandCall): Waiting | undefined {
  const { args, reply } = call;
  const words = readWords(call, true);
  const { firstKey, keyCount, groupAt, timeoutMs, countMax } = words;
  const places: (readonly [index: number, behind: Uint8Array | undefined])[] = [];
  // What is wrong with any of them is told before something is delivered.
  for (let index = firstKey; index < firstKey + keyCount; index++) {
    const stream = Stream.read(view, args.key(index));
    if (stream === undefined || readGroup(view, stream, args.bytes(groupAt)) === undefined)
      throw noSuchGroup(args.text(index), args.text(groupAt), ' in XREADGROUP with GROUP option');
    places.push([index, startAt(args, index + keyCount)]);
  }
  const served: Served[] = [];
  for (const [index, behind] of places) {
    // What is new of the others is for the next call, as if nothing were.
    if (behind === undefined && served.length > 0 && isHalfSpent(view.budget)) continue;
    const entries = serve(view, call, words, index, behind, countMax);
    if (entries !== undefined) served.push({ index, entries });
  }
  if (served.length > 0) {
    replyServed(call, served);
    return undefined;
  }
  if (timeoutMs !== undefined) return waitForNew(args, words, timeoutMs);
  reply.nilArray();
  return undefined;
}

interface Served {
  /** Of the stream's key among the words. */
  readonly index: number;
  readonly entries: readonly Delivered[];
}

function replyServed({ args, reply }: CommandCall, served: readonly Served[]): void {
  beginStreams(reply, served.length);
  for (const { index, entries } of served) {
    beginStream(reply, args.bytes(index), entries.length);
    for (const { id, fields } of entries) {
      if (fields === undefined) writeGone(reply, id);
      else writeEntry(reply, id, fields);
    }
  }
}

/**
 * Delivers entries of one stream, whose group is there. It is looked up again, as a call may name a stream twice.
 * @returns `undefined`: nothing is new.
 */
function serve(
  view: View,
  call: CommandCall,
  { groupAt, isUnacknowledged }: ReadWords,
  index: number,
  behind: Uint8Array | undefined,
  countMax: number | undefined,
): readonly Delivered[] | undefined {
  const { args } = call;
  const key = args.key(index);
  const stream = Stream.read(view, key);
  const group = stream && readGroup(view, stream, args.bytes(groupAt));
  if (stream === undefined || group === undefined) throw new ReplyError(streamTexts.groupIsGone);
  const span = behind === undefined ? newEntries(view, stream, group, countMax) : undefined;
  if (span?.count === 0) return undefined;
  const { consumer, isNew } = seenConsumer(view, stream, group, args.bytes(groupAt + 1));
  if (isNew) call.notify('t', 'xgroup-createconsumer', key);
  const delivered =
    span === undefined
      ? deliverAgain(view, stream, group, consumer, behind ?? ID_ZERO, countMax)
      : deliver(view, stream, group, consumer, span, !isUnacknowledged);
  stream.write(view, key);
  return delivered;
}

/** An entry that is pending, and gone. */
function writeGone(reply: Reply, id: Uint8Array): void {
  reply.array(2);
  reply.text(formatId(id));
  reply.nilArray();
}

function waitForNew(args: Arguments, words: ReadWords, timeoutMs: number): Waiting {
  const { firstKey, keyCount, countMax = serverFixed.streamWaitedEntries } = words;
  return {
    keys: Array.from({ length: keyCount }, (_, index) => args.key(firstKey + index)),
    timeoutMs,
    onTimeout: (reply) => reply.nilArray(),
    seesDeletion: true,
    again: (view, call) => {
      for (let index = firstKey; index < firstKey + keyCount; index++) {
        const key = call.args.key(index);
        if (!call.looksAt(key)) continue;
        // Of another type it is gone, too.
        if (view.readMeta(key)?.kind !== kinds.stream) throw new ReplyError(streamTexts.streamIsGone);
        const entries = serve(view, call, words, index, undefined, countMax);
        if (entries === undefined) continue;
        replyServed(call, [{ index, entries }]);
        return true;
      }
      return false;
    },
  };
}

const group = 'stream';
const changing = {
  arity: 5,
  flags: ['write'],
  categories: ['write', 'stream', 'slow'],
  group,
  since: '5.0.0',
  complexity: 'O(log n)',
  keys: [{ first: 2, last: 2, step: 1, use: 'both' }],
} as const satisfies Partial<CommandFacts>;

const xgroupCommands: readonly Command[] = [
  {
    ...changing,
    name: 'xgroup|create',
    arity: -5,
    flags: ['write', 'denyoom'],
    summary: 'Makes a group of consumers that has read a stream up to an id',
    syntax: 'key group <id|$> [MKSTREAM] [ENTRIESREAD entries-read]',
    write: create,
  },
  {
    ...changing,
    name: 'xgroup|createconsumer',
    flags: ['write', 'denyoom'],
    summary: 'Makes a consumer of a group',
    since: '6.2.0',
    syntax: 'key group consumer',
    write: makeConsumer,
  },
  {
    ...changing,
    name: 'xgroup|delconsumer',
    summary: 'Removes a consumer of a group, with what is pending with it',
    complexity: 'O(log n) per entry that is pending with it',
    syntax: 'key group consumer',
    parts: removeConsumer,
  },
  {
    ...changing,
    name: 'xgroup|destroy',
    arity: 4,
    summary: 'Removes a group, with its consumers and what is pending',
    complexity: 'O(log n) per entry that is pending',
    syntax: 'key group',
    parts: destroy,
  },
  {
    ...changing,
    name: 'xgroup|setid',
    arity: -5,
    summary: 'Sets the id up to which a group has read',
    syntax: 'key group <id|$> [ENTRIESREAD entries-read]',
    write: setId,
  },
  {
    name: 'xgroup|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['stream', 'slow'],
    group,
    summary: 'Lists the subcommands',
    since: '5.0.0',
    complexity: 'O(1)',
    syntax: '',
    read: help,
  },
];

export const streamGroupCommands: readonly Command[] = [
  ...xgroupCommands,
  {
    name: 'xreadgroup',
    arity: -7,
    flags: ['write', 'blocking', 'movablekeys'],
    categories: ['write', 'stream', 'slow', 'blocking'],
    group,
    summary:
      'Hands entries of streams that are new to a group to a consumer, or once more what is pending with it',
    since: '5.0.0',
    complexity: 'O(log n) per stream and entry told',
    syntax:
      'GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]',
    keys: keysOfStreams('both'),
    block: xreadgroup,
  },
];
