/**
 * A line as words, quoted as in a shell: blanks part them, `'...'` takes all as it is, `"..."` too but for `\"`, `\\`, `\$`
 * and `` \` ``, a backslash outside of both takes the next character as it is, and `$'...'` has escapes (`escapes.ts`), which
 * write what can't be typed: `$'\xff'`. Nothing is expanded. A line whose first character is `#` is a comment.
 *
 *     SET greeting 'good morning'     ->  SET | greeting | good morning
 */
import { UsageError } from './usage-error.ts';
import { readEscape } from './escapes.ts';

export interface Word {
  readonly bytes: Uint8Array;
  /** Nothing when the bytes are not UTF-8. */
  readonly text: string | undefined;
}

/** A line that is still being typed. */
export interface OpenLine {
  /** Those before the last one. */
  readonly words: readonly Word[];
  /** The word at the end: an empty one behind a blank. */
  readonly last: Word;
  /** Where it begins in the line, with its quotes. */
  readonly start: number;
}

/** Throws a `UsageError` when the line can't be read. */
export function splitWords(line: string): Word[] {
  const splitter = new Splitter(line);
  const words = splitter.words();
  if (splitter.openQuote !== undefined) {
    throw new UsageError(`the quote ${splitter.openQuote} is not closed`);
  }
  return words.map(({ word }) => word);
}

/** The same, but for a quote that is not closed yet. Nothing where the line can't become one. */
export function splitOpenLine(line: string): OpenLine | undefined {
  try {
    const splitter = new Splitter(line);
    const found = splitter.words();
    const last = found.at(-1);
    const words = found.map(({ word }) => word);
    if (last === undefined || (last.end < line.length && splitter.openQuote === undefined)) {
      return { words, last: { bytes: new Uint8Array(0), text: '' }, start: line.length };
    }
    return { words: words.slice(0, -1), last: last.word, start: last.start };
  } catch {
    return undefined;
  }
}

interface FoundWord {
  readonly word: Word;
  readonly start: number;
  readonly end: number;
}

const blanks = /[ \t\r\n]*/y;
/** What stands for itself outside of quotes, and within double ones. */
const plainText = /[^ \t\r\n'"\\$]+/y;
const quotedText = /[^"\\]+/y;
const escapedText = /[^'\\]+/y;

class Splitter {
  /** That is not closed at the end of the line. */
  openQuote: string | undefined;
  readonly #line: string;
  #at = 0;
  /** Of the word that is being read: texts, and bytes that escapes have written. */
  #parts: (string | number)[] = [];

  constructor(line: string) {
    // A decoder puts this character where bytes are no text, so another key would be written than the one that is meant.
    if (line.includes('\ufffd')) {
      throw new UsageError(
        "the line holds bytes that are not UTF-8, or U+FFFD, which stands for them; write bytes as $'\\xff'",
      );
    }
    this.#line = line;
  }

  words(): FoundWord[] {
    const words: FoundWord[] = [];
    if (/^\s*#/.test(this.#line)) return words;
    for (;;) {
      this.#take(blanks);
      if (this.#at >= this.#line.length) return words;
      const start = this.#at;
      this.#parts = [];
      while (this.#at < this.#line.length && this.#takePart());
      words.push({ word: wordOf(this.#parts), start, end: this.#at });
    }
  }

  /** @returns whether the word may go on. */
  #takePart(): boolean {
    const line = this.#line;
    const text = this.#take(plainText);
    if (text !== '') return this.#add(text);
    switch (line[this.#at]) {
      case "'":
        return this.#takeLiteral();
      case '"':
        return this.#takeQuoted();
      case '\\':
        // At the end of the line it stands for itself.
        return this.#addFrom(Math.min(this.#at + 1, line.length - 1));
      case '$':
        return line[this.#at + 1] === "'" ? this.#takeEscaped() : this.#addFrom(this.#at);
      default:
        return false;
    }
  }

  #takeLiteral(): boolean {
    const end = this.#line.indexOf("'", this.#at + 1);
    if (end === -1) return this.#leaveOpen("'", this.#line.slice(this.#at + 1));
    this.#parts.push(this.#line.slice(this.#at + 1, end));
    this.#at = end + 1;
    return true;
  }

  #takeQuoted(): boolean {
    this.#at++;
    for (;;) {
      this.#parts.push(this.#take(quotedText));
      const character = this.#line[this.#at];
      const next = this.#line[this.#at + 1] ?? '';
      if (character === undefined) return this.#leaveOpen('"', '');
      if (character === '"') {
        this.#at++;
        return true;
      }
      const isEscape = '"\\$`'.includes(next) && next !== '';
      this.#addFrom(isEscape ? this.#at + 1 : this.#at);
    }
  }

  #takeEscaped(): boolean {
    this.#at += 2;
    for (;;) {
      this.#parts.push(this.#take(escapedText));
      const character = this.#line[this.#at];
      if (character === undefined || this.#at === this.#line.length - 1) {
        if (character !== "'") return this.#leaveOpen("$'", '');
      }
      this.#at++;
      if (character === "'") return true;
      const { content, end } = readEscape(this.#line, this.#at);
      this.#parts.push(content);
      this.#at = end;
    }
  }

  #leaveOpen(quote: string, rest: string): false {
    this.openQuote = quote;
    this.#parts.push(rest);
    this.#at = this.#line.length;
    return false;
  }

  #add(text: string): true {
    this.#parts.push(text);
    return true;
  }

  /** Takes the character at `index`, which may be two code units. */
  #addFrom(index: number): true {
    const character = String.fromCodePoint(this.#line.codePointAt(index) ?? 0);
    this.#at = index + character.length;
    return this.#add(character);
  }

  #take(form: RegExp): string {
    form.lastIndex = this.#at;
    const text = form.exec(this.#line)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }
}

function wordOf(parts: readonly (string | number)[]): Word {
  const encoder = new TextEncoder();
  if (parts.every((part) => typeof part === 'string')) {
    const text = parts.join('');
    return { bytes: encoder.encode(text), text };
  }
  const bytes = Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'string' ? [...encoder.encode(part)] : [part])),
  );
  return { bytes, text: textOf(bytes) };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
