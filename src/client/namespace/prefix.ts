/** The keys of a namespace: keys below a prefix, and ranges of them. */
import type { DeletedRange, Key, KeyRange, NamedKey } from '../../api.ts';

const SPECIAL_IN_GLOBS = /[*?[\]\\]/g;

export class Prefix {
  readonly text: string;
  readonly #bytes: Uint8Array;

  /** @param text not empty. */
  constructor(text: string) {
    this.text = text;
    this.#bytes = Buffer.from(text);
  }

  keyOf(key: Key): Key {
    return typeof key === 'string' ? this.text + key : Buffer.concat([this.#bytes, key]);
  }

  /** @param raw one of its keys. */
  namedOf({ key, keyBytes }: NamedKey): NamedKey {
    return keyBytes === undefined
      ? { key: key.slice(this.text.length) }
      : { key: '', keyBytes: keyBytes.subarray(this.#bytes.length) };
  }

  /** What is given in several ways stays so: the call refuses it. */
  rangeOf({ key = '', prefix = '', start = '', end = '' }: KeyRange): KeyRange {
    const isByBounds = start.length > 0 || end.length > 0;
    if (key.length === 0 && !isByBounds) return { prefix: this.keyOf(prefix) };
    return {
      ...(key.length > 0 && { key: this.keyOf(key) }),
      ...(prefix.length > 0 && { prefix: this.keyOf(prefix) }),
      ...(isByBounds && { start: this.keyOf(start), end: end.length > 0 ? this.keyOf(end) : this.#end() }),
    };
  }

  /** @param range that the check of ranges to delete has let pass. */
  deletedRangeOf(range: DeletedRange): KeyRange {
    return this.rangeOf('all' in range ? {} : range);
  }

  globOf(pattern: string): string {
    return this.text.replaceAll(SPECIAL_IN_GLOBS, String.raw`\$&`) + pattern;
  }

  /** The first key behind all of its own. */
  #end(): Uint8Array {
    const end = this.#bytes.slice();
    // No byte of UTF-8 is the highest.
    end[end.length - 1] = (end.at(-1) ?? 0) + 1;
    return end;
  }
}
