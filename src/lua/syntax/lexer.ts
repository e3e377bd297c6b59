/** `Lexer`: the tokens of a source of Lua 5.1, with the error texts of its own lexer. */
import { cString, parseNumber } from '../conversions.ts';
import { LuaError } from '../value.ts';

/** A keyword or a mark stands for itself; `<eof>` is the end; the others carry a value. */
export type TokenKind = string;

export interface Token {
  readonly kind: TokenKind;
  /** Of a name and of a string. */
  readonly text: string;
  /** Of a number. */
  readonly number: number;
  readonly line: number;
  /** As messages show it. */
  readonly shown: string;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'and break do else elseif end false for function if in local nil not or repeat return then true until ' +
    'while'
  ).split(' '),
);
const ESCAPED: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

export class Lexer {
  /** The name of the chunk in messages. */
  readonly #chunk: string;
  readonly #source: string;
  #offset = 0;
  #line = 1;

  constructor(source: string, chunk: string) {
    this.#source = source;
    this.#chunk = chunk;
  }

  /** The next token; at the end `<eof>` again and again. */
  next(): Token {
    const source = this.#source;
    for (;;) {
      const character = source[this.#offset];
      switch (character) {
        case undefined:
          return this.#token('<eof>');
        case '\n':
        case '\r':
          this.#skipLineEnd();
          break;
        case ' ':
        case '\t':
        case '\v':
        case '\f':
          this.#offset++;
          break;
        case '-':
          if (source[this.#offset + 1] !== '-') return this.#mark('-');
          this.#skipComment();
          break;
        case '[': {
          const separators = this.#separators();
          if (separators >= 0) return this.#longString(separators);
          if (separators < -1)
            this.fail('invalid long string delimiter', source.slice(this.#offset, this.#offset - separators));
          return this.#mark('[');
        }
        case '=':
        case '<':
        case '>':
        case '~':
          return this.#mark(source[this.#offset + 1] === '=' ? `${character}=` : character);
        case '"':
        case "'":
          return this.#string(character);
        case '.':
          if (isDigit(source.charCodeAt(this.#offset + 1))) return this.#number();
          if (source[this.#offset + 1] !== '.') return this.#mark('.');
          return this.#mark(source[this.#offset + 2] === '.' ? '...' : '..');
        default: {
          const code = source.charCodeAt(this.#offset);
          if (isDigit(code)) return this.#number();
          if (!isLetter(code)) return this.#mark(character);
          return this.#name();
        }
      }
    }
  }

  /** @param near what is shown of the source, as far as a NUL; undefined or empty: nothing. */
  fail(text: string, near: string | undefined, line: number = this.#line): never {
    const shown = cString(near ?? '');
    throw new LuaError(`${this.#chunk}:${line}: ${text}${shown === '' ? '' : ` near '${shown}'`}`, 0);
  }

  #token(kind: TokenKind, shown: string = kind, text = '', number = 0): Token {
    return { kind, text, number, line: this.#line, shown };
  }

  #mark(text: string): Token {
    this.#offset += text.length;
    const code = text.charCodeAt(0);
    return this.#token(text, (code > 0 && code < 32) || code === 127 ? `char(${code})` : text);
  }

  #name(): Token {
    const source = this.#source;
    const start = this.#offset;
    let end = start + 1;
    while (isLetter(source.charCodeAt(end)) || isDigit(source.charCodeAt(end))) end++;
    this.#offset = end;
    const text = source.slice(start, end);
    return KEYWORDS.has(text) ? this.#token(text) : this.#token('<name>', text, text);
  }

  #number(): Token {
    const source = this.#source;
    const start = this.#offset;
    let end = start;
    while (isDigit(source.charCodeAt(end)) || source[end] === '.') end++;
    if (/[eE]/.test(source[end] ?? '')) {
      end++;
      if (/[+-]/.test(source[end] ?? '')) end++;
    }
    while (isDigit(source.charCodeAt(end)) || isLetter(source.charCodeAt(end))) end++;
    this.#offset = end;
    const text = source.slice(start, end);
    const number = parseNumber(text);
    if (number === undefined) this.fail('malformed number', text);
    return this.#token('<number>', text, '', number);
  }

  /** A line ends with `\n`, `\r` or both. */
  #skipLineEnd(): void {
    const character = this.#source[this.#offset++];
    const next = this.#source[this.#offset];
    if ((next === '\n' || next === '\r') && next !== character) this.#offset++;
    this.#line++;
  }

  #skipComment(): void {
    this.#offset += 2;
    if (this.#source[this.#offset] === '[') {
      const separators = this.#separators();
      if (separators >= 0) {
        this.#readLong(separators, 'unfinished long comment');
        return;
      }
    }
    while (this.#offset < this.#source.length && !/[\n\r]/.test(this.#source[this.#offset] ?? ''))
      this.#offset++;
  }

  /** At `[`: how many `=` stand before a second `[`; -1 when none stand there and no `[` either, else -1 less their count. */
  #separators(): number {
    let end = this.#offset + 1;
    while (this.#source[end] === '=') end++;
    const count = end - this.#offset - 1;
    return this.#source[end] === '[' ? count : -count - 1;
  }

  #longString(separators: number): Token {
    const text = this.#readLong(separators, 'unfinished long string');
    const marks = '='.repeat(separators);
    return this.#token('<string>', `[${marks}[${text}]${marks}]`, text);
  }

  #readLong(separators: number, unfinished: string): string {
    const source = this.#source;
    const close = `]${'='.repeat(separators)}]`;
    this.#offset += separators + 2;
    if (/[\n\r]/.test(source[this.#offset] ?? '')) this.#skipLineEnd();
    const pieces: string[] = [];
    let start = this.#offset;
    for (;;) {
      const character = source[this.#offset];
      if (character === undefined) this.fail(unfinished, '<eof>');
      if (character === '\n' || character === '\r') {
        pieces.push(source.slice(start, this.#offset), '\n');
        this.#skipLineEnd();
        start = this.#offset;
      } else if (character === ']' && source.startsWith(close, this.#offset)) {
        pieces.push(source.slice(start, this.#offset));
        this.#offset += close.length;
        return pieces.join('');
      } else this.#offset++;
    }
  }

  #string(quote: string): Token {
    const source = this.#source;
    const pieces: string[] = [quote];
    this.#offset++;
    for (;;) {
      const character = source[this.#offset];
      if (character === quote) break;
      if (character === undefined) this.fail('unfinished string', '<eof>');
      if (character === '\n' || character === '\r') this.fail('unfinished string', pieces.join(''));
      if (character === '\\') this.#escape(pieces);
      else {
        let end = this.#offset + 1;
        while (end < source.length && isPlain(source.charCodeAt(end))) end++;
        pieces.push(source.slice(this.#offset, end));
        this.#offset = end;
      }
    }
    this.#offset++;
    const text = pieces.slice(1).join('');
    return this.#token('<string>', `${quote}${text}${quote}`, text);
  }

  #escape(pieces: string[]): void {
    const source = this.#source;
    this.#offset++;
    const character = source[this.#offset];
    // The end is told of by the string.
    if (character === undefined) return;
    if (character === '\n' || character === '\r') {
      pieces.push('\n');
      this.#skipLineEnd();
      return;
    }
    if (!isDigit(source.charCodeAt(this.#offset))) {
      pieces.push(ESCAPED.get(character) ?? character);
      this.#offset++;
      return;
    }
    let end = this.#offset + 1;
    while (end < this.#offset + 3 && isDigit(source.charCodeAt(end))) end++;
    const code = Number(source.slice(this.#offset, end));
    this.#offset = end;
    if (code > 255) this.fail('escape sequence too large', pieces.join(''));
    pieces.push(String.fromCharCode(code));
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

/** A character of a string that is neither quote, backslash nor the end of a line. */
function isPlain(code: number): boolean {
  return code !== 34 && code !== 39 && code !== 92 && code !== 10 && code !== 13;
}
