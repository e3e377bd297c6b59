/**
 * Reading Protobuf messages from bytes that may be anything: no byte is looked at beyond the end of a message, and what does not
 * hold is a `WireError`.
 */
import { assert } from '../errors.ts';
import { readText } from './text.ts';
import { WireError } from './wire-error.ts';

/** Wire types, the lowest three bits of a tag. https://protobuf.dev/programming-guides/encoding/#structure */
const WIRE_VARINT = 0;
const WIRE_64_BITS = 1;
const WIRE_LENGTH_DELIMITED = 2;
const WIRE_GROUP_START = 3;
const WIRE_GROUP_END = 4;
const WIRE_32_BITS = 5;

const VARINT_BYTES_MAX = 10;
const TAG_BYTES_MAX = 5;
const TWO_32 = 0x1_0000_0000;

/**
 * Unknown fields may be groups within groups, and a few messages may contain themselves; all others are nested as deep as the
 * schema.
 */
export const nestingDepthMax = 100;
/** ... of all messages together: one contains itself by way of another, and below the deepest lies what a schema has. */
export const messageDepthMax = 2 * nestingDepthMax + 10;

/**
 * Reads the parts of a message, one after the other, from a buffer that it never changes.
 *
 * Every method that reads is given the `end` of the message it reads from (exclusive, within the buffer) and throws a
 * `WireError` rather than look at or after it. Invariant: `position` is at most that `end`.
 */
export class Cursor {
  /** Where the next read begins. */
  position: number;
  readonly #buffer: Buffer;
  /** What `field` read besides the tag: a number, or the length of what comes next; -1: it is still to be read. */
  short = -1;
  /** Of the messages that may contain themselves. */
  #depth = 0;
  /** The upper half of the varint read last, its lower half is what `#varint` returned. */
  #high = 0;

  constructor(buffer: Buffer, start: number, end: number) {
    assert(start >= 0 && start <= end && end <= buffer.length, 'a message lies within its buffer');
    this.#buffer = buffer;
    this.position = start;
  }

  /** The next tag: a field's number, shifted left by 3, and a wire type. */
  tag(end: number): number {
    const start = this.position;
    if (start < end) {
      // Fields up to number 15, which are nearly all.
      const byte = this.#buffer[start] as number;
      if (byte >= 8 && byte < 0x80) {
        this.position = start + 1;
        return byte;
      }
    }
    const tag = this.#varint(end) >>> 0;
    if (tag < 8 || this.#high !== 0 || this.position - start > TAG_BYTES_MAX)
      throw new WireError('badTag', start);
    return tag;
  }

  /**
   * The next tag, and with it the number or length behind it, in one go: nearly all tags have one byte, and nearly all
   * numbers no more than four. Leaves that in `short`, or -1 there and the value to be read.
   */
  field(end: number): number {
    const start = this.position;
    if (start + 1 < end) {
      const buffer = this.#buffer;
      const tag = buffer[start] as number;
      let value = buffer[start + 1] as number;
      // The wire types behind which a varint stands are 0 and 2, and no other has both of these bits clear.
      if (tag >= 8 && tag < 0x80 && (tag & 5) === 0) {
        if (value < 0x80) {
          this.position = start + 2;
          this.short = value;
          return tag;
        }
        if (start + 4 < end) {
          let byte = buffer[start + 2] as number;
          value = (value & 0x7f) | ((byte & 0x7f) << 7);
          let length = 3;
          if (byte >= 0x80) {
            byte = buffer[start + 3] as number;
            value |= (byte & 0x7f) << 14;
            length = 4;
            if (byte >= 0x80) {
              byte = buffer[start + 4] as number;
              value |= (byte & 0x7f) << 21;
              length = 5;
            }
          }
          if (byte < 0x80) {
            this.position = start + length;
            this.short = value;
            return tag;
          }
        }
      }
    }
    this.short = -1;
    return this.tag(end);
  }

  /** `endOfLength` after `field`. */
  endOfField(end: number): number {
    if (this.short < 0) return this.endOfLength(end);
    const fieldEnd = this.position + this.short;
    if (fieldEnd > end) throw new WireError('truncated', this.#startOfShort());
    return fieldEnd;
  }

  /** `skip` after `field`. */
  skipField(tag: number, end: number): void {
    if (this.short < 0) this.skip(tag, end);
    else if ((tag & 7) === WIRE_LENGTH_DELIMITED) this.position = this.endOfField(end);
  }

  bool(end: number): boolean {
    return (this.#varint(end) | this.#high) !== 0;
  }

  /** The lowest 32 bits of a varint, as Protobuf wants it for a longer one. */
  uint32(end: number): number {
    return this.#varint(end) >>> 0;
  }

  /** Also for enums. */
  int32(end: number): number {
    return this.#varint(end) | 0;
  }

  int64(end: number): number {
    const start = this.position;
    const low = this.#varint(end) >>> 0;
    if (this.#high === 0) return low;
    return safeInteger((this.#high | 0) * TWO_32 + low, start);
  }

  uint64(end: number): number {
    const start = this.position;
    const low = this.#varint(end) >>> 0;
    if (this.#high === 0) return low;
    return safeInteger((this.#high >>> 0) * TWO_32 + low, start);
  }

  bigInt64(end: number): bigint {
    const low = this.#varint(end) >>> 0;
    return (BigInt(this.#high | 0) << 32n) | BigInt(low);
  }

  double(end: number): number {
    const start = this.position;
    this.#skipBytes(8, end);
    return this.#buffer.readDoubleLE(start);
  }

  /** The length of what comes next, as the position where that ends. */
  endOfLength(end: number): number {
    const start = this.position;
    const length = this.#varint(end) >>> 0;
    if (this.#high !== 0 || length > end - this.position) throw new WireError('truncated', start);
    return this.position + length;
  }

  /** A view of the buffer, not a copy. */
  bytes(end: number): Uint8Array {
    const bytesEnd = this.endOfLength(end);
    const start = this.position;
    this.position = bytesEnd;
    // Half the time of `subarray`, which for a Buffer goes through its species.
    return new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset + start, bytesEnd - start);
  }

  text(end: number): string {
    const textEnd = this.endOfLength(end);
    const text = readText(this.#buffer, this.position, textEnd);
    if (text === undefined) throw new WireError('badText', this.position);
    this.position = textEnd;
    return text;
  }

  /** Begins a message that may contain itself. */
  enter(): void {
    if (this.#depth === nestingDepthMax) throw new WireError('tooDeep', this.position);
    this.#depth++;
  }

  /** Ends it. */
  leave(): void {
    this.#depth--;
  }

  /** Passes over the value of an unknown field whose tag was read. */
  skip(tag: number, end: number, depth = 0): void {
    switch (tag & 7) {
      case WIRE_VARINT:
        this.#varint(end);
        break;
      case WIRE_64_BITS:
        this.#skipBytes(8, end);
        break;
      case WIRE_LENGTH_DELIMITED:
        this.position = this.endOfLength(end);
        break;
      case WIRE_GROUP_START:
        this.#skipGroup(tag, end, depth);
        break;
      case WIRE_32_BITS:
        this.#skipBytes(4, end);
        break;
      default:
        throw new WireError('badTag', this.position);
    }
  }

  /** Behind a tag, which has no high bit, go the bytes of a varint, which all have it but for the last. */
  #startOfShort(): number {
    let start = this.position - 1;
    while ((this.#buffer[start - 1] as number) >= 0x80) start--;
    return start;
  }

  #skipGroup(startTag: number, end: number, depth: number): void {
    if (depth === nestingDepthMax) throw new WireError('tooDeep', this.position);
    const endTag = startTag - WIRE_GROUP_START + WIRE_GROUP_END;
    for (let tag = this.tag(end); tag !== endTag; tag = this.tag(end)) this.skip(tag, end, depth + 1);
  }

  #skipBytes(count: number, end: number): void {
    if (count > end - this.position) throw new WireError('truncated', this.position);
    this.position += count;
  }

  /** Reads a varint; returns its lower 32 bits (signed) and leaves the upper ones in `#high`. */
  #varint(end: number): number {
    const position = this.position;
    if (position < end) {
      const byte = this.#buffer[position] as number;
      if (byte < 0x80) {
        this.position = position + 1;
        this.#high = 0;
        return byte;
      }
    }
    return this.#longVarint(end);
  }

  #longVarint(end: number): number {
    const start = this.position;
    if (start + 4 <= end) {
      // Most numbers are this short.
      const buffer = this.#buffer;
      this.#high = 0;
      const second = buffer[start + 1] as number;
      let value = ((buffer[start] as number) & 0x7f) | ((second & 0x7f) << 7);
      this.position = start + 2;
      if (second < 0x80) return value;
      const third = buffer[start + 2] as number;
      value |= (third & 0x7f) << 14;
      this.position = start + 3;
      if (third < 0x80) return value;
      const fourth = buffer[start + 3] as number;
      value |= (fourth & 0x7f) << 21;
      this.position = start + 4;
      if (fourth < 0x80) return value;
      this.position = start;
    }
    return this.#anyVarint(end);
  }

  #anyVarint(end: number): number {
    const start = this.position;
    let low = 0;
    let high = 0;
    for (let index = 0; index < VARINT_BYTES_MAX; index++) {
      if (start + index >= end) throw new WireError('truncated', start);
      const byte = this.#buffer[start + index] as number;
      const bits = byte & 0x7f;
      const shift = 7 * index;
      if (shift < 32) low |= bits << shift;
      // The fifth byte has bits of both halves. What the tenth has beyond bit 63 falls away.
      if (shift === 28) high = bits >>> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.position = start + index + 1;
        this.#high = high;
        return low;
      }
    }
    throw new WireError('badVarint', start);
  }
}

function safeInteger(value: number, offset: number): number {
  if (!Number.isSafeInteger(value)) throw new WireError('integerTooLarge', offset);
  return value;
}
