/** SORT and SORT_RO, over lists, sets and sorted sets: `sorting/` gathers, weighs and orders the elements. */
import { serverFixed } from '../../../../../limits.ts';
import { budgetSpent } from '../../../../../store/views/draft.ts';
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { kinds } from '../../../../../store/collections/kinds.ts';
import { push } from '../../../../../types/list/push.ts';
import { NO_BYTES } from '../../../../../wire/bytes.ts';
import { syntaxError } from '../../../replies/errors.ts';
import {
  type Arguments,
  type Command,
  type CommandCall,
  holding,
  type KeyUse,
  type Reply,
  type Slice,
} from '../../command.ts';
import { heldBytesOf, Ordering, paySort } from '../../sorting/order.ts';
import { ElementPattern } from '../../sorting/patterns.ts';
import { sortSource } from '../../sorting/sources.ts';

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

/** The elements that are to be sorted, or are in their order already. */
interface Gathered {
  readonly ordering: Ordering | undefined;
  readonly elements: readonly Uint8Array[];
  /** The part of the sorted ones that LIMIT wants. */
  readonly from: number;
  readonly to: number;
  /** What is to be done with them is too much for one turn, and they may have several. */
  readonly hasPieces: boolean;
}

/** Throws `limitReached` before it has done much, where a sort in one piece would be too much. */
function gather(view: ReadView, call: CommandCall, sort: SortCall): Gathered {
  const source = sortSource(view, call.args.key(1));
  const { isDescending, storeAt, gets } = sort;
  // Without an order the members of a set that are stored have one all the same: that of their bytes.
  const isPlainSet = sort.isUnsorted && source.kind === kinds.set && storeAt !== 0;
  const by = isPlainSet ? undefined : sort.by;
  const isAlpha = sort.isAlpha || isPlainSet;
  const { count } = source;
  const from = Math.min(Math.max(sort.start, 0), count);
  const to = sort.count < 0 ? count : Math.min(count, from + sort.count);
  const isSorted = !sort.isUnsorted || isPlainSet;
  const mostAtOnce = Math.max(isSorted ? count : 0, (to - from) * gets.length, to - from);
  const hasPieces =
    storeAt === 0 && !call.session.isInTransaction && mostAtOnce > serverFixed.elementsPerSlice;
  if (isSorted) {
    if (!hasPieces) paySort(view, count);
    if (view.budget.isSpent) throw budgetSpent(view.budget);
    const ordering = new Ordering(source.take(0, count), { by, isAlpha, isDescending });
    return { ordering, elements: [], from, to, hasPieces };
  }
  const elements =
    !isDescending || source.kind === kinds.set
      ? source.take(from, to)
      : source.take(count - to, count - from).reverse();
  return { ordering: undefined, elements, from, to, hasPieces };
}

/** The elements in their order, as far as LIMIT wants them, in one piece. Throws `limitReached`. */
function sorted(view: ReadView, { ordering, elements, from, to }: Gathered): readonly Uint8Array[] {
  if (ordering === undefined) return elements;
  ordering.weigh(view, Infinity);
  return ordering.sorted().slice(from, to);
}

/** The reply to SORT, in pieces: so many elements are weighed in each, or written; they are sorted in one. */
class SortedReply {
  readonly #gets: readonly ElementPattern[];
  readonly #gathered: Gathered;
  #elements: readonly Uint8Array[] | undefined;
  /** Of what is written: one for each element and pattern of GET. */
  #written = 0;

  constructor(gathered: Gathered, gets: readonly ElementPattern[]) {
    this.#gathered = gathered;
    this.#gets = gets;
    const { ordering, elements } = gathered;
    const heldBytes = heldBytesOf(elements);
    holding(() => ordering?.heldBytes ?? heldBytes, [this.step]);
  }

  readonly step: Slice = (view, reply) => {
    if (this.#elements !== undefined) return this.#write(view, reply);
    const { ordering, elements, from, to } = this.#gathered;
    if (ordering?.weigh(view, serverFixed.elementsPerSlice) === true) return this.step;
    if (ordering !== undefined) paySort(view, ordering.count);
    this.#elements = ordering?.sorted().slice(from, to) ?? elements;
    reply.array(this.#elements.length * this.#width);
    return this.step;
  };

  get #width(): number {
    return Math.max(1, this.#gets.length);
  }

  #write(view: ReadView, reply: Reply): Slice | undefined {
    const elements = this.#elements ?? [];
    const count = elements.length * this.#width;
    const end = Math.min(count, this.#written + serverFixed.elementsPerSlice);
    for (; this.#written < end; this.#written++) {
      const element = elements[Math.floor(this.#written / this.#width)] ?? NO_BYTES;
      writeValue(view, reply, element, this.#gets[this.#written % this.#width]);
    }
    return end < count ? this.step : undefined;
  }
}

function writeValue(
  view: ReadView,
  reply: Reply,
  element: Uint8Array,
  get: ElementPattern | undefined,
): void {
  const value = get === undefined ? element : get.valueOf(view, element);
  if (value === undefined) reply.nil();
  else reply.bulk(value);
}

function sortReadOnly(view: ReadView, call: CommandCall): Slice | undefined {
  return replySorted(view, call, parse(call, false));
}

function replySorted(view: ReadView, call: CommandCall, sort: SortCall): Slice | undefined {
  const { gets } = sort;
  const gathered = gather(view, call, sort);
  if (gathered.hasPieces) return new SortedReply(gathered, gets).step;
  const elements = sorted(view, gathered);
  call.reply.array(elements.length * Math.max(1, gets.length));
  for (const element of elements) {
    if (gets.length === 0) call.reply.bulk(element);
    for (const get of gets) writeValue(view, call.reply, element, get);
  }
  return undefined;
}

function sort(view: View, call: CommandCall): Slice | undefined {
  const asked = parse(call, true);
  if (asked.storeAt === 0) return replySorted(view, call, asked);
  const { args, reply } = call;
  const { gets } = asked;
  const elements = sorted(view, gather(view, call, asked));
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
  return undefined;
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
