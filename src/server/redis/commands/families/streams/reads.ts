/** Streams: entries that are read, and waited for. */
import { serverFixed } from '../../../../../limits.ts';
import type { View } from '../../../../../store/views/view.ts';
import { EntrySpan } from '../../../../../types/stream/entries.ts';
import { Stream } from '../../../../../types/stream/stream.ts';
import { compareIds, ID_MAX, ID_ZERO, idAfter } from '../../../../../types/stream/stream-id.ts';
import { ReplyError, streamTexts, syntaxError } from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall, Reply, Slice, Waiting } from '../../command.ts';
import { type ReadWords, readWords } from './read-words.ts';
import { idAt, intervalEndAt, intervalStartAt, keysOfStreams, replySpan, writeEntry } from './words.ts';

/** XRANGE and XREVRANGE, which has its bounds the other way round. */
function ranging(isReversed: boolean): (view: View, call: CommandCall) => Slice | undefined {
  return (view, { args, reply }) => {
    const from = intervalStartAt(args, isReversed ? 3 : 2);
    const to = intervalEndAt(args, isReversed ? 2 : 3);
    let countMax = Infinity;
    for (let index = 4; index < args.count; index += 2) {
      if (!args.is(index, 'COUNT') || index + 1 === args.count) throw syntaxError();
      countMax = Math.max(0, args.integer(index + 1));
    }
    const stream = Stream.read(view, args.key(1));
    if (stream === undefined) reply.array(0);
    else if (countMax === 0) reply.nilArray();
    else return replySpan(view, reply, new EntrySpan(view, stream, from, to, isReversed, countMax));
    return undefined;
  };
}

/** A stream that has something to tell: its name, in bytes of its own, and its entries. */
interface Told {
  readonly name: Uint8Array;
  readonly span: EntrySpan;
}

/** The entries behind an id; `undefined`: there are none. */
function spanBehind(
  view: View,
  stream: Stream | undefined,
  id: Uint8Array,
  countMax = Infinity,
): EntrySpan | undefined {
  const from = idAfter(id);
  if (stream === undefined || from === undefined || compareIds(stream.lastId, id) <= 0) return undefined;
  const span = new EntrySpan(view, stream, from, ID_MAX, false, countMax);
  return span.count === 0 ? undefined : span;
}

function xread(view: View, call: CommandCall): Waiting | Slice | undefined {
  const { args, reply } = call;
  const words = readWords(call, false);
  const { firstKey, keyCount, timeoutMs, countMax } = words;
  const streams: (Stream | undefined)[] = [];
  const ids: Uint8Array[] = [];
  for (let index = 0; index < keyCount; index++) {
    const stream = Stream.read(view, args.key(firstKey + index));
    streams.push(stream);
    ids.push(startAt(args, firstKey + keyCount + index, stream));
  }
  const told: Told[] = [];
  for (const [index, id] of ids.entries()) {
    const span = spanBehind(view, streams[index], id, countMax);
    if (span !== undefined) told.push({ name: Uint8Array.from(args.bytes(firstKey + index)), span });
  }
  if (told.length > 0) return replyTold(view, reply, told);
  if (timeoutMs !== undefined) return waitBehind(args, words, ids, timeoutMs);
  reply.nilArray();
  return undefined;
}

/** Where the reading of a stream begins: behind which id. */
function startAt(args: Arguments, index: number, stream: Stream | undefined): Uint8Array {
  const text = args.text(index);
  if (text === '$') return stream?.lastId ?? ID_ZERO;
  if (text === '>') throw new ReplyError(streamTexts.newOfRead);
  return idAt(args, index);
}

/** Of the first key that has any then, all that came behind its id. */
function waitBehind(
  args: Arguments,
  words: ReadWords,
  ids: readonly Uint8Array[],
  timeoutMs: number,
): Waiting {
  const { firstKey, keyCount, countMax = serverFixed.streamWaitedEntries } = words;
  return {
    keys: Array.from({ length: keyCount }, (_, index) => args.key(firstKey + index)),
    timeoutMs,
    onTimeout: (reply) => reply.nilArray(),
    again: (view, call) => {
      const { args: ownArgs, reply } = call;
      for (const [index, id] of ids.entries()) {
        const key = ownArgs.key(firstKey + index);
        if (!call.looksAt(key)) continue;
        const span = spanBehind(view, Stream.read(view, key), id, countMax);
        if (span === undefined) continue;
        beginStreams(reply, 1);
        beginStream(reply, ownArgs.bytes(firstKey + index), span.count);
        span.visitAll(view, (entryId, fields) => writeEntry(reply, entryId, fields));
        return true;
      }
      return false;
    },
  };
}

export function beginStreams(reply: Reply, count: number): void {
  if (reply.version === 2) reply.array(count);
  else reply.map(count);
}

export function beginStream(reply: Reply, name: Uint8Array, entryCount: number): void {
  if (reply.version === 2) reply.array(2);
  reply.bulk(name);
  reply.array(entryCount);
}

/** All of them, one after the other, in pieces. */
function replyTold(view: View, reply: Reply, told: readonly Told[]): Slice | undefined {
  beginStreams(reply, told.length);
  let at = 0;
  let isBegun = false;
  const goOn: Slice = (state, target) => {
    let left: number = serverFixed.elementsPerSlice;
    for (let one = told[at]; one !== undefined; one = told[++at]) {
      const { name, span } = one;
      if (!isBegun) beginStream(target, name, span.count);
      isBegun = true;
      const hasMore = span.step(state, left, (id, fields) => {
        writeEntry(target, id, fields);
        left--;
      });
      if (hasMore) return goOn;
      isBegun = false;
      if ((left <= 0 || state.budget.isSpent) && at + 1 < told.length) {
        at++;
        return goOn;
      }
    }
    return undefined;
  };
  return goOn(view, reply);
}

const group = 'stream';
const reading = {
  arity: -4,
  flags: ['readonly'],
  categories: ['read', 'stream', 'slow'],
  group,
  since: '5.0.0',
  complexity: 'O(log n + m) for m entries told',
  keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
} as const;

export const streamReadCommands: readonly Command[] = [
  {
    ...reading,
    name: 'xrange',
    summary: 'Tells the entries of a stream from an id to another',
    syntax: 'key start end [COUNT count]',
    newest: ranging(false),
  },
  {
    ...reading,
    name: 'xrevrange',
    summary: 'Tells the entries of a stream from an id back to another',
    syntax: 'key end start [COUNT count]',
    newest: ranging(true),
  },
  {
    name: 'xread',
    arity: -4,
    flags: ['readonly', 'blocking', 'movablekeys'],
    categories: ['read', 'stream', 'slow', 'blocking'],
    group,
    summary: 'Tells the entries of streams that came behind an id, or waits for some',
    since: '5.0.0',
    complexity: 'O(log n + m) per stream, for m entries told',
    syntax: '[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]',
    keys: keysOfStreams('read'),
    block: xread,
  },
];
