/**
 * Makes header blocks (RFC 7541): those that serve every connection, and on a client those of requests, in which what repeats
 * from one to the next becomes one byte.
 *
 * Pseudo-headers are fields here, and come first. A field that HTTP/2 forbids to be sent (a name in upper case, a line break in
 * a value) is a TypeError, before anything of the block counts.
 */
import { http2 } from '../../limits.ts';
import { isFieldName, isFieldValue } from '../contract/field-syntax.ts';
import type { Field, HeaderBlock } from '../contract/fields.ts';
import { BlockWriter, literal, staticIndexOf, staticIndexOfName } from './block-writer.ts';
import { DYNAMIC_INDEX_MIN, DynamicTable, HeaderField } from './tables.ts';

/**
 * What a peer whose SETTINGS made its dynamic table smaller has to hear at the beginning of the next block (RFC 7541, section
 * 4.2), from a side that uses no dynamic table: that this is of no bytes now.
 */
export const TABLE_SIZE_ZERO = 0x20;

/** What a block begins with; most are smaller. */
const BLOCK_BYTES = 256;

const NO_BYTES = Buffer.alloc(0);

/** A shorter cookie could be guessed through the sizes of blocks. */
const GUESSABLE_COOKIE_BYTES = 20;

/** Fields whose values repeat, and are few: they go into the dynamic table the first time. */
const repeatedNames: ReadonlySet<string> = new Set([
  ':method',
  ':scheme',
  ':authority',
  ':path',
  'accept-encoding',
  'content-type',
  'grpc-accept-encoding',
  'grpc-encoding',
  'te',
  'user-agent',
]);

/** A block that touches no dynamic table. */
export function encodeBlock(fields: readonly Field[]): HeaderBlock {
  const writer = new BlockWriter(BLOCK_BYTES);
  for (const [name, value] of fields) {
    checkField(name, value);
    const index = staticIndexOf(name, value);
    if (index === 0) writer.literal(literalFor(name, value), staticIndexOfName(name), name, value);
    else writer.indexed(index);
  }
  return writer.bytes.subarray(0, writer.length) as HeaderBlock;
}

/**
 * The encoder of the requests of one connection, whose blocks the peer reads in the order in which they were made.
 *
 * Invariant: its dynamic table is what the peer's will be once it has read all of them. So a block that was made must be sent.
 */
export class RequestEncoder {
  /** The block that was made last, up to the length that `encode` returned; valid until the next one. */
  bytes: Buffer = NO_BYTES;
  readonly #writer = new BlockWriter(BLOCK_BYTES);
  /** The fields of the table, by the count of those that had been added before them. */
  readonly #placeByValueByName = new Map<string, Map<string, number>>();
  readonly #lastValueByName = new Map<string, string>();
  /** Blocks that did nothing to the table, as they are while nothing changes it. */
  readonly #blockByFields = new Map<readonly Field[], Buffer>();
  readonly #table = new DynamicTable((field) => this.#forget(field));
  #added = 0;
  /** The smallest size since the last block, which the next has to name; undefined: it has not changed. */
  #smallestBytesMax: number | undefined;
  #bytesMax: number = http2.headerTableBytes;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE, from the next block on. */
  setTableBytesMax(bytesMax: number): void {
    const used = Math.min(bytesMax, http2.headerTableBytes);
    if (used === this.#bytesMax) return;
    this.#smallestBytesMax = Math.min(used, this.#smallestBytesMax ?? used);
    this.#bytesMax = used;
  }

  /**
   * @param fields may be given again, and then cost hardly anything; so the list must not be changed.
   * @param once fields that follow them in this block alone. They leave the dynamic table as it is, and what is kept of `fields`.
   * @returns the length of the block, which stands in `bytes`.
   */
  encode(fields: readonly Field[], once?: readonly Field[]): number {
    if (once === undefined) return this.#encodeKept(fields);
    for (const [name, value] of once) checkField(name, value);
    return this.#append(this.#encodeKept(fields), once);
  }

  #encodeKept(fields: readonly Field[]): number {
    if (this.#smallestBytesMax === undefined) {
      const block = this.#blockByFields.get(fields);
      if (block !== undefined) {
        this.bytes = block;
        return block.length;
      }
    }
    this.#encode(fields);
    this.bytes = this.#writer.bytes;
    return this.#writer.length;
  }

  #encode(fields: readonly Field[]): void {
    for (const [name, value] of fields) {
      if (this.#placeOf(name, value) === undefined) checkField(name, value);
    }
    const { generation } = this.#table;
    this.#writer.length = 0;
    this.#resizeTable();
    for (const [name, value] of fields) this.#write(name, value);

    const isUnchanged = this.#table.generation === generation;
    if (!isUnchanged || this.#blockByFields.size >= http2.requestBlocksMax) this.#blockByFields.clear();
    if (isUnchanged) {
      this.#blockByFields.set(fields, Buffer.from(this.#writer.bytes.subarray(0, this.#writer.length)));
    }
  }

  /** @param length of the block in `bytes`, which may be one that is kept. */
  #append(length: number, once: readonly Field[]): number {
    const writer = this.#writer;
    if (this.bytes !== writer.bytes) writer.block(this.bytes, length);
    for (const [name, value] of once)
      writer.literal(literalFor(name, value), this.#indexOfName(name), name, value);
    this.bytes = writer.bytes;
    return writer.length;
  }

  #write(name: string, value: string): void {
    const place = this.#placeOf(name, value);
    const index = place === undefined ? staticIndexOf(name, value) : this.#indexAt(place);
    if (index !== 0) {
      this.#writer.indexed(index);
      return;
    }
    const kind = literalFor(name, value);
    const nameIndex = this.#indexOfName(name);
    if (kind === literal.PLAIN) {
      const field = new HeaderField(name, value);
      if (field.bytes <= this.#bytesMax && this.#repeats(name, value)) {
        this.#writer.literal(literal.INDEXED, nameIndex, name, value);
        this.#add(field);
        return;
      }
    }
    this.#writer.literal(kind, nameIndex, name, value);
  }

  #add(field: HeaderField): void {
    const { name, value } = field;
    this.#table.add(field);
    const placeByValue = this.#placeByValueByName.get(name) ?? new Map<string, number>();
    this.#placeByValueByName.set(name, placeByValue.set(value, this.#added++));
  }

  /** A field with another name goes into the table when it comes twice in a row: most that come once change each time. */
  #repeats(name: string, value: string): boolean {
    if (repeatedNames.has(name)) return true;
    if (this.#lastValueByName.get(name) === value) return true;
    if (this.#lastValueByName.size >= http2.lastValuesMax) this.#lastValueByName.clear();
    this.#lastValueByName.set(name, value);
    return false;
  }

  #placeOf(name: string, value: string): number | undefined {
    return this.#placeByValueByName.get(name)?.get(value);
  }

  #indexAt(place: number): number {
    return DYNAMIC_INDEX_MIN + this.#added - 1 - place;
  }

  #indexOfName(name: string): number {
    const index = staticIndexOfName(name);
    if (index !== 0) return index;
    for (const place of this.#placeByValueByName.get(name)?.values() ?? []) return this.#indexAt(place);
    return 0;
  }

  #forget({ name, value }: HeaderField): void {
    const placeByValue = this.#placeByValueByName.get(name);
    placeByValue?.delete(value);
    if (placeByValue?.size === 0) this.#placeByValueByName.delete(name);
  }

  /** Section 4.2: the smallest size that the table had in between is named, if it is another than the last. */
  #resizeTable(): void {
    if (this.#smallestBytesMax === undefined) return;
    for (const bytesMax of new Set([this.#smallestBytesMax, this.#bytesMax])) {
      this.#table.resize(bytesMax);
      this.#writer.tableSize(bytesMax);
    }
    this.#smallestBytesMax = undefined;
  }
}

function literalFor(name: string, value: string): (typeof literal)['PLAIN' | 'NEVER_INDEXED'] {
  switch (name) {
    case 'authorization':
    case 'proxy-authorization':
      return literal.NEVER_INDEXED;
    case 'cookie':
      return value.length < GUESSABLE_COOKIE_BYTES ? literal.NEVER_INDEXED : literal.PLAIN;
    default:
      return literal.PLAIN;
  }
}

function checkField(name: string, value: string): void {
  if (!isFieldName(name.startsWith(':') ? name.slice(1) : name)) {
    throw new TypeError(
      `${JSON.stringify(name)} can't be the name of a header field: it needs lower case ASCII`,
    );
  }
  if (!isFieldValue(value)) {
    throw new TypeError(
      `The value of ${name} can't be sent as a header field: control characters, characters beyond U+00FF and spaces ` +
        'around it are not allowed',
    );
  }
}
