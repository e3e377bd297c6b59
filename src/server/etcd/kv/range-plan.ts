/**
 * How a Range is read: in which direction, how many keys at most, and what is made of them, as etcd does it.
 *
 * - Filters and a sort order (not a target alone) make etcd read the whole range and cut it to `limit` afterwards.
 * - A target other than the key without an order sorts, ascending, what `limit` has left, and one key more.
 * - Keys that are alike in what is sorted by stay in the order of their keys, which etcd leaves open.
 */
import type { RangeRequestShape } from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import {
  RangeRequest_SortOrder as SortOrder,
  RangeRequest_SortTarget as SortTarget,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { KeyValueShape } from '../../../../gen/etcd/api/mvccpb/kv_codec.ts';
import type { EngineRange } from '../../../engine/engine.ts';
import { etcdError } from '../errors.ts';
import { checkKeyGiven, engineRangeOf } from './key-ranges.ts';

export type Order = (a: KeyValueShape, b: KeyValueShape) => number;

/** By revisions of etcd; 0: there is no such filter. */
export type Filters = Pick<
  RangeRequestShape,
  'minModRevision' | 'maxModRevision' | 'minCreateRevision' | 'maxCreateRevision'
>;

export interface RangePlan extends Readonly<Filters> {
  readonly range: EngineRange;
  readonly reverse: boolean;
  readonly countOnly: boolean;
  /** Values are not shown. */
  readonly keysOnly: boolean;
  /** Whether values are needed all the same. */
  readonly wantsValues: boolean;
  /** How many are returned; Infinity: all. */
  readonly limit: number;
  /** How many that pass the filters are read, in key order; Infinity: all. */
  readonly readMax: number;
  /** What is read is sorted by it; `undefined`: it stays in the order in which it is read. */
  readonly order: Order | undefined;
}

const orderByTarget: Readonly<Record<number, Order>> = {
  [SortTarget.VERSION]: (a, b) => a.version - b.version,
  [SortTarget.CREATE]: (a, b) => a.createRevision - b.createRevision,
  [SortTarget.MOD]: (a, b) => a.modRevision - b.modRevision,
  [SortTarget.VALUE]: (a, b) => Buffer.compare(a.value, b.value),
};

const sortOrders: ReadonlySet<number> = new Set(Object.values(SortOrder));
const sortTargets: ReadonlySet<number> = new Set(Object.values(SortTarget));

/** Throws `emptyKey` and `invalidSortOption`. */
export function checkRange(request: RangeRequestShape): void {
  checkKeyGiven(request);
  if (!sortOrders.has(request.sortOrder) || !sortTargets.has(request.sortTarget))
    throw etcdError('invalidSortOption');
}

/** @param request a checked one, of whose bytes nothing is kept. Throws `requestTooLarge`. */
export function planOf(request: RangeRequestShape): RangePlan {
  const { sortOrder, sortTarget, keysOnly, countOnly } = request;
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const limit = request.limit > 0 ? request.limit : Infinity;
  const isDescending = sortOrder === SortOrder.DESCEND;
  const ascending = orderByTarget[sortTarget];
  return {
    range: engineRangeOf(request),
    reverse: isDescending && ascending === undefined,
    countOnly,
    keysOnly,
    wantsValues: !keysOnly || sortTarget === SortTarget.VALUE,
    limit,
    readMax: readMaxOf(request, limit, ascending !== undefined),
    order: ascending !== undefined && isDescending ? (a, b) => ascending(b, a) : ascending,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
  };
}

/** All of a range, with values. */
export function wholeRangePlan(range: EngineRange): RangePlan {
  return { ...ALL, range };
}

function readMaxOf(request: RangeRequestShape, limit: number, isSorted: boolean): number {
  const hasFilter =
    request.minModRevision !== 0 ||
    request.maxModRevision !== 0 ||
    request.minCreateRevision !== 0 ||
    request.maxCreateRevision !== 0;
  const cutsLast = isSorted && (request.sortOrder !== SortOrder.NONE || hasFilter);
  // One more tells that there are more.
  return cutsLast ? Infinity : limit + 1;
}

export function isFilteredOut(
  plan: Filters,
  { modRevision, createRevision }: Pick<KeyValueShape, 'modRevision' | 'createRevision'>,
): boolean {
  return (
    (plan.maxModRevision !== 0 && modRevision > plan.maxModRevision) ||
    (plan.minModRevision !== 0 && modRevision < plan.minModRevision) ||
    (plan.maxCreateRevision !== 0 && createRevision > plan.maxCreateRevision) ||
    (plan.minCreateRevision !== 0 && createRevision < plan.minCreateRevision)
  );
}

const ALL: Omit<RangePlan, 'range'> = {
  reverse: false,
  countOnly: false,
  keysOnly: false,
  wantsValues: true,
  limit: Infinity,
  readMax: Infinity,
  order: undefined,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};
