/**
 * The two tables by which header blocks name fields (RFC 7541, section 2.3): the static one, which is the same everywhere,
 * and the dynamic one of a connection, which the blocks themselves fill. Indexes 1 to 61 are the static table; from 62 on come
 * the fields of the dynamic one, the newest first.
 */
import { http2 } from '../../limits.ts';
import type { Field } from '../contract/fields.ts';

/** What a field counts beside its name and value, in a table and in a list (RFC 7541, section 4.1; RFC 9113, 6.5.2). */
const FIELD_OVERHEAD_BYTES = 32;

/** A field as header blocks have it. Fields that come again by an index are the same object. */
export class HeaderField {
  readonly name: string;
  readonly value: string;
  /** Name and value as they are handed on. */
  readonly pair: Field;
  /** What it counts in a table or list. */
  readonly bytes: number;
  /** What the reader of heads has found out about it, so that it is found out once; 0: nothing yet. */
  verdict = 0;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
    this.pair = [name, value];
    this.bytes = name.length + value.length + FIELD_OVERHEAD_BYTES;
  }
}

/** Appendix A; what stands at 0 is no field of the table. */
export const staticTable: readonly HeaderField[] = [
  ['', ''],
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
].map(([name, value]) => new HeaderField(name!, value!));

/** The index of the newest field of a dynamic table. */
export const DYNAMIC_INDEX_MIN = staticTable.length;

/**
 * A dynamic table: the newest fields whose bytes together are at most `bytesMax`.
 *
 * Invariants: `bytes` is the sum over the fields and at most `bytesMax`, which is at most the limit; `generation` is another
 * number whenever an index may mean another field.
 */
export class DynamicTable {
  generation = 0;
  /** The oldest first: few, since each counts 32 bytes at least. */
  readonly #fields: HeaderField[] = [];
  readonly #evicted: ((field: HeaderField) => void) | undefined;
  #bytes = 0;
  #bytesMax: number = http2.headerTableBytes;

  /** @param evicted is told of each field that leaves the table. */
  constructor(evicted?: (field: HeaderField) => void) {
    this.#evicted = evicted;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#fields.length;
  }

  /** The field that so many have come after. */
  newest(age: number): HeaderField | undefined {
    return this.#fields[this.#fields.length - 1 - age];
  }

  /** Adds a field; one that is larger than the whole table leaves it empty, and itself outside. @returns whether it is in. */
  add(field: HeaderField): boolean {
    this.generation++;
    this.#evictTo(this.#bytesMax - field.bytes);
    if (field.bytes > this.#bytesMax) return false;
    this.#fields.push(field);
    this.#bytes += field.bytes;
    return true;
  }

  resize(bytesMax: number): void {
    this.generation++;
    this.#bytesMax = bytesMax;
    this.#evictTo(bytesMax);
  }

  #evictTo(bytesMax: number): void {
    while (this.#bytes > bytesMax) {
      const oldest = this.#fields.shift();
      if (oldest === undefined) return;
      this.#bytes -= oldest.bytes;
      this.#evicted?.(oldest);
    }
  }
}
