/** What MULTI has gathered: calls with words of their own, until EXEC runs them or DISCARD forgets them. */
import type { Login } from '../../../access/login/login.ts';
import { serverFixed } from '../../../limits.ts';
import type { TableRow } from '../commands/table.ts';
import type { PlacedArguments } from '../protocol/placed-arguments.ts';
import { ReplyError } from '../replies/errors.ts';

export interface QueuedCall {
  readonly row: TableRow;
  readonly args: PlacedArguments;
  /** What came of the credentials that it shows; throws what is wrong with them. */
  login: (() => Login) | undefined;
}

export class Transaction {
  readonly calls: QueuedCall[] = [];
  bytes = 0;
  /** A command was refused before it was queued: EXEC gives up. */
  isSpoilt = false;
  /** Calls that were told to those who look on. */
  toldCount = 0;

  /** @param charge counts memory, and says whether there is room. */
  add(row: TableRow, args: PlacedArguments, charge: (bytes: number) => boolean): QueuedCall {
    const bytes = args.byteLength + BYTES_OF_CALL + BYTES_OF_WORD * args.count;
    if (
      this.calls.length >= serverFixed.redisQueuedCommandsMax ||
      this.bytes + bytes > serverFixed.redisQueuedBytesMax
    )
      throw new ReplyError(
        `ERR a transaction has at most ${serverFixed.redisQueuedCommandsMax} commands and ${serverFixed.redisQueuedBytesMax} bytes`,
      );
    if (!charge(bytes))
      throw new ReplyError('ERR the commands that wait in all transactions take too much memory');
    this.bytes += bytes;
    const kept = args.ownCopy();
    kept.keepsKeys = true;
    const call = { row, args: kept, login: undefined };
    this.calls.push(call);
    return call;
  }
}

const BYTES_OF_CALL = 300;
const BYTES_OF_WORD = 8;
