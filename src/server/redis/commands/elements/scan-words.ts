/** The words of HSCAN, SSCAN and ZSCAN: `cursor [MATCH pattern] [COUNT count]`. */
import { fixed, serverFixed } from '../../../../limits.ts';
import { compileRedisGlob, type RedisGlob } from '../../../../types/glob.ts';
import { INVALID_CURSOR, ReplyError, syntaxError } from '../../replies/errors.ts';
import type { Arguments } from '../command.ts';

export interface ScanOptions {
  /** So many elements are looked at. */
  readonly count: number;
  /** `undefined`: all match. */
  readonly glob: RedisGlob | undefined;
}

const COUNT_DEFAULT = 10;
const ASTERISK = 0x2a;
/** What C's `strtoul` takes as a whole; it takes nothing for 0. */
const CURSOR = /^(?:[+-]?\d+)?$/;
const UINT64_MAX = 2n ** 64n - 1n;

/** @returns 0 for the beginning; what no cursor can be is a number that was never given out. */
export function readCursor(args: Arguments, index: number): number {
  const text = args.text(index);
  if (!CURSOR.test(text)) throw new ReplyError(INVALID_CURSOR);
  const cursor = Number(text);
  if (Number.isSafeInteger(cursor)) return Math.max(cursor, -1);
  const exact = BigInt(text.replace(/^[+-]/, ''));
  if (exact > UINT64_MAX) throw new ReplyError(INVALID_CURSOR);
  return -1;
}

/** @param first the index of the first option. */
export function readScanOptions(args: Arguments, first: number): ScanOptions {
  let count = COUNT_DEFAULT;
  let glob: RedisGlob | undefined;
  for (let index = first; index < args.count; index += 2) {
    if (index + 1 === args.count) throw syntaxError();
    if (args.is(index, 'COUNT')) {
      count = args.integer(index + 1);
      if (count < 1) throw syntaxError();
    } else if (args.is(index, 'MATCH')) {
      const pattern = args.bytes(index + 1);
      const isAll = pattern.length === 1 && pattern[0] === ASTERISK;
      glob = isAll ? undefined : compileRedisGlob(pattern, fixed.memberBytesMax);
    } else throw syntaxError();
  }
  return { count: Math.min(count, serverFixed.elementsPerSlice), glob };
}
