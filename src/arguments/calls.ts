/**
 * The tables of the options that the calls of the store in process and of the client have in common. Each face adds its
 * own: what is about to be handed out can be looked at in one process only, signals and deadlines are for calls over a
 * network.
 */
import type * as api from '../api.ts';
import { fixed } from '../limits.ts';
import { type Check, flag, instanceOf, numberThat, text, wholeNumber } from './check.ts';
import { count } from './count.ts';
import { compares, condition, eventTypes, operationsWith, readRanges } from './requests.ts';
import type { Table } from './shape.ts';

/** The times to live that a face takes. */
export interface TimeChecks {
  readonly ttlMs: Check<number>;
  /** Of a touch, where 0 is for ever. */
  readonly ttlMsOrZero: Check<number>;
  readonly leaseTtlMs: Check<number>;
}

function wholeMs(min: number): Check<number> {
  return wholeNumber(min, fixed.ttlMsMax);
}

/** Those of the store in process: whole milliseconds. */
export const wholeTimes: TimeChecks = {
  ttlMs: wholeMs(1),
  ttlMsOrZero: wholeMs(0),
  leaseTtlMs: wholeMs(fixed.leaseTtlMsMin),
};

/** Those of the client, which rounds them up to whole milliseconds, as the protocol has it. */
export const roundedTimes: TimeChecks = {
  ttlMs: numberThat(
    (ms) => ms > 0 && ms <= fixed.ttlMsMax,
    `a number of milliseconds above 0, at most ${fixed.ttlMsMax}`,
  ),
  ttlMsOrZero: msFrom(0),
  leaseTtlMs: msFrom(fixed.leaseTtlMsMin),
};

function msFrom(min: number): Check<number> {
  return numberThat(
    (ms) => ms >= min && ms <= fixed.ttlMsMax,
    `a number of milliseconds from ${min} to ${fixed.ttlMsMax}`,
  );
}

interface CallTables {
  readonly get: Table<Omit<api.GetOptions, 'admit'>>;
  readonly put: Table<Omit<api.PutOptions, 'admit'>>;
  readonly delete: Table<Omit<api.DeleteOptions, 'admit'>>;
  readonly deleteRange: Table<api.DeleteRangeOptions>;
  readonly scan: Table<Omit<api.ScanPageOptions, keyof api.PageOptions>>;
  readonly count: Table<api.CountOptions>;
  readonly increment: Table<api.IncrementOptions>;
  readonly touch: Table<api.TouchOptions>;
  readonly txn: Table<Omit<api.TxnRequest, 'admit'>>;
  readonly watch: Table<Omit<api.WatchRequest, 'admit'>>;
  readonly getLease: Table<api.GetLeaseOptions>;
}

export function callTables({ ttlMs, ttlMsOrZero }: TimeChecks): CallTables {
  const operations = operationsWith(ttlMs);
  return {
    get: { revision: count, refreshTtl: flag },
    put: { ttlMs, leaseId: count, condition, returnPrevious: flag },
    delete: { condition, returnPrevious: flag },
    deleteRange: { inParts: flag, signal: instanceOf(AbortSignal) },
    scan: { revision: count, reverse: flag, keysOnly: flag },
    count: { revision: count },
    increment: { ttlMs },
    touch: { ttlMs: ttlMsOrZero },
    txn: { compares, success: operations, failure: operations },
    watch: {
      ranges: readRanges,
      startRevision: count,
      storeId: text,
      incarnation: text,
      includeCurrent: flag,
      eventTypes,
      keysOnly: flag,
      returnPrevious: flag,
      includeElements: flag,
      progressIntervalMs: msFrom(fixed.progressIntervalMsMin),
      signal: instanceOf(AbortSignal),
    },
    getLease: { includeKeys: flag },
  };
}

/** A call that takes no options was given some, or whatever else: it would not do what they ask for. */
export function nothingMore(call: string, surplus: readonly unknown[]): string | undefined {
  // A wrapper may hand on options that it was not given.
  if (surplus.every((given) => given === undefined)) return undefined;
  return `${call} takes no options and no further argument`;
}
