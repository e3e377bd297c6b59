/** The library `string`. Strings have one character for each byte. */
import type { LuaBudget } from '../budget.ts';
import type { LuaMachine } from '../machine.ts';
import { isTrue } from '../conversions.ts';
import { type LuaFunction, type LuaTable, type LuaValue, NONE } from '../value.ts';
import {
  type Arguments,
  argumentError,
  functionArgument,
  intArgument,
  integerArgument,
  libraryError,
  optionalInteger,
  stringArgument,
} from './arguments.ts';
import { libraryTable } from './library-table.ts';
import { STACK_MAX } from './stack.ts';
import { format } from './strings/format.ts';
import { PatternMatcher, patternText } from './strings/patterns.ts';
import { substitute } from './strings/substitute.ts';

/** Without one of these a pattern is plain text. */
const SPECIAL = /[\^$*+?.([%-]/;

/** What a function that gives matches takes. */
const MATCHES_BYTES = 400;

export function openString(machine: LuaMachine): LuaTable {
  const { budget } = machine;

  /** Pays for a new string. */
  function made(text: string): string {
    budget.spendBytes(text.length);
    return text;
  }

  function find(args: Arguments, name: 'find' | 'match'): LuaValue | LuaValue[] {
    const subject = stringArgument(args, 1, name);
    const given = stringArgument(args, 2, name);
    budget.spendLook(given.length);
    const from = position(optionalInteger(budget, args, 3, name, 1), subject.length);
    const start = Math.min(Math.max(from - 1, 0), subject.length);
    const pattern = patternText(given);
    const isPlain = name === 'find' && (isTrue(args[3]) || !SPECIAL.test(pattern));
    if (isPlain) {
      const at = plainIndex(subject, given, start, budget);
      return at < 0 ? undefined : [at + 1, at + given.length];
    }
    const isAnchored = pattern.startsWith('^');
    const matcher = new PatternMatcher(subject, isAnchored ? pattern.slice(1) : pattern, budget);
    for (let at = start; at <= subject.length; at++) {
      const end = matcher.matchAt(at);
      if (end >= 0) {
        matcher.settle();
        if (name === 'match') return matcher.captures(at, end);
        const captures = matcher.captureCount === 0 ? [] : matcher.captures(at, end);
        return [at + 1, end, ...captures];
      }
      if (isAnchored) break;
    }
    matcher.settle();
    return undefined;
  }

  /** A function that gives the captures of one match after the other. */
  function matches(args: Arguments, name: string): LuaFunction {
    const subject = stringArgument(args, 1, name);
    const given = stringArgument(args, 2, name);
    budget.spendLook(given.length);
    const pattern = patternText(given);
    budget.spendBytes(MATCHES_BYTES);
    const matcher = new PatternMatcher(subject, pattern, budget);
    let next = 0;
    return () => {
      for (let at = next; at <= subject.length; at++) {
        const end = matcher.matchAt(at);
        if (end < 0) continue;
        next = end === at ? end + 1 : end;
        matcher.settle();
        return matcher.captures(at, end);
      }
      matcher.settle();
      return NONE;
    };
  }

  return libraryTable(machine, {
    byte(...args) {
      const text = stringArgument(args, 1, 'byte');
      const first = position(optionalInteger(budget, args, 2, 'byte', 1), text.length);
      const last = position(optionalInteger(budget, args, 3, 'byte', first), text.length);
      const start = Math.max(first, 1);
      const end = Math.min(last, text.length);
      if (start > end) return NONE;
      if (start === end) return text.charCodeAt(start - 1);
      if (end - start + 1 + args.length > STACK_MAX)
        throw libraryError('stack overflow (string slice too long)');
      const bytes: number[] = [];
      for (let at = start; at <= end; at++) bytes.push(text.charCodeAt(at - 1));
      budget.spendSteps(bytes.length);
      return bytes;
    },

    char(...args) {
      const bytes = args.map((_, index) => {
        const byte = intArgument(budget, args, index + 1, 'char');
        if (byte < 0 || byte > 255) throw argumentError(index + 1, 'char', 'invalid value');
        return byte;
      });
      return made(String.fromCharCode(...bytes));
    },

    dump(...args) {
      functionArgument(args, 1, 'dump');
      throw libraryError('unable to dump given function');
    },

    find: (...args) => find(args, 'find'),

    format: (...args) => format(args, budget),

    // Lua 5.0's name of `gmatch`.
    gfind: (...args) => matches(args, 'gfind'),

    gmatch: (...args) => matches(args, 'gmatch'),

    gsub: (...args) => substitute(machine, args),

    len: (...args) => stringArgument(args, 1, 'len').length,

    lower: (...args) => changedCase(stringArgument(args, 1, 'lower'), 0x41, budget),

    match: (...args) => find(args, 'match'),

    rep(...args) {
      const text = stringArgument(args, 1, 'rep');
      const count = Math.max(intArgument(budget, args, 2, 'rep'), 0);
      budget.spendBytes(text.length * count);
      return text === '' ? '' : text.repeat(count);
    },

    reverse(...args) {
      const text = stringArgument(args, 1, 'reverse');
      budget.spendLook(text.length);
      budget.spendBytes(text.length);
      return Buffer.from(text, 'latin1').reverse().toString('latin1');
    },

    sub(...args) {
      const text = stringArgument(args, 1, 'sub');
      const first = position(integerArgument(budget, args, 2, 'sub'), text.length);
      const last = position(optionalInteger(budget, args, 3, 'sub', -1), text.length);
      return made(text.slice(Math.max(first, 1) - 1, Math.max(last, 0)));
    },

    upper: (...args) => changedCase(stringArgument(args, 1, 'upper'), 0x61, budget),
  });
}

/** A negative one is counted from the end; before the beginning it is 0. */
function position(given: number, length: number): number {
  const at = given < 0 ? given + length + 1 : given;
  return Math.max(at, 0);
}

/** So many characters of a text are searched for in linear time; where they are, what follows is compared. */
const SEARCHED_MAX = 128;

/** Where a text begins, from `start` on; -1 if nowhere. */
function plainIndex(subject: string, text: string, start: number, budget: LuaBudget): number {
  budget.spendLook(subject.length - start);
  const head = text.slice(0, SEARCHED_MAX);
  for (let from = start; ;) {
    const at = subject.indexOf(head, from);
    if (at < 0 || text.length <= SEARCHED_MAX) return at;
    if (subject.length - at < text.length) return -1;
    budget.spendSteps(1 + (text.length >> 6));
    // Far faster than `startsWith`.
    if (subject.slice(at, at + text.length) === text) return at;
    from = at + 1;
  }
}

/** Letters of ASCII alone, from `first` on: bytes above 127 stay, which JavaScript would take for letters. */
function changedCase(text: string, first: number, budget: LuaBudget): string {
  budget.spendLook(text.length);
  budget.spendBytes(text.length);
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= first && byte < first + 26) bytes[at] = byte ^ CASE;
  }
  return bytes.toString('latin1');
}

/** The bit in which a letter of ASCII differs from its other case. */
const CASE = 0x20;
