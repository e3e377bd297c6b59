/** The number of a database in the words of a call: SELECT, MOVE, COPY. */
import { DATABASE_COUNT } from '../../../types/databases/database-keys.ts';
import { databaseOutOfRange, integerOutOfBounds } from '../replies/errors.ts';
import type { Arguments } from './command.ts';

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/** Throws a `ReplyError` when there is no such database. */
export function databaseAt(args: Arguments, index: number): number {
  const database = args.integer(index);
  if (database < INT32_MIN || database > INT32_MAX) throw integerOutOfBounds(INT32_MIN, INT32_MAX);
  if (database < 0 || database >= DATABASE_COUNT) throw databaseOutOfRange();
  return database;
}
