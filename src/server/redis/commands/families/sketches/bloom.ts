/** Commands of Bloom filters, as RedisBloom 2.4 has them. */
import { isStoreError } from '../../../../../errors.ts';
import { fixed } from '../../../../../limits.ts';
import type { ReadView, View } from '../../../../../store/views/view.ts';
import {
  addItems,
  filterDefaults,
  type FilterInfo,
  type FilterOptions,
  hasItems,
  readFilterInfo,
  reserveFilter,
} from '../../../../../types/bloom/bloom-filter.ts';
import { bloomTexts, ReplyError, wrongArity } from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall, KeyPlaces, KeyUse, Reply } from '../../command.ts';

/** What a filter and each of its layers take besides their bits, as RedisBloom counts. */
const FILTER_BYTES = 32;
const LAYER_BYTES = 64;

function reserve(view: View, { args, reply }: CommandCall): void {
  if (args.count > 7) throw wrongArity('bf.reserve');
  const errorRate = numberOr(bloomTexts.badErrorRate, () => args.double(2));
  if (errorRate <= 0 || errorRate >= 1) throw new ReplyError(bloomTexts.errorRateRange);
  const capacity = numberOr(bloomTexts.badCapacity, () => args.integer(3));
  if (capacity <= 0) throw new ReplyError(bloomTexts.capacityRange);
  const isScaling = indexOf(args, 'NONSCALING') === -1;
  const expansionIndex = indexOf(args, 'EXPANSION');
  let { expansion } = filterDefaults;
  if (expansionIndex !== -1) {
    if (expansionIndex + 1 === args.count) throw new ReplyError(bloomTexts.noExpansion);
    if (!isScaling) throw new ReplyError(bloomTexts.fixedExpansion);
    expansion = numberOr(bloomTexts.badExpansion, () => args.integer(expansionIndex + 1));
    if (expansion < 1) throw new ReplyError(bloomTexts.expansionRange);
    if (expansion > fixed.bloomExpansionMax) throw new ReplyError(bloomTexts.badExpansion);
  }
  const isNew = reserveFilter(view, args.key(1), { errorRate, capacity, expansion, isScaling });
  if (!isNew) throw new ReplyError(bloomTexts.exists);
  reply.ok();
}

function indexOf(args: Arguments, word: string): number {
  for (let index = 0; index < args.count; index++) if (args.is(index, word)) return index;
  return -1;
}

/** A number of the words; one that is none is told with a text of its own. */
function numberOr(text: string, read: () => number): number {
  try {
    return read();
  } catch (error) {
    throw error instanceof ReplyError ? new ReplyError(text) : error;
  }
}

function add(view: View, call: CommandCall): void {
  insertItems(view, call, 2, filterDefaults, false);
}

function madd(view: View, call: CommandCall): void {
  insertItems(view, call, 2, filterDefaults, true);
}

/** Options are known by their first letters, as in RedisBloom. */
function insert(view: View, call: CommandCall): void {
  const { args } = call;
  let { errorRate, capacity, expansion, isScaling } = filterDefaults;
  let isCreated = true;
  let index = 2;
  for (let isItems = false; !isItems; index++) {
    if (index >= args.count) throw wrongArity('bf.insert');
    const word = args.text(index).toLowerCase();
    const takesValue = word.startsWith('e') || word.startsWith('c');
    if (takesValue && ++index === args.count) throw wrongArity('bf.insert');
    const value = index;
    if (word.startsWith('i')) isItems = true;
    else if (word.startsWith('er'))
      errorRate = numberOr(bloomTexts.insertErrorRate, () => args.double(value));
    else if (word.startsWith('e'))
      expansion = numberOr(bloomTexts.insertExpansion, () => args.integer(value));
    else if (word.startsWith('c')) capacity = numberOr(bloomTexts.insertCapacity, () => args.integer(value));
    else if (word.startsWith('n') && word[2] === 'c') isCreated = false;
    else if (word.startsWith('n')) isScaling = false;
    else throw new ReplyError(bloomTexts.unknownArgument);
  }
  if (index === args.count) throw wrongArity('bf.insert');
  if (
    errorRate <= 0 ||
    errorRate >= 1 ||
    capacity < 1 ||
    expansion < 1 ||
    expansion > fixed.bloomExpansionMax
  )
    throw new ReplyError(bloomTexts.insertArgument);
  insertItems(view, call, index, isCreated ? { errorRate, capacity, expansion, isScaling } : undefined, true);
}

/** @param first the index of the first item. @param options `undefined`: no filter is made. */
function insertItems(
  view: View,
  { args, reply }: CommandCall,
  first: number,
  options: FilterOptions | undefined,
  isSeveral: boolean,
): void {
  const results = orNotFound(() =>
    addItems(view, args.key(1), args.count - first, (index) => args.bytes(first + index), options),
  );
  if (isSeveral) reply.array(results.length);
  for (const result of results) {
    if (result === 'full') reply.error(bloomTexts.full);
    else reply.boolean(result === 'added');
  }
}

function orNotFound<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw isStoreError(error, 'keyNotFound') ? new ReplyError(bloomTexts.notFound) : error;
  }
}

function exists(view: ReadView, call: CommandCall): void {
  tellItems(view, call);
}

function mexists(view: ReadView, call: CommandCall): void {
  call.reply.array(call.args.count - 2);
  tellItems(view, call);
}

function tellItems(view: ReadView, { args, reply }: CommandCall): void {
  const key = args.key(1);
  const count = args.count - 2;
  try {
    hasItems(
      view,
      key,
      count,
      (index) => args.bytes(2 + index),
      (isPresent) => reply.boolean(isPresent),
    );
  } catch (error) {
    // What is no filter has no items, in RedisBloom.
    if (!isStoreError(error, 'wrongType')) throw error;
    for (let left = count; left > 0; left--) reply.boolean(false);
  }
}

/** No filter has no items. */
function card(view: ReadView, { args, reply }: CommandCall): void {
  reply.integer(readFilterInfo(view, args.key(1))?.itemCount ?? 0);
}

function info(view: ReadView, { args, reply }: CommandCall): void {
  if (args.count > 3) throw wrongArity('bf.info');
  const found = readFilterInfo(view, args.key(1));
  if (found === undefined) throw new ReplyError(bloomTexts.notFound);
  const shown = args.count === 2 ? undefined : INFORMATION.find(({ word }) => args.is(2, word));
  if (shown !== undefined) {
    reply.array(1);
    tellNumber(reply, shown.of(found));
    return;
  }
  if (args.count === 3) throw new ReplyError(bloomTexts.unknownInformation);
  reply.map(INFORMATION.length);
  for (const { name, of } of INFORMATION) {
    reply.simple(name);
    tellNumber(reply, of(found));
  }
}

function tellNumber(reply: Reply, value: number | undefined): void {
  if (value === undefined) reply.nil();
  else reply.integer(Math.min(value, fixed.integerMax));
}

interface Information {
  readonly word: string;
  readonly name: string;
  readonly of: (info: FilterInfo) => number | undefined;
}

const INFORMATION: readonly Information[] = [
  { word: 'CAPACITY', name: 'Capacity', of: ({ capacity }) => capacity },
  {
    word: 'SIZE',
    name: 'Size',
    of: ({ bytes, layerCount }) => FILTER_BYTES + layerCount * LAYER_BYTES + bytes,
  },
  { word: 'FILTERS', name: 'Number of filters', of: ({ layerCount }) => layerCount },
  { word: 'ITEMS', name: 'Number of items inserted', of: ({ itemCount }) => itemCount },
  {
    word: 'EXPANSION',
    name: 'Expansion rate',
    of: ({ expansion }) => (expansion === 0 ? undefined : expansion),
  },
];

function keyAt(use: KeyUse): readonly KeyPlaces[] {
  return [{ first: 1, last: 1, step: 1, use }];
}

const facts = { group: 'bf', since: '1.0.0' } as const;
const write = { ...facts, flags: ['write', 'denyoom'], categories: ['write', 'bloom', 'slow'] } as const;
const read = { ...facts, flags: ['readonly', 'fast'], categories: ['read', 'bloom', 'fast'] } as const;
const ITEM_COMPLEXITY = 'O(k) per item, for k hash functions in all layers';

export const bloomCommands: readonly Command[] = [
  {
    ...write,
    name: 'bf.add',
    arity: 3,
    keys: keyAt('both'),
    summary: 'Adds an item to a Bloom filter, which is made if there is none',
    complexity: ITEM_COMPLEXITY,
    syntax: 'key item',
    write: add,
  },
  {
    ...read,
    name: 'bf.card',
    arity: 2,
    keys: keyAt('read'),
    summary: 'Counts the items of a Bloom filter',
    since: '2.4.4',
    complexity: 'O(1)',
    syntax: 'key',
    read: card,
  },
  {
    ...read,
    name: 'bf.exists',
    arity: 3,
    keys: keyAt('read'),
    summary: 'Tells whether an item may be in a Bloom filter, or surely is not',
    complexity: ITEM_COMPLEXITY,
    syntax: 'key item',
    read: exists,
  },
  {
    ...read,
    name: 'bf.info',
    arity: -2,
    keys: keyAt('read'),
    summary: 'Tells the capacity, size, layers and items of a Bloom filter',
    complexity: 'O(1)',
    syntax: 'key [CAPACITY | SIZE | FILTERS | ITEMS | EXPANSION]',
    read: info,
  },
  {
    ...write,
    name: 'bf.insert',
    arity: -4,
    keys: keyAt('both'),
    summary: 'Adds items to a Bloom filter, which is made with the given options if there is none',
    complexity: ITEM_COMPLEXITY,
    syntax:
      'key [CAPACITY capacity] [ERROR error] [EXPANSION expansion] [NOCREATE] [NONSCALING] ITEMS item [item ...]',
    write: insert,
  },
  {
    ...write,
    name: 'bf.madd',
    arity: -3,
    keys: keyAt('both'),
    summary: 'Adds items to a Bloom filter, which is made if there is none',
    complexity: ITEM_COMPLEXITY,
    syntax: 'key item [item ...]',
    write: madd,
  },
  {
    ...read,
    name: 'bf.mexists',
    arity: -3,
    keys: keyAt('read'),
    summary: 'Tells of each item whether it may be in a Bloom filter, or surely is not',
    complexity: ITEM_COMPLEXITY,
    syntax: 'key item [item ...]',
    read: mexists,
  },
  {
    ...write,
    name: 'bf.reserve',
    arity: -4,
    keys: keyAt('write'),
    summary: 'Makes an empty Bloom filter for so many items, at an error rate',
    complexity: 'O(1)',
    syntax: 'key error_rate capacity [EXPANSION expansion] [NONSCALING]',
    write: reserve,
  },
];
