/** Checks of what calls are asked with, for the store in process and the client alike. */
import type {
  AllKeys,
  Compare,
  Condition,
  DeletedRange,
  EventType,
  KeyRange,
  Operation,
  Relation,
} from '../api.ts';
import { collectionTables, delta } from './collections.ts';
import { type Check, flag, listOf, mustBe, oneOf, required } from './check.ts';
import { count } from './count.ts';
import { isKey } from './key.ts';
import { type Table, byKind, exactlyOne, isRecord, shape } from './shape.ts';
import { value } from './value.ts';

export { delta };

const rangeTable: Table<KeyRange> = { key: isKey, prefix: isKey, start: isKey, end: isKey };
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

/** A range in which nothing stands for all keys but `{ all: true }`. */
export const explicitRange: Check<DeletedRange> = (range) =>
  anyRange(range) ?? (isRecord(range) ? emptiness(range) : undefined);

/** A range of keys that are deleted. */
export const deletedRange: Check<DeletedRange> = (range) => {
  const complaint = explicitRange(range);
  return complaint === undefined ? undefined : `${complaint}; ${howToDeleteAll}`;
};

export const howToDeleteAll = 'to delete all keys give { all: true }';

/** What stands for all keys where they are read. */
function emptiness(range: Readonly<Record<string, unknown>>): string | undefined {
  const given = anyRangeNames.filter((name) => name in range);
  for (const name of given) {
    if (range[name] === undefined) return `.${name} is undefined`;
    if (isEmptyKey(range[name])) return `.${name} is empty`;
  }
  if (given.length === 0) return ' is empty';
  return given.length > 1 && given.includes('all') ? ` has all and ${given[0]}` : undefined;
}

function isEmptyKey(given: unknown): boolean {
  return given === '' || (given instanceof Uint8Array && given.length === 0);
}

export const condition = byKind<Condition>({
  mustNotExist: {},
  mustExist: {},
  modRevisionEquals: { modRevision: required(count) },
});

const countOperand = { value: required(count) };

const compare = shape<Compare>({
  subject: required(exactlyOne<Compare['subject']>({ key: isKey, range: readRange })),
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
  const operation = byKind<Operation>({
    get: { key: required(isKey) },
    put: { key: required(isKey), value: required(value), ttlMs, leaseId: count, returnPrevious: flag },
    delete: { key: required(isKey), returnPrevious: flag },
    deleteRange: { range: required(deletedRange) },
    increment: { key: required(isKey), delta: required(delta), ttlMs },
    ...collectionTables(ttlMs),
  });
  return listOf(operation, 'operations');
}

export const eventTypes = listOf(oneOf<EventType>(['put', 'delete', 'touch']), 'types of events');

export const readRanges = listOf(readRange, 'ranges');
