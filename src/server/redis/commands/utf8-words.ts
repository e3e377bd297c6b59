/** Words of a call that are text: names of users, passwords. */
import { isUtf8 } from 'node:buffer';
import type { Arguments } from './command.ts';

/** @returns `undefined` for bytes that are no UTF-8: other such bytes would be the same text. */
export function utf8In(args: Arguments, index: number): string | undefined {
  const bytes = Buffer.from(args.bytes(index));
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** What no text in UTF-8 is: a lone surrogate. No login is accepted by it (`RedisLogins`). */
export const NOT_UTF8 = '\ud800';
