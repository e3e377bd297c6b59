/**
 * The tables of what the calls of the store take, for programs that have no types to check them. What is right in its
 * kind may still be refused by the call itself, such as a key that is too long.
 */
import { callback, flag, instanceOf, numberThat, text, wholeNumber } from '../arguments/check.ts';
import { compares, condition, count, eventTypes, operationsWith, readRanges } from '../arguments/requests.ts';
import { type Table, optionsOf, shape } from '../arguments/shape.ts';
import { fixed } from '../limits.ts';
import type {
  CloseOptions,
  CountOptions,
  DeleteOptions,
  DeleteRangeOptions,
  GetLeaseOptions,
  GetOptions,
  IncrementOptions,
  PageOptions,
  PutOptions,
  ScanPageOptions,
  TouchOptions,
  TxnRequest,
  WatchRequest,
} from '../api.ts';

const ttlMs = wholeNumber(1, fixed.ttlMsMax);

export const leaseTtlMs = wholeNumber(fixed.leaseTtlMsMin, fixed.ttlMsMax);

const pageTable: Table<PageOptions> = { limit: count, pageToken: text };

export const optionsByCall = {
  get: optionsOf<GetOptions>('get', { revision: count, refreshTtl: flag, admit: callback() }),
  put: optionsOf<PutOptions>('put', {
    ttlMs,
    leaseId: count,
    condition,
    returnPrevious: flag,
    admit: callback(),
  }),
  delete: optionsOf<DeleteOptions>('delete', { condition, returnPrevious: flag, admit: callback() }),
  deleteRange: optionsOf<DeleteRangeOptions>('deleteRange', { inParts: flag }),
  scan: optionsOf<ScanPageOptions>('scan', { ...pageTable, revision: count, reverse: flag, keysOnly: flag }),
  count: optionsOf<CountOptions>('count', { revision: count }),
  keys: optionsOf<PageOptions>('keys', pageTable),
  increment: optionsOf<IncrementOptions>('increment', { ttlMs }),
  touch: optionsOf<TouchOptions>('touch', { ttlMs: wholeNumber(0, fixed.ttlMsMax) }),
  watch: optionsOf<WatchRequest>('watch', {
    ranges: readRanges,
    startRevision: count,
    storeId: text,
    incarnation: text,
    includeCurrent: flag,
    eventTypes,
    keysOnly: flag,
    returnPrevious: flag,
    progressIntervalMs: numberThat(
      (ms) => ms >= fixed.progressIntervalMsMin && ms < Number.POSITIVE_INFINITY,
      `a number of milliseconds from ${fixed.progressIntervalMsMin} on`,
    ),
    signal: instanceOf(AbortSignal),
    admit: callback(),
  }),
  getLease: optionsOf<GetLeaseOptions>('getLease', { includeKeys: flag }),
  listLeases: optionsOf<PageOptions>('listLeases', pageTable),
  close: optionsOf<CloseOptions>('close', { snapshotMsMax: count }),
};

const operations = operationsWith(ttlMs);

export const txnRequest = shape<TxnRequest>({
  compares,
  success: operations,
  failure: operations,
  admit: callback(),
});
