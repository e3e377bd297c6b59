/** Commands of strings. */
import { isStoreError } from '../../../../../errors.ts';
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { MILLISECOND_MS, SECOND_MS } from '../../../../../types/deadlines.ts';
import { kinds } from '../../../../../store/collections/kinds.ts';
import { longestCommon } from '../../../../../types/strings/longest-common.ts';
import {
  appendString,
  incrementFloat,
  incrementString,
  partOf,
  readString,
  setRange,
} from '../../../../../types/strings/strings.ts';
import { NO_BYTES } from '../../../../../wire/bytes.ts';
import {
  decrementOverflow,
  lcsLengthAndIndexes,
  lcsOfOtherTypes,
  offsetOutOfRange,
  syntaxError,
  wrongArity,
} from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall, KeyPlaces, KeyUse, Reply, Slice } from '../../command.ts';
import { type KeyReading, readEachKey } from '../../each-key.ts';
import { getex, replyWith, set, setFor } from './set-options.ts';

const INT64_MIN = -(2n ** 63n);

function get(view: ReadView, { args, reply }: CommandCall): void {
  replyWith(reply, readString(view, args.key(1)));
}

function setnx(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const isThere = view.readMeta(key) !== undefined;
  if (!isThere) {
    view.put(key, args.bytes(2));
    call.notify('$', 'set', key);
  }
  reply.integer(isThere ? 0 : 1);
}

function getset(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  replyWith(reply, readString(view, key));
  view.put(key, args.bytes(2));
  call.notify('$', 'set', key);
}

function getdel(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const before = readString(view, key);
  replyWith(reply, before);
  if (before === undefined) return;
  view.delete(key);
  call.notify('g', 'del', key);
}

function append(view: View, call: CommandCall): void {
  const key = call.args.key(1);
  const length = appendString(view, key, call.args.bytes(2));
  call.notify('$', 'append', key);
  call.reply.integer(length);
}

function setrange(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const offset = args.integer(2);
  if (offset < 0) throw offsetOutOfRange();
  const key = args.key(1);
  const part = args.bytes(3);
  reply.integer(setRange(view, key, offset, part));
  if (part.length > 0) call.notify('$', 'setrange', key);
}

function getrange(view: ReadView, { args, reply }: CommandCall): void {
  const start = args.integer(2);
  const end = args.integer(3);
  const version = readString(view, args.key(1));
  reply.bulk(version === undefined ? NO_BYTES : partOf(version.value, start, end));
}

function strlen(view: ReadView, { args, reply }: CommandCall): void {
  reply.integer(readString(view, args.key(1))?.value.length ?? 0);
}

function incr(view: View, call: CommandCall): void {
  increment(view, call, 1);
}

function decr(view: View, call: CommandCall): void {
  increment(view, call, -1);
}

function incrby(view: View, call: CommandCall): void {
  increment(view, call, exact(call.args.int64(2)));
}

function decrby(view: View, call: CommandCall): void {
  const delta = call.args.int64(2);
  if (delta === INT64_MIN) throw decrementOverflow();
  increment(view, call, exact(-delta));
}

/** A number where that is exact. */
function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function increment(view: View, call: CommandCall, delta: number | bigint): void {
  const key = call.args.key(1);
  const sum = incrementString(view, key, delta);
  call.notify('$', 'incrby', key);
  call.reply.integer(sum);
}

function incrbyfloat(view: View, call: CommandCall): void {
  const key = call.args.key(1);
  const sum = incrementFloat(view, key, call.args.bytes(2));
  call.notify('$', 'incrbyfloat', key);
  call.reply.bulk(sum);
}

function mget(view: ReadView, call: CommandCall): Slice | undefined {
  call.reply.array(call.args.count - 1);
  return readEachKey(view, call, readingStrings);
}

/** What is no string counts as nothing. */
const readingStrings: KeyReading = {
  visit(view, reply, key) {
    const version = view.read(key);
    replyWith(reply, version?.kind === kinds.plain ? version : undefined);
  },
  end: () => undefined,
};

function mset(view: View, call: CommandCall): void {
  const { args, reply } = call;
  if (args.count % 2 === 0) throw wrongArity('mset');
  setAll(view, call);
  reply.ok();
}

function msetnx(view: View, call: CommandCall): void {
  const { args, reply } = call;
  if (args.count % 2 === 0) throw wrongArity('msetnx');
  for (let index = 1; index < args.count; index += 2) {
    if (view.readMeta(args.key(index)) === undefined) continue;
    reply.integer(0);
    return;
  }
  setAll(view, call);
  reply.integer(1);
}

function setAll(view: View, call: CommandCall): void {
  const { args } = call;
  for (let index = 1; index < args.count; index += 2) {
    // The first key shares its memory with that of a later call for it, and a draft keeps what it is given.
    const key = args.key(index);
    view.put(key, args.bytes(index + 1));
    call.notify('$', 'set', key);
  }
}

function lcs(view: ReadView, { args, reply }: CommandCall): void {
  const a = stringForLcs(view, args.key(1));
  const b = stringForLcs(view, args.key(2));
  let isIndexed = false;
  let isLength = false;
  let withLength = false;
  let lengthMin = 0;
  for (let index = 3; index < args.count; index++) {
    if (args.is(index, 'IDX')) isIndexed = true;
    else if (args.is(index, 'LEN')) isLength = true;
    else if (args.is(index, 'WITHMATCHLEN')) withLength = true;
    else if (args.is(index, 'MINMATCHLEN') && index + 1 < args.count) lengthMin = args.integer(++index);
    else throw syntaxError();
  }
  if (isIndexed && isLength) throw lcsLengthAndIndexes();
  if (!isIndexed) {
    const common = longestCommon(view, a, b);
    if (isLength) reply.integer(common.length);
    else reply.bulk(common);
    return;
  }
  reply.map(2);
  reply.text('matches');
  const begun = reply.beginArray();
  let count = 0;
  const common = longestCommon(view, a, b, (run) => {
    if (run.length < lengthMin) return;
    count++;
    reply.array(withLength ? 3 : 2);
    replyWithRange(reply, run.aStart, run.aEnd);
    replyWithRange(reply, run.bStart, run.bEnd);
    if (withLength) reply.integer(run.length);
  });
  reply.endArray(begun, count);
  reply.text('len');
  reply.integer(common.length);
}

function replyWithRange(reply: Reply, start: number, end: number): void {
  reply.array(2);
  reply.integer(start);
  reply.integer(end);
}

function stringForLcs(view: ReadView, key: Uint8Array): Uint8Array {
  try {
    return readString(view, key)?.value ?? NO_BYTES;
  } catch (error) {
    throw isStoreError(error, 'wrongType') ? lcsOfOtherTypes() : error;
  }
}

function keyAt(use: KeyUse, last = 1, step = 1): readonly KeyPlaces[] {
  return [{ first: 1, last, step, use }];
}

const readFast = {
  flags: ['readonly', 'fast'],
  categories: ['read', 'string', 'fast'],
  group: 'string',
} as const;
const readSlow = { flags: ['readonly'], categories: ['read', 'string', 'slow'], group: 'string' } as const;
const writeFast = {
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'string', 'fast'],
  group: 'string',
} as const;
const writeSlow = {
  flags: ['write', 'denyoom'],
  categories: ['write', 'string', 'slow'],
  group: 'string',
} as const;

/** SET reads when it has GET, wherever that stands. */
function findSetKey(args: Arguments, tell: (index: number, use: KeyUse) => void): void {
  let isRead = false;
  for (let index = 3; index < args.count; index++) isRead ||= args.is(index, 'GET');
  tell(1, isRead ? 'both' : 'write');
}

export const stringCommands: readonly Command[] = [
  {
    ...writeFast,
    name: 'append',
    arity: 3,
    keys: keyAt('write'),
    summary: 'Puts bytes behind a string, which is made if there is none',
    since: '2.0.0',
    complexity: 'O(n) in the bytes of the string',
    syntax: 'key value',
    write: append,
  },
  {
    ...writeFast,
    name: 'decr',
    arity: 2,
    keys: keyAt('both'),
    summary: 'Takes 1 from the integer of a key',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key',
    write: decr,
  },
  {
    ...writeFast,
    name: 'decrby',
    arity: 3,
    keys: keyAt('both'),
    summary: 'Takes a number from the integer of a key',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key decrement',
    write: decrby,
  },
  {
    ...readFast,
    name: 'get',
    arity: 2,
    keys: keyAt('read'),
    summary: 'Reads a string',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key',
    read: get,
  },
  {
    ...writeFast,
    flags: ['write', 'fast'],
    name: 'getdel',
    arity: 2,
    keys: keyAt('both'),
    summary: 'Reads a string and deletes its key',
    since: '6.2.0',
    complexity: 'O(1)',
    syntax: 'key',
    write: getdel,
  },
  {
    ...writeFast,
    flags: ['write', 'fast'],
    name: 'getex',
    arity: -2,
    keys: keyAt('both'),
    summary: 'Reads a string and changes its time to live',
    since: '6.2.0',
    complexity: 'O(1)',
    syntax:
      'key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]',
    write: getex,
  },
  {
    ...readSlow,
    name: 'getrange',
    arity: 4,
    keys: keyAt('read'),
    summary: 'Reads a part of a string',
    since: '2.4.0',
    complexity: 'O(n) in the bytes of the string',
    syntax: 'key start end',
    read: getrange,
  },
  {
    ...writeFast,
    name: 'getset',
    arity: 3,
    keys: keyAt('both'),
    summary: 'Writes a string and answers with the one before',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key value',
    write: getset,
  },
  {
    ...writeFast,
    name: 'incr',
    arity: 2,
    keys: keyAt('both'),
    summary: 'Adds 1 to the integer of a key',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key',
    write: incr,
  },
  {
    ...writeFast,
    name: 'incrby',
    arity: 3,
    keys: keyAt('both'),
    summary: 'Adds a number to the integer of a key',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key increment',
    write: incrby,
  },
  {
    ...writeFast,
    name: 'incrbyfloat',
    arity: 3,
    keys: keyAt('both'),
    summary: 'Adds a number with a fraction to the one of a key',
    since: '2.6.0',
    complexity: 'O(1)',
    syntax: 'key increment',
    write: incrbyfloat,
  },
  {
    ...readSlow,
    name: 'lcs',
    arity: -3,
    keys: keyAt('read', 2),
    summary: 'Finds the longest subsequence that two strings have in common',
    since: '7.0.0',
    complexity: 'O(n m) for strings of n and m bytes',
    syntax: 'key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]',
    read: lcs,
  },
  {
    ...readFast,
    name: 'mget',
    arity: -2,
    keys: keyAt('read', -1),
    summary: 'Reads several strings',
    since: '1.0.0',
    complexity: 'O(1) per key',
    syntax: 'key [key ...]',
    read: mget,
  },
  {
    ...writeSlow,
    name: 'mset',
    arity: -3,
    keys: keyAt('write', -1, 2),
    summary: 'Writes several strings',
    since: '1.0.1',
    complexity: 'O(1) per key',
    syntax: 'key value [key value ...]',
    write: mset,
  },
  {
    ...writeSlow,
    name: 'msetnx',
    arity: -3,
    keys: keyAt('write', -1, 2),
    summary: 'Writes several strings, or none when one of the keys exists',
    since: '1.0.1',
    complexity: 'O(1) per key',
    syntax: 'key value [key value ...]',
    write: msetnx,
  },
  {
    ...writeSlow,
    name: 'psetex',
    arity: 4,
    keys: keyAt('write'),
    summary: 'Writes a string with a time to live in milliseconds',
    since: '2.6.0',
    complexity: 'O(1)',
    syntax: 'key milliseconds value',
    write: setFor(MILLISECOND_MS, 'psetex'),
  },
  {
    ...writeSlow,
    name: 'set',
    arity: -3,
    keys: { find: findSetKey, told: [1, 1, 1] },
    summary: 'Writes a string, with a time to live or on a condition if asked',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax:
      'key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]',
    write: set,
  },
  {
    ...writeSlow,
    name: 'setex',
    arity: 4,
    keys: keyAt('write'),
    summary: 'Writes a string with a time to live in seconds',
    since: '2.0.0',
    complexity: 'O(1)',
    syntax: 'key seconds value',
    write: setFor(SECOND_MS, 'setex'),
  },
  {
    ...writeFast,
    name: 'setnx',
    arity: 3,
    keys: keyAt('write'),
    summary: 'Writes a string unless the key exists',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key value',
    write: setnx,
  },
  {
    ...writeSlow,
    name: 'setrange',
    arity: 4,
    keys: keyAt('write'),
    summary: 'Overwrites a part of a string; zeros fill up what lies before it',
    since: '2.2.0',
    complexity: 'O(n) in the bytes of the string',
    syntax: 'key offset value',
    write: setrange,
  },
  {
    ...readFast,
    name: 'strlen',
    arity: 2,
    keys: keyAt('read'),
    summary: 'Tells how many bytes a string has',
    since: '2.2.0',
    complexity: 'O(n) in the bytes of the string',
    syntax: 'key',
    read: strlen,
  },
  {
    ...readSlow,
    name: 'substr',
    arity: 4,
    keys: keyAt('read'),
    summary: 'Reads a part of a string, as GETRANGE does',
    since: '1.0.0',
    complexity: 'O(n) in the bytes of the string',
    syntax: 'key start end',
    read: getrange,
  },
];
