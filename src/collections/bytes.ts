/**
 * What a hash, a list, a set or a sorted set holds, as it is handed out: always an object with the bytes, whatever they
 * are, so that a program that keeps binary data gets no text now and then.
 *
 * ```ts
 * const { elements } = await store.list.range('queue');
 * for (const element of elements) console.log(element.text(), element.bytes.length);
 * ```
 */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The name or value of a field, an element of a list, a member of a set. */
export class Bytes {
  readonly bytes: Uint8Array;

  /** @internal */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The bytes as text. Throws a `TypeError` when they are not UTF-8, rather than give back something else. */
  text(): string {
    return utf8.decode(this.bytes);
  }

  /** The bytes as JSON. Throws a `TypeError` or `SyntaxError` when they are none. The caller checks its shape. */
  json(): unknown {
    return JSON.parse(this.text());
  }

  /** As `text`. */
  toString(): string {
    return this.text();
  }
}

/** @internal */
export function toBytes(list: readonly Uint8Array[]): Bytes[] {
  return list.map((bytes) => new Bytes(bytes));
}
