/**
 * Globs over keys: `*` any text, `?` one character, `[a-z]` and `[^a-z]` or `[!a-z]` classes, `\` takes the next
 * character literally. A character is a Unicode code point.
 *
 * Matching remembers only the last `*`: when the rest does not fit, that star takes one character more. Whatever an
 * earlier star could do differently, the last one can make up for, so nothing else is tried and the time is at most
 * the product of the two lengths (the pattern's is bounded by `fixed.patternBytesMax`).
 */
import { StoreError } from '../errors.ts';
import { fixed } from '../limits.ts';

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

export interface Glob {
  /** The text before the first special character: every match begins with it. */
  readonly literalHead: string;
  matches(text: string): boolean;
}

/** Throws `invalidArgument` for a pattern that is too long or ends inside a class or after a backslash. */
export function compileGlob(pattern: string): Glob {
  if (pattern === '') throw new StoreError('invalidArgument', 'the pattern is empty; * lists all keys');
  if (Buffer.byteLength(pattern, 'utf8') > fixed.patternBytesMax) {
    throw new StoreError('invalidArgument', `the pattern is longer than ${fixed.patternBytesMax} bytes`);
  }
  if (!pattern.isWellFormed())
    throw new StoreError('invalidArgument', 'the pattern is not well-formed Unicode text');
  const steps = parse(Array.from(pattern, codeOf));
  const headEnd = steps.findIndex((step) => step.kind !== 'literal');
  const head = headEnd === -1 ? steps : steps.slice(0, headEnd);
  return {
    literalHead: head
      .map((step) => (step.kind === 'literal' ? String.fromCodePoint(step.code) : ''))
      .join(''),
    matches: (text) => matches(steps, text),
  };
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

function matches(steps: readonly Step[], text: string): boolean {
  let stepAt = 0;
  let textAt = 0;
  let starStep = -1;
  let starText = 0;
  while (textAt < text.length) {
    const step = steps[stepAt];
    const code = text.codePointAt(textAt) ?? 0;
    if (step?.kind === 'star') {
      starStep = stepAt++;
      starText = textAt;
    } else if (step !== undefined && fits(step, code)) {
      stepAt++;
      textAt += widthOf(code);
    } else if (starStep !== -1) {
      starText += widthOf(text.codePointAt(starText) ?? 0);
      textAt = starText;
      stepAt = starStep + 1;
    } else {
      return false;
    }
  }
  return steps.slice(stepAt).every((step) => step.kind === 'star');
}

function fits(step: Step, code: number): boolean {
  switch (step.kind) {
    case 'star':
      return false;
    case 'any':
      return true;
    case 'literal':
      return step.code === code;
    case 'class':
      return step.ranges.some(([low, high]) => low <= code && code <= high) !== step.negated;
  }
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/** How many UTF-16 units a code point takes in a string. */
function widthOf(code: number): number {
  return code > 0xffff ? 2 : 1;
}

const STAR = codeOf('*');
const QUESTION = codeOf('?');
const OPEN = codeOf('[');
const CLOSE = codeOf(']');
const CARET = codeOf('^');
const BANG = codeOf('!');
const DASH = codeOf('-');
const BACKSLASH = codeOf('\\');
