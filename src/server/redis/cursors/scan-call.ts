/**
 * What the calls of SCAN, HSCAN, SSCAN and ZSCAN have in common: a cursor, then MATCH, COUNT and, in SCAN, TYPE.
 *
 * Redis reads the cursor, then looks for the key, and only then at the options: so do callers.
 *
 *     const cursor = readCursor(args, 2);
 *     ... the key is not there: writeCursor(reply, 0), an empty array
 *     const { glob, count } = readScanOptions(args, 3);
 *     const start = cursors.find(key, cursor);
 *     ... up to `count` elements from `start` on, of which `glob` takes some; `next` is where it goes on
 *     writeCursor(reply, next === undefined ? 0 : cursors.keep(key, next));
 */
import { fixed } from '../../../limits.ts';
import { compileRedisGlob, type RedisGlob } from '../../../types/glob.ts';
import type { Arguments, Reply } from '../commands/command.ts';
import { invalidCursor, syntaxError } from '../replies/errors.ts';

export interface ScanOptions {
  /** How many are looked at; more than a page has are looked at in several calls. */
  readonly count: number;
  /** `undefined`: all match. */
  readonly glob: RedisGlob | undefined;
  /** In lower case; `undefined`: all types. */
  readonly type: string | undefined;
}

const COUNT_DEFAULT = 10;

/** What C's `strtoul` takes, up to a NUL. */
const CURSOR = /^([+-]?)0*(\d{1,20})$/;
const UINT64_MAX = 2n ** 64n - 1n;

/** A cursor above 2^53 is the nearest number; none of ours is so high. Throws `invalidCursor`. */
export function readCursor(args: Arguments, index: number): number {
  const [text = ''] = args.text(index).split('\0', 1);
  if (text === '') return 0;
  const [, sign, digits = ''] = CURSOR.exec(text) ?? [];
  if (sign === undefined) throw invalidCursor();
  const value = BigInt(digits);
  if (value > UINT64_MAX) throw invalidCursor();
  return Number(sign === '-' ? BigInt.asUintN(64, -value) : value);
}

/** @param hasTypes whether TYPE may be given. Throws `syntaxError`, `notAnInteger`. */
export function readScanOptions(args: Arguments, first: number, hasTypes = false): ScanOptions {
  let count = COUNT_DEFAULT;
  let pattern: Uint8Array | undefined;
  let type: string | undefined;
  for (let index = first; index < args.count; index += 2) {
    if (index + 1 === args.count) throw syntaxError();
    if (args.is(index, 'COUNT')) {
      count = args.integer(index + 1);
      if (count < 1) throw syntaxError();
    } else if (args.is(index, 'MATCH')) pattern = args.bytes(index + 1);
    else if (hasTypes && args.is(index, 'TYPE')) type = args.text(index + 1).toLowerCase();
    else throw syntaxError();
  }
  return { count: Math.min(count, fixed.pageLimitMax), glob: toGlob(pattern), type };
}

/** Of a pattern that all match there is none. */
export function toGlob(pattern: Uint8Array | undefined): RedisGlob | undefined {
  if (pattern === undefined || (pattern.length === 1 && pattern[0] === STAR)) return undefined;
  return compileRedisGlob(pattern);
}

const STAR = 0x2a;

export function writeCursor(reply: Reply, cursor: number): void {
  reply.text(String(cursor));
}
