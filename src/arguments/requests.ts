/**
 * What calls on keys are asked with: the types and tables that the store in process and the client share, so that a
 * program can change from one to the other.
 */
import { fixed } from '../limits.ts';
import { type Check, flag, listOf, mustBe, numberThat, oneOf, required, text, wholeNumber } from './check.ts';
import { type Table, byKind, exactlyOne, isRecord, shape } from './shape.ts';
import { type Value, value } from './value.ts';

/**
 * Keys that lie next to each other in the order of their bytes: `key`, or all that begin with `prefix`, or from
 * `start` (inclusive) to `end` (exclusive). `{}` is all keys. An empty text counts as left out.
 */
export interface KeyRange {
  readonly key?: string;
  readonly prefix?: string;
  readonly start?: string;
  readonly end?: string;
}

/** All keys there are, where they are deleted. */
export interface AllKeys {
  readonly all: true;
}

/**
 * Keys that are to be deleted. Here nothing stands for all keys but `{ all: true }`: a range that is empty, or has a
 * member that is empty or `undefined`, is refused, since it may come of a variable that was not set.
 */
export type DeletedRange = KeyRange | AllKeys;

/** What must be true of a key for a write to go ahead. */
export type Condition =
  | { readonly kind: 'mustNotExist' }
  | { readonly kind: 'mustExist' }
  /** 0: the key must not exist. */
  | { readonly kind: 'modRevisionEquals'; readonly modRevision: number };

export type Relation = 'equal' | 'notEqual' | 'less' | 'greater';

/** A statement about one key (`{ key }`) or about every key of a range: "there RELATION operand". */
export interface Compare {
  readonly subject: { readonly key: string } | { readonly range: KeyRange };
  readonly relation: Relation;
  readonly operand:
    /** Only with `equal` and `notEqual`; for a range: whether it has any key. */
    | { readonly kind: 'exists'; readonly value: boolean }
    | { readonly kind: 'value'; readonly value: Value }
    | { readonly kind: 'version' | 'createRevision' | 'modRevision' | 'leaseId'; readonly value: number };
}

export type Operation =
  | { readonly kind: 'get'; readonly key: string }
  | {
      readonly kind: 'put';
      readonly key: string;
      readonly value: Value;
      readonly ttlMs?: number;
      readonly leaseId?: number;
      readonly returnPrevious?: boolean;
    }
  | { readonly kind: 'delete'; readonly key: string; readonly returnPrevious?: boolean }
  | { readonly kind: 'deleteRange'; readonly range: DeletedRange }
  | {
      readonly kind: 'increment';
      readonly key: string;
      readonly delta: bigint | number;
      readonly ttlMs?: number;
    };

export type EventType = 'put' | 'delete' | 'touch';

/** A revision, a lease id, a number of items; 0 where it may be left out. */
export const count = wholeNumber(0, fixed.integerMax);

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** What an increment adds: a bigint of 64 bits, or a number that is exact. */
export const delta: Check<bigint | number> = (given) => {
  const isDelta =
    typeof given === 'bigint' ? given >= INT64_MIN && given <= INT64_MAX : Number.isSafeInteger(given);
  return isDelta ? undefined : mustBe(given, 'a bigint of 64 bits or a whole number up to 2^53 - 1');
};

/** A time to live from above 0 on; the client rounds it up to whole milliseconds. */
export const roundedTtlMs = numberThat(
  (ms) => ms > 0 && ms <= fixed.ttlMsMax,
  `a number of milliseconds above 0, at most ${fixed.ttlMsMax}`,
);

const rangeTable: Table<KeyRange> = { key: text, prefix: text, start: text, end: text };
const keyRange = shape(rangeTable);

/** A range of keys that are read. */
export const readRange: Check<KeyRange> = (range) =>
  isRecord(range) && 'all' in range
    ? '.all is for deletes only; where keys are read {} is all keys'
    : keyRange(range);

const isTrue: Check<true> = (given) => (given === true ? undefined : mustBe(given, 'true'));

interface AnyRange extends KeyRange, Partial<AllKeys> {}

const anyRangeTable: Table<AnyRange> = { ...rangeTable, all: isTrue };
const anyRange = shape(anyRangeTable);
const anyRangeNames = Object.keys(anyRangeTable);

/** A range of keys that are deleted. */
export const deletedRange: Check<DeletedRange> = (range) => {
  const complaint = anyRange(range) ?? (isRecord(range) ? emptiness(range) : undefined);
  return complaint === undefined ? undefined : `${complaint}; ${howToDeleteAll}`;
};

export const howToDeleteAll = 'to delete all keys give { all: true }';

/** What stands for all keys where they are read. */
function emptiness(range: Readonly<Record<string, unknown>>): string | undefined {
  const given = anyRangeNames.filter((name) => name in range);
  const empty = given.find((name) => range[name] === undefined || range[name] === '');
  if (empty !== undefined) return `.${empty} is ${range[empty] === '' ? 'empty' : 'undefined'}`;
  if (given.length === 0) return ' is empty';
  return given.length > 1 && given.includes('all') ? ` has all and ${given[0]}` : undefined;
}

export const condition = byKind<Condition>({
  mustNotExist: {},
  mustExist: {},
  modRevisionEquals: { modRevision: required(count) },
});

const countOperand = { value: required(count) };

const compare = shape<Compare>({
  subject: required(exactlyOne<Compare['subject']>({ key: text, range: readRange })),
  relation: required(oneOf<Relation>(['equal', 'notEqual', 'less', 'greater'])),
  operand: required(
    byKind<Compare['operand']>({
      exists: { value: required(flag) },
      value: { value: required(value) },
      version: countOperand,
      createRevision: countOperand,
      modRevision: countOperand,
      leaseId: countOperand,
    }),
  ),
});

export const compares = listOf(compare, 'compares');

/** @param ttlMs which times to live the caller takes. */
export function operationsWith(ttlMs: Check<number>): Check<readonly Operation[]> {
  const key = required(text);
  const operation = byKind<Operation>({
    get: { key },
    put: { key, value: required(value), ttlMs, leaseId: count, returnPrevious: flag },
    delete: { key, returnPrevious: flag },
    deleteRange: { range: required(deletedRange) },
    increment: { key, delta: required(delta), ttlMs },
  });
  return listOf(operation, 'operations');
}

export const eventTypes = listOf(oneOf<EventType>(['put', 'delete', 'touch']), 'types of events');

export const readRanges = listOf(readRange, 'ranges');

export const keyList = listOf(text, 'keys');
