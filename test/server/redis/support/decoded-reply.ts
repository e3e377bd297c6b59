/** Replies of both versions of the protocol, decoded for tests; they are given as text with one character for each byte. */

export class ErrorReply {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A simple string, beside the bulk strings that are plain text here. */
export class SimpleReply {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export interface MapReply {
  readonly map: readonly (readonly [DecodedReply, DecodedReply])[];
}

export interface SetReply {
  readonly set: readonly DecodedReply[];
}

export interface PushReply {
  readonly push: readonly DecodedReply[];
}

/** A number of RESP3 as it was sent: `double 1.5`. */
export interface NumberReply {
  readonly double?: string;
  readonly bigNumber?: string;
  readonly verbatim?: string;
}

export type DecodedReply =
  | string
  | bigint
  | number
  | boolean
  | null
  | ErrorReply
  | SimpleReply
  | NumberReply
  | MapReply
  | SetReply
  | PushReply
  | readonly DecodedReply[];

/** Takes replies off a text as it comes in. */
export class ReplyReader {
  #text = '';
  #at = 0;

  add(text: string): void {
    this.#text = this.#text.slice(this.#at) + text;
    this.#at = 0;
  }

  /** @returns nothing while the next reply is not there as a whole. */
  next(): { readonly reply: DecodedReply; readonly raw: string } | undefined {
    const begun = this.#at;
    try {
      const reply = this.#read();
      return { reply, raw: this.#text.slice(begun, this.#at) };
    } catch (error) {
      this.#at = begun;
      if (error === INCOMPLETE) return undefined;
      throw error;
    }
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  #read(): DecodedReply {
    const line = this.#line();
    const rest = line.slice(1);
    switch (line[0]) {
      case '+':
        return new SimpleReply(rest);
      case '-':
        return new ErrorReply(rest);
      case ':':
        return Number.isSafeInteger(Number(rest)) ? Number(rest) : BigInt(rest);
      case '$':
        return rest === '-1' ? null : this.#bytes(Number(rest));
      case '*':
        return rest === '-1' ? null : this.#several(Number(rest));
      case '%': {
        const map: [DecodedReply, DecodedReply][] = [];
        for (let left = Number(rest); left > 0; left--) map.push([this.#read(), this.#read()]);
        return { map };
      }
      case '~':
        return { set: this.#several(Number(rest)) };
      case '>':
        return { push: this.#several(Number(rest)) };
      case ',':
        return { double: rest };
      case '(':
        return { bigNumber: rest };
      case '=':
        return { verbatim: this.#bytes(Number(rest)) };
      case '#':
        return rest === 't';
      case '_':
        return null;
      default:
        throw new Error(`no reply begins with ${JSON.stringify(line)}`);
    }
  }

  #several(count: number): DecodedReply[] {
    const replies: DecodedReply[] = [];
    for (let left = count; left > 0; left--) replies.push(this.#read());
    return replies;
  }

  #line(): string {
    const end = this.#text.indexOf('\r\n', this.#at);
    if (end < 0) throw INCOMPLETE;
    const line = this.#text.slice(this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #bytes(count: number): string {
    const end = this.#at + count;
    if (end + 2 > this.#text.length) throw INCOMPLETE;
    const text = this.#text.slice(this.#at, end);
    if (this.#text.slice(end, end + 2) !== '\r\n')
      throw new Error('a bulk string does not end with its line');
    this.#at = end + 2;
    return text;
  }
}

const INCOMPLETE = new Error('the reply is not there as a whole');

/** Of exactly one reply. */
export function decodeReply(text: string): DecodedReply {
  const reader = new ReplyReader();
  reader.add(text);
  const next = reader.next();
  if (next === undefined || !reader.isAtEnd) throw new Error(`not one reply: ${JSON.stringify(text)}`);
  return next.reply;
}

/** For messages and comparisons. @param sorted the elements of arrays and sets stand in an order of their own. */
export function showReply(reply: DecodedReply, sorted = false): string {
  if (reply === null) return '(nil)';
  if (reply instanceof ErrorReply) return `-${reply.text}`;
  if (reply instanceof SimpleReply) return `+${reply.text}`;
  if (typeof reply === 'string') return JSON.stringify(reply);
  if (typeof reply !== 'object') return String(reply);
  if (isArray(reply)) {
    const shown = reply.map((element) => showReply(element));
    return `[${(sorted ? shown.sort() : shown).join(', ')}]`;
  }
  if ('map' in reply) {
    const pairs = reply.map.map(([key, value]) => `${showReply(key)}: ${showReply(value)}`);
    return `{${(sorted ? pairs.sort() : pairs).join(', ')}}`;
  }
  if ('set' in reply)
    return `~[${reply.set
      .map((element) => showReply(element))
      .sort()
      .join(', ')}]`;
  if ('push' in reply) return `>[${reply.push.map((element) => showReply(element)).join(', ')}]`;
  return JSON.stringify(reply);
}

function isArray(reply: DecodedReply): reply is readonly DecodedReply[] {
  return Array.isArray(reply);
}
