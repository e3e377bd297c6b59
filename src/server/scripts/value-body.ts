/**
 * Reads the body of `POST /set/{key}`: `{"value": "text"}`, or `{"value": {"base64": "..."}}` for bytes that are no text.
 *
 * It goes through the body by hand as far as to the one text that it may hold: of megabytes of `[` `JSON.parse` would make as
 * many lists before anything can be refused.
 */
import { isUtf8 } from 'node:buffer';
import { StoreError } from '../../errors.ts';
import { endOfText } from '../../wire/json-numbers.ts';
import { decodeBase64 } from '../json/base64.ts';

const QUOTE = 0x22;
const COLON = 0x3a;
const BRACE = 0x7b;
const BRACE_END = 0x7d;
/** Space, line feed, carriage return, tab: RFC 8259, section 2. There may be megabytes of it. */
function isWhiteSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Throws `invalidArgument`. */
export function readValueBody(body: Uint8Array): Uint8Array {
  if (!isUtf8(body)) throw malformed('it is no UTF-8');
  const cursor = new Cursor(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  const value = cursor.object('value', () =>
    cursor.next === BRACE ? cursor.object('base64', () => base64(cursor.text())) : Buffer.from(cursor.text()),
  );
  if (cursor.next !== undefined) throw malformed('something follows it');
  return value;
}

/** Goes through JSON as far as it is what is wanted. */
class Cursor {
  readonly #json: Buffer;
  #at = 0;

  constructor(json: Buffer) {
    this.#json = json;
  }

  /** The next byte that is no white space. */
  get next(): number | undefined {
    const json = this.#json;
    let at = this.#at;
    while (isWhiteSpace(json[at])) at++;
    this.#at = at;
    return json[at];
  }

  /** An object with this one member. */
  object<Value>(name: string, readMember: () => Value): Value {
    this.#take(BRACE, name);
    if (this.next === BRACE_END) throw malformed(`it has no "${name}"`);
    if (this.text() !== name) throw malformed(`it has another member than "${name}"`);
    this.#take(COLON, name);
    const member = readMember();
    this.#take(BRACE_END, name);
    return member;
  }

  text(): string {
    if (this.next !== QUOTE) throw malformed('the value is no text');
    const start = this.#at;
    this.#at = endOfText(this.#json, start) + 1;
    let text: unknown;
    try {
      text = JSON.parse(this.#json.toString('utf8', start, this.#at));
    } catch {
      throw malformed('a text in it does not end, or has a character that must be escaped');
    }
    if (typeof text !== 'string' || !text.isWellFormed())
      throw malformed('half of a surrogate pair is no text');
    return text;
  }

  #take(byte: number, name: string): void {
    if (this.next !== byte) throw malformed(`it is no object with "${name}" alone`);
    this.#at++;
  }
}

function base64(text: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch {
    throw malformed('the value is no base64');
  }
}

function malformed(what: string): StoreError {
  const forms = '{"value": "text"}, or {"value": {"base64": "..."}} for bytes that are no text';
  return new StoreError('invalidArgument', `the body can't be read: ${what}; send ${forms}`);
}
