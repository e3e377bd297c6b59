/** Streams: entries that come and go. What reads them is in `reads.ts`. */
import { fixed } from '../../../../../limits.ts';
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { addEntry, edgeId, packFields, removeEntries } from '../../../../../types/stream/entries.ts';
import { Stream, lengthOf } from '../../../../../types/stream/stream.ts';
import {
  compareIds,
  formatId,
  hasSameTime,
  ID_MAX,
  isZero,
  nextId,
  type ParsedId,
  parseOpenId,
  sequenceAfter,
} from '../../../../../types/stream/stream-id.ts';
import { type Trim, trim, type TrimBound } from '../../../../../types/stream/trim.ts';
import { noSuchKey, ReplyError, streamTexts, syntaxError, wrongArity } from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall } from '../../command.ts';
import { idAt, idsFrom } from './words.ts';

interface AddWords {
  readonly trim: Trim | undefined;
  readonly makesNone: boolean;
  /** `undefined`: `*`. */
  readonly id: ParsedId | undefined;
  /** Where the fields begin, or the words end. */
  readonly end: number;
}

/** The options of XADD, with the id behind them, or those of XTRIM. */
function addWords(args: Arguments, isAdd: boolean): AddWords {
  let bound: TrimBound | undefined;
  let isAbout = false;
  let limit: number | undefined;
  let makesNone = false;
  let id: ParsedId | undefined;
  let index = 2;
  for (; index < args.count; index++) {
    const more = args.count - 1 - index;
    if (isAdd && args.is(index, '*')) break;
    if (more > 0 && (args.is(index, 'MAXLEN') || args.is(index, 'MINID'))) {
      if (bound !== undefined) throw new ReplyError(streamTexts.twoBounds);
      const byCount = args.is(index, 'MAXLEN');
      isAbout = more > 1 && args.is(index + 1, '~');
      index += isAbout || (more > 1 && args.is(index + 1, '=')) ? 2 : 1;
      bound = byCount ? { by: 'count', count: args.integer(index) } : { by: 'id', id: idAt(args, index) };
      if (bound.by === 'count' && bound.count < 0) throw new ReplyError(streamTexts.negativeLength);
    } else if (more > 0 && args.is(index, 'LIMIT')) {
      limit = args.integer(++index);
      if (limit < 0) throw new ReplyError(streamTexts.negativeLimit);
    } else if (isAdd && args.is(index, 'NOMKSTREAM')) makesNone = true;
    else if (isAdd) {
      id = parseOpenId(args.text(index));
      if (id === undefined) throw new ReplyError(streamTexts.badId);
      break;
    } else throw syntaxError();
  }
  if (bound === undefined) {
    if (limit !== undefined && limit > 0) throw new ReplyError(streamTexts.limitWithoutBound);
    if (!isAdd) throw new ReplyError(streamTexts.noBound);
  }
  if (limit !== undefined && !isAbout) throw new ReplyError(streamTexts.limitOfExact);
  const removedMax = isAbout ? (limit ?? fixed.streamTrimmedMax) || Infinity : Infinity;
  return { trim: bound && { bound, isAbout, removedMax }, makesNone, id, end: index + 1 };
}

function xadd(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const words = addWords(args, true);
  const { id, makesNone } = words;
  const itemCount = args.count - words.end;
  if (itemCount < 2 || itemCount % 2 === 1) throw wrongArity('xadd');
  if (id !== undefined && !id.isOpen && isZero(id.id)) throw new ReplyError(streamTexts.idIsZero);
  const key = args.key(1);
  const found = Stream.read(view, key);
  if (found === undefined && makesNone) {
    reply.nil();
    return;
  }
  const stream = found ?? Stream.create(view);
  const newId = idFor(stream, id, view.instantMs);
  const items: Uint8Array[] = [];
  for (let index = words.end; index < args.count; index++) items.push(args.bytes(index));
  addEntry(view, stream, newId, packFields(items));
  // What is too much for one call goes with the next ones.
  const trimmedCount = words.trim === undefined ? 0 : trim(view, stream, words.trim, false).count;
  stream.write(view, key);
  call.notify('t', 'xadd', key);
  if (trimmedCount > 0) call.notify('t', 'xtrim', key);
  reply.text(formatId(newId));
}

function idFor({ lastId }: Stream, asked: ParsedId | undefined, nowMs: number): Uint8Array {
  if (compareIds(lastId, ID_MAX) === 0) throw new ReplyError(streamTexts.idsAreSpent);
  let id = asked?.id;
  if (asked === undefined) id = nextId(lastId, nowMs);
  else if (asked.isOpen && hasSameTime(asked.id, lastId)) id = sequenceAfter(lastId);
  if (id === undefined || compareIds(id, lastId) <= 0) throw new ReplyError(streamTexts.idIsLow);
  return id;
}

function xlen(view: ReadView, { args, reply }: CommandCall): void {
  reply.integer(lengthOf(view, args.key(1)));
}

function xdel(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const stream = Stream.read(view, key);
  if (stream === undefined) {
    reply.integer(0);
    return;
  }
  const removedCount = removeEntries(view, stream, idsFrom(args, 2));
  if (removedCount > 0) {
    stream.write(view, key);
    call.notify('t', 'xdel', key);
  }
  reply.integer(removedCount);
}

/** Where much goes and much stays, it goes in several decisions. */
function xtrim(view: View, call: CommandCall): boolean {
  const { args, reply, session } = call;
  const { trim: asked } = addWords(args, false);
  const key = args.key(1);
  const stream = Stream.read(view, key);
  if (stream !== undefined && asked !== undefined) {
    const removedMax = asked.removedMax - call.counted;
    const { count, hasMore } = trim(view, stream, { ...asked, removedMax }, session.isInTransaction);
    if (count > 0) stream.write(view, key);
    call.counted += count;
    if (hasMore) return true;
  }
  if (call.counted > 0) call.notify('t', 'xtrim', key);
  reply.integer(call.counted);
  return false;
}

function xsetid(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const lastId = idAt(args, 2);
  let added: number | undefined;
  let maxDeletedId: Uint8Array | undefined;
  for (let index = 3; index < args.count; index += 2) {
    const hasValue = index + 1 < args.count;
    if (hasValue && args.is(index, 'ENTRIESADDED')) {
      added = args.integer(index + 1);
      if (added < 0) throw new ReplyError(streamTexts.negativeAdded);
    } else if (hasValue && args.is(index, 'MAXDELETEDID')) {
      maxDeletedId = idAt(args, index + 1);
      if (compareIds(lastId, maxDeletedId) < 0) throw new ReplyError(streamTexts.setBelowDeleted);
    } else throw syntaxError();
  }
  const key = args.key(1);
  const stream = Stream.read(view, key);
  if (stream === undefined) throw noSuchKey();
  if (stream.count > 0) {
    if (compareIds(lastId, edgeId(view, stream, true)) < 0) throw new ReplyError(streamTexts.setBelowLast);
    if (added !== undefined && added < stream.count) throw new ReplyError(streamTexts.addedBelowLength);
  }
  stream.lastId = lastId;
  stream.added = added ?? stream.added;
  if (maxDeletedId !== undefined && !isZero(maxDeletedId)) stream.maxDeletedId = maxDeletedId;
  stream.write(view, key);
  call.notify('t', 'xsetid', key);
  reply.ok();
}

const group = 'stream';
const keys = [{ first: 1, last: 1, step: 1, use: 'both' }] as const;

export const streamCommands: readonly Command[] = [
  {
    name: 'xadd',
    arity: -5,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['write', 'stream', 'fast'],
    group,
    summary: 'Adds an entry behind the last one of a stream, which is made if there is none, and may trim it',
    since: '5.0.0',
    complexity: 'O(log n), and O(log n) per entry trimmed',
    syntax:
      'key [NOMKSTREAM] [MAXLEN|MINID [=|~] threshold [LIMIT count]] <*|id> field value [field value ...]',
    keys,
    write: xadd,
  },
  {
    name: 'xlen',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['read', 'stream', 'fast'],
    group,
    summary: 'Counts the entries of a stream',
    since: '5.0.0',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
    read: xlen,
  },
  {
    name: 'xdel',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['write', 'stream', 'fast'],
    group,
    summary: 'Removes entries of a stream by their ids',
    since: '5.0.0',
    complexity: 'O(log n) per entry',
    syntax: 'key id [id ...]',
    keys,
    write: xdel,
  },
  {
    name: 'xtrim',
    arity: -4,
    flags: ['write'],
    categories: ['write', 'stream', 'slow'],
    group,
    summary: 'Removes the first entries of a stream, until so many are left or up to an id',
    since: '5.0.0',
    complexity: 'O(log n) per entry removed, or O(m) for m entries left where these are fewer',
    syntax: 'key MAXLEN|MINID [=|~] threshold [LIMIT count]',
    keys,
    parts: xtrim,
  },
  {
    name: 'xsetid',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['write', 'stream', 'fast'],
    group,
    summary: 'Sets what a stream remembers: its last id, how many entries it has had, the highest id removed',
    since: '5.0.0',
    complexity: 'O(log n)',
    syntax: 'key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]',
    keys,
    write: xsetid,
  },
];
