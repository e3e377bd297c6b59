/** `cjson.decode`: errors tell what was expected, what was found and at which character, as lua-cjson words it. */
import { serverFixed } from '../../../limits.ts';
import { parseNumber } from '../../conversions.ts';
import type { LuaMachine } from '../../machine.ts';
import type { LuaError, LuaTable, LuaValue } from '../../value.ts';
import { libraryError } from '../arguments.ts';
import { PIECE_BYTES } from '../piece-bytes.ts';
import { JSON_NULL, type JsonSettings } from './settings.ts';

/** @param text one character for each byte; it ends at its first zero byte. */
export function decodeJson(text: string, settings: JsonSettings, machine: LuaMachine): LuaValue {
  // All of it may be spaces, or one string that has no end.
  machine.budget.spendLook(text.length);
  if (text.length >= 2 && text.slice(0, 2).includes('\0'))
    throw libraryError('JSON parser does not support UTF-16 or UTF-32');
  const end = text.indexOf('\0');
  return new Decoder(end < 0 ? text : text.slice(0, end), settings, machine).decode();
}

/** The names that messages use. */
type Token =
  | 'T_OBJ_BEGIN'
  | 'T_OBJ_END'
  | 'T_ARR_BEGIN'
  | 'T_ARR_END'
  | 'T_STRING'
  | 'T_NUMBER'
  | 'T_BOOLEAN'
  | 'T_NULL'
  | 'T_COLON'
  | 'T_COMMA'
  | 'T_END'
  | 'T_ERROR';

const tokenByMark: ReadonlyMap<string, Token> = new Map([
  ['{', 'T_OBJ_BEGIN'],
  ['}', 'T_OBJ_END'],
  ['[', 'T_ARR_BEGIN'],
  [']', 'T_ARR_END'],
  [':', 'T_COLON'],
  [',', 'T_COMMA'],
  ['', 'T_END'],
]);

const SPACES = /[ \t\n\r]*/y;
const PLAIN_TEXT = /[^"\\]*/y;
/** What C's `strtod` takes. */
const NUMBER =
  /[+-]?(?:0x(?:[\da-f]+\.?[\da-f]*|\.[\da-f]+)(?:p[+-]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan(?:\(\w*\))?)/iy;
/** Numbers that JSON has not and `strtod` has. */
const INVALID_NUMBER = /\+|-?(?:0[\dx]|inf|nan)/iy;
const UNICODE_ESCAPE = /[\da-f]{4}/iy;

const escapedByLetter: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['t', '\t'],
  ['n', '\n'],
  ['f', '\f'],
  ['r', '\r'],
]);

class Decoder {
  readonly #text: string;
  readonly #settings: JsonSettings;
  readonly #machine: LuaMachine;
  readonly #depthMax: number;
  #at = 0;
  #depth = 0;
  /** Where the last token began; of an error, where it is. */
  #index = 0;
  /** The value of a string, number or boolean, what is wrong of an error. */
  #value: string | number | boolean = '';

  constructor(text: string, settings: JsonSettings, machine: LuaMachine) {
    this.#text = text;
    this.#settings = settings;
    this.#machine = machine;
    this.#depthMax = Math.min(settings.decodeDepthMax, serverFixed.luaNestedValuesMax);
  }

  decode(): LuaValue {
    const value = this.#read(this.#next());
    const token = this.#next();
    if (token !== 'T_END') throw this.#unexpected('the end', token);
    return value;
  }

  #read(token: Token): LuaValue {
    switch (token) {
      case 'T_STRING':
      case 'T_NUMBER':
      case 'T_BOOLEAN':
        return this.#value;
      case 'T_NULL':
        return JSON_NULL;
      case 'T_OBJ_BEGIN':
        return this.#object();
      case 'T_ARR_BEGIN':
        return this.#array();
      default:
        throw this.#unexpected('value', token);
    }
  }

  #object(): LuaTable {
    this.#descend();
    const table = this.#machine.newTable();
    let token = this.#next();
    while (token !== 'T_OBJ_END') {
      if (token !== 'T_STRING') throw this.#unexpected('object key string', token);
      const key = this.#value;
      token = this.#next();
      if (token !== 'T_COLON') throw this.#unexpected('colon', token);
      table.set(key, this.#read(this.#next()));
      token = this.#next();
      if (token === 'T_OBJ_END') break;
      if (token !== 'T_COMMA') throw this.#unexpected('comma or object end', token);
      token = this.#next();
      // A comma is followed by a key.
      if (token === 'T_OBJ_END') throw this.#unexpected('object key string', token);
    }
    this.#depth--;
    return table;
  }

  #array(): LuaTable {
    this.#descend();
    const table = this.#machine.newTable();
    let token = this.#next();
    for (let index = 1; token !== 'T_ARR_END'; index++) {
      table.set(index, this.#read(token));
      token = this.#next();
      if (token === 'T_ARR_END') break;
      if (token !== 'T_COMMA') throw this.#unexpected('comma or array end', token);
      token = this.#next();
      if (token === 'T_ARR_END') throw this.#unexpected('value', token);
    }
    this.#depth--;
    return table;
  }

  #descend(): void {
    this.#depth++;
    if (this.#depth > this.#depthMax)
      throw libraryError(`Found too many nested data structures (${this.#depth}) at character ${this.#at}`);
  }

  #unexpected(expected: string, token: Token): LuaError {
    const found = token === 'T_ERROR' ? String(this.#value) : token;
    return libraryError(`Expected ${expected} but found ${found} at character ${this.#index + 1}`);
  }

  #next(): Token {
    this.#machine.budget.spendSteps(1);
    this.#skip(SPACES);
    this.#index = this.#at;
    const character = this.#text.charAt(this.#at);
    const mark = tokenByMark.get(character);
    if (mark !== undefined) {
      this.#at += character.length;
      return mark;
    }
    if (character === '"') return this.#string();
    if (character === '-' || (character >= '0' && character <= '9'))
      return !this.#settings.decodesInvalidNumbers && this.#isInvalidNumber()
        ? this.#error('invalid number')
        : this.#number();
    if (this.#takes('true')) return this.#found('T_BOOLEAN', true);
    if (this.#takes('false')) return this.#found('T_BOOLEAN', false);
    if (this.#takes('null')) return 'T_NULL';
    if (this.#settings.decodesInvalidNumbers && this.#isInvalidNumber()) return this.#number();
    return this.#error('invalid token');
  }

  #found(token: Token, value: string | number | boolean): Token {
    this.#value = value;
    return token;
  }

  #error(text: string): Token {
    this.#index = this.#at;
    return this.#found('T_ERROR', text);
  }

  /** @returns what a sticky expression matches here, and goes behind it. */
  #skip(expression: RegExp): string {
    expression.lastIndex = this.#at;
    const matched = expression.exec(this.#text)?.[0] ?? '';
    this.#at += matched.length;
    return matched;
  }

  #takes(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #isInvalidNumber(): boolean {
    INVALID_NUMBER.lastIndex = this.#at;
    return INVALID_NUMBER.test(this.#text);
  }

  #number(): Token {
    const value = parseNumber(this.#skip(NUMBER));
    return value === undefined ? this.#error('invalid number') : this.#found('T_NUMBER', value);
  }

  #string(): Token {
    this.#at++;
    const { budget } = this.#machine;
    let value = this.#plainText();
    while (this.#text.charAt(this.#at) !== '"') {
      budget.spendSteps(1);
      budget.spendBytes(2 * PIECE_BYTES);
      if (this.#at === this.#text.length) return this.#error('unexpected end of string');
      const letter = this.#text.charAt(this.#at + 1);
      if (letter === 'u') {
        const bytes = this.#unicodeEscape();
        if (bytes === undefined) return this.#error('invalid unicode escape code');
        value += bytes;
      } else {
        const escaped = escapedByLetter.get(letter);
        if (escaped === undefined) return this.#error('invalid escape code');
        value += escaped;
        this.#at += 2;
      }
      value += this.#plainText();
    }
    this.#at++;
    return this.#found('T_STRING', value);
  }

  #plainText(): string {
    const text = this.#skip(PLAIN_TEXT);
    this.#machine.budget.spendBytes(text.length);
    return text;
  }

  /** The UTF-8 of `\uXXXX`, or of two of them that are a surrogate pair; nothing if it is invalid. */
  #unicodeEscape(): string | undefined {
    const code = this.#codeUnit(this.#at);
    if (code === undefined) return undefined;
    let codePoint = code;
    let length = 6;
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = code < 0xdc00 ? this.#codeUnit(this.#at + length) : undefined;
      if (low === undefined || low < 0xdc00 || low > 0xdfff) return undefined;
      codePoint = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      length = 12;
    }
    this.#at += length;
    return Buffer.from(String.fromCodePoint(codePoint)).toString('latin1');
  }

  #codeUnit(at: number): number | undefined {
    if (!this.#text.startsWith(String.raw`\u`, at)) return undefined;
    UNICODE_ESCAPE.lastIndex = at + 2;
    const digits = UNICODE_ESCAPE.exec(this.#text)?.[0];
    return digits === undefined ? undefined : Number.parseInt(digits, 16);
  }
}
