/**
 * Requests that change collections, as the store's operations: those of calls of their own and those within a transaction. What can't
 * be taken is `invalidArgument` and names the field.
 */
import { ListEnd as ListEndNumber, type ListPushRequestShape } from '../../../../gen/kelp/v1/list_codec.ts';
import type { OperationShape } from '../../../../gen/kelp/v1/kv_codec.ts';
import { SetOperation as SetOperationNumber } from '../../../../gen/kelp/v1/set_codec.ts';
import {
  ScoreAggregate as AggregateNumber,
  type SortedSetRangeShape,
} from '../../../../gen/kelp/v1/sorted_set_codec.ts';
import type {
  CollectionArguments,
  CollectionKind,
  CollectionOperation,
  ListEnd,
  ScoreAggregate,
  SetOperation,
  SortedSetRange,
} from '../../../api-collections.ts';
import type { Key } from '../../../api.ts';
import { given } from '../../../arguments/shape.ts';
import { StoreError } from '../../../errors.ts';
import { keyOf, keysOf, timeToLiveMs, wholeNumber } from '../request-fields.ts';

/** The message of a kind, as a call of its own and as an operation have it. */
export type RequestOf<Kind extends CollectionKind> = Extract<
  OperationShape['operation'],
  { readonly case: Kind }
>['value'];

type Readers = {
  readonly [Kind in CollectionKind]: (request: RequestOf<Kind>, place: string) => CollectionArguments[Kind];
};

/** @param place what its fields are named after: empty, or ends with a dot. */
export function operationOf<Kind extends CollectionKind>(
  kind: Kind,
  request: RequestOf<Kind>,
  place: string,
): CollectionOperation<Kind> {
  const read: Readers[Kind] = readers[kind];
  return { kind, ...read(request, place) };
}

const readers: Readers = {
  hashSet: (request, place) => ({
    ...keyIn(request, place),
    fields: request.fields,
    onlyIfAbsent: request.onlyIfAbsent,
    ...ttlIn(request, place),
  }),
  hashDelete: (request, place) => ({ ...keyIn(request, place), names: request.names }),
  hashIncrement(request, place) {
    const { name, amount } = request;
    const target = { ...keyIn(request, place), name, ...ttlIn(request, place) };
    switch (amount.case) {
      case 'delta':
        return { ...target, delta: amount.value };
      case 'floatDelta':
        if (!Number.isFinite(amount.value)) {
          throw invalid(`${place}float_delta is ${amount.value}; it must be a finite number`);
        }
        return { ...target, floatDelta: amount.value };
      case undefined:
        throw invalid(`${place}amount is missing; give delta or float_delta`);
    }
  },
  listPush: (request, place) => ({
    ...keyIn(request, place),
    elements: request.elements,
    end: endIn(`${place}end`, request.end, 'tail'),
    onlyIfExists: request.onlyIfExists,
    ...ttlIn(request, place),
  }),
  listPop: (request, place) => ({
    ...keyIn(request, place),
    end: endIn(`${place}end`, request.end, 'head'),
    limit: wholeNumber(`${place}limit`, request.limit),
  }),
  listSet: (request, place) => ({
    ...keyIn(request, place),
    index: request.index,
    element: request.element,
  }),
  listInsert: (request, place) => ({
    ...keyIn(request, place),
    pivot: request.pivot,
    element: request.element,
    isBehind: request.isBehind,
  }),
  listRemove: (request, place) => ({
    ...keyIn(request, place),
    element: request.element,
    limit: request.limit,
  }),
  listTrim: (request, place) => ({
    ...keyIn(request, place),
    start: request.start,
    ...given({ stop: request.stop }),
  }),
  listMove: (request, place) => ({
    ...keyIn(request, place),
    destination: keyOf(`${place}destination`, request.destination, request.destinationBytes),
    from: endIn(`${place}from`, request.from, 'head'),
    to: endIn(`${place}to`, request.to, 'tail'),
  }),
  setAdd: (request, place) => ({
    ...keyIn(request, place),
    members: request.members,
    ...ttlIn(request, place),
  }),
  setRemove: (request, place) => ({ ...keyIn(request, place), members: request.members }),
  setPop: (request, place) => ({
    ...keyIn(request, place),
    limit: wholeNumber(`${place}limit`, request.limit),
  }),
  setCombine: (request, place) => ({
    keys: keysOf(request.keys, request.keysBytes),
    operation: setOperationIn(`${place}operation`, request.operation),
    ...destinationIn(request, place),
    limit: wholeNumber(`${place}limit`, request.limit),
  }),
  sortedSetAdd(request, place) {
    for (const [index, { score }] of request.members.entries())
      checkNumber(`${place}members[${index}].score`, score);
    const { members, onlyIfAbsent, onlyIfExists, onlyIfGreater, onlyIfLess, increment } = request;
    if (onlyIfAbsent && (onlyIfExists || onlyIfGreater || onlyIfLess)) {
      throw invalid(
        `${place}only_if_absent contradicts only_if_exists, only_if_greater and only_if_less, which are about members that exist`,
      );
    }
    if (onlyIfGreater && onlyIfLess)
      throw invalid(`${place}only_if_greater and only_if_less contradict each other`);
    const rules = { onlyIfAbsent, onlyIfExists, onlyIfGreater, onlyIfLess, increment };
    return { ...keyIn(request, place), members, ...rules, ...ttlIn(request, place) };
  },
  sortedSetRemove: (request, place) => ({ ...keyIn(request, place), members: request.members }),
  sortedSetRemoveRange(request, place) {
    const range = rangeIn(`${place}range`, request.range);
    if (range === undefined)
      throw invalid(`${place}range has no bounds; give some, or Delete the key to remove all members`);
    return { ...keyIn(request, place), range };
  },
  sortedSetPop: (request, place) => ({
    ...keyIn(request, place),
    highest: request.highest,
    limit: wholeNumber(`${place}limit`, request.limit),
  }),
  sortedSetCombine(request, place) {
    for (const [index, weight] of request.weights.entries()) checkNumber(`${place}weights[${index}]`, weight);
    return {
      keys: keysOf(request.keys, request.keysBytes),
      operation: setOperationIn(`${place}operation`, request.operation),
      weights: request.weights,
      aggregate: aggregateIn(`${place}aggregate`, request.aggregate),
      ...destinationIn(request, place),
    };
  },
  hllAdd: (request, place) => ({
    ...keyIn(request, place),
    elements: request.elements,
    ...ttlIn(request, place),
  }),
  hllMerge: (request, place) => ({
    ...keyIn(request, place),
    sources: keysOf(request.sources, request.sourcesBytes, `${place}sources`),
  }),
  bloomCreate(request, place) {
    const { errorRate, capacity, expansion, nonScaling } = request;
    if (!(errorRate >= 0 && errorRate < 1))
      throw invalid(`${place}error_rate is ${errorRate}; it must be above 0 and below 1, or 0 for 0.01`);
    if (nonScaling && expansion !== 0)
      throw invalid(`${place}expansion is of a filter that grows; non_scaling contradicts it`);
    return {
      ...keyIn(request, place),
      nonScaling,
      ...(errorRate !== 0 && { errorRate }),
      ...(capacity !== 0 && { capacity: wholeNumber(`${place}capacity`, capacity) }),
      ...(expansion !== 0 && { expansion }),
      ...ttlIn(request, place),
    };
  },
  bloomAdd: (request, place) => ({
    ...keyIn(request, place),
    elements: request.elements,
    ...ttlIn(request, place),
  }),
};

function keyIn(
  { key, keyBytes }: { readonly key: string; readonly keyBytes: Uint8Array },
  place: string,
): { readonly key: Key } {
  return { key: keyOf(`${place}key`, key, keyBytes) };
}

function ttlIn({ ttl }: Pick<ListPushRequestShape, 'ttl'>, place: string): { readonly ttlMs?: number } {
  return given({ ttlMs: timeToLiveMs(`${place}ttl`, ttl) });
}

/** Without one nothing is written. */
function destinationIn(
  request: { readonly destination: string; readonly destinationBytes: Uint8Array },
  place: string,
): { readonly destination?: Key } {
  const destination = keyOf(`${place}destination`, request.destination, request.destinationBytes);
  return destination.length === 0 ? {} : { destination };
}

function endIn(field: string, number: number, unspecified: ListEnd): ListEnd {
  switch (number) {
    case ListEndNumber.UNSPECIFIED:
      return unspecified;
    case ListEndNumber.HEAD:
      return 'head';
    case ListEndNumber.TAIL:
      return 'tail';
    default:
      throw invalid(`${field} is ${number}, which is no end of a list`);
  }
}

const operationByNumber: Readonly<Record<number, SetOperation>> = {
  [SetOperationNumber.UNION]: 'union',
  [SetOperationNumber.INTERSECTION]: 'intersection',
  [SetOperationNumber.DIFFERENCE]: 'difference',
};

function setOperationIn(field: string, number: number): SetOperation {
  const operation = operationByNumber[number];
  if (operation === undefined)
    throw invalid(`${field} is ${number}; it must be a union, an intersection or a difference`);
  return operation;
}

const aggregateByNumber: Readonly<Record<number, ScoreAggregate>> = {
  [AggregateNumber.UNSPECIFIED]: 'sum',
  [AggregateNumber.SUM]: 'sum',
  [AggregateNumber.MIN]: 'min',
  [AggregateNumber.MAX]: 'max',
};

function aggregateIn(field: string, number: number): ScoreAggregate {
  const aggregate = aggregateByNumber[number];
  if (aggregate === undefined) throw invalid(`${field} is ${number}, which is not known`);
  return aggregate;
}

/** `undefined`: all of it. */
export function rangeIn(field: string, range: SortedSetRangeShape | undefined): SortedSetRange | undefined {
  const bounds = range?.bounds;
  switch (bounds?.case) {
    case 'rank': {
      const { start, stop } = bounds.value;
      return { rank: { start, ...given({ stop }) } };
    }
    case 'score': {
      const { min, max, minExclusive, maxExclusive } = bounds.value;
      if (min !== undefined) checkNumber(`${field}.score.min`, min);
      if (max !== undefined) checkNumber(`${field}.score.max`, max);
      return { score: { minExclusive, maxExclusive, ...given({ min, max }) } };
    }
    case 'member': {
      const { min, max, minExclusive, maxExclusive } = bounds.value;
      return { member: { minExclusive, maxExclusive, ...given({ min, max }) } };
    }
    case undefined:
      return undefined;
  }
}

function checkNumber(field: string, number: number): void {
  if (Number.isNaN(number)) throw invalid(`${field} is NaN, which has no place in an order`);
}

function invalid(message: string): StoreError {
  return new StoreError('invalidArgument', message);
}
