/** Fetches the places of several keys together (`Seam.fetch`), without making garbage for their bytes. */
import type { Key } from '../api.ts';

/** A longer key, or one that is not ASCII, is not worth the trouble: it is fetched when it is read. */
const FETCHED_LENGTH_MAX = 64;

export class KeyFetcher {
  readonly #fetch: (keys: readonly Uint8Array[]) => void;
  /** Used for one row of keys after the other. */
  readonly #keys: Uint8Array[] = [];
  readonly #slots: KeySlot[] = [];

  constructor(fetch: (keys: readonly Uint8Array[]) => void) {
    this.#fetch = fetch;
  }

  add(key: Key): void {
    if (typeof key !== 'string') return;
    const slot = (this.#slots[this.#keys.length] ??= new KeySlot());
    const bytes = slot.encode(key);
    if (bytes !== undefined) this.#keys.push(bytes);
  }

  /** Fetches what was added. */
  run(): void {
    if (this.#keys.length > 1) this.#fetch(this.#keys);
    this.#keys.length = 0;
  }
}

/** Memory for the bytes of one key after the other. */
class KeySlot {
  readonly #bytes = new Uint8Array(FETCHED_LENGTH_MAX);
  /** A view of each length, made when it is first needed. */
  readonly #views: (Uint8Array | undefined)[] = [];

  encode(key: string): Uint8Array | undefined {
    const { length } = key;
    if (length === 0 || length > FETCHED_LENGTH_MAX) return undefined;
    for (let index = 0; index < length; index++) {
      const code = key.charCodeAt(index);
      if (code >= 0x80) return undefined;
      this.#bytes[index] = code;
    }
    return (this.#views[length] ??= this.#bytes.subarray(0, length));
  }
}
