/** A range of a store as of one revision, in the memory of the client: found by key, walked in key order, bounded. */
import type { Key } from '../../api.ts';
import { KelpError } from '../errors/error.ts';
import type { Entry } from '../messages/entry.ts';
import { idOf } from './key-ids.ts';
import { SortedIds } from './sorted-ids.ts';

export interface MirrorBounds {
  readonly keysMax: number;
  /** Of keys and values together. */
  readonly bytesMax: number;
}

export class MirroredEntries {
  revision = 0;
  incarnation = '';
  storeId = '';
  /** Of keys and values. */
  byteCount = 0;
  readonly #bounds: MirrorBounds;
  readonly #entries = new Map<string, Entry>();
  readonly #ids = new SortedIds();

  constructor(bounds: MirrorBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Entry | undefined {
    return this.#entries.get(idOf(key));
  }

  *between(start: string, end: string | undefined): Generator<Entry, void, undefined> {
    for (const id of this.#ids.between(start, end)) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) yield entry;
    }
  }

  /** @returns the entry that was there. @throws KelpError `limitReached` when they are more than the bounds allow; then it is of no use any more. */
  put(entry: Entry): Entry | undefined {
    const id = idOf(keyOf(entry));
    const previous = this.#entries.get(id);
    this.#entries.set(id, entry);
    if (previous === undefined) this.#ids.add(id);
    this.byteCount += entry.value.length + (previous === undefined ? id.length : -previous.value.length);
    const { keysMax, bytesMax } = this.#bounds;
    if (this.#entries.size > keysMax || this.byteCount > bytesMax) {
      throw new KelpError(
        'limitReached',
        `the mirrored range has ${this.#entries.size} keys with ${this.byteCount} bytes, or more; a mirror holds up to ${keysMax} and ` +
          `${bytesMax}: mirror a smaller range, or raise keysMax or bytesMax`,
        undefined,
      );
    }
    return previous;
  }

  /** @returns the entry that was there. */
  delete(key: Key): Entry | undefined {
    const id = idOf(key);
    const previous = this.#entries.get(id);
    if (previous === undefined) return undefined;
    this.#entries.delete(id);
    this.#ids.delete(id);
    this.byteCount -= previous.value.length + id.length;
    return previous;
  }
}

export function keyOf({ key, keyBytes }: { readonly key: string; readonly keyBytes?: Uint8Array }): Key {
  return keyBytes ?? key;
}
