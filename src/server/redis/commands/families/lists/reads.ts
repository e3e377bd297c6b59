/** What lists are asked. */
import { budgetSpent } from '../../../../../store/views/draft.ts';
import type { ReadView } from '../../../../../store/views/view.ts';
import { visitMatches, visitMatchesBackward } from '../../../../../types/list/find.ts';
import { List } from '../../../../../types/list/list.ts';
import { elementAt, lengthOf, visitElements } from '../../../../../types/list/read.ts';
import { serverFixed } from '../../../../../limits.ts';
import { ReplyError, syntaxError } from '../../../replies/errors.ts';
import { integerFrom } from '../../bounded-integers.ts';
import type { Command, CommandCall, Reply, Slice } from '../../command.ts';

function llen(view: ReadView, { args, reply }: CommandCall): void {
  reply.integer(lengthOf(view, args.key(1)));
}

function lindex(view: ReadView, { args, reply }: CommandCall): void {
  const key = args.key(1);
  // A list that is not there is told before what is wrong with the index.
  const element = lengthOf(view, key) === 0 ? undefined : elementAt(view, key, args.integer(2));
  if (element === undefined) reply.nil();
  else reply.bulk(element);
}

function lrange(view: ReadView, { args, reply }: CommandCall): Slice | undefined {
  const start = args.integer(2);
  const stop = args.integer(3);
  const key = args.key(1);
  const list = List.read(view, key);
  const count = list?.count ?? 0;
  const from = Math.max(0, start < 0 ? count + start : start);
  const to = Math.min(count, (stop < 0 ? count + stop : stop) + 1);
  reply.array(Math.max(0, to - from));
  return list === undefined || from >= to ? undefined : rangeSlice(view, reply, list, key, from, to);
}

/** Writes the elements from one index to another (exclusive), as many as fit into a slice. */
function rangeSlice(
  view: ReadView,
  reply: Reply,
  list: List,
  key: Uint8Array,
  from: number,
  to: number,
): Slice | undefined {
  const sliceTo = Math.min(to, from + serverFixed.elementsPerSlice);
  const next = visitElements(view, list, from, sliceTo, (element) => {
    reply.bulk(element);
    return true;
  });
  if (next === to) return undefined;
  if (next === from) throw budgetSpent(view.budget);
  const kept = Uint8Array.prototype.slice.call(key);
  return (later, out) => {
    const same = List.read(later, kept);
    return same && rangeSlice(later, out, same, kept, next, to);
  };
}

/** What LPOS looks for. */
interface Search {
  readonly element: Uint8Array;
  /** How many matches are passed over, from the head or, backward, from the tail. */
  skipCount: number;
  readonly isBackward: boolean;
  readonly limit: number;
  readonly found: number[];
}

const INT64_MIN = -(2n ** 63n);
const RANK_IS_ZERO =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list";

function lpos(view: ReadView, { args, reply }: CommandCall): Slice | undefined {
  let rank = 1;
  let wanted = -1;
  let lengthMax = 0;
  for (let index = 3; index < args.count; index += 2) {
    const isRank = args.is(index, 'RANK');
    const isCount = args.is(index, 'COUNT');
    if ((!isRank && !isCount && !args.is(index, 'MAXLEN')) || index + 1 === args.count) throw syntaxError();
    if (isCount) wanted = integerFrom(args, index + 1, 0, "ERR COUNT can't be negative");
    else if (!isRank) lengthMax = integerFrom(args, index + 1, 0, "ERR MAXLEN can't be negative");
    else {
      // Redis turns the least integer around and comes to itself: nothing is passed over then.
      rank = args.int64(index + 1) === INT64_MIN ? -1 : args.integer(index + 1);
      if (rank === 0) throw new ReplyError(RANK_IS_ZERO);
    }
  }
  const key = args.key(1);
  const list = List.read(view, key);
  if (list === undefined) {
    if (wanted < 0) reply.nil();
    else reply.array(0);
    return undefined;
  }
  const isBackward = rank < 0;
  const looked = lengthMax === 0 ? list.count : Math.min(lengthMax, list.count);
  const search: Search = {
    element: args.bytes(2),
    skipCount: Math.abs(rank) - 1,
    isBackward,
    limit: wanted < 0 ? 1 : wanted === 0 ? list.count : wanted,
    found: [],
  };
  const from = isBackward ? list.count - looked : 0;
  return searchSlice(view, reply, list, key, search, from, from + looked, wanted >= 0);
}

/** Looks through the elements from one index to another (exclusive), as far as a slice goes; writes the reply at the end. */
function searchSlice(
  view: ReadView,
  reply: Reply,
  list: List,
  key: Uint8Array,
  search: Search,
  from: number,
  to: number,
  isArray: boolean,
): Slice | undefined {
  const { element, found, limit, isBackward } = search;
  const note = (index: number): boolean => {
    if (search.skipCount > 0) search.skipCount--;
    else found.push(index);
    return found.length < limit;
  };
  let left = { from, to };
  if (isBackward) {
    const sliceFrom = Math.max(from, to - serverFixed.elementsPerSlice);
    left = { from, to: visitMatchesBackward(view, list, element, sliceFrom, to, note) };
  } else {
    const sliceTo = Math.min(to, from + serverFixed.elementsPerSlice);
    left = { from: visitMatches(view, list, element, from, sliceTo, note), to };
  }
  if (found.length >= limit || left.from >= left.to) {
    writeFound(reply, found, isArray);
    return undefined;
  }
  if (left.from === from && left.to === to) throw budgetSpent(view.budget);
  const kept = Uint8Array.prototype.slice.call(key);
  const keptSearch = { ...search, element: Uint8Array.prototype.slice.call(element) };
  return (later, out) => {
    const same = List.read(later, kept);
    return same && searchSlice(later, out, same, kept, keptSearch, left.from, left.to, isArray);
  };
}

function writeFound(reply: Reply, found: readonly number[], isArray: boolean): void {
  if (isArray) {
    reply.array(found.length);
    for (const index of found) reply.integer(index);
  } else if (found[0] === undefined) reply.nil();
  else reply.integer(found[0]);
}

const group = 'list';
const keys = [{ first: 1, last: 1, step: 1, use: 'read' }] as const;

export const listReadCommands: readonly Command[] = [
  {
    name: 'llen',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['read', 'list', 'fast'],
    group,
    summary: 'Tells how many elements a list has',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key',
    keys,
    read: llen,
  },
  {
    name: 'lindex',
    arity: 3,
    flags: ['readonly'],
    categories: ['read', 'list', 'slow'],
    group,
    summary: 'Reads the element at an index',
    since: '1.0.0',
    complexity: 'O(log n)',
    syntax: 'key index',
    keys,
    read: lindex,
  },
  {
    name: 'lrange',
    arity: 4,
    flags: ['readonly'],
    categories: ['read', 'list', 'slow'],
    group,
    summary: 'Reads the elements from one index to another',
    since: '1.0.0',
    complexity: 'O(log n + m) for m elements read',
    syntax: 'key start stop',
    keys,
    read: lrange,
  },
  {
    name: 'lpos',
    arity: -3,
    flags: ['readonly'],
    categories: ['read', 'list', 'slow'],
    group,
    summary: 'Finds the indexes of elements that equal another',
    since: '6.0.6',
    complexity: 'O(n) in the elements compared, at most MAXLEN',
    syntax: 'key element [RANK rank] [COUNT num-matches] [MAXLEN len]',
    keys,
    read: lpos,
  },
];
