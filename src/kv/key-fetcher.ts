/** Fetches the places of several keys together (`Seam.fetch`), without making garbage for their bytes. */
import type { Key } from '../api.ts';
import { fixed } from '../limits.ts';

export class KeyFetcher {
  readonly #fetch: (keys: readonly Uint8Array[]) => void;
  readonly #row = new KeyRow();

  constructor(fetch: (keys: readonly Uint8Array[]) => void) {
    this.#fetch = fetch;
  }

  /** A longer key, or one that is not ASCII, is not worth the trouble: it is fetched when it is read. */
  add(key: Key): void {
    this.#row.add(key);
  }

  /** Fetches what was added. */
  run(): void {
    if (this.#row.keys.length > 1) this.#fetch(this.#row.keys);
    this.#row.clear();
  }
}

/** The bytes of keys, in memory that is used for one row of them after the other. */
export class KeyRow {
  readonly keys: Uint8Array[] = [];
  readonly #slots: KeySlot[] = [];

  /** @returns the bytes, good until `clear`; `undefined`: it is not text, not ASCII, or longer than `fixed.putRowKeyBytesMax`. */
  add(key: Key): Uint8Array | undefined {
    if (typeof key !== 'string') return undefined;
    const slot = (this.#slots[this.keys.length] ??= new KeySlot());
    const bytes = slot.encode(key);
    if (bytes !== undefined) this.keys.push(bytes);
    return bytes;
  }

  clear(): void {
    this.keys.length = 0;
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
