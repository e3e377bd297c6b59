/** Checks of what every call of the client takes as its options, or every call that reads a list. */
import { pagedListTable } from '../../arguments/collection-calls.ts';
import { instanceOf, numberThat } from '../../arguments/check.ts';
import { type OptionsCheck, type Table, optionsOf } from '../../arguments/shape.ts';
import type { CallOptions, ListOptions } from '../messages/types.ts';

export const deadlineMs = numberThat((ms) => ms > 0, 'a number of milliseconds above 0');

export const callTable: Table<CallOptions> = { signal: instanceOf(AbortSignal), deadlineMs };
export const listTable: Table<ListOptions> = { ...callTable, ...pagedListTable };

/** The check of a call that takes no options of its own. */
export const plainOptions = (call: string): OptionsCheck => optionsOf<CallOptions>(call, callTable);
