/**
 * Compares of a transaction, as etcd makes them: for each key of a range, and of a range without keys with all fields at 0, but for
 * a value, which nothing that is not there has.
 */
import type { CompareShape } from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import {
  Compare_CompareResult as CompareResult,
  Compare_CompareTarget as CompareTarget,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { Version } from '../../../engine/version.ts';
import { budgetSpent } from '../../../store/views/draft.ts';
import { encodeKey } from '../../../store/views/keys.ts';
import type { View } from '../../../store/views/view.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { toEtcd } from '../revisions.ts';
import { engineRangeOf, isOneKey, isPossibleKey } from './key-ranges.ts';
import { plainValueOf } from './key-values.ts';

export function holds(view: View, compare: CompareShape): boolean {
  const needsValue = compare.target === CompareTarget.VALUE;
  if (isOneKey(compare)) {
    const key = isPossibleKey(compare.key) ? encodeKey(compare.key) : undefined;
    const version = key && (needsValue ? view.read(key) : view.readMeta(key));
    return version === undefined ? holdsForNothing(compare) : holdsFor(compare, version);
  }
  let isEmpty = true;
  let doesHold = true;
  const next = view.scan(engineRangeOf(compare), false, (shown) => {
    isEmpty = false;
    if (needsValue) view.budget.spendBytes(shown.valueEnd - shown.valueStart);
    doesHold = holdsFor(compare, shown);
    return doesHold && !view.budget.isSpent;
  });
  if (doesHold && next !== undefined) throw budgetSpent(view.budget);
  return isEmpty ? holdsForNothing(compare) : doesHold;
}

function holdsForNothing(compare: CompareShape): boolean {
  return compare.target !== CompareTarget.VALUE && isSo(compare, compareNumbers(0, numberIn(compare)));
}

function holdsFor(compare: CompareShape, version: Version): boolean {
  switch (compare.target) {
    case CompareTarget.VERSION:
      return isSo(compare, compareNumbers(version.version, numberIn(compare)));
    case CompareTarget.CREATE:
      return isSo(compare, compareNumbers(toEtcd(version.createRevision), numberIn(compare)));
    case CompareTarget.MOD:
      return isSo(compare, compareNumbers(toEtcd(version.modRevision), numberIn(compare)));
    case CompareTarget.VALUE:
      return isSo(compare, Buffer.compare(plainValueOf(version), valueIn(compare)));
    case CompareTarget.LEASE:
      return isSo(compare, compareNumbers(version.leaseId, numberIn(compare)));
    default:
      return isSo(compare, 0);
  }
}

/** What is compared with; 0 where another field is given than the target's. */
function numberIn({ target, targetUnion }: CompareShape): number | bigint {
  switch (target) {
    case CompareTarget.VERSION:
      return targetUnion.case === 'version' ? targetUnion.value : 0;
    case CompareTarget.CREATE:
      return targetUnion.case === 'createRevision' ? targetUnion.value : 0;
    case CompareTarget.MOD:
      return targetUnion.case === 'modRevision' ? targetUnion.value : 0;
    case CompareTarget.LEASE:
      return targetUnion.case === 'lease' ? targetUnion.value : 0;
    default:
      return 0;
  }
}

function valueIn({ targetUnion }: CompareShape): Uint8Array {
  return targetUnion.case === 'value' ? targetUnion.value : NO_BYTES;
}

/** A number and a bigint compare by what they are. */
function compareNumbers(a: number, b: number | bigint): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/** @param order negative, zero or positive, as for a sort. */
function isSo({ result }: CompareShape, order: number): boolean {
  switch (result) {
    case CompareResult.EQUAL:
      return order === 0;
    case CompareResult.NOT_EQUAL:
      return order !== 0;
    case CompareResult.GREATER:
      return order > 0;
    case CompareResult.LESS:
      return order < 0;
    default:
      return true;
  }
}
