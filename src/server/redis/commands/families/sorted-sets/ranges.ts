/** Parts of sorted sets by index, score or member: told, stored and removed. */
import type { View } from '../../../../../store/views/view.ts';
import { SortedSet } from '../../../../../types/sorted-set/sorted-set.ts';
import { removeSpan, storeSpan } from '../../../../../types/sorted-set/span-changes.ts';
import { type Limit, type Selection, Span } from '../../../../../types/sorted-set/span.ts';
import { ReplyError, syntaxError } from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall, Slice } from '../../command.ts';
import { limitAt, memberIntervalAt, replySpan, scoreIntervalAt } from './words.ts';

type By = Selection['by'];

interface RangeWords {
  readonly selection: Selection;
  readonly isReversed: boolean;
  readonly hasScores: boolean;
}

/**
 * The words of a range: what is selected, from its first bound on, and the options behind. What the command's name says already
 * can't be given as an option.
 */
function rangeWords(
  args: Arguments,
  minAt: number,
  named: { readonly by?: By; readonly isReversed?: boolean; readonly isStored?: boolean },
): RangeWords {
  let { by, isReversed } = named;
  let hasScores = false;
  let limit: Limit | undefined;
  for (let index = minAt + 2; index < args.count; index++) {
    if (named.isStored !== true && args.is(index, 'WITHSCORES')) hasScores = true;
    else if (args.is(index, 'LIMIT') && args.count - index > 2) {
      limit = limitAt(args, index + 1);
      index += 2;
    } else if (isReversed === undefined && args.is(index, 'REV')) isReversed = true;
    else if (by === undefined && args.is(index, 'BYLEX')) by = 'member';
    else if (by === undefined && args.is(index, 'BYSCORE')) by = 'score';
    else throw syntaxError();
  }
  by ??= 'index';
  isReversed ??= false;
  if (limit !== undefined && limit.count !== -1 && by === 'index') {
    throw new ReplyError(
      'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
    );
  }
  if (hasScores && by === 'member')
    throw new ReplyError('ERR syntax error, WITHSCORES not supported in combination with BYLEX');
  return { selection: selectionOf(args, by, minAt, isReversed, limit), isReversed, hasScores };
}

function selectionOf(
  args: Arguments,
  by: By,
  firstAt: number,
  isReversed: boolean,
  limit?: Limit,
): Selection {
  if (by === 'index') return { by, start: args.integer(firstAt), stop: args.integer(firstAt + 1) };
  // A range that is read backwards has its highest bound first.
  const min = isReversed ? firstAt + 1 : firstAt;
  const max = isReversed ? firstAt : firstAt + 1;
  const limited = limit && { limit };
  return by === 'score'
    ? { by, scores: scoreIntervalAt(args, min, max), ...limited }
    : { by, members: memberIntervalAt(args, min, max), ...limited };
}

/** A command that tells a range. */
function telling(by?: By, isReversed?: boolean): (view: View, call: CommandCall) => Slice | undefined {
  const named = { ...(by && { by }), ...(isReversed !== undefined && { isReversed }) };
  return (view, call) => {
    const words = rangeWords(call.args, 2, named);
    const set = SortedSet.read(view, call.args.key(1));
    const span = set && Span.of(view, set, words.selection, words.isReversed);
    return replySpan(view, call, span, words.hasScores);
  };
}

function zrangestore(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const { selection, isReversed } = rangeWords(args, 3, { isStored: true });
  const key = args.key(1);
  const set = SortedSet.read(view, args.key(2));
  const { count, isDeleted } = storeSpan(view, key, set && Span.of(view, set, selection, isReversed));
  reply.integer(count);
  if (count > 0) call.notify('z', 'zrangestore', key);
  else if (isDeleted) call.notify('g', 'del', key);
}

function removing(by: By, event: string): (view: View, call: CommandCall) => void {
  return (view, call) => {
    const { args, reply } = call;
    const selection = selectionOf(args, by, 2, false);
    const key = args.key(1);
    const { count, isEmptied } = removeSpan(view, key, selection);
    reply.integer(count);
    if (count > 0) call.notify('z', event, key);
    if (isEmptied) call.notify('g', 'del', key);
  };
}

const group = 'sorted-set';
const complexity = 'O(log n + m) for m members read';
const removalComplexity = 'O(log n) per member removed; O(log n) for all together';
const read = {
  group,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
  categories: ['read', 'sortedset', 'slow'],
  arity: -4,
  complexity,
} as const;
const removal = {
  group,
  flags: ['write'],
  keys: [{ first: 1, last: 1, step: 1, use: 'write' }],
  categories: ['write', 'sortedset', 'slow'],
  arity: 4,
  complexity: removalComplexity,
} as const;

export const sortedSetRangeCommands: readonly Command[] = [
  {
    ...read,
    name: 'zrange',
    summary: 'Reads the members in a range of indexes, scores or members',
    since: '1.2.0',
    syntax: 'key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]',
    newest: telling(),
  },
  {
    ...read,
    name: 'zrevrange',
    summary: 'Reads the members in a range of indexes, counted from the highest score on',
    since: '1.2.0',
    syntax: 'key start stop [WITHSCORES]',
    newest: telling('index', true),
  },
  {
    ...read,
    name: 'zrangebyscore',
    summary: 'Reads the members with a score between two bounds',
    since: '1.0.5',
    syntax: 'key min max [WITHSCORES] [LIMIT offset count]',
    newest: telling('score', false),
  },
  {
    ...read,
    name: 'zrevrangebyscore',
    summary: 'Reads the members with a score between two bounds, the highest score first',
    since: '2.2.0',
    syntax: 'key max min [WITHSCORES] [LIMIT offset count]',
    newest: telling('score', true),
  },
  {
    ...read,
    name: 'zrangebylex',
    summary: 'Reads the members between two others, by their bytes',
    since: '2.8.9',
    syntax: 'key min max [LIMIT offset count]',
    newest: telling('member', false),
  },
  {
    ...read,
    name: 'zrevrangebylex',
    summary: 'Reads the members between two others, by their bytes, the highest first',
    since: '2.8.9',
    syntax: 'key max min [LIMIT offset count]',
    newest: telling('member', true),
  },
  {
    group,
    name: 'zrangestore',
    arity: -5,
    flags: ['write', 'denyoom'],
    keys: [
      { first: 1, last: 1, step: 1, use: 'write' },
      { first: 2, last: 2, step: 1, use: 'read' },
    ],
    categories: ['write', 'sortedset', 'slow'],
    summary: 'Stores a range of a sorted set at another key',
    since: '6.2.0',
    complexity: 'O(log n) per member stored',
    syntax: 'dst src min max [BYSCORE|BYLEX] [REV] [LIMIT offset count]',
    write: zrangestore,
  },
  {
    ...removal,
    name: 'zremrangebyrank',
    summary: 'Removes the members in a range of indexes',
    since: '2.0.0',
    syntax: 'key start stop',
    write: removing('index', 'zremrangebyrank'),
  },
  {
    ...removal,
    name: 'zremrangebyscore',
    summary: 'Removes the members with a score between two bounds',
    since: '1.2.0',
    syntax: 'key min max',
    write: removing('score', 'zremrangebyscore'),
  },
  {
    ...removal,
    name: 'zremrangebylex',
    summary: 'Removes the members between two others, by their bytes',
    since: '2.8.9',
    syntax: 'key min max',
    write: removing('member', 'zremrangebylex'),
  },
];
