/**
 * Reads header blocks (RFC 7541). A block is given whole, its frames joined: it is bounded by the connection. What breaks the
 * format is an `HpackError`, after which the dynamic table is no longer the peer's and the connection can't go on.
 *
 * What a block does, by the first bits of each representation (section 6):
 *
 *     1xxxxxxx  a field of a table
 *     01xxxxxx  a literal, which joins the dynamic table
 *     001xxxxx  the size of the dynamic table, before all fields
 *     000nxxxx  a literal that does not join it (n: nor on any other hop)
 */
import { http2 } from '../../limits.ts';
import { decodedBytesMax, decodeHuffman } from './huffman.ts';
import { DYNAMIC_INDEX_MIN, DynamicTable, HeaderField, staticTable } from './tables.ts';

/** COMPRESSION_ERROR, for the whole connection. */
export class HpackError extends Error {
  override readonly name = 'HpackError';
}

/** What a block had to do with the dynamic table: one that read it means the same until the table's next generation. */
export const tableUse = { NONE: 0, READ: 1, CHANGED: 2 } as const;

type TableUse = (typeof tableUse)[keyof typeof tableUse];

/** An integer has at most so many bytes after the first, and with them 28 bits; nothing in a block is that large. */
const INTEGER_BYTES_MAX = 4;

/** Where coded strings are read to; a longer one gets a buffer of its own. */
const scratch = Buffer.allocUnsafeSlow(4096);

export class HpackDecoder {
  /** What the last block had to do with the dynamic table. */
  tableUse: TableUse = tableUse.NONE;
  /** The `content-type` of the last block that counted too much: all that is kept of it, to refuse it in a form that is understood. */
  contentType: string | undefined = undefined;
  readonly #listBytesMax: number;
  readonly #table = new DynamicTable();
  #block: Buffer = scratch;
  #position = 0;
  #end = 0;

  /** @param listBytesMax the most that the fields of a block may count together. */
  constructor(listBytesMax: number) {
    this.#listBytesMax = listBytesMax;
  }

  /** Another number whenever a field of the dynamic table may stand elsewhere. */
  get generation(): number {
    return this.#table.generation;
  }

  /**
   * Reads the block in `buffer` from `from` to `to`.
   *
   * @returns its fields in their order; undefined when they count more than they may: the dynamic table is as the peer has it
   * even so.
   */
  decode(buffer: Buffer, from: number, to: number): HeaderField[] | undefined {
    this.#block = buffer;
    this.#position = from;
    this.#end = to;
    this.tableUse = tableUse.NONE;
    this.contentType = undefined;
    this.#resizeTable();

    const fields: HeaderField[] = [];
    let listBytes = 0;
    while (this.#position < to) {
      const field = this.#field(buffer[this.#position]!);
      listBytes += field.bytes;
      fields.push(field);
      if (listBytes <= this.#listBytesMax) continue;
      this.contentType ??= fields.find(({ name }) => name === 'content-type')?.value;
      fields.length = 0;
    }
    // Between two blocks a connection holds no buffer.
    this.#block = scratch;
    return listBytes <= this.#listBytesMax ? fields : undefined;
  }

  #field(first: number): HeaderField {
    if (first >= 0x80) return this.#indexed(this.#integer(0x7f));
    if (first >= 0x40) {
      const field = this.#literal(0x3f);
      this.#table.add(field);
      this.tableUse = tableUse.CHANGED;
      return field;
    }
    if (first >= 0x20) throw new HpackError('The size of the dynamic table is set after a field');
    return this.#literal(0x0f);
  }

  #literal(prefix: number): HeaderField {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#string() : this.#indexed(index).name;
    return new HeaderField(name, this.#string());
  }

  #indexed(index: number): HeaderField {
    if (index < DYNAMIC_INDEX_MIN) {
      if (index === 0) throw new HpackError('Index 0 names no field');
      return staticTable[index]!;
    }
    const field = this.#table.newest(index - DYNAMIC_INDEX_MIN);
    if (field === undefined) throw new HpackError(`Index ${index} is beyond the dynamic table`);
    if (this.tableUse === tableUse.NONE) this.tableUse = tableUse.READ;
    return field;
  }

  #resizeTable(): void {
    while (this.#position < this.#end && this.#block[this.#position]! >>> 5 === 1) {
      const bytesMax = this.#integer(0x1f);
      if (bytesMax > http2.headerTableBytes) {
        throw new HpackError(`A dynamic table of ${bytesMax} bytes is above ${http2.headerTableBytes}`);
      }
      this.#table.resize(bytesMax);
      this.tableUse = tableUse.CHANGED;
    }
  }

  /** Section 5.1; `prefix` is the mask of the first byte's bits that belong to the integer. */
  #integer(prefix: number): number {
    if (this.#position >= this.#end) throw new HpackError('A header block ends within a field');
    let value = this.#block[this.#position++]! & prefix;
    if (value < prefix) return value;
    for (let shift = 0; shift < 7 * INTEGER_BYTES_MAX; shift += 7) {
      if (this.#position >= this.#end) throw new HpackError('A header block ends within an integer');
      const byte = this.#block[this.#position++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError('An integer is too large');
  }

  /** Section 5.2. Each character of the result is one byte. */
  #string(): string {
    const isCoded = this.#position < this.#end && this.#block[this.#position]! >= 0x80;
    const byteCount = this.#integer(0x7f);
    const from = this.#position;
    const to = from + byteCount;
    if (to > this.#end) throw new HpackError('A header block ends within a string');
    this.#position = to;
    if (!isCoded) return this.#block.toString('latin1', from, to);

    const charactersMax = decodedBytesMax(byteCount);
    const target = charactersMax <= scratch.length ? scratch : Buffer.allocUnsafeSlow(charactersMax);
    const characterCount = decodeHuffman(this.#block, from, to, target);
    if (characterCount < 0) throw new HpackError('A string breaks the Huffman code');
    return target.toString('latin1', 0, characterCount);
  }
}
