/** Histories seen through one key, by values alone. */
import type { Call } from './history.ts';
import { ABSENT, type Seen } from './operation.ts';

/**
 * What a history says of one key if one does not believe in revisions: the values alone must be in order too. Reads of
 * the past mean nothing without revisions.
 */
export function projectOnKey(calls: readonly Call[], key: string): Call[] {
  return calls
    .filter(({ operation }) => operation.pastRevision === undefined)
    .map((call) => projectCall(call, key))
    .filter(
      ({ operation: { conditions, reads, writes } }) => conditions.length + reads.length + writes.length > 0,
    );
}

function projectCall(call: Call, key: string): Call {
  const { operation, outcome } = call;
  const isOfKey = (part: { readonly key: string }): boolean => part.key === key;
  const isRefused = outcome?.isMet === false;
  // A refusal means something only by values of this key; else the call is no more than a read.
  const isRead =
    isRefused &&
    !operation.conditions.every((condition) => isOfKey(condition) && isOfValue(condition.expected));
  const conditions = isRead ? [] : operation.conditions.filter(isOfKey);
  return {
    ...call,
    operation: {
      ...operation,
      conditions: conditions.map(({ expected }) => ({ key, expected: withoutRevision(expected) })),
      reads: operation.reads.filter((read) => read === key),
      writes: isRefused ? [] : operation.writes.filter(isOfKey),
    },
    outcome: outcome && {
      isMet: !isRefused || isRead,
      revision: undefined,
      seen: onlyOf(key, outcome.seen, withoutRevision),
      sums: onlyOf(key, outcome.sums, (sum) => sum),
    },
  };
}

function onlyOf<Value>(
  key: string,
  valueByKey: ReadonlyMap<string, Value>,
  change: (value: Value) => Value,
): Map<string, Value> {
  const value = valueByKey.get(key);
  return new Map(value === undefined ? [] : [[key, change(value)]]);
}

function isOfValue(expected: Seen): boolean {
  return expected === ABSENT || expected.modRevision === undefined;
}

function withoutRevision(seen: Seen): Seen {
  return seen === ABSENT ? seen : { value: seen.value, modRevision: undefined };
}
