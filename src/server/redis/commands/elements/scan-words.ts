/**
 * The words of SCAN, HSCAN, SSCAN and ZSCAN: `cursor [MATCH pattern] [COUNT count] [TYPE type]`. Redis reads the cursor, then looks
 * for the key, and only then at the options: so do callers.
 */
import { fixed, serverFixed } from '../../../../limits.ts';
import { compileRedisGlob, type RedisGlob } from '../../../../types/glob.ts';
import { INVALID_CURSOR, ReplyError, syntaxError } from '../../replies/errors.ts';
import type { Arguments } from '../command.ts';

export interface ScanOptions {
  /** So many elements are looked at. */
  readonly count: number;
  /** `undefined`: all match. */
  readonly glob: RedisGlob | undefined;
  /** In lower case; `undefined`: all types. */
  readonly type: string | undefined;
}

const COUNT_DEFAULT = 10;
const ASTERISK = 0x2a;
/** What C's `strtoul` takes as a whole, up to a NUL; it takes nothing for 0. */
const CURSOR = /^[+-]?0*(\d{1,20})$/;
const UINT64_MAX = 2n ** 64n - 1n;

/** @returns 0 for the beginning; what no cursor can be is a number that was never given out. */
export function readCursor(args: Arguments, index: number): number {
  const [text = ''] = args.text(index).split('\0', 1);
  if (text === '') return 0;
  const digits = CURSOR.exec(text)?.[1];
  if (digits === undefined || BigInt(digits) > UINT64_MAX) throw new ReplyError(INVALID_CURSOR);
  const cursor = Number(digits);
  return Number.isSafeInteger(cursor) && (cursor === 0 || !text.startsWith('-')) ? cursor : -1;
}

/** @param first the index of the first option. @param takesType whether there is TYPE. */
export function readScanOptions(args: Arguments, first: number, takesType = false): ScanOptions {
  let count = COUNT_DEFAULT;
  let pattern: Uint8Array | undefined;
  let type: string | undefined;
  for (let index = first; index < args.count; index += 2) {
    if (index + 1 === args.count) throw syntaxError();
    if (args.is(index, 'COUNT')) {
      count = args.integer(index + 1);
      if (count < 1) throw syntaxError();
    } else if (args.is(index, 'MATCH')) pattern = args.bytes(index + 1);
    else if (takesType && args.is(index, 'TYPE')) type = args.text(index + 1).toLowerCase();
    else throw syntaxError();
  }
  return { count: Math.min(count, serverFixed.elementsPerSlice), glob: pattern && toGlob(pattern), type };
}

/** Ready ones by their patterns, one character for each byte. */
const globs = new Map<string, RedisGlob>();

/** `undefined`: all keys and elements match. */
export function toGlob(pattern: Uint8Array): RedisGlob | undefined {
  if (pattern.length === 1 && pattern[0] === ASTERISK) return undefined;
  const isKept = pattern.length <= serverFixed.scanGlobBytesMax;
  const text = isKept ? Buffer.from(pattern).toString('latin1') : '';
  const ready = isKept ? globs.get(text) : undefined;
  if (ready !== undefined) return ready;
  const glob = compileRedisGlob(pattern, Math.max(fixed.keyBytesMax, fixed.memberBytesMax));
  if (!isKept) return glob;
  if (globs.size === serverFixed.scanGlobsMax) globs.clear();
  globs.set(text, glob);
  return glob;
}
