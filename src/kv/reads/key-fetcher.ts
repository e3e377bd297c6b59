/** Fetches the places of several keys together (`Seam.fetch`), without making garbage for their bytes. */
import type { Key } from '../../api.ts';
import { fixed } from '../../limits.ts';

export class KeyFetcher {
  readonly #fetch: (keys: readonly Uint8Array[], count: number) => void;
  readonly #row = new KeyRow();

  /** @param fetch the first `count` of some keys. */
  constructor(fetch: (keys: readonly Uint8Array[], count: number) => void) {
    this.#fetch = fetch;
  }

  /** A longer key, or one that is not ASCII, is not worth the trouble: it is fetched when it is read. */
  add(key: Key): void {
    this.#row.add(key);
  }

  /** Fetches what was added. */
  run(): void {
    if (this.#row.length > 1) this.#fetch(this.#row.keys, this.#row.length);
    this.#row.clear();
  }
}

/** The bytes of keys, in memory that is used for one row of them after the other. */
export class KeyRow {
  /** The first `length` are those of the row. An array that is emptied would give its memory back, and take it again. */
  readonly keys: Uint8Array[] = [];
  length = 0;
  readonly #slots: KeySlot[] = [];

  /** @returns the bytes, good until `clear`; `undefined`: it is not text, not ASCII, or longer than `fixed.putRowKeyBytesMax`. */
  add(key: Key): Uint8Array | undefined {
    if (typeof key !== 'string') return undefined;
    const slot = (this.#slots[this.length] ??= new KeySlot());
    const bytes = slot.encode(key);
    if (bytes !== undefined) this.keys[this.length++] = bytes;
    return bytes;
  }

  clear(): void {
    this.length = 0;
  }
}

/** Memory for the bytes of one key after the other. */
class KeySlot {
  readonly #bytes = new Uint8Array(fixed.putRowKeyBytesMax);
  /** A view of each length, made when it is first needed. */
  readonly #views: (Uint8Array | undefined)[] = [];

  encode(key: string): Uint8Array | undefined {
    const { length } = key;
    if (length === 0 || length > fixed.putRowKeyBytesMax) return undefined;
    const bytes = this.#bytes;
    let all = 0;
    for (let index = 0; index < length; index++) {
      const code = key.charCodeAt(index);
      all |= code;
      bytes[index] = code;
    }
    if (all >= 0x80) return undefined;
    return (this.#views[length] ??= bytes.subarray(0, length));
  }
}
