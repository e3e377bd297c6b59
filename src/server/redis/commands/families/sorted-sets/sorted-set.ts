/** Sorted sets: members that get scores, and are looked up, counted and removed. Ranges, pops and combinations have files of their own. */
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { putScore, type PutRules } from '../../../../../types/sorted-set/put-score.ts';
import { SortedSetEdit } from '../../../../../types/sorted-set/sorted-set-edit.ts';
import { SortedSet } from '../../../../../types/sorted-set/sorted-set.ts';
import { ReplyError, syntaxError } from '../../../replies/errors.ts';
import type { Command, CommandCall } from '../../command.ts';
import { memberIntervalAt, scoreIntervalAt } from './words.ts';

interface AddOptions {
  readonly rules: PutRules;
  readonly countsUpdates: boolean;
  /** The index of the first score. */
  readonly first: number;
}

const NO_OPTIONS: AddOptions = {
  rules: {
    isOnlyNew: false,
    isOnlyExisting: false,
    isOnlyHigher: false,
    isOnlyLower: false,
    isIncrement: false,
  },
  countsUpdates: false,
  first: 2,
};
const INCREMENT: AddOptions = { ...NO_OPTIONS, rules: { ...NO_OPTIONS.rules, isIncrement: true } };

const DIGIT_OR_SIGN_MAX = 0x39;

function addOptionsOf({ args }: CommandCall): AddOptions {
  // What begins like a number is none of the options.
  if ((args.bytes(2)[0] ?? 0) <= DIGIT_OR_SIGN_MAX) return NO_OPTIONS;
  let isOnlyNew = false;
  let isOnlyExisting = false;
  let isOnlyHigher = false;
  let isOnlyLower = false;
  let isIncrement = false;
  let countsUpdates = false;
  let first = 2;
  for (; first < args.count; first++) {
    if (args.is(first, 'NX')) isOnlyNew = true;
    else if (args.is(first, 'XX')) isOnlyExisting = true;
    else if (args.is(first, 'CH')) countsUpdates = true;
    else if (args.is(first, 'INCR')) isIncrement = true;
    else if (args.is(first, 'GT')) isOnlyHigher = true;
    else if (args.is(first, 'LT')) isOnlyLower = true;
    else break;
  }
  return {
    rules: { isOnlyNew, isOnlyExisting, isOnlyHigher, isOnlyLower, isIncrement },
    countsUpdates,
    first,
  };
}

function checkRules({ isOnlyNew, isOnlyExisting, isOnlyHigher, isOnlyLower }: PutRules): void {
  if (isOnlyNew && isOnlyExisting)
    throw new ReplyError('ERR XX and NX options at the same time are not compatible');
  if ((isOnlyHigher && isOnlyNew) || (isOnlyLower && isOnlyNew) || (isOnlyHigher && isOnlyLower))
    throw new ReplyError('ERR GT, LT, and/or NX options at the same time are not compatible');
}

function zadd(view: View, call: CommandCall): void {
  const options = addOptionsOf(call);
  const { rules, first } = options;
  const wordCount = call.args.count - first;
  if (wordCount === 0 || wordCount % 2 !== 0) throw syntaxError();
  checkRules(rules);
  if (rules.isIncrement && wordCount > 2)
    throw new ReplyError('ERR INCR option supports a single increment-element pair');
  addPairs(view, call, options);
}

/** ZADD with INCR for Redis: what stands for the increment may be one of its options, and then the pair is not whole. */
function zincrby(view: View, call: CommandCall): void {
  if (addOptionsOf(call).first > INCREMENT.first) throw syntaxError();
  addPairs(view, call, INCREMENT);
}

function addPairs(view: View, call: CommandCall, { rules, countsUpdates, first }: AddOptions): void {
  const { args, reply } = call;
  const pairCount = (args.count - first) / 2;
  const score = args.double(first);
  // Every score is read before anything is looked up.
  const scores = pairCount === 1 ? undefined : new Float64Array(pairCount);
  if (scores !== undefined)
    for (let index = 0; index < pairCount; index++) scores[index] = args.double(first + 2 * index);
  const key = args.key(1);
  const edit = new SortedSetEdit(view, key);
  let addedCount = 0;
  let updatedCount = 0;
  let result = 'refused';
  let member = args.bytes(first + 1);
  for (let index = 0; index < pairCount; index++) {
    if (index > 0) member = args.bytes(first + 2 * index + 1);
    result = putScore(edit, member, scores?.[index] ?? score, rules);
    if (result === 'notANumber') throw new ReplyError('ERR resulting score is not a number (NaN)');
    if (result === 'added') addedCount++;
    else if (result === 'updated') updatedCount++;
  }
  if (!rules.isIncrement) reply.integer(countsUpdates ? addedCount + updatedCount : addedCount);
  else if (result === 'refused') reply.nil();
  else reply.double(edit.score(member) ?? 0);
  if (edit.finish()) call.notify('z', rules.isIncrement ? 'zincr' : 'zadd', key);
}

function zrem(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const edit = new SortedSetEdit(view, key);
  let removedCount = 0;
  for (let index = 2; index < args.count && edit.count > 0; index++)
    if (edit.remove(args.bytes(index))) removedCount++;
  reply.integer(removedCount);
  if (!edit.finish()) return;
  call.notify('z', 'zrem', key);
  if (edit.count === 0) call.notify('g', 'del', key);
}

function zcard(view: ReadView, { args, reply }: CommandCall): void {
  reply.integer(SortedSet.read(view, args.key(1))?.count ?? 0);
}

function zscore(view: ReadView, { args, reply }: CommandCall): void {
  const score = SortedSet.read(view, args.key(1))?.score(view, args.bytes(2));
  if (score === undefined) reply.nil();
  else reply.double(score);
}

function zmscore(view: ReadView, { args, reply }: CommandCall): void {
  const set = SortedSet.read(view, args.key(1));
  reply.array(args.count - 2);
  for (let index = 2; index < args.count; index++) {
    const score = set?.score(view, args.bytes(index));
    if (score === undefined) reply.nil();
    else reply.double(score);
  }
}

function zcount(view: View, { args, reply }: CommandCall): void {
  const interval = scoreIntervalAt(args, 2, 3);
  reply.integer(SortedSet.read(view, args.key(1))?.countScores(view, interval) ?? 0);
}

function zlexcount(view: View, { args, reply }: CommandCall): void {
  const interval = memberIntervalAt(args, 2, 3);
  reply.integer(SortedSet.read(view, args.key(1))?.countMembers(view, interval) ?? 0);
}

function replyRank(view: View, { args, reply }: CommandCall, isReversed: boolean): void {
  const set = SortedSet.read(view, args.key(1));
  const rank = set?.rank(view, args.bytes(2));
  if (set === undefined || rank === undefined) reply.nil();
  else reply.integer(isReversed ? set.count - 1 - rank : rank);
}

const group = 'sorted-set';
const readKeys = [{ first: 1, last: 1, step: 1, use: 'read' }] as const;
const writtenKeys = [{ first: 1, last: 1, step: 1, use: 'write' }] as const;
const fastRead = {
  group,
  flags: ['readonly', 'fast'],
  keys: readKeys,
  categories: ['read', 'sortedset', 'fast'],
} as const;
const fastWrite = { group, categories: ['write', 'sortedset', 'fast'] } as const;

export const sortedSetCommands: readonly Command[] = [
  {
    ...fastWrite,
    name: 'zadd',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    keys: writtenKeys,
    summary: 'Adds members with scores to a sorted set, or gives members that it has other scores',
    since: '1.2.0',
    complexity: 'O(log n) per member',
    syntax: 'key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]',
    write: zadd,
  },
  {
    ...fastWrite,
    name: 'zincrby',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    keys: [{ first: 1, last: 1, step: 1, use: 'both' }],
    summary: 'Adds a number to the score of a member',
    since: '1.2.0',
    complexity: 'O(log n)',
    syntax: 'key increment member',
    write: zincrby,
  },
  {
    ...fastWrite,
    name: 'zrem',
    arity: -3,
    flags: ['write', 'fast'],
    keys: writtenKeys,
    summary: 'Removes members from a sorted set',
    since: '1.2.0',
    complexity: 'O(log n) per member',
    syntax: 'key member [member ...]',
    write: zrem,
  },
  {
    ...fastRead,
    name: 'zcard',
    arity: 2,
    summary: 'Tells how many members a sorted set has',
    since: '1.2.0',
    complexity: 'O(1)',
    syntax: 'key',
    read: zcard,
  },
  {
    ...fastRead,
    name: 'zscore',
    arity: 3,
    summary: 'Reads the score of a member',
    since: '1.2.0',
    complexity: 'O(1)',
    syntax: 'key member',
    read: zscore,
  },
  {
    ...fastRead,
    name: 'zmscore',
    arity: -3,
    summary: 'Reads the scores of several members',
    since: '6.2.0',
    complexity: 'O(1) per member',
    syntax: 'key member [member ...]',
    read: zmscore,
  },
  {
    ...fastRead,
    name: 'zcount',
    arity: 4,
    summary: 'Counts the members with a score between two bounds',
    since: '2.0.0',
    complexity: 'O(log n)',
    syntax: 'key min max',
    newest: zcount,
  },
  {
    ...fastRead,
    name: 'zlexcount',
    arity: 4,
    summary: 'Counts the members between two others, by their bytes',
    since: '2.8.9',
    complexity: 'O(log n)',
    syntax: 'key min max',
    newest: zlexcount,
  },
  {
    ...fastRead,
    name: 'zrank',
    arity: 3,
    summary: 'Tells how many members stand before one, by score',
    since: '2.0.0',
    complexity: 'O(log n)',
    syntax: 'key member',
    newest: (view, call) => replyRank(view, call, false),
  },
  {
    ...fastRead,
    name: 'zrevrank',
    arity: 3,
    summary: 'Tells how many members stand behind one, by score',
    since: '2.0.0',
    complexity: 'O(log n)',
    syntax: 'key member',
    newest: (view, call) => replyRank(view, call, true),
  },
];
