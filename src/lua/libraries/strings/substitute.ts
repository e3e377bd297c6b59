/** `string.gsub`. */
import type { LuaMachine } from '../../machine.ts';
import type { LuaBudget } from '../../budget.ts';
import { isTrue, textOf, typeName } from '../../conversions.ts';
import { first, LuaTable, type LuaValue } from '../../value.ts';
import { type Arguments, argumentError, libraryError, optionalInt, stringArgument } from '../arguments.ts';
import { PIECE_BYTES } from '../piece-bytes.ts';
import { PatternMatcher, patternText } from './patterns.ts';

const NAME = 'gsub';

/** The text that stands for one match; what it takes is paid for. */
type Replace = (matcher: PatternMatcher, start: number, end: number) => string;

/** @returns the new text and how many matches were replaced. */
export function substitute(machine: LuaMachine, args: Arguments): [string, number] {
  const { budget } = machine;
  const subject = stringArgument(args, 1, NAME);
  const pattern = stringArgument(args, 2, NAME);
  budget.spendLook(pattern.length);
  const given = patternText(pattern);
  const countMax = optionalInt(budget, args, 4, NAME, subject.length + 1);
  const isAnchored = given.startsWith('^');
  const replace = replacement(machine, subject, args[2]);
  const matcher = new PatternMatcher(subject, isAnchored ? given.slice(1) : given, budget);
  let result = '';
  let at = 0;
  /** What lies before it in the subject is in the result. */
  let copied = 0;
  let count = 0;
  while (count < countMax) {
    const end = matcher.matchAt(at);
    if (end >= 0) {
      count++;
      matcher.settle();
      budget.spendBytes(2 * PIECE_BYTES);
      result += subject.slice(copied, at);
      result += replace(matcher, at, end);
    }
    if (end >= 0) copied = end;
    if (end > at) at = end;
    else if (at < subject.length) at++;
    else break;
    if (isAnchored) break;
  }
  matcher.settle();
  budget.spendBytes(subject.length);
  return [result + subject.slice(copied), count];
}

function replacement(machine: LuaMachine, subject: string, by: LuaValue): Replace {
  const { budget } = machine;

  function captured(matcher: PatternMatcher, piece: number, start: number, end: number): string {
    return piece === WHOLE ? subject.slice(start, end) : String(matcher.capture(piece, start, end));
  }

  /** What a function or table gave; nil and false leave the match as it is. */
  function replaced(value: LuaValue, start: number, end: number): string {
    const text = isTrue(value) ? textOf(value) : subject.slice(start, end);
    if (text === undefined) throw libraryError(`invalid replacement value (a ${typeName(value)})`);
    budget.spendBytes(text.length);
    return text;
  }

  const template = textOf(by);
  if (template !== undefined) {
    const pieces = replacementPieces(template, budget);
    return (matcher, start, end) => {
      budget.spendSteps(pieces.length);
      let text = '';
      for (const piece of pieces) {
        const added = typeof piece === 'string' ? piece : captured(matcher, piece, start, end);
        budget.spendBytes(PIECE_BYTES + added.length);
        text += added;
      }
      return text;
    };
  }
  if (typeof by === 'function') {
    return (matcher, start, end) =>
      replaced(first(machine.call(by, ...matcher.captures(start, end))), start, end);
  }
  if (by instanceof LuaTable) {
    return (matcher, start, end) =>
      replaced(machine.operations.index(by, matcher.capture(0, start, end), undefined), start, end);
  }
  throw argumentError(3, NAME, 'string/function/table expected');
}

const WHOLE = -1;

/** Text, and captures by their index from 0, `WHOLE` for all of the match: `%0` and `%1` to `%9`; any other `%x` is the `x`. */
function replacementPieces(text: string, budget: LuaBudget): (string | number)[] {
  budget.spendLook(text.length);
  if (!text.includes('%')) return [text];
  budget.spendSteps(text.length >> 2);
  budget.spendBytes(PIECE_BYTES * text.length);
  const pieces: (string | number)[] = [];
  let plain = '';
  for (let at = 0; at < text.length; at++) {
    if (text.charAt(at) !== '%') {
      plain += text.charAt(at);
      continue;
    }
    at++;
    // C reads the zero byte behind a last `%`.
    const next = at < text.length ? text.charAt(at) : '\0';
    if (next >= '0' && next <= '9') {
      if (plain !== '') pieces.push(plain);
      plain = '';
      pieces.push(next === '0' ? WHOLE : Number(next) - 1);
    } else plain += next;
  }
  if (plain !== '') pieces.push(plain);
  return pieces;
}
