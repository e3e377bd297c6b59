/**
 * Globs by the rules of Redis (`stringmatchlen`), for KEYS, SCAN, HSCAN, PSUBSCRIBE and the like. They are about bytes:
 *
 *     *        any bytes
 *     ?        one byte
 *     [abc]    one of these, [^abc] one of the others; `a-z` is a range, in either order; `\` takes the next byte literally
 *     \x       the byte x
 *
 * No pattern is wrong: a class that does not end ends with the pattern, `[]` takes no byte and `[^]` any, a `\` at the end
 * stands for itself. Bounds of a range are signed, as the char of Redis on its usual machines: `[a-\xff]` is FF and 00 to 61. What
 * is empty matches the empty pattern alone: `*` does not.
 *
 * `kv/patterns/glob.ts` has the globs of the other doors: about characters, with errors for what is not finished, and a `!` that
 * negates too. Rules differ, so there are two; what matches is one, in a time that is linear in the length of what is matched.
 */
import { StoreError } from '../errors.ts';
import { fixed } from '../limits.ts';
import { SymbolPattern, type Position } from '../matching/symbol-pattern.ts';

export interface RedisGlob {
  /** The bytes before the first special one: every match begins with them. */
  readonly literalHead: Uint8Array;
  /** Whether what lies in `bytes` from `start` to `end` matches. */
  matches(bytes: Uint8Array, start: number, end: number): boolean;
}

/**
 * Throws `invalidArgument` for a pattern of more than 16 KiB.
 * @param subjectBytesMax the most bytes of what is matched: a pattern for more of them matches nothing.
 */
export function compileRedisGlob(
  pattern: Uint8Array,
  subjectBytesMax: number = fixed.keyBytesMax,
): RedisGlob {
  if (pattern.length > fixed.globBytesMax)
    throw new StoreError('invalidArgument', `the pattern is longer than ${fixed.globBytesMax} bytes`);
  const { parts, positionCount } = parse(pattern, subjectBytesMax);
  if (positionCount > subjectBytesMax) return MATCHES_NOTHING;
  const matcher = new SymbolPattern(parts, BYTE_COUNT);
  const isEmpty = pattern.length === 0;
  return {
    literalHead: headOf(parts),
    matches: (bytes, start, end) => (start === end ? isEmpty : matcher.matches(bytes, start, end)),
  };
}

const MATCHES_NOTHING: RedisGlob = { literalHead: new Uint8Array(0), matches: () => false };

interface Parsed {
  readonly parts: readonly (readonly Position[])[];
  readonly positionCount: number;
}

/** Stops when there are too many positions. */
function parse(pattern: Uint8Array, positionsMax: number): Parsed {
  let part: Position[] = [];
  const parts = [part];
  let positionCount = 0;
  for (let at = 0; at < pattern.length && positionCount <= positionsMax; at++) {
    const byte = pattern[at] ?? 0;
    if (byte === STAR) {
      if (part.length > 0 || parts.length === 1) parts.push((part = []));
      continue;
    }
    positionCount++;
    if (byte === OPEN) {
      const { position, last } = parseClass(pattern, at + 1);
      part.push(position);
      at = last;
    } else if (byte === QUESTION) part.push(ANY);
    else {
      if (byte === BACKSLASH && at + 1 < pattern.length) at++;
      part.push(literal(pattern[at] ?? 0));
    }
  }
  return { parts, positionCount };
}

/** @returns also where the class's last byte is. */
function parseClass(pattern: Uint8Array, start: number): { position: Position; last: number } {
  const negated = pattern[start] === CARET;
  const taken = new Uint8Array(BYTE_COUNT);
  let at = negated ? start + 1 : start;
  for (; at < pattern.length; at++) {
    const byte = pattern[at] ?? 0;
    if (byte === BACKSLASH && at + 1 < pattern.length) taken[pattern[++at] ?? 0] = 1;
    else if (byte === CLOSE) break;
    else if (at + 2 < pattern.length && pattern[at + 1] === DASH) {
      takeRange(taken, byte, pattern[at + 2] ?? 0);
      at += 2;
    } else taken[byte] = 1;
  }
  return { position: { negated, ranges: rangesOf(taken) }, last: at };
}

/** The bounds in either order, as signed bytes. */
function takeRange(taken: Uint8Array, from: number, to: number): void {
  const a = toSigned(from);
  const b = toSigned(to);
  const low = Math.min(a, b);
  const high = Math.max(a, b);
  if (low < 0) taken.fill(1, low + BYTE_COUNT, Math.min(high, -1) + BYTE_COUNT + 1);
  if (high >= 0) taken.fill(1, Math.max(low, 0), high + 1);
}

function toSigned(byte: number): number {
  return byte < 0x80 ? byte : byte - BYTE_COUNT;
}

function rangesOf(taken: Uint8Array): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (let low = taken.indexOf(1); low !== -1;) {
    const end = taken.indexOf(0, low);
    ranges.push([low, end === -1 ? BYTE_COUNT - 1 : end - 1]);
    low = end === -1 ? -1 : taken.indexOf(1, end);
  }
  return ranges;
}

function literal(byte: number): Position {
  return { negated: false, ranges: [[byte, byte]] };
}

function headOf([first = []]: Parsed['parts']): Uint8Array {
  const head: number[] = [];
  for (const { negated, ranges } of first) {
    const [low, high] = ranges[0] ?? [0, 1];
    if (negated || ranges.length !== 1 || low !== high) break;
    head.push(low);
  }
  return Uint8Array.from(head);
}

const BYTE_COUNT = 256;
const ANY: Position = { negated: true, ranges: [] };

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;
