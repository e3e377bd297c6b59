/**
 * Counts the parts of a request before it is decoded. A field or an item of a list takes two bytes on the wire at
 * least and up to a hundred times as many as an object: without a bound on their number, one request that is no longer
 * than the longest value could fill the heap.
 *
 * A short request can't have too many, so that only those that are long are looked at.
 */
import type { DescMessage } from '@bufbuild/protobuf';
import { StoreError } from '../../errors.ts';
import { serverFixed } from '../../limits.ts';
import { Cursor, messageDepthMax } from '../../wire/cursor.ts';
import { endOfText } from '../../wire/json-numbers.ts';
import { WireError, wireErrorText } from '../../wire/wire-error.ts';
import { malformedRequestError } from './call-error.ts';

const { requestPartsMax, jsonSyntaxBytesMax } = serverFixed;
const PART_BYTES_MIN = 2;
const LENGTH_DELIMITED = 2;

/** The characters of JSON: `"`, `{`, `[` and `,`. */
const QUOTE = 0x22;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const COMMA = 0x2c;

/** What is in a field with a length before it: a message, or numbers, each of them a part; else bytes or text. */
type Inside = DescMessage | 'numbers' | undefined;

/**
 * Of the message that lies from `start` to `end`.
 * @param apart messages within it that may be malformed: what can be read of them is counted.
 * @throws StoreError `limitReached`, or `invalidArgument` when it is a long one and no message at all.
 */
export function checkBinaryParts(
  message: DescMessage,
  bytes: Buffer,
  start: number,
  end: number,
  apart?: DescMessage,
): void {
  if (end - start <= requestPartsMax * PART_BYTES_MIN) return;
  try {
    new PartCounter(new Cursor(bytes, start, end), apart).count(message, end);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw malformedRequestError(message.typeName, wireErrorText(error.code, error.offset - start));
  }
}

/** @throws StoreError `limitReached`. What is no JSON at all is for its parser to refuse. */
export function checkJsonParts(bytes: Uint8Array): void {
  if (bytes.length <= requestPartsMax * PART_BYTES_MIN) return;
  let partCount = 0;
  let syntaxBytes = 0;
  for (let at = 0; at < bytes.length; at++) {
    // A text counts as one.
    if (++syntaxBytes > jsonSyntaxBytesMax) throw tooMuchSyntaxError();
    switch (bytes[at]) {
      case QUOTE:
        at = endOfText(bytes, at);
        break;
      case BRACE:
      case BRACKET:
      case COMMA:
        if (++partCount > requestPartsMax) throw tooManyPartsError();
        break;
      default:
        break;
    }
  }
}

class PartCounter {
  readonly #cursor: Cursor;
  readonly #apart: DescMessage | undefined;
  #partCount = 0;

  constructor(cursor: Cursor, apart: DescMessage | undefined) {
    this.#cursor = cursor;
    this.#apart = apart;
  }

  /** Counts to the end of a message. The few that may contain themselves are refused beyond the depth that their readers allow. */
  count(message: DescMessage, end: number, depth = 0): void {
    const cursor = this.#cursor;
    if (depth > messageDepthMax) throw new WireError('tooDeep', cursor.position);
    while (cursor.position < end) {
      const tag = cursor.tag(end);
      this.#add(1);
      const inside = (tag & 7) === LENGTH_DELIMITED ? insideOf(message, tag >>> 3) : undefined;
      if (inside === undefined) {
        cursor.skip(tag, end);
      } else {
        const fieldEnd = cursor.endOfLength(end);
        if (inside === this.#apart) {
          this.#countApart(inside, fieldEnd, depth + 1);
        } else if (inside !== 'numbers') {
          this.count(inside, fieldEnd, depth + 1);
        } else {
          this.#add(fieldEnd - cursor.position);
          cursor.position = fieldEnd;
        }
      }
    }
  }

  #countApart(message: DescMessage, end: number, depth: number): void {
    try {
      this.count(message, end, depth);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#cursor.position = end;
    }
  }

  #add(count: number): void {
    this.#partCount += count;
    if (this.#partCount > requestPartsMax) throw tooManyPartsError();
  }
}

const insideByNumber = new WeakMap<DescMessage, ReadonlyMap<number, Inside>>();

function insideOf(message: DescMessage, fieldNumber: number): Inside {
  let inside = insideByNumber.get(message);
  if (inside === undefined) {
    inside = new Map(message.fields.map((field) => [field.number, field.message ?? packedIn(field)]));
    insideByNumber.set(message, inside);
  }
  return inside.get(fieldNumber);
}

function packedIn(field: DescMessage['fields'][number]): Inside {
  return field.fieldKind === 'list' && 'packed' in field && field.packed ? 'numbers' : undefined;
}

function tooMuchSyntaxError(): Error {
  return new StoreError(
    'limitReached',
    `the request has more than ${jsonSyntaxBytesMax} characters that are in no text; leave out white space`,
  );
}

export function tooManyPartsError(): Error {
  return new StoreError(
    'limitReached',
    `the request has more than ${requestPartsMax} parts (fields and items of lists); split it`,
  );
}
