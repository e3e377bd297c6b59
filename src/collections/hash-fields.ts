/** The fields of a hash that a call has read, to go through or to look up by name. */
import type { Value } from '../api-value.ts';
import { bytesOf } from '../arguments/value.ts';
import { Bytes } from './bytes.ts';
import type { FieldBytes } from './reads.ts';

export interface HashField {
  readonly name: Bytes;
  readonly value: Bytes;
}

/**
 * ```ts
 * const { fields } = await store.hash.get('user:1');
 * fields.get('name')?.text();
 * fields.toObject(); // { name: 'Alice', age: '42' }
 * for (const { name, value } of fields) console.log(name.text(), value.text());
 * ```
 */
export class HashFields implements Iterable<HashField> {
  readonly #fields: readonly HashField[];
  #valueByName: ReadonlyMap<string, Bytes> | undefined;

  /** @internal */
  constructor(fields: readonly FieldBytes[]) {
    this.#fields = fields.map(toHashField);
  }

  /** How many there are. */
  get size(): number {
    return this.#fields.length;
  }

  /** The value of a field, by its name as text or bytes; nothing when there is no such field. */
  get(name: Value): Bytes | undefined {
    this.#valueByName ??= new Map(this.#fields.map((field) => [asKey(field.name.bytes), field.value]));
    return this.#valueByName.get(asKey(bytesOf(name)));
  }

  has(name: Value): boolean {
    return this.get(name) !== undefined;
  }

  [Symbol.iterator](): Iterator<HashField> {
    return this.#fields.values();
  }

  /** Names and values as text. Throws a `TypeError` when one is not UTF-8. */
  toObject(): Record<string, string> {
    return Object.fromEntries(this.#fields.map(({ name, value }) => [name.text(), value.text()]));
  }
}

/** @internal */
export function toHashField({ name, value }: FieldBytes): HashField {
  return { name: new Bytes(name), value: new Bytes(value) };
}

/** Each byte as a character: one text for the same bytes, whether they are UTF-8 or not. */
function asKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
