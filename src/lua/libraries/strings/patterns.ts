/**
 * Lua's patterns, matched as Lua 5.1 does: by trying again from where there was a choice. Each try is a step of the script's budget, so a
 * pattern that has no end of tries ends with the budget.
 *
 * Positions are those of JavaScript, from 0; a position of -1 means that there is no match.
 */
import { serverFixed } from '../../../limits.ts';
import type { LuaBudget } from '../../budget.ts';
import { libraryError } from '../arguments.ts';
import { isInClass } from './character-classes.ts';

const CAPTURES_MAX = 32;
const UNFINISHED = -1;
const POSITION = -2;
const STEPS_AT_ONCE = 256;

const ESCAPE = 0x25;
const LEFT = 0x28;
const RIGHT = 0x29;
const DOLLAR = 0x24;
const DOT = 0x2e;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const QUESTION = 0x3f;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const ONE = 0x31;
const NINE = 0x39;
const LETTER_B = 0x62;
const LETTER_F = 0x66;

/** A pattern ends at its first zero byte, as C's strings do. */
export function patternText(pattern: string): string {
  const end = pattern.indexOf('\0');
  return end < 0 ? pattern : pattern.slice(0, end);
}

/** One pattern over one subject; what is captured is that of the last `matchAt`. */
export class PatternMatcher {
  readonly #subject: string;
  readonly #pattern: string;
  readonly #budget: LuaBudget;
  /** Where each capture begins, and how long it is, or one of the two marks. */
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  #level = 0;
  #depth = 0;
  #steps = 0;

  /** @param pattern from `patternText`, its anchor taken off. */
  constructor(subject: string, pattern: string, budget: LuaBudget) {
    this.#subject = subject;
    this.#pattern = pattern;
    this.#budget = budget;
  }

  /** How many captures the last match had. */
  get captureCount(): number {
    return this.#level;
  }

  /** @returns where the match that begins at `start` ends. */
  matchAt(start: number): number {
    this.#level = 0;
    this.#depth = 0;
    return this.#match(start, 0);
  }

  /** Capture `index`, from 0, of the match from `start` to `end`; without captures the whole match is the first. */
  capture(index: number, start: number, end: number): string | number {
    if (index >= this.#level) {
      if (index !== 0) throw libraryError('invalid capture index');
      return this.#subject.slice(start, end);
    }
    const from = this.#starts[index] ?? 0;
    const length = this.#lengths[index] ?? 0;
    if (length === UNFINISHED) throw libraryError('unfinished capture');
    return length === POSITION ? from + 1 : this.#subject.slice(from, from + length);
  }

  /** All of them, or the whole match if there are none. */
  captures(start: number, end: number): (string | number)[] {
    const all: (string | number)[] = [];
    for (let index = 0; index < Math.max(this.#level, 1); index++) all.push(this.capture(index, start, end));
    return all;
  }

  /** Pays for the tries since the last full batch. */
  settle(): void {
    this.#budget.spendSteps(this.#steps);
    this.#steps = 0;
  }

  #step(): void {
    if (++this.#steps >= STEPS_AT_ONCE) this.settle();
  }

  /** Pays for walking through an item of the pattern, which is long only if it is a set. */
  #paySet(from: number, end: number): void {
    if (end - from < 8) return;
    this.#steps += (end - from) >> 3;
    if (this.#steps >= STEPS_AT_ONCE) this.settle();
  }

  /** Pays for looking at so many characters of the subject, of which 64 are compared in one step. */
  #payCompared(length: number): void {
    this.#steps += length >> 6;
    this.#step();
  }

  #match(start: number, from: number): number {
    if (++this.#depth > serverFixed.luaPatternDepthMax) throw libraryError('pattern too complex');
    const end = this.#run(start, from);
    this.#depth--;
    return end;
  }

  #run(start: number, from: number): number {
    const pattern = this.#pattern;
    const subject = this.#subject;
    let s = start;
    let p = from;
    for (;;) {
      this.#step();
      if (p === pattern.length) return s;
      const code = pattern.charCodeAt(p);
      if (code === LEFT) {
        return pattern.charCodeAt(p + 1) === RIGHT
          ? this.#openCapture(s, p + 2, POSITION)
          : this.#openCapture(s, p + 1, UNFINISHED);
      }
      if (code === RIGHT) return this.#closeCapture(s, p + 1);
      if (code === DOLLAR && p + 1 === pattern.length) return s === subject.length ? s : -1;
      if (code === ESCAPE) {
        const next = pattern.charCodeAt(p + 1);
        if (next === LETTER_B) {
          s = this.#balanced(s, p + 2);
          if (s < 0) return -1;
          p += 4;
          continue;
        }
        if (next === LETTER_F) {
          const set = p + 2;
          if (pattern.charCodeAt(set) !== OPEN) throw libraryError("missing '[' after '%f' in pattern");
          p = this.#itemEnd(set);
          this.#paySet(set, p);
          const before = s === 0 ? 0 : subject.charCodeAt(s - 1);
          const after = s === subject.length ? 0 : subject.charCodeAt(s);
          if (this.#isInSet(before, set, p - 1) || !this.#isInSet(after, set, p - 1)) return -1;
          continue;
        }
        if (next >= ZERO && next <= NINE) {
          s = this.#captured(s, next - ONE);
          if (s < 0) return -1;
          p += 2;
          continue;
        }
      }
      const end = this.#itemEnd(p);
      this.#paySet(p, end);
      const suffix = pattern.charCodeAt(end);
      if (suffix === STAR) return this.#longest(s, p, end);
      const isOne = s < subject.length && this.#isOne(subject.charCodeAt(s), p, end);
      if (suffix === QUESTION) {
        if (isOne) {
          const found = this.#match(s + 1, end + 1);
          if (found >= 0) return found;
        }
        p = end + 1;
      } else if (suffix === PLUS) {
        return isOne ? this.#longest(s + 1, p, end) : -1;
      } else if (suffix === MINUS) {
        return this.#shortest(s, p, end);
      } else {
        if (!isOne) return -1;
        s++;
        p = end;
      }
    }
  }

  /** As often as possible, then less and less. */
  #longest(start: number, p: number, end: number): number {
    const subject = this.#subject;
    let s = start;
    while (s < subject.length && this.#isOne(subject.charCodeAt(s), p, end)) {
      this.#paySet(p, end);
      this.#step();
      s++;
    }
    for (; s >= start; s--) {
      const found = this.#match(s, end + 1);
      if (found >= 0) return found;
    }
    return -1;
  }

  /** As seldom as possible, then more and more. */
  #shortest(start: number, p: number, end: number): number {
    const subject = this.#subject;
    for (let s = start; ; s++) {
      const found = this.#match(s, end + 1);
      if (found >= 0) return found;
      this.#paySet(p, end);
      if (s >= subject.length || !this.#isOne(subject.charCodeAt(s), p, end)) return -1;
    }
  }

  #openCapture(s: number, p: number, length: number): number {
    if (this.#level >= CAPTURES_MAX) throw libraryError('too many captures');
    this.#starts[this.#level] = s;
    this.#lengths[this.#level] = length;
    this.#level++;
    const found = this.#match(s, p);
    if (found < 0) this.#level--;
    return found;
  }

  #closeCapture(s: number, p: number): number {
    let index = this.#level - 1;
    while (index >= 0 && this.#lengths[index] !== UNFINISHED) index--;
    if (index < 0) throw libraryError('invalid pattern capture');
    this.#lengths[index] = s - (this.#starts[index] ?? 0);
    const found = this.#match(s, p);
    if (found < 0) this.#lengths[index] = UNFINISHED;
    return found;
  }

  /** `%1`: once more what was captured. */
  #captured(s: number, index: number): number {
    const length = this.#lengths[index];
    if (index < 0 || index >= this.#level || length === undefined || length === UNFINISHED)
      throw libraryError('invalid capture index');
    // A position has no text; C takes its mark for a length that no subject has.
    if (length === POSITION) return -1;
    this.#payCompared(length);
    const from = this.#starts[index] ?? 0;
    const subject = this.#subject;
    return subject.slice(s, s + length) === subject.slice(from, from + length) ? s + length : -1;
  }

  /** `%bxy`, `p` at the `x`. */
  #balanced(s: number, p: number): number {
    if (p + 1 >= this.#pattern.length) throw libraryError('unbalanced pattern');
    const subject = this.#subject;
    const opening = this.#pattern.charCodeAt(p);
    const closing = this.#pattern.charCodeAt(p + 1);
    if (subject.charCodeAt(s) !== opening) return -1;
    let open = 1;
    for (let at = s + 1; at < subject.length; at++) {
      this.#step();
      const code = subject.charCodeAt(at);
      if (code === closing) {
        if (--open === 0) return at + 1;
      } else if (code === opening) open++;
    }
    return -1;
  }

  /** Where the item of one character that begins at `from` ends. */
  #itemEnd(from: number): number {
    const pattern = this.#pattern;
    let p = from;
    const code = pattern.charCodeAt(p++);
    if (code === ESCAPE) {
      if (p >= pattern.length) throw libraryError("malformed pattern (ends with '%')");
      return p + 1;
    }
    if (code !== OPEN) return p;
    if (pattern.charCodeAt(p) === CARET) p++;
    // The first character of a set belongs to it, a `]` too.
    do {
      if (p >= pattern.length) throw libraryError("malformed pattern (missing ']')");
      if (pattern.charCodeAt(p++) === ESCAPE && p < pattern.length) p++;
    } while (pattern.charCodeAt(p) !== CLOSE);
    return p + 1;
  }

  #isOne(code: number, p: number, end: number): boolean {
    const first = this.#pattern.charCodeAt(p);
    if (first === DOT) return true;
    if (first === ESCAPE) return isInClass(code, this.#pattern.charCodeAt(p + 1));
    if (first === OPEN) return this.#isInSet(code, p, end - 1);
    return first === code;
  }

  /** @param open where its `[` is. @param close where its `]` is. */
  #isInSet(code: number, open: number, close: number): boolean {
    const pattern = this.#pattern;
    let p = open + 1;
    const isWanted = pattern.charCodeAt(p) !== CARET;
    if (!isWanted) p++;
    for (; p < close; p++) {
      const first = pattern.charCodeAt(p);
      if (first === ESCAPE) {
        p++;
        if (isInClass(code, pattern.charCodeAt(p))) return isWanted;
      } else if (pattern.charCodeAt(p + 1) === MINUS && p + 2 < close) {
        p += 2;
        if (first <= code && code <= pattern.charCodeAt(p)) return isWanted;
      } else if (first === code) return isWanted;
    }
    return !isWanted;
  }
}
