/**
 * Checks of what the calls on collections take, for programs that have no types to check them. The store in process and the
 * client have one set each: they differ in the times to live that they take, and in what every call takes besides.
 */
import type {
  BloomCreateOptions,
  BoundedRange,
  CreateOptions,
  Fields,
  HashGetOptions,
  HashScanOptions,
  HashSetOptions,
  HllCountOptions,
  InsertOptions,
  ListRangeOptions,
  ListScanOptions,
  MoveOptions,
  PopOptions,
  PushOptions,
  RankOptions,
  ReadOptions,
  RemoveOptions,
  ScoreIncrementOptions,
  Scores,
  SetCombineOptions,
  SetScanOptions,
  SortedSetAddOptions,
  SortedSetCombineOptions,
  SortedSetPopOptions,
  SortedSetRange,
  SortedSetRangeOptions,
  TakeOptions,
} from '../collections/types.ts';
import { fixed } from '../limits.ts';
import type { PagedListOptions } from '../paged-list.ts';
import { type Check, flag, mustBe, wholeNumber } from './check.ts';
import {
  aggregate,
  destination,
  filterTable,
  index,
  listEnd as end,
  rangeTable,
  score,
  scoreConditions,
  values,
  weights,
} from './collections.ts';
import { amount, count } from './count.ts';
import { type OptionsCheck, type Table, isRecord, optionsOf, shape } from './shape.ts';
import { value } from './value.ts';

export const fields = byName<Fields>(value, 'values');
export const scores = byName<Scores>(score, 'scores');

/** @param what for messages. */
function byName<Given>(item: (given: unknown) => string | undefined, what: string): Check<Given> {
  return (given) => {
    if (given instanceof Map) return wrongPair([...given], item);
    if (Array.isArray(given)) return wrongPair(given, item);
    if (!isRecord(given)) return mustBe(given, `an object, a Map or an array of pairs of names and ${what}`);
    for (const [name, each] of Object.entries(given)) {
      const complaint = item(each);
      if (complaint !== undefined) return `[${JSON.stringify(name)}]${complaint}`;
    }
    return undefined;
  };
}

function wrongPair(pairs: unknown[], item: (given: unknown) => string | undefined): string | undefined {
  for (const [place, pair] of pairs.entries()) {
    if (!Array.isArray(pair) || pair.length !== 2)
      return `[${place}]${mustBe(pair, 'an array of a name and more')}`;
    const [ofName, ofItem] = [value(pair[0]), item(pair[1])];
    if (ofName !== undefined) return `[${place}][0]${ofName}`;
    if (ofItem !== undefined) return `[${place}][1]${ofItem}`;
  }
  return undefined;
}

const anyRange = shape<SortedSetRange>(rangeTable);

/** Of a sorted set. */
export const range: Check<SortedSetRange> = (given) => {
  const complaint = anyRange(given);
  if (complaint !== undefined || !isRecord(given)) return complaint;
  const names = boundsOf(given);
  return names.length > 1 ? ` has ${names.join(' and ')}; it must have one of them` : undefined;
};

/** Of a sorted set, where all of it can't be meant. */
export const boundedRange: Check<BoundedRange> = (given) => {
  const complaint = range(given);
  if (complaint !== undefined || !isRecord(given)) return complaint;
  return boundsOf(given).length === 0 ? ' is empty; it must have rank, score or member' : undefined;
};

function boundsOf(given: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(rangeTable).filter((name) => given[name] !== undefined);
}

export const pagedListTable: Table<PagedListOptions> = { limit: amount, pageSize: amount };

const takenCount = wholeNumber(1, fixed.integerMax);
const readTable: Table<ReadOptions> = { revision: count, refreshTtl: flag };
const takeTable: Table<TakeOptions> = { limit: takenCount };

export type CollectionCallChecks = ReturnType<typeof collectionCallChecks>;

/**
 * By the names of the calls.
 * @param ttlMs which times to live the face takes.
 * @param beside what each of its calls takes besides, by a table.
 * @param besideReads ... and what its reads do.
 */
export function collectionCallChecks(ttlMs: Check<number>, beside: object, besideReads: object) {
  const createTable: Table<CreateOptions> = { ttlMs };
  const check = <Options>(call: string, table: Table<Options>): OptionsCheck =>
    optionsOf<Options>(call, { ...beside, ...table });
  const reading = <Options>(call: string, table: Table<Options>): OptionsCheck =>
    check<Options>(call, { ...besideReads, ...table });
  const plain = (call: string): OptionsCheck => check<object>(call, {});
  const insert = check<InsertOptions>('insert', { before: value, behind: value });
  return {
    'hash.set': check<HashSetOptions>('set', { ...createTable, onlyIfAbsent: flag }),
    'hash.get': reading<HashGetOptions>('get', { ...readTable, names: values }),
    'hash.scan': reading<HashScanOptions>('scan', { ...pagedListTable, revision: count, namesOnly: flag }),
    'hash.delete': plain('delete'),
    'hash.increment': check('increment', createTable),
    'hash.incrementFloat': check('incrementFloat', createTable),
    'list.push': check<PushOptions>('push', { ...createTable, end, onlyIfExists: flag }),
    'list.pop': check<PopOptions>('pop', { ...takeTable, end }),
    'list.range': reading<ListRangeOptions>('range', { ...readTable, start: index, stop: index }),
    'list.scan': reading<ListScanOptions>('scan', {
      ...pagedListTable,
      start: index,
      stop: index,
      revision: count,
    }),
    'list.set': plain('set'),
    'list.insert': (options: unknown) => insert(options) ?? wrongPivot(options as InsertOptions),
    'list.remove': check<RemoveOptions>('remove', { limit: index }),
    'list.trim': plain('trim'),
    'list.move': check<MoveOptions>('move', { from: end, to: end }),
    'set.add': check('add', createTable),
    'set.remove': plain('remove'),
    'set.contains': reading('contains', readTable),
    'set.scan': reading<SetScanOptions>('scan', { ...pagedListTable, revision: count }),
    'set.pop': check('pop', takeTable),
    'set.combine': reading<SetCombineOptions>('combine', { destination, limit: count }),
    'sortedSet.add': check<SortedSetAddOptions>('add', {
      ...createTable,
      ...scoreConditions,
      increment: flag,
    }),
    'sortedSet.increment': check<ScoreIncrementOptions>('increment', { ...createTable, ...scoreConditions }),
    'sortedSet.remove': plain('remove'),
    'sortedSet.score': reading('score', readTable),
    'sortedSet.rank': reading<RankOptions>('rank', { reverse: flag }),
    'sortedSet.range': reading<SortedSetRangeOptions>('range', {
      ...pagedListTable,
      reverse: flag,
      revision: count,
    }),
    'sortedSet.count': reading<object>('count', {}),
    'sortedSet.removeRange': plain('removeRange'),
    'sortedSet.pop': check<SortedSetPopOptions>('pop', { ...takeTable, highest: flag }),
    'sortedSet.combine': reading<SortedSetCombineOptions>('combine', {
      destination,
      weights,
      aggregate,
    }),
    'sketch.hllAdd': check('hllAdd', createTable),
    'sketch.hllCount': reading<HllCountOptions>('hllCount', { revision: count }),
    'sketch.hllMerge': plain('hllMerge'),
    'sketch.bloomCreate': check<BloomCreateOptions>('bloomCreate', { ...createTable, ...filterTable }),
    'sketch.bloomAdd': check('bloomAdd', createTable),
    'sketch.bloomContains': reading('bloomContains', readTable),
  };
}

function wrongPivot({ before, behind }: InsertOptions): string | undefined {
  return (before === undefined) === (behind === undefined)
    ? 'insert needs either before or behind'
    : undefined;
}
