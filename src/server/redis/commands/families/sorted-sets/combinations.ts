/** What several sorted sets, and sets, have together: told, counted and stored. */
import { serverFixed } from '../../../../../limits.ts';
import type { ReadView, View } from '../../../../../store/views/view.ts';
import {
  type Aggregate,
  Combination,
  type Combining,
  type Weighted,
} from '../../../../../types/sorted-set/combination.ts';
import { Gathered } from '../../../../../types/sorted-set/gathered.ts';
import { readScoredTable } from '../../../../../types/sorted-set/scored-table.ts';
import { storeGathered } from '../../../../../types/sorted-set/store-gathered.ts';
import { NEGATIVE_LIMIT, ReplyError, syntaxError } from '../../../replies/errors.ts';
import {
  type Arguments,
  type Command,
  type CommandCall,
  holding,
  type Reply,
  type Slice,
} from '../../command.ts';
import { keysBehindNumber, replyScored, replyScoredHead } from './words.ts';

/** What a command does with its combination. */
type Purpose = 'tell' | 'store' | 'count';

interface CombinationWords {
  readonly combination: Combination;
  readonly hasScores: boolean;
  /** Of a count: where it ends; 0: nowhere. */
  readonly limit: number;
}

const aggregates: readonly (readonly [word: string, aggregate: Aggregate])[] = [
  ['SUM', 'sum'],
  ['MIN', 'min'],
  ['MAX', 'max'],
];

/** `numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM|MIN|MAX] [WITHSCORES] [LIMIT limit]`, as far as they go together. */
function combinationWords(
  view: ReadView,
  { args }: CommandCall,
  combining: Combining,
  purpose: Purpose,
): CombinationWords {
  const numberAt = purpose === 'store' ? 2 : 1;
  const keyCount = args.integer(numberAt);
  if (keyCount < 1) {
    const name = args.text(0).toLowerCase();
    throw new ReplyError(`ERR at least 1 input key is needed for '${name}' command`);
  }
  const keyEnd = numberAt + 1 + keyCount;
  if (keyEnd > args.count) throw syntaxError();
  const tables = [];
  for (let index = numberAt + 1; index < keyEnd; index++) tables.push(readScoredTable(view, args.key(index)));
  let weights: readonly number[] = [];
  let aggregate: Aggregate = 'sum';
  let hasScores = false;
  let limit = 0;
  const isWeighed = combining !== 'difference' && purpose !== 'count';
  for (let index = keyEnd; index < args.count; index++) {
    const left = args.count - index;
    if (isWeighed && left > keyCount && args.is(index, 'WEIGHTS')) {
      weights = weightsAt(args, index + 1, keyCount);
      index += keyCount;
    } else if (isWeighed && left > 1 && args.is(index, 'AGGREGATE')) {
      aggregate = aggregateAt(args, ++index);
    } else if (purpose === 'tell' && args.is(index, 'WITHSCORES')) hasScores = true;
    else if (purpose === 'count' && left > 1 && args.is(index, 'LIMIT')) limit = limitAt(args, ++index);
    else throw syntaxError();
  }
  const sources: Weighted[] = tables.map((table, index) => ({ table, weight: weights[index] ?? 1 }));
  return { combination: new Combination(combining, sources, aggregate), hasScores, limit };
}

function weightsAt(args: Arguments, first: number, count: number): number[] {
  const weights: number[] = [];
  for (let index = first; index < first + count; index++) {
    try {
      weights.push(args.double(index));
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      throw new ReplyError('ERR weight value is not a float');
    }
  }
  return weights;
}

function aggregateAt(args: Arguments, index: number): Aggregate {
  for (const [word, aggregate] of aggregates) if (args.is(index, word)) return aggregate;
  throw syntaxError();
}

function limitAt(args: Arguments, index: number): number {
  try {
    const limit = args.integer(index);
    if (limit >= 0) return limit;
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
  }
  throw new ReplyError(NEGATIVE_LIMIT);
}

/** Gathers, sorts, then tells: one piece after the other. */
function telling(combining: Combining): (view: ReadView, call: CommandCall) => Slice | undefined {
  return (view, call) => {
    const { combination, hasScores } = combinationWords(view, call, combining, 'tell');
    const gathered = new Gathered(combination.aggregate);
    const gather: Slice = (state) =>
      combination.step(state, serverFixed.elementsPerSlice, (member, score) => {
        gathered.add(member, score);
        return true;
      })
        ? gather
        : sort;
    const sort: Slice = () => (gathered.sort(serverFixed.elementsPerSlice) ? sort : begin);
    const begin: Slice = (state, reply) => {
      replyScoredHead(reply, gathered.count, hasScores);
      return tell(state, reply);
    };
    const tell: Slice = (_, reply) =>
      gathered.next(serverFixed.elementsPerSlice, (member, score) =>
        replyScored(reply, member, score, hasScores),
      )
        ? tell
        : undefined;
    holding(() => gathered.heldBytes, [gather, sort, begin, tell]);
    return firstPieces(view, call.reply, gather);
  };
}

/** What is small is done at once. */
const FIRST_PIECES = 3;

function firstPieces(view: ReadView, reply: Reply, slice: Slice): Slice | undefined {
  let next: Slice | undefined = slice;
  for (let piece = 0; piece < FIRST_PIECES && next !== undefined; piece++) next = next(view, reply);
  return next;
}

function storing(combining: Combining, event: string): (view: View, call: CommandCall) => void {
  return (view, call) => {
    const { combination } = combinationWords(view, call, combining, 'store');
    const gathered = new Gathered(combination.aggregate);
    const gather = (member: Uint8Array, score: number): boolean => {
      gathered.add(member, score);
      return true;
    };
    // A budget that is spent ends it by an error.
    while (combination.step(view, Infinity, gather));
    const key = call.args.key(1);
    const { count, isDeleted } = storeGathered(view, key, gathered);
    call.reply.integer(count);
    if (count > 0) call.notify('z', event, key);
    else if (isDeleted) call.notify('g', 'del', key);
  };
}

function zintercard(view: ReadView, call: CommandCall): Slice | undefined {
  const { combination, limit } = combinationWords(view, call, 'intersection', 'count');
  let count = 0;
  const goOn: Slice = (state, reply) => {
    if (combination.step(state, serverFixed.elementsPerSlice, () => ++count !== limit)) return goOn;
    reply.integer(count);
    return undefined;
  };
  return goOn(view, call.reply);
}

const group = 'sorted-set';
const read = {
  group,
  arity: -3,
  flags: ['readonly', 'movablekeys'],
  keys: keysBehindNumber(1, 'read'),
  categories: ['read', 'sortedset', 'slow'],
} as const;
const store = {
  group,
  arity: -4,
  flags: ['write', 'denyoom', 'movablekeys'],
  keys: keysBehindNumber(2, 'read', true),
  categories: ['write', 'sortedset', 'slow'],
} as const;
const unionComplexity = 'O(n + m log m) for n members in all sets, m in the result';
const intersectionComplexity = 'O(n k + m log m) for k sets, n members in the smallest, m in the result';
const differenceComplexity = 'O(n k + m log m) for k sets, n members in the first, m in the result';
const weighed = '[WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX]';

export const sortedSetCombinationCommands: readonly Command[] = [
  {
    ...read,
    name: 'zunion',
    summary: 'Reads the members that any of several sets has, by score',
    since: '6.2.0',
    complexity: unionComplexity,
    syntax: `numkeys key [key ...] ${weighed} [WITHSCORES]`,
    read: telling('union'),
  },
  {
    ...read,
    name: 'zinter',
    summary: 'Reads the members that all of several sets have, by score',
    since: '6.2.0',
    complexity: intersectionComplexity,
    syntax: `numkeys key [key ...] ${weighed} [WITHSCORES]`,
    read: telling('intersection'),
  },
  {
    ...read,
    name: 'zdiff',
    summary: 'Reads the members that the first of several sets has alone, by score',
    since: '6.2.0',
    complexity: differenceComplexity,
    syntax: 'numkeys key [key ...] [WITHSCORES]',
    read: telling('difference'),
  },
  {
    ...read,
    name: 'zintercard',
    summary: 'Counts the members that all of several sets have',
    since: '7.0.0',
    complexity: 'O(n k) for k sets, n members in the smallest',
    syntax: 'numkeys key [key ...] [LIMIT limit]',
    read: zintercard,
  },
  {
    ...store,
    name: 'zunionstore',
    summary: 'Stores the members that any of several sets has',
    since: '2.0.0',
    complexity: unionComplexity,
    syntax: `destination numkeys key [key ...] ${weighed}`,
    write: storing('union', 'zunionstore'),
  },
  {
    ...store,
    name: 'zinterstore',
    summary: 'Stores the members that all of several sets have',
    since: '2.0.0',
    complexity: intersectionComplexity,
    syntax: `destination numkeys key [key ...] ${weighed}`,
    write: storing('intersection', 'zinterstore'),
  },
  {
    ...store,
    name: 'zdiffstore',
    summary: 'Stores the members that the first of several sets has alone',
    since: '6.2.0',
    complexity: differenceComplexity,
    syntax: 'destination numkeys key [key ...]',
    write: storing('difference', 'zdiffstore'),
  },
];
