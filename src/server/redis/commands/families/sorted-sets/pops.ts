/** Members with the lowest or highest scores, taken out of the first of several sorted sets that has any, or waited for. */
import type { View } from '../../../../../store/views/view.ts';
import { SortedSetEdit } from '../../../../../types/sorted-set/sorted-set-edit.ts';
import { NO_KEY_COUNT, ReplyError, syntaxError } from '../../../replies/errors.ts';
import type { Command, CommandCall, Reply, Waiting } from '../../command.ts';
import { readPopCount } from '../../elements/table-replies.ts';
import { timeoutMsAt } from '../../timeouts.ts';
import { keysBehindNumber } from './words.ts';

type End = 'lowest' | 'highest';

/** Pops and says so. */
function pop(
  edit: SortedSetEdit,
  call: CommandCall,
  key: Uint8Array,
  end: End,
  countMax: number,
  isNested: boolean,
): void {
  const { reply } = call;
  edit.popEnd(end === 'highest', countMax, (member, score) => {
    if (isNested) reply.array(2);
    reply.bulk(member);
    reply.double(score);
  });
  edit.finish();
  call.notify('z', end === 'highest' ? 'zpopmax' : 'zpopmin', key);
  if (edit.count === 0) call.notify('g', 'del', key);
}

function popOne(view: View, call: CommandCall, end: End): void {
  const { args, reply } = call;
  if (args.count > 3) throw syntaxError();
  const hasCount = args.count === 3;
  const countMax = hasCount ? readPopCount(args, 2) : 1;
  const key = args.key(1);
  const edit = new SortedSetEdit(view, key);
  const count = Math.min(countMax, edit.count);
  const isNested = hasCount && reply.version === 3;
  reply.array(isNested ? count : 2 * count);
  if (count > 0) pop(edit, call, key, end, count, isNested);
}

/** The first of some sorted sets that has members; `undefined`: none has. Throws `wrongType` for what stands before it. */
function firstOf(
  view: View,
  call: CommandCall,
  keys: readonly Uint8Array[],
): { readonly index: number; readonly key: Uint8Array; readonly edit: SortedSetEdit } | undefined {
  for (const [index, key] of keys.entries()) {
    if (!call.looksAt(key)) continue;
    const edit = new SortedSetEdit(view, key);
    if (edit.exists) return { index, key, edit };
  }
  return undefined;
}

function keysAt({ args }: CommandCall, start: number, end: number): Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (let index = start; index < end; index++) keys.push(args.key(index));
  return keys;
}

function popOrWait(view: View, call: CommandCall, end: End): Waiting | undefined {
  const { args, reply } = call;
  const timeoutAt = args.count - 1;
  const timeoutMs = timeoutMsAt(args, timeoutAt);
  const keys = keysAt(call, 1, timeoutAt);
  const found = firstOf(view, call, keys);
  if (found === undefined) return { keys, timeoutMs, onTimeout: timedOut };
  reply.array(3);
  reply.bulk(args.bytes(1 + found.index));
  pop(found.edit, call, found.key, end, 1, false);
  return undefined;
}

interface ManyWords {
  readonly numberAt: number;
  readonly keyEnd: number;
  readonly end: End;
  readonly countMax: number;
}

/** `numkeys key [key ...] MIN|MAX [COUNT count]` */
function manyWords({ args }: CommandCall, numberAt: number): ManyWords {
  const keyCount = integerFrom1(args, numberAt, NO_KEY_COUNT);
  const keyEnd = numberAt + 1 + keyCount;
  if (keyEnd >= args.count) throw syntaxError();
  const isHighest = args.is(keyEnd, 'MAX');
  if (!isHighest && !args.is(keyEnd, 'MIN')) throw syntaxError();
  let countMax: number | undefined;
  for (let index = keyEnd + 1; index < args.count; index++) {
    if (countMax !== undefined || !args.is(index, 'COUNT') || index + 1 >= args.count) throw syntaxError();
    countMax = integerFrom1(args, ++index, 'ERR count should be greater than 0');
  }
  return { numberAt, keyEnd, end: isHighest ? 'highest' : 'lowest', countMax: countMax ?? 1 };
}

/** Everything that is no integer from 1 on is told by one text. */
function integerFrom1(args: CommandCall['args'], index: number, text: string): number {
  try {
    const value = args.integer(index);
    if (value > 0) return value;
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
  }
  throw new ReplyError(text);
}

/** @returns the keys, if none of them has any members. */
function popMany(view: View, call: CommandCall, words: ManyWords): readonly Uint8Array[] | undefined {
  const { args, reply } = call;
  const keys = keysAt(call, words.numberAt + 1, words.keyEnd);
  const found = firstOf(view, call, keys);
  if (found === undefined) return keys;
  const { index, key, edit } = found;
  const count = Math.min(words.countMax, edit.count);
  reply.array(2);
  reply.bulk(args.bytes(words.numberAt + 1 + index));
  reply.array(count);
  pop(edit, call, key, words.end, count, true);
  return undefined;
}

function zmpop(view: View, call: CommandCall): void {
  if (popMany(view, call, manyWords(call, 1)) !== undefined) call.reply.nilArray();
}

function bzmpop(view: View, call: CommandCall): Waiting | undefined {
  const words = manyWords(call, 2);
  const timeoutMs = timeoutMsAt(call.args, 1);
  const keys = popMany(view, call, words);
  return keys && { keys, timeoutMs, onTimeout: timedOut };
}

function timedOut(reply: Reply): void {
  reply.nilArray();
}

const group = 'sorted-set';
const key = [{ first: 1, last: 1, step: 1, use: 'both' }] as const;
const waitedKeys = [{ first: 1, last: -2, step: 1, use: 'both' }] as const;
const manyComplexity = 'O(k + m log n) for k keys and m members taken out';

export const sortedSetPopCommands: readonly Command[] = [
  {
    group,
    name: 'zpopmin',
    arity: -2,
    flags: ['write', 'fast'],
    keys: key,
    categories: ['write', 'sortedset', 'fast'],
    summary: 'Takes out the members with the lowest scores',
    since: '5.0.0',
    complexity: 'O(log n) per member',
    syntax: 'key [count]',
    write: (view, call) => popOne(view, call, 'lowest'),
  },
  {
    group,
    name: 'zpopmax',
    arity: -2,
    flags: ['write', 'fast'],
    keys: key,
    categories: ['write', 'sortedset', 'fast'],
    summary: 'Takes out the members with the highest scores',
    since: '5.0.0',
    complexity: 'O(log n) per member',
    syntax: 'key [count]',
    write: (view, call) => popOne(view, call, 'highest'),
  },
  {
    group,
    name: 'bzpopmin',
    arity: -3,
    flags: ['write', 'noscript', 'blocking', 'fast'],
    keys: waitedKeys,
    categories: ['write', 'sortedset', 'fast', 'blocking'],
    summary: 'Takes out the member with the lowest score of the first set that has any, or waits for one',
    since: '5.0.0',
    complexity: 'O(k + log n) for k keys',
    syntax: 'key [key ...] timeout',
    block: (view, call) => popOrWait(view, call, 'lowest'),
  },
  {
    group,
    name: 'bzpopmax',
    arity: -3,
    flags: ['write', 'noscript', 'blocking', 'fast'],
    keys: waitedKeys,
    categories: ['write', 'sortedset', 'fast', 'blocking'],
    summary: 'Takes out the member with the highest score of the first set that has any, or waits for one',
    since: '5.0.0',
    complexity: 'O(k + log n) for k keys',
    syntax: 'key [key ...] timeout',
    block: (view, call) => popOrWait(view, call, 'highest'),
  },
  {
    group,
    name: 'zmpop',
    arity: -4,
    flags: ['write', 'movablekeys'],
    keys: keysBehindNumber(1, 'both'),
    categories: ['write', 'sortedset', 'slow'],
    summary: 'Takes out members with the lowest or highest scores of the first set that has any',
    since: '7.0.0',
    complexity: manyComplexity,
    syntax: 'numkeys key [key ...] MIN|MAX [COUNT count]',
    write: zmpop,
  },
  {
    group,
    name: 'bzmpop',
    arity: -5,
    flags: ['write', 'blocking', 'movablekeys'],
    keys: keysBehindNumber(2, 'both'),
    categories: ['write', 'sortedset', 'slow', 'blocking'],
    summary: 'Takes out members of the first set that has any, or waits for one',
    since: '7.0.0',
    complexity: manyComplexity,
    syntax: 'timeout numkeys key [key ...] MIN|MAX [COUNT count]',
    block: bzmpop,
  },
];
