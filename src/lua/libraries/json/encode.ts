/** `cjson.encode`. */
import { serverFixed } from '../../../limits.ts';
import type { LuaBudget } from '../../budget.ts';
import { typeName } from '../../conversions.ts';
import { type LuaError, LuaTable, type LuaValue } from '../../value.ts';
import { libraryError } from '../arguments.ts';
import { PIECE_BYTES } from '../piece-bytes.ts';
import { toGeneral } from '../../decimal-digits.ts';
import { JSON_NULL, type JsonSettings } from './settings.ts';

export function encodeJson(value: LuaValue, settings: JsonSettings, budget: LuaBudget): string {
  return new Encoder(settings, budget).encode(value);
}

const OBJECT = -1;
/** So many characters are escaped before that is paid for. */
const ESCAPED_AT_ONCE = 256;
const INT_MAX = 2 ** 31 - 1;
const INT_MIN = -(2 ** 31);

class Encoder {
  readonly #settings: JsonSettings;
  readonly #budget: LuaBudget;
  readonly #depthMax: number;
  #text = '';

  constructor(settings: JsonSettings, budget: LuaBudget) {
    this.#settings = settings;
    this.#budget = budget;
    this.#depthMax = Math.min(settings.encodeDepthMax, serverFixed.luaNestedValuesMax);
  }

  encode(value: LuaValue): string {
    this.#value(value, 0);
    return this.#text;
  }

  /** A table that stands in many places is written, and paid for, as often. */
  #add(text: string): void {
    this.#budget.spendBytes(PIECE_BYTES + text.length);
    this.#text += text;
  }

  #value(value: LuaValue, depth: number): void {
    this.#budget.spendSteps(1);
    if (typeof value === 'string') this.#quoted(value);
    else if (typeof value === 'number') this.#add(this.#number(value));
    else if (typeof value === 'boolean') this.#add(value ? 'true' : 'false');
    else if (value instanceof LuaTable) this.#table(value, depth + 1);
    else if (value === undefined || value === JSON_NULL) this.#add('null');
    else throw refused(value, 'type not supported');
  }

  #quoted(text: string): void {
    this.#budget.spendLook(text.length);
    if (!ESCAPED.test(text)) {
      this.#add(`"${text}"`);
      return;
    }
    this.#add('"');
    for (let at = 0; at < text.length; at += ESCAPED_AT_ONCE) {
      const part = text.slice(at, at + ESCAPED_AT_ONCE);
      this.#budget.spendSteps(part.length >> 3);
      this.#add(escaped(part));
    }
    this.#add('"');
  }

  #table(table: LuaTable, depth: number): void {
    if (depth > this.#depthMax) throw libraryError(`Cannot serialise, excessive nesting (${depth})`);
    const length = this.#arrayLength(table);
    if (length > 0) {
      for (let index = 1; index <= length; index++) {
        this.#add(index === 1 ? '[' : ',');
        this.#value(table.get(index), depth);
      }
      this.#add(']');
      return;
    }
    let isFirst = true;
    this.#add('{');
    for (let at = table.nextPosition(0); at !== 0; at = table.nextPosition(at)) {
      if (!isFirst) this.#add(',');
      isFirst = false;
      const key = table.keyAt(at);
      if (typeof key === 'number') this.#add(`"${this.#number(key)}":`);
      else if (typeof key === 'string') {
        this.#quoted(key);
        this.#add(':');
      } else throw refused(key, 'table key must be a number or string');
      this.#value(table.valueAt(at), depth);
    }
    this.#add('}');
  }

  /** The highest index of a table that has only indexes as keys; otherwise it is an object. */
  #arrayLength(table: LuaTable): number {
    let highest = 0;
    let count = 0;
    let at = table.nextPosition(0);
    for (; at !== 0; at = table.nextPosition(at)) {
      const key = table.keyAt(at);
      if (typeof key !== 'number' || key < 1 || !Number.isInteger(key)) return OBJECT;
      this.#budget.spendSteps(1);
      // C keeps it in an `int`.
      if (key > highest) highest = key > INT_MAX ? INT_MIN : key;
      count++;
    }
    const { sparseRatio, sparseSafe, convertsSparse } = this.#settings;
    if (sparseRatio > 0 && highest > count * sparseRatio && highest > sparseSafe) {
      if (!convertsSparse) throw refused(table, 'excessively sparse array');
      return OBJECT;
    }
    return highest;
  }

  #number(value: number): string {
    if (!Number.isFinite(value)) {
      switch (this.#settings.encodeInvalidNumbers) {
        case 'off':
          throw refused(value, 'must not be NaN or Inf');
        case 'null':
          return 'null';
        case 'on':
          if (Number.isNaN(value)) return 'nan';
          return value > 0 ? 'inf' : '-inf';
      }
    }
    return toGeneral(value, this.#settings.numberPrecision);
  }
}

function refused(value: LuaValue, reason: string): LuaError {
  return libraryError(`Cannot serialise ${typeName(value)}: ${reason}`);
}

// oxlint-disable-next-line no-control-regex -- These are what JSON escapes.
const ESCAPED = /["\\/\x00-\x1f\x7f]/;
const ALL_ESCAPED = new RegExp(ESCAPED, 'g');

const escapeByCharacter: ReadonlyMap<string, string> = new Map([
  ['"', String.raw`\"`],
  ['\\', '\\\\'],
  ['/', String.raw`\/`],
  ['\b', String.raw`\b`],
  ['\t', String.raw`\t`],
  ['\n', String.raw`\n`],
  ['\f', String.raw`\f`],
  ['\r', String.raw`\r`],
]);

function escaped(text: string): string {
  return text.replaceAll(
    ALL_ESCAPED,
    (character) =>
      escapeByCharacter.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
