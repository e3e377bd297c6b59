/**
 * Globs over keys: `*` any text, `?` one character, `[a-z]` and `[^a-z]` or `[!a-z]` classes, `\` takes the next
 * character literally. A character is a Unicode code point; of a key that is not UTF-8 it is a byte, and a byte above
 * 0x7f is in no class.
 *
 * A key is matched as the bytes that it is: a literal is where its UTF-8 is. Code points are only made of a key that has
 * others than ASCII, for a pattern with `?` or a class. The time is linear in the length of the key (see `SymbolPattern`).
 */
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { CodeIntervals } from './code-intervals.ts';
import { SymbolPattern, type Position } from '../../matching/symbol-pattern.ts';

type Step =
  | { readonly kind: 'star' }
  | { readonly kind: 'any' }
  | { readonly kind: 'literal'; readonly code: number }
  /** `ranges` are pairs of code points, both inclusive. */
  | {
      readonly kind: 'class';
      readonly negated: boolean;
      readonly ranges: readonly (readonly [number, number])[];
    };

/** A step that takes one character. */
type CharacterStep = Exclude<Step, { readonly kind: 'star' }>;

export interface Glob {
  /** The UTF-8 of the text before the first special character: every match begins with it. */
  readonly literalHead: Uint8Array;
  /** Whether the key matches that lies in `bytes` from `start` to `end`. */
  matches(bytes: Uint8Array, start: number, end: number): boolean;
}

/** Throws `invalidArgument` for a pattern that is too long or ends inside a class or after a backslash. */
export function compileGlob(pattern: string): Glob {
  if (pattern === '') throw new StoreError('invalidArgument', 'the pattern is empty; * lists all keys');
  if (Buffer.byteLength(pattern, 'utf8') > fixed.patternBytesMax) {
    throw new StoreError('invalidArgument', `the pattern is longer than ${fixed.patternBytesMax} bytes`);
  }
  if (!pattern.isWellFormed())
    throw new StoreError('invalidArgument', 'the pattern is not well-formed Unicode text');
  return new CompiledGlob(parse(Array.from(pattern, codeOf)));
}

class CompiledGlob implements Glob {
  readonly literalHead: Uint8Array;
  readonly #steps: readonly Step[];
  /** Whether it matters where the characters of a key begin and end. */
  readonly #hasCharacters: boolean;
  readonly #byBytes: SymbolPattern;
  /** Made for the first key that needs it. */
  #byCharacters: CharacterPattern | undefined;

  constructor(steps: readonly Step[]) {
    const headEnd = steps.findIndex((step) => step.kind !== 'literal');
    const head = headEnd === -1 ? steps : steps.slice(0, headEnd);
    this.literalHead = Uint8Array.from(
      head.flatMap((step) => (step.kind === 'literal' ? utf8Of(step.code) : [])),
    );
    this.#steps = steps;
    this.#hasCharacters = steps.some((step) => step.kind === 'any' || step.kind === 'class');
    this.#byBytes = new SymbolPattern(splitAtStars(steps, bytePositions), BYTE_COUNT);
  }

  matches(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#hasCharacters || isAscii(bytes, start, end)) return this.#byBytes.matches(bytes, start, end);
    this.#byCharacters ??= new CharacterPattern(this.#steps);
    return this.#byCharacters.matches(bytes, start, end) ?? this.#byBytes.matches(bytes, start, end);
  }
}

/** For keys that are UTF-8: of code points that no step tells apart it knows but the interval. */
class CharacterPattern {
  readonly #intervals: CodeIntervals;
  readonly #pattern: SymbolPattern;

  constructor(steps: readonly Step[]) {
    const ranges = steps.flatMap((step) => (step.kind === 'star' ? [] : codeRanges(step)));
    const intervals = new CodeIntervals(ranges.flatMap(([low, high]) => [low, high + 1]));
    const position = (step: CharacterStep): Position => ({
      negated: isNegated(step),
      ranges: codeRanges(step).map(([low, high]) => [intervals.of(low), intervals.of(high)]),
    });
    this.#intervals = intervals;
    this.#pattern = new SymbolPattern(
      splitAtStars(steps, (step) => [position(step)]),
      intervals.count,
    );
  }

  /** `undefined` for a key that is not UTF-8. */
  matches(bytes: Uint8Array, start: number, end: number): boolean | undefined {
    const count = this.#intervals.read(bytes, start, end);
    return count === -1 ? undefined : this.#pattern.matches(CodeIntervals.symbols, 0, count);
  }
}

function splitAtStars(
  steps: readonly Step[],
  positionsOf: (step: CharacterStep) => readonly Position[],
): Position[][] {
  let part: Position[] = [];
  const parts = [part];
  for (const step of steps) {
    if (step.kind === 'star') parts.push((part = []));
    else part.push(...positionsOf(step));
  }
  return parts;
}

function bytePositions(step: CharacterStep): readonly Position[] {
  if (step.kind === 'literal')
    return utf8Of(step.code).map((byte) => ({ negated: false, ranges: [[byte, byte]] }));
  const ranges = codeRanges(step)
    .filter(([low]) => low <= ASCII_MAX)
    .map(([low, high]) => [low, Math.min(high, ASCII_MAX)] as const);
  return [{ negated: isNegated(step), ranges }];
}

function codeRanges(step: CharacterStep): readonly (readonly [number, number])[] {
  switch (step.kind) {
    case 'any':
      return [];
    case 'literal':
      return [[step.code, step.code]];
    case 'class':
      return step.ranges;
  }
}

/** Whether a step takes the characters that are not in its ranges. */
function isNegated(step: CharacterStep): boolean {
  return step.kind === 'any' || (step.kind === 'class' && step.negated);
}

function parse(codes: readonly number[]): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at];
    if (code === STAR) {
      if (steps.at(-1)?.kind !== 'star') steps.push({ kind: 'star' });
    } else if (code === QUESTION) {
      steps.push({ kind: 'any' });
    } else if (code === OPEN) {
      const { step, next } = parseClass(codes, at + 1);
      steps.push(step);
      at = next - 1;
    } else {
      if (code === BACKSLASH) at++;
      steps.push({ kind: 'literal', code: codeAt(codes, at, 'after a backslash') });
    }
  }
  return steps;
}

/** Parses from after the `[`; a `]` that comes first stands for itself. */
function parseClass(codes: readonly number[], from: number): { step: Step; next: number } {
  let at = from;
  const negated = codes[at] === CARET || codes[at] === BANG;
  if (negated) at++;
  const ranges: [number, number][] = [];
  const first = at;
  while (at === first || codes[at] !== CLOSE) {
    if (codes[at] === BACKSLASH) at++;
    const low = codeAt(codes, at++, 'inside a class');
    let high = low;
    if (codes[at] === DASH && at + 1 < codes.length && codes[at + 1] !== CLOSE) {
      at++;
      if (codes[at] === BACKSLASH) at++;
      high = codeAt(codes, at++, 'inside a class');
    }
    ranges.push([Math.min(low, high), Math.max(low, high)]);
  }
  return { step: { kind: 'class', negated, ranges }, next: at + 1 };
}

function codeAt(codes: readonly number[], at: number, where: string): number {
  const code = codes[at];
  if (code === undefined) throw new StoreError('invalidArgument', `the pattern ends ${where}`);
  return code;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) > ASCII_MAX) return false;
  return true;
}

function utf8Of(code: number): number[] {
  return [...Buffer.from(String.fromCodePoint(code), 'utf8')];
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

const BYTE_COUNT = 256;
const ASCII_MAX = 0x7f;

const STAR = codeOf('*');
const QUESTION = codeOf('?');
const OPEN = codeOf('[');
const CLOSE = codeOf(']');
const CARET = codeOf('^');
const BANG = codeOf('!');
const DASH = codeOf('-');
const BACKSLASH = codeOf('\\');
