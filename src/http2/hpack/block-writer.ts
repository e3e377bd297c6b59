/** The representations of fields in a header block (RFC 7541, section 6), written one after the other. */
import { encodeHuffman, huffmanBytes } from './huffman.ts';
import { staticTable } from './tables.ts';

/** How a literal is to be dealt with, here and on the hops after: the first bits of it, and those that its index has. */
export const literal = {
  /** It joins the dynamic table. */
  INDEXED: { bits: 0x40, prefix: 0x3f },
  PLAIN: { bits: 0x00, prefix: 0x0f },
  /** Nor may any hop after this one put it into a table, where guesses could find it (section 7.1). */
  NEVER_INDEXED: { bits: 0x10, prefix: 0x0f },
} as const;

type Literal = (typeof literal)[keyof typeof literal];

/** Two lengths and an index, each with the byte before it. */
const FIELD_OVERHEAD_BYTES_MAX = 3 * 5;

const staticIndexByName = new Map<string, number>();
const staticIndexByValueByName = new Map<string, Map<string, number>>();
for (const [index, { name, value }] of staticTable.entries()) {
  if (index === 0) continue;
  if (!staticIndexByName.has(name)) staticIndexByName.set(name, index);
  const indexByValue = staticIndexByValueByName.get(name) ?? new Map<string, number>();
  if (value !== '') staticIndexByValueByName.set(name, indexByValue.set(value, index));
}

/** The static table's field of this name and value; 0: there is none. */
export function staticIndexOf(name: string, value: string): number {
  return staticIndexByValueByName.get(name)?.get(value) ?? 0;
}

/** A field of the static table that has this name; 0: there is none. */
export function staticIndexOfName(name: string): number {
  return staticIndexByName.get(name) ?? 0;
}

/**
 * Writes a block into memory that grows as it must.
 *
 * Invariant: what has been written stands in `bytes` before `length`.
 */
export class BlockWriter {
  bytes: Buffer;
  length = 0;

  constructor(bytes: number) {
    this.bytes = Buffer.allocUnsafe(bytes);
  }

  /** Begins anew, with a block that was made before. */
  block(bytes: Buffer, length: number): void {
    this.length = 0;
    this.#reserve(length);
    bytes.copy(this.bytes, 0, 0, length);
    this.length = length;
  }

  indexed(index: number): void {
    this.#reserve(FIELD_OVERHEAD_BYTES_MAX);
    this.#integer(0x80, 0x7f, index);
  }

  /** @param nameIndex of a field with this name; 0: there is none, and the name is written. */
  literal(kind: Literal, nameIndex: number, name: string, value: string): void {
    this.#reserve(FIELD_OVERHEAD_BYTES_MAX + name.length + value.length);
    this.#integer(kind.bits, kind.prefix, nameIndex);
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
  }

  tableSize(bytesMax: number): void {
    this.#reserve(FIELD_OVERHEAD_BYTES_MAX);
    this.#integer(0x20, 0x1f, bytesMax);
  }

  #integer(bits: number, prefix: number, value: number): void {
    if (value < prefix) {
      this.bytes[this.length++] = bits | value;
      return;
    }
    this.bytes[this.length++] = bits | prefix;
    let rest = value - prefix;
    for (; rest >= 0x80; rest >>>= 7) this.bytes[this.length++] = 0x80 | (rest & 0x7f);
    this.bytes[this.length++] = rest;
  }

  /** In the Huffman code where that is shorter. */
  #string(text: string): void {
    const codedBytes = huffmanBytes(text);
    if (codedBytes < text.length) {
      this.#integer(0x80, 0x7f, codedBytes);
      this.length = encodeHuffman(text, this.bytes, this.length);
      return;
    }
    this.#integer(0, 0x7f, text.length);
    this.length += this.bytes.write(text, this.length, 'latin1');
  }

  #reserve(byteCount: number): void {
    if (this.length + byteCount <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.length + byteCount, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
