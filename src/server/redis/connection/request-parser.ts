/**
 * `RequestParser`: takes the commands of one connection out of the pieces that come in, in both forms of the protocol: words with
 * their lengths before them (`*2\r\n$3\r\nGET\r\n$1\r\na\r\n`), and lines with words in quotes (`GET a\r\n`).
 *
 * Commands that lie whole in a piece are read where they are. What of a piece is the beginning of a command is moved to memory of the
 * connection's own, which doubles as more of it comes in, so that a length alone takes no memory; it is counted among that of all
 * connections. A command is never looked through twice, however many pieces it comes in.
 *
 * Invariants: `#begun` is where the command that is being read began, and all its words lie behind it in `#buffer`; between two
 * commands `#wordsLeft` is 0.
 */
import { serverFixed } from '../../../limits.ts';
import type { PlacedArguments } from '../protocol/placed-arguments.ts';
import { ReplyError } from '../replies/errors.ts';
import { splitWords } from '../protocol/inline-words.ts';

const STAR = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
const MINUS = 0x2d;
const OWN_BYTES_MIN = 4096;
const DIGITS_MAX = 15;
const EMPTY: Buffer = Buffer.alloc(0);

/** What is wrong with what came in: after its reply the connection is closed. */
export class ProtocolError extends ReplyError {
  constructor(what: string) {
    super(`ERR Protocol error: ${what}`);
  }
}

export interface ParserLimits {
  /** Of one word. */
  readonly wordBytesMax: number;
  /** Counts memory of the connection. @returns false: there is no room for more. */
  readonly charge: (bytes: number) => boolean;
}

export class RequestParser {
  /** Whether it is not known yet who it is. */
  isStranger = false;
  /** The whole ones that were read. */
  commandCount = 0;
  readonly #limits: ParserLimits;
  #buffer = EMPTY;
  #at = 0;
  #end = 0;
  #begun = 0;
  /** Where the last whole command began. */
  #previous = 0;
  #wordsLeft = 0;
  /** -1: the length of the next word is not known. */
  #wordBytes = -1;
  #isOwn = false;
  /** Of a command that has come in in part. */
  #partial: PlacedArguments | undefined;

  constructor(limits: ParserLimits) {
    this.#limits = limits;
  }

  /** What has come in and is no whole command. */
  get waitingBytes(): number {
    return this.#end - this.#begun;
  }

  /** Where the command that was returned last began: good until the next piece. */
  get lastStart(): number {
    return this.#previous;
  }

  /** A copy of what has come in and is no whole command. */
  waiting(): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#begun, this.#end));
  }

  /** The next piece. @returns false: there is no room for it. */
  add(chunk: Buffer): boolean {
    if (this.#begun === this.#end) {
      this.#giveBack();
      this.#buffer = chunk;
      this.#at = this.#begun = 0;
      this.#end = chunk.length;
      return true;
    }
    if (!this.#isOwn || this.#buffer.length - this.#end < chunk.length) {
      if (!this.#moveToOwn(chunk.length)) return false;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
    return true;
  }

  /** What was added may be used again by its owner. @returns false: there is no room. */
  keep(): boolean {
    if (this.#isOwn) {
      if (this.#begun === this.#end) this.#giveBack();
      return true;
    }
    if (this.#begun === this.#end) {
      this.#buffer = EMPTY;
      this.#at = this.#begun = this.#end = 0;
      return true;
    }
    return this.#moveToOwn(0);
  }

  /**
   * @param shared takes the words of a command that lies here as a whole.
   * @returns the next command, its words as they are until the next call of any method; `undefined`: there is none yet. Throws a
   * `ProtocolError`.
   */
  next(shared: PlacedArguments): PlacedArguments | undefined {
    let args = this.#partial;
    while (args === undefined) {
      this.#begun = this.#at;
      if (this.#at === this.#end) return undefined;
      if (this.#buffer[this.#at] !== STAR) {
        args = this.#inline(shared);
        if (args === undefined) return undefined;
        if (args.count > 0) return this.#complete(args);
        args = undefined;
        continue;
      }
      const count = this.#line(STAR);
      if (count === undefined) return undefined;
      if (!(count <= serverFixed.redisWordsMax)) throw new ProtocolError('invalid multibulk length');
      if (this.isStranger && count > serverFixed.redisStrangerWordsMax)
        throw new ProtocolError('unauthenticated multibulk length');
      if (count <= 0) continue;
      args = shared;
      args.begin(this.#buffer);
      this.#wordsLeft = count;
    }
    while (this.#wordsLeft > 0) {
      if (this.#wordBytes < 0) {
        if (this.#at === this.#end) return this.#incomplete(args);
        const type = this.#buffer[this.#at] ?? 0;
        if (type !== DOLLAR) throw new ProtocolError(`expected '$', got '${String.fromCharCode(type)}'`);
        const length = this.#line(DOLLAR);
        if (length === undefined) return this.#incomplete(args);
        if (!(length >= 0 && length <= this.#limits.wordBytesMax))
          throw new ProtocolError('invalid bulk length');
        if (this.isStranger && length > serverFixed.redisStrangerWordBytesMax)
          throw new ProtocolError('unauthenticated bulk length');
        this.#wordBytes = length;
      }
      const end = this.#at + this.#wordBytes;
      if (end + 2 > this.#end) return this.#incomplete(args);
      args.add(this.#at, end);
      this.#at = end + 2;
      this.#wordBytes = -1;
      this.#wordsLeft--;
    }
    return this.#complete(args);
  }

  /** The command that was returned last comes again; nothing was called since. */
  rewind(): void {
    this.rewindTo(this.#previous);
  }

  /** Commands come again from one on. @param start its `lastStart`. */
  rewindTo(start: number): void {
    this.#at = this.#begun = start;
    this.#wordsLeft = 0;
    this.#wordBytes = -1;
    this.#partial = undefined;
  }

  /** The connection is closed. */
  close(): void {
    this.#giveBack();
    this.#at = this.#begun = this.#end = 0;
    this.#partial = undefined;
  }

  #complete(args: PlacedArguments): PlacedArguments {
    this.#partial = undefined;
    this.commandCount++;
    this.#previous = this.#begun;
    this.#begun = this.#at;
    return args;
  }

  #incomplete(args: PlacedArguments): undefined {
    if (args !== this.#partial) this.#partial = args.copy();
    return undefined;
  }

  /**
   * Reads a line with a number, behind its type. @returns `undefined`: it is not there yet; NaN: it is no number.
   */
  #line(type: number): number | undefined {
    const buffer = this.#buffer;
    const end = this.#end;
    let at = this.#at + 1;
    const isNegative = buffer[at] === MINUS && at < end;
    if (isNegative) at++;
    const first = at;
    let value = 0;
    for (; at < end; at++) {
      const digit = (buffer[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const isNumber =
      at > first && at - first <= DIGITS_MAX && (buffer[first] !== ZERO || (at === first + 1 && !isNegative));
    if (at + 1 < end && buffer[at] === CR) {
      this.#at = at + 2;
      return isNumber ? (isNegative ? -value : value) : Number.NaN;
    }
    const lineEnd = this.#endOfLine(CR);
    if (lineEnd < 0 || lineEnd + 1 >= end) {
      if (lineEnd < 0 && end - this.#at > serverFixed.redisLineBytesMax)
        throw new ProtocolError(type === STAR ? 'too big mbulk count string' : 'too big bulk count string');
      return undefined;
    }
    return Number.NaN;
  }

  #endOfLine(byte: number): number {
    // Not further than a line may be long, however much has come in.
    const found = this.#buffer
      .subarray(this.#at, Math.min(this.#end, this.#at + serverFixed.redisLineBytesMax + 2))
      .indexOf(byte);
    return found < 0 ? -1 : this.#at + found;
  }

  /** @returns without words: the line is empty. */
  #inline(shared: PlacedArguments): PlacedArguments | undefined {
    const lineEnd = this.#endOfLine(LF);
    if (lineEnd < 0) {
      if (this.#end - this.#at > serverFixed.redisLineBytesMax)
        throw new ProtocolError('too big inline request');
      return undefined;
    }
    const isReturned = lineEnd > this.#at && this.#buffer[lineEnd - 1] === CR;
    const words = splitWords(this.#buffer, this.#at, isReturned ? lineEnd - 1 : lineEnd);
    if (words === undefined) throw new ProtocolError('unbalanced quotes in request');
    this.#at = lineEnd + 1;
    shared.takeWords(words);
    return shared;
  }

  /** Moves what is not read yet to its own memory, with room for so much more. */
  #moveToOwn(byteCount: number): boolean {
    const waiting = this.#end - this.#begun;
    const needed = waiting + byteCount;
    if (needed > serverFixed.redisCommandBytesMax) return false;
    const source = this.#buffer;
    if (!this.#isOwn || source.length < needed) {
      const capacity = Math.max(
        OWN_BYTES_MIN,
        needed,
        this.#isOwn ? Math.min(2 * source.length, serverFixed.redisCommandBytesMax) : 0,
      );
      if (!this.#limits.charge(capacity - (this.#isOwn ? source.length : 0))) return false;
      this.#buffer = Buffer.allocUnsafeSlow(capacity);
      this.#isOwn = true;
    }
    source.copy(this.#buffer, 0, this.#begun, this.#end);
    this.#partial?.move(this.#buffer, -this.#begun);
    this.#at -= this.#begun;
    this.#end = waiting;
    this.#begun = 0;
    return true;
  }

  #giveBack(): void {
    if (this.#isOwn) this.#limits.charge(-this.#buffer.length);
    this.#isOwn = false;
    this.#buffer = EMPTY;
    this.#at = this.#begun = this.#end = 0;
  }
}
