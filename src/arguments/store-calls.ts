/**
 * The tables of what the calls of the store take, for programs that have no types to check them. What is right in its
 * kind may still be refused by the call itself, such as a key that is too long.
 */
import { callTables, wholeTimes } from './calls.ts';
import { callback, flag, text } from './check.ts';
import { count } from './count.ts';
import { type Table, optionsOf, shape } from './shape.ts';
import type {
  CloseOptions,
  DeleteOptions,
  GetManyOptions,
  GetOptions,
  PageOptions,
  PutOptions,
  ScanPageOptions,
  TxnRequest,
  WatchRequest,
} from '../api.ts';

const tables = callTables(wholeTimes);
const pageTable: Table<PageOptions> = { limit: count, pageToken: text };

export const optionsByCall = {
  get: optionsOf<GetOptions>('get', { ...tables.get, admit: callback() }),
  getMany: optionsOf<GetManyOptions>('getMany', { revision: count, keysOnly: flag }),
  put: optionsOf<PutOptions>('put', { ...tables.put, admit: callback() }),
  delete: optionsOf<DeleteOptions>('delete', { ...tables.delete, admit: callback() }),
  deleteRange: optionsOf('deleteRange', tables.deleteRange),
  scan: optionsOf<ScanPageOptions>('scan', { ...pageTable, ...tables.scan }),
  count: optionsOf('count', tables.count),
  keys: optionsOf('keys', pageTable),
  increment: optionsOf('increment', tables.increment),
  touch: optionsOf('touch', tables.touch),
  watch: optionsOf<WatchRequest>('watch', { ...tables.watch, admit: callback() }),
  getLease: optionsOf('getLease', tables.getLease),
  listLeases: optionsOf('listLeases', pageTable),
  close: optionsOf<CloseOptions>('close', { snapshotMsMax: count }),
};

export const txnRequest = shape<TxnRequest>({ ...tables.txn, admit: callback() });
