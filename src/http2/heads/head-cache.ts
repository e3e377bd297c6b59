/**
 * Reads header blocks into heads, and knows those again that came before. A client sends nearly the same head with each call,
 * and once its fields stand in the dynamic table, the same few bytes.
 *
 * - The same bytes mean the same as long as the dynamic table is of the same generation, or whatever it holds if the block names
 *   none of its fields. A block that changes the table is read each time.
 * - The head is then the same object, with what its receiver has noted in it (`memo`).
 * - A block is kept when it comes the second time in its place, which is found by a hash of its bytes; what stood there gives
 *   way. When the bytes are used up, all begins anew. A peer whose blocks collide on purpose costs itself what reading costs.
 */
import { assert } from '../../errors.ts';
import { http2 } from '../../limits.ts';
import { HeadFault, type HeadOf, listTooLong } from './head.ts';
import { type HpackDecoder, tableUse } from '../hpack/decoder.ts';

/** The generation of what holds with every dynamic table. */
const ANY_GENERATION = -1;

/** A power of two: the lowest bits of a hash are its place. */
const PLACE_COUNT = http2.headCacheEntriesMax;
assert((PLACE_COUNT & (PLACE_COUNT - 1)) === 0, 'the places of the head cache are a power of two');

interface Entry<Head> {
  /** The bytes as characters: less memory than a buffer of their own, and compared as fast. */
  readonly block: string;
  readonly generation: number;
  readonly head: Head;
  readonly bytes: number;
}

/** The heads, or the trailers, of one connection. All readers of a connection share its decoder. */
export class HeadReader<Head> {
  readonly #decoder: HpackDecoder;
  readonly #headOf: HeadOf<Head>;
  /** What each place saw last: made with the first block, as many connections have none. */
  #hashByPlace: Int32Array | undefined;
  #entryByPlace: (Entry<Head> | undefined)[] | undefined;
  #bytes = 0;

  constructor(decoder: HpackDecoder, headOf: HeadOf<Head>) {
    this.#decoder = decoder;
    this.#headOf = headOf;
  }

  /** Reads a whole block, from `from` to `to`. What breaks HPACK is an `HpackError`. */
  read(buffer: Buffer, from: number, to: number): Head | HeadFault {
    if (to - from > http2.cachedBlockBytesMax) return this.#decode(buffer, from, to, undefined);
    const hash = hashOf(buffer, from, to);
    const entry = this.#entryByPlace?.[hash & (PLACE_COUNT - 1)];
    if (
      entry !== undefined &&
      (entry.generation === ANY_GENERATION || entry.generation === this.#decoder.generation) &&
      isSame(entry.block, buffer, from, to)
    ) {
      return entry.head;
    }
    return this.#decode(buffer, from, to, hash);
  }

  #decode(buffer: Buffer, from: number, to: number, hash: number | undefined): Head | HeadFault {
    const fields = this.#decoder.decode(buffer, from, to);
    if (fields === undefined) return listTooLong(this.#decoder.contentType);
    const head = this.#headOf(fields);
    if (hash === undefined || head instanceof HeadFault || this.#decoder.tableUse === tableUse.CHANGED)
      return head;

    this.#hashByPlace ??= new Int32Array(PLACE_COUNT);
    const place = hash & (PLACE_COUNT - 1);
    if (this.#hashByPlace[place] !== hash) {
      this.#hashByPlace[place] = hash;
      return head;
    }
    const bytes = fields.reduce((sum, field) => sum + field.bytes, to - from);
    if (bytes > http2.headCacheBytesMax) return head;
    const entryByPlace = (this.#entryByPlace ??= []);
    this.#bytes += bytes - (entryByPlace[place]?.bytes ?? 0);
    if (this.#bytes > http2.headCacheBytesMax) {
      entryByPlace.length = 0;
      this.#bytes = bytes;
    }
    const isOfTable = this.#decoder.tableUse === tableUse.READ;
    entryByPlace[place] = {
      block: buffer.toString('latin1', from, to),
      generation: isOfTable ? this.#decoder.generation : ANY_GENERATION,
      head,
      bytes,
    };
    return head;
  }
}

/** FNV-1a. */
function hashOf(buffer: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let position = from; position < to; position++) hash = Math.imul(hash ^ buffer[position]!, 0x01000193);
  return hash | 0;
}

function isSame(block: string, buffer: Buffer, from: number, to: number): boolean {
  if (block.length !== to - from) return false;
  for (let index = 0; index < block.length; index++) {
    if (block.charCodeAt(index) !== buffer[from + index]) return false;
  }
  return true;
}
