/** Names that clients give themselves: CLIENT SETNAME, CLIENT SETINFO, HELLO SETNAME. */
import { serverFixed } from '../../../limits.ts';
import { clientNameTooLong, invalidClientName } from '../replies/errors.ts';
import type { Arguments } from './command.ts';

/** Printable characters of ASCII, without spaces: a line of CLIENT LIST stays one. Throws a `ReplyError` for others, and for too many. */
export function clientNameIn(args: Arguments, index: number): string {
  const { redisClientNameBytesMax } = serverFixed;
  const name = args.head(index, redisClientNameBytesMax + 1);
  if (!/^[!-~]*$/.test(name)) throw invalidClientName();
  if (name.length > redisClientNameBytesMax) throw clientNameTooLong(redisClientNameBytesMax);
  return name;
}
