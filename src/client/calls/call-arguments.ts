/** Checks of what every call of the client takes as its options, or every call that reads a list. */
import { pagedListTable } from '../../arguments/collection-calls.ts';
import { instanceOf, numberThat, oneOf } from '../../arguments/check.ts';
import { count } from '../../arguments/count.ts';
import { type OptionsCheck, type Table, optionsOf } from '../../arguments/shape.ts';
import type { CallOptions, Consistency, ListOptions, ReadCallOptions } from '../messages/types.ts';

export const deadlineMs = numberThat((ms) => ms > 0, 'a number of milliseconds above 0');

export const callTable: Table<CallOptions> = { signal: instanceOf(AbortSignal), deadlineMs };

export const consistency = oneOf<Consistency>(['linearizable', 'local']);

/** What every call takes besides that reads the store. */
export const demandTable: Table<Omit<ReadCallOptions, keyof CallOptions>> = {
  consistency,
  minRevision: count,
};
export const readTable: Table<ReadCallOptions> = { ...callTable, ...demandTable };

export const listTable: Table<ListOptions> = { ...callTable, ...pagedListTable };

/** The check of a call that takes no options of its own. */
export const plainOptions = (call: string): OptionsCheck => optionsOf<CallOptions>(call, callTable);
