/** SWAPDB: two databases change places. */
import type { View } from '../../../../../store/views/view.ts';
import { DATABASE_COUNT } from '../../../../../types/databases/database-keys.ts';
import { swapDatabases } from '../../../../../types/databases/swapping.ts';
import { databaseOutOfRange, ReplyError } from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall } from '../../command.ts';

const INT32_MIN = -(2n ** 31n);
const INT32_MAX = 2n ** 31n - 1n;

/** @param which as its error names it. */
function numberAt(args: Arguments, index: number, which: 'first' | 'second'): number {
  try {
    const number = args.int64(index);
    if (number >= INT32_MIN && number <= INT32_MAX) return Number(number);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
  }
  throw new ReplyError(`ERR invalid ${which} DB index`);
}

function swapdb(view: View, { args, reply }: CommandCall): void {
  const first = numberAt(args, 1, 'first');
  const second = numberAt(args, 2, 'second');
  if (Math.min(first, second) < 0 || Math.max(first, second) >= DATABASE_COUNT) throw databaseOutOfRange();
  swapDatabases(view, first, second);
  reply.ok();
}

export const swapCommands: readonly Command[] = [
  {
    name: 'swapdb',
    arity: 3,
    flags: ['write', 'fast'],
    needsAllKeys: () => true,
    categories: ['keyspace', 'write', 'fast', 'dangerous'],
    group: 'server',
    summary: 'Lets two databases change places, in one transaction',
    since: '4.0.0',
    complexity: 'O(n log n) in the keys of both; a collection is one',
    syntax: 'index1 index2',
    write: swapdb,
  },
];
