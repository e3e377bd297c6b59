/**
 * Reads JSON (RFC 8259) from a stream, token by token, in memory that the longest token bounds and not the input. Its caller
 * knows the grammar: it asks for what may stand next, so nothing is nested deeper than it asks for.
 *
 * All that reads is a generator that yields when it needs more input, so that what is there already is read without a promise:
 *
 * ```ts
 * const reader = new JsonReader();
 * const reading = reader.text('a key', 100);
 * reader.append(Buffer.from('"ab'));
 * reading.next();                     // { done: false }: more is needed
 * reader.append(Buffer.from('c"'));
 * reading.next();                     // { done: true, value: 'abc' }
 * ```
 *
 * Strict: no comments, no commas too many, no text that is not UTF-8. What is wrong throws a `BadInputError` with the line and
 * the byte in it, both from 1 on. Line breaks only stand between tokens, so lines are counted there.
 */
import { isUtf8 } from 'node:buffer';
import { transfer as limits } from '../../limits.ts';

/** A step of reading that yields whenever it needs more input. */
export type Reading<Result> = Generator<undefined, Result, undefined>;

export class BadInputError extends Error {
  override readonly name = 'BadInputError';
}

/** What `peek` gives behind the last byte. */
export const END = -1;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
export const mark = { objectStart: 0x7b, objectEnd: 0x7d, colon: 0x3a, comma: 0x2c, quote: QUOTE } as const;

const BYTE_ORDER_MARK = Buffer.from('\ufeff');

export class JsonReader {
  /** What was appended and not given up yet; what is read next stands at `#at`. */
  #bytes: Buffer = Buffer.alloc(0);
  readonly #room = new GrowingRoom();
  #at = 0;
  #isComplete = false;
  /** The place of `#bytes[0]` in the input. */
  #offset = 0;
  #line = 1;
  /** Where the line begins in the input. */
  #lineOffset = 0;
  /** Where the text or number begins that is being read, or was read last. */
  #token = { line: 1, byte: 1 };
  /** Where `hold` was called, as long as what comes from there on is kept. */
  #held: { readonly offset: number; readonly line: number; readonly lineOffset: number } | undefined;

  get line(): number {
    return this.#line;
  }

  /** The memory that is held. */
  get heldBytes(): number {
    return this.#room.bytes;
  }

  /** Gives more input; the bytes are copied. */
  append(piece: Uint8Array): void {
    const from = this.#held === undefined ? this.#at : this.#held.offset - this.#offset;
    const rest = this.#bytes.subarray(from);
    this.#offset += from;
    this.#at -= from;
    this.#bytes = this.#room.join(rest, piece);
  }

  /** There is no more input. */
  complete(): void {
    this.#isComplete = true;
  }

  /** Keeps what comes from here on, so that `rewind` can come back. */
  hold(): void {
    this.#held = { offset: this.#offset + this.#at, line: this.#line, lineOffset: this.#lineOffset };
  }

  rewind(): void {
    if (this.#held === undefined) return;
    this.#at = this.#held.offset - this.#offset;
    this.#line = this.#held.line;
    this.#lineOffset = this.#held.lineOffset;
    this.#held = undefined;
  }

  /** What is wrong with the text or number that was read last, with its place. */
  fault(what: string): BadInputError {
    const { line, byte } = this.#token;
    return new BadInputError(`line ${line}, byte ${byte}: ${what}`);
  }

  /** What is wrong with what comes next, with its place. */
  faultHere(what: string): BadInputError {
    this.#beginToken();
    return this.fault(what);
  }

  #beginToken(): void {
    this.#token = { line: this.#line, byte: this.#offset + this.#at - this.#lineOffset + 1 };
  }

  /** Passes over a byte order mark, with which some programs begin a file. */
  *skipByteOrderMark(): Reading<void> {
    for (let index = 0; index < BYTE_ORDER_MARK.length; index++) {
      while (this.#at + index >= this.#bytes.length) {
        if (this.#isComplete) return;
        yield;
      }
      if (this.#bytes[this.#at + index] !== BYTE_ORDER_MARK[index]) return;
    }
    this.#at += BYTE_ORDER_MARK.length;
  }

  /** Passes over white space. @returns the byte that stands there, or `END`. */
  *peek(): Reading<number> {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) {
        if (this.#isComplete) return END;
        yield;
        continue;
      }
      // Space, tab, line feed and carriage return.
      if (byte !== 0x20 && byte !== 0x09 && byte !== LINE_FEED && byte !== 0x0d) return byte;
      this.#at++;
      if (byte !== LINE_FEED) continue;
      this.#line++;
      this.#lineOffset = this.#offset + this.#at;
    }
  }

  /** Takes one of the bytes that stand for themselves. @param wanted what is named when another one stands there. */
  *take(byte: number, wanted: string): Reading<void> {
    const found = yield* this.peek();
    if (found !== byte) throw this.expected(wanted, found);
    this.#at++;
  }

  /** An object: `onMember` reads the value of each member. A name that comes twice is for it to refuse. */
  *object(what: string, onMember: (name: string) => Reading<void>): Reading<void> {
    yield* this.take(mark.objectStart, what);
    if ((yield* this.peek()) === mark.objectEnd) {
      this.#at++;
      return;
    }
    for (;;) {
      const name = yield* this.text('the name of a member, in quotes', limits.nameBytesMax);
      yield* this.take(mark.colon, 'a colon behind a name');
      yield* onMember(name);
      const next = yield* this.peek();
      if (next !== mark.comma && next !== mark.objectEnd) {
        throw this.expected('a comma, or the end of the object', next);
      }
      this.#at++;
      if (next === mark.objectEnd) return;
    }
  }

  /** A text in quotes. @param bytesMax how long it may be as it stands there, without its quotes. */
  *text(what: string, bytesMax: number): Reading<string> {
    const first = yield* this.peek();
    if (first !== QUOTE) throw this.expected(what, first);
    this.#beginToken();
    for (let searched = 1; ;) {
      const end = this.#bytes.indexOf(QUOTE, this.#at + searched);
      const length = (end === -1 ? this.#bytes.length : end) - this.#at - 1;
      if (length > bytesMax) throw this.fault(`a text of more than ${bytesMax} bytes`);
      if (end === -1) {
        if (this.#isComplete) throw this.fault('the input ends within a text');
        searched = 1 + length;
        yield;
      } else if (this.#isEscaped(end)) searched = end + 1 - this.#at;
      else return this.#textUpTo(end);
    }
  }

  /** Whether an odd number of backslashes stands before a place. */
  #isEscaped(place: number): boolean {
    let before = place;
    while (this.#bytes[before - 1] === BACKSLASH) before--;
    return (place - before) % 2 === 1;
  }

  #textUpTo(end: number): string {
    const start = this.#at + 1;
    const raw = this.#bytes.subarray(start, end);
    if (!isUtf8(raw)) throw this.fault('a text that is not UTF-8; other bytes are written in base64');
    const text = raw.includes(BACKSLASH) ? this.#unescaped(start, end) : raw.toString('utf8');
    if (!raw.includes(BACKSLASH) && hasControl.test(text)) throw this.fault(CONTROL);
    this.#at = end + 1;
    return text;
  }

  #unescaped(start: number, end: number): string {
    const quoted = this.#bytes.toString('utf8', start - 1, end + 1);
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw this.fault(hasControl.test(quoted) ? CONTROL : 'a text with an escape that JSON does not know');
    }
  }

  /** A number, `true`, `false` or `null`, as it stands there. */
  *literal(what: string): Reading<string> {
    const first = yield* this.peek();
    this.#beginToken();
    let length = 0;
    for (;;) {
      const byte = this.#bytes[this.#at + length];
      if (byte === undefined && !this.#isComplete) yield;
      else if (byte !== undefined && isOfLiteral(byte)) length++;
      else break;
      if (length > limits.numberBytesMax) throw this.fault('a number that is too long');
    }
    const end = this.#at + length;
    const literal = this.#bytes.toString('latin1', this.#at, end);
    if (!/^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/.test(literal)) {
      throw this.expected(what, first);
    }
    this.#at = end;
    return literal;
  }

  /** A whole number from 0 on. */
  *wholeNumber(what: string): Reading<number> {
    const first = yield* this.peek();
    const literal = yield* this.literal(what);
    const value = /^\d+$/.test(literal) ? Number(literal) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw this.fault(unexpected(what, first));
    return value;
  }

  /** A fault that says what stands at the place in the stead of what was wanted. */
  expected(wanted: string, found: number): BadInputError {
    return this.faultHere(unexpected(wanted, found));
  }
}

function unexpected(wanted: string, found: number): string {
  const shown = found === END ? 'the end of the input' : (nameByByte[found] ?? nameOfLiteral(found));
  return `expected ${wanted}, found ${shown}`;
}

/** Holds what was not read yet, with room for more: to join anew for each piece of a long text would take too long. */
class GrowingRoom {
  #room: Buffer = Buffer.alloc(0);

  get bytes(): number {
    return this.#room.length;
  }

  /** @param rest a part of what this gave the last time. */
  join(rest: Buffer, piece: Uint8Array): Buffer {
    const length = rest.length + piece.length;
    // A long text leaves a large room behind: it is given back when a small one will do.
    const isTooLarge = this.#room.length > 8 * limits.inputStepBytes && length < this.#room.length / 8;
    const room =
      length > this.#room.length || isTooLarge ? Buffer.allocUnsafeSlow(Math.max(2 * length, 1)) : this.#room;
    rest.copy(room, 0);
    room.set(piece, rest.length);
    this.#room = room;
    return room.subarray(0, length);
  }
}

// oxlint-disable-next-line no-control-regex -- these are what JSON does not allow in a text.
const hasControl = /[\u0000-\u001f]/;
const CONTROL = 'a text with a line break or another control character as it is; JSON writes it as an escape';

function isOfLiteral(byte: number): boolean {
  // Letters, digits, plus, minus and point.
  const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  return isLetter || (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}

const nameByByte: Readonly<Record<number, string>> = {
  [QUOTE]: 'a text',
  [mark.objectStart]: 'an object',
  [mark.objectEnd]: 'the end of an object',
  [mark.colon]: 'a colon',
  [mark.comma]: 'a comma',
  0x5b: 'an array',
  0x5d: 'the end of an array',
};

function nameOfLiteral(byte: number): string {
  if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return 'a number';
  if (byte > 0x20 && byte < 0x7f) return `"${String.fromCharCode(byte)}"`;
  return `the byte 0x${byte.toString(16).padStart(2, '0')}`;
}
