/** SORT and SORT_RO, over lists, sets and sorted sets: `sorting/` gathers, weighs and orders the elements. */
import type { ReadView, View } from '../../../../store/views/view.ts';
import { kinds } from '../../../../store/collections/kinds.ts';
import { push } from '../../../../types/list/push.ts';
import { NO_BYTES } from '../../../../wire/bytes.ts';
import { syntaxError } from '../../replies/errors.ts';
import type { Arguments, Command, CommandCall, KeyUse } from '../command.ts';
import { sortElements } from '../sorting/order.ts';
import { ElementPattern } from '../sorting/patterns.ts';
import { sortSource } from '../sorting/sources.ts';

interface SortCall {
  by: ElementPattern | undefined;
  readonly gets: ElementPattern[];
  /** Among the patterns for BY was one without a `*`. */
  isUnsorted: boolean;
  isAlpha: boolean;
  isDescending: boolean;
  start: number;
  /** Negative: all. */
  count: number;
  /** The index of the key to store at; 0: none. */
  storeAt: number;
}

function parse({ args, session }: CommandCall, mayStore: boolean): SortCall {
  const sort: SortCall = {
    by: undefined,
    gets: [],
    isUnsorted: false,
    isAlpha: false,
    isDescending: false,
    start: 0,
    count: -1,
    storeAt: 0,
  };
  for (let index = 2; index < args.count; index++) {
    const left = args.count - index - 1;
    if (args.is(index, 'ASC')) sort.isDescending = false;
    else if (args.is(index, 'DESC')) sort.isDescending = true;
    else if (args.is(index, 'ALPHA')) sort.isAlpha = true;
    else if (args.is(index, 'LIMIT') && left >= 2) {
      sort.start = args.integer(++index);
      sort.count = args.integer(++index);
    } else if (mayStore && args.is(index, 'STORE') && left >= 1) sort.storeAt = ++index;
    else if (args.is(index, 'BY') && left >= 1) {
      sort.by = new ElementPattern(args, ++index, session.database);
      sort.isUnsorted ||= sort.by.isFixed;
    } else if (args.is(index, 'GET') && left >= 1)
      sort.gets.push(new ElementPattern(args, ++index, session.database));
    else throw syntaxError();
  }
  return sort;
}

/** The elements in their order, as far as LIMIT wants them. */
function sorted(view: ReadView, call: CommandCall, sort: SortCall): Uint8Array[] {
  const source = sortSource(view, call.args.key(1));
  const { isDescending, storeAt } = sort;
  // Without an order the members of a set that are stored have one all the same: that of their bytes.
  const isPlainSet = sort.isUnsorted && source.kind === kinds.set && storeAt !== 0;
  const by = isPlainSet ? undefined : sort.by;
  const isAlpha = sort.isAlpha || isPlainSet;
  const { count } = source;
  const from = Math.min(Math.max(sort.start, 0), count);
  const to = sort.count < 0 ? count : Math.min(count, from + sort.count);
  if (!sort.isUnsorted || isPlainSet) {
    return sortElements(view, source.take(0, count), { by, isAlpha, isDescending }).slice(from, to);
  }
  if (!isDescending || source.kind === kinds.set) return source.take(from, to);
  return source.take(count - to, count - from).reverse();
}

function sortReadOnly(view: ReadView, call: CommandCall): void {
  writeSorted(view, call, parse(call, false));
}

function writeSorted(view: ReadView, call: CommandCall, sort: SortCall): void {
  const { reply } = call;
  const elements = sorted(view, call, sort);
  const { gets } = sort;
  reply.array(elements.length * Math.max(1, gets.length));
  for (const element of elements) {
    if (gets.length === 0) reply.bulk(element);
    for (const get of gets) {
      const value = get.valueOf(view, element);
      if (value === undefined) reply.nil();
      else reply.bulk(value);
    }
  }
}

function sort(view: View, call: CommandCall): void {
  const asked = parse(call, true);
  if (asked.storeAt === 0) {
    writeSorted(view, call, asked);
    return;
  }
  const { args, reply } = call;
  const { gets } = asked;
  const elements = sorted(view, call, asked);
  const stored =
    gets.length === 0
      ? elements
      : elements.flatMap((element) => gets.map((get) => get.valueOf(view, element) ?? NO_BYTES));
  const target = args.key(asked.storeAt);
  const before = view.delete(target);
  if (stored.length > 0) {
    push(view, target, 'tail', stored);
    call.notify('l', 'sortstore', target);
  } else if (before !== undefined) call.notify('g', 'del', target);
  reply.integer(stored.length);
}

/** The key itself, and what STORE writes. */
function findKeys(args: Arguments, tell: (index: number, use: KeyUse) => void): void {
  tell(1, 'read');
  for (let index = 2; index < args.count - 1; index++) {
    if (args.is(index, 'LIMIT')) index += 2;
    else if (args.is(index, 'STORE')) tell(++index, 'write');
    else if (args.is(index, 'BY') || args.is(index, 'GET')) index++;
  }
}

/** Which keys a pattern reads the elements say. */
function hasPattern(args: Arguments): boolean {
  for (let index = 2; index < args.count - 1; index++) {
    if (args.is(index, 'LIMIT')) index += 2;
    else if (args.is(index, 'STORE')) index++;
    else if (args.is(index, 'BY') || args.is(index, 'GET')) {
      if (args.text(++index).includes('*')) return true;
    }
  }
  return false;
}

const places = {
  keys: { find: findKeys, told: [1, 1, 1] },
  needsAllKeys: hasPattern,
} as const;
const SYNTAX = 'key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC|DESC] [ALPHA]';

export const sortCommands: readonly Command[] = [
  {
    name: 'sort',
    arity: -2,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['write', 'set', 'sortedset', 'list', 'slow', 'dangerous'],
    group: 'generic',
    summary: 'Sorts a list, set or sorted set, by its elements or by other keys, and stores them if asked',
    since: '1.0.0',
    complexity: 'O(n log n) in the elements; O(n) when they are not sorted',
    syntax: `${SYNTAX} [STORE destination]`,
    ...places,
    write: sort,
  },
  {
    name: 'sort_ro',
    arity: -2,
    flags: ['readonly', 'movablekeys'],
    categories: ['read', 'set', 'sortedset', 'list', 'slow', 'dangerous'],
    group: 'generic',
    summary: 'Sorts a list, set or sorted set, by its elements or by other keys',
    since: '7.0.0',
    complexity: 'O(n log n) in the elements; O(n) when they are not sorted',
    syntax: SYNTAX,
    ...places,
    read: sortReadOnly,
  },
];
