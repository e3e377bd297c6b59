/** Checks of what the calls on data types take, for programs that have no types to check them; see `client/arguments.ts`. */
import { roundedTimes } from '../../arguments/calls.ts';
import { type Check, flag, listOf, mustBe, numberThat, oneOf, wholeNumber } from '../../arguments/check.ts';
import { isKey } from '../../arguments/key.ts';
import { count } from '../../arguments/requests.ts';
import { type Table, isRecord, optionsOf, shape } from '../../arguments/shape.ts';
import { value } from '../../arguments/value.ts';
import { fixed } from '../../limits.ts';
import { callTable, listTable, plainOptions } from '../calls/call-arguments.ts';
import type * as types from '../messages/collections/types.ts';

export const values = listOf(value, 'texts or bytes');

/** Counts from the end where it is negative. */
export const index = wholeNumber(-fixed.integerMax, fixed.integerMax);

export const indexRange = shape<types.IndexRange>({ start: index, stop: index });

const score = numberThat((number) => !Number.isNaN(number), 'a number that is not NaN');
export const finite = numberThat(Number.isFinite, 'a finite number');

export const fields = byName<types.Fields>(value, 'values');
export const scores = byName<types.Scores>(score, 'scores');

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

const rangeTable: Table<types.SortedSetRange> = {
  rank: indexRange,
  score: shape<types.ScoreBounds>({ min: score, max: score, minExclusive: flag, maxExclusive: flag }),
  member: shape<types.MemberBounds>({ min: value, max: value, minExclusive: flag, maxExclusive: flag }),
};
const anyRange = shape(rangeTable);

/** Of a sorted set. */
export const range: Check<types.SortedSetRange> = (given) => {
  const complaint = anyRange(given);
  if (complaint !== undefined || !isRecord(given)) return complaint;
  const names = boundsOf(given);
  return names.length > 1 ? ` has ${names.join(' and ')}; it must have one of them` : undefined;
};

/** Of a sorted set, where all of it can't be meant. */
export const boundedRange: Check<types.BoundedRange> = (given) => {
  const complaint = range(given);
  if (complaint !== undefined || !isRecord(given)) return complaint;
  return boundsOf(given).length === 0 ? ' is empty; it must have rank, score or member' : undefined;
};

function boundsOf(given: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(rangeTable).filter((name) => given[name] !== undefined);
}

export const operation = oneOf<types.SetOperation>(['union', 'intersection', 'difference']);
const end = oneOf<types.ListEnd>(['head', 'tail']);
const takenCount = wholeNumber(1, fixed.integerMax);

const createTable: Table<types.CreateOptions> = { ...callTable, ttlMs: roundedTimes.ttlMs };
const readTable: Table<types.ReadOptions> = { ...callTable, revision: count, refreshTtl: flag };
const takeTable: Table<types.TakeOptions> = { ...callTable, limit: takenCount };
const conditionTable: Table<types.ScoreConditions> = {
  onlyIfAbsent: flag,
  onlyIfExists: flag,
  onlyIfGreater: flag,
  onlyIfLess: flag,
};

export const insertOptions = ((): ((given: unknown) => string | undefined) => {
  const check = optionsOf<types.InsertOptions>('insert', { ...callTable, before: value, behind: value });
  return (given) => {
    const complaint = check(given);
    if (complaint !== undefined) return complaint;
    const { before, behind } = given as types.InsertOptions;
    return (before === undefined) === (behind === undefined)
      ? 'insert needs either before or behind'
      : undefined;
  };
})();

const errorRate = numberThat((rate) => rate > 0 && rate < 1, 'a number above 0 and below 1');

/** By the names of the calls. */
export const optionsByCall = {
  'hash.set': optionsOf<types.HashSetOptions>('set', { ...createTable, onlyIfAbsent: flag }),
  'hash.get': optionsOf<types.HashGetOptions>('get', { ...readTable, names: values }),
  'hash.scan': optionsOf<types.HashScanOptions>('scan', { ...listTable, revision: count, namesOnly: flag }),
  'hash.delete': plainOptions('delete'),
  'hash.increment': optionsOf<types.CreateOptions>('increment', createTable),
  'hash.incrementFloat': optionsOf<types.CreateOptions>('incrementFloat', createTable),
  'list.push': optionsOf<types.PushOptions>('push', { ...createTable, end, onlyIfExists: flag }),
  'list.pop': optionsOf<types.PopOptions>('pop', { ...takeTable, end }),
  'list.range': optionsOf<types.ListRangeOptions>('range', { ...readTable, start: index, stop: index }),
  'list.scan': optionsOf<types.ListScanOptions>('scan', {
    ...listTable,
    start: index,
    stop: index,
    revision: count,
  }),
  'list.set': plainOptions('set'),
  'list.insert': insertOptions,
  'list.remove': optionsOf<types.RemoveOptions>('remove', { ...callTable, limit: index }),
  'list.trim': plainOptions('trim'),
  'list.move': optionsOf<types.MoveOptions>('move', { ...callTable, from: end, to: end }),
  'set.add': optionsOf<types.CreateOptions>('add', createTable),
  'set.remove': plainOptions('remove'),
  'set.contains': optionsOf<types.ReadOptions>('contains', readTable),
  'set.scan': optionsOf<types.SetScanOptions>('scan', { ...listTable, revision: count }),
  'set.pop': optionsOf<types.TakeOptions>('pop', takeTable),
  'set.combine': optionsOf<types.SetCombineOptions>('combine', {
    ...callTable,
    destination: isKey,
    limit: count,
  }),
  'sortedSet.add': optionsOf<types.SortedSetAddOptions>('add', {
    ...createTable,
    ...conditionTable,
    increment: flag,
  }),
  'sortedSet.increment': optionsOf<types.ScoreIncrementOptions>('increment', {
    ...createTable,
    ...conditionTable,
  }),
  'sortedSet.remove': plainOptions('remove'),
  'sortedSet.score': optionsOf<types.ReadOptions>('score', readTable),
  'sortedSet.rank': optionsOf<types.RankOptions>('rank', { ...callTable, reverse: flag }),
  'sortedSet.range': optionsOf<types.SortedSetRangeOptions>('range', {
    ...listTable,
    reverse: flag,
    revision: count,
  }),
  'sortedSet.count': plainOptions('count'),
  'sortedSet.removeRange': plainOptions('removeRange'),
  'sortedSet.pop': optionsOf<types.SortedSetPopOptions>('pop', { ...takeTable, highest: flag }),
  'sortedSet.combine': optionsOf<types.SortedSetCombineOptions>('combine', {
    ...callTable,
    destination: isKey,
    weights: listOf(score, 'numbers'),
    aggregate: oneOf<types.ScoreAggregate>(['sum', 'min', 'max']),
  }),
  'sketch.hllAdd': optionsOf<types.CreateOptions>('hllAdd', createTable),
  'sketch.hllCount': optionsOf<types.HllCountOptions>('hllCount', { ...callTable, revision: count }),
  'sketch.hllMerge': plainOptions('hllMerge'),
  'sketch.bloomCreate': optionsOf<types.BloomCreateOptions>('bloomCreate', {
    ...createTable,
    errorRate,
    capacity: takenCount,
    expansion: wholeNumber(1, 2 ** 32 - 1),
    nonScaling: flag,
  }),
  'sketch.bloomAdd': optionsOf<types.CreateOptions>('bloomAdd', createTable),
  'sketch.bloomContains': optionsOf<types.ReadOptions>('bloomContains', readTable),
};
