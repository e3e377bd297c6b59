/**
 * Divides the code points of Unicode into intervals, and UTF-8 into the intervals of its code points: to something that
 * treats all code points of an interval alike they are symbols, of which there are few.
 */
import { KEY_BYTES_MAX } from '../../engine/engine.ts';

const ASCII_COUNT = 0x80;
const CODE_MAX = 0x10ffff;

export class CodeIntervals {
  /** Where the last row that was read is; until the next one is read, by any of these. */
  static readonly symbols = new Uint16Array(KEY_BYTES_MAX);

  /** In ascending order, from 0 on. */
  readonly #starts: Uint32Array;
  readonly #ofAscii = new Uint16Array(ASCII_COUNT);

  /** @param starts where an interval begins (besides at 0), in any order, also repeatedly; at most 65535. */
  constructor(starts: readonly number[]) {
    this.#starts = Uint32Array.from(new Set([0, ...starts])).sort();
    for (let code = 0; code < ASCII_COUNT; code++) this.#ofAscii[code] = this.of(code);
  }

  get count(): number {
    return this.#starts.length;
  }

  /** The index of the interval that has a code point. */
  of(code: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= code) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Writes the interval of each code point of a key into `symbols`. @returns how many there are; -1: it is not UTF-8. */
  read(bytes: Uint8Array, start: number, end: number): number {
    const { symbols } = CodeIntervals;
    let count = 0;
    for (let at = start; at < end;) {
      const lead = bytes[at++]!;
      if (lead < ASCII_COUNT) {
        symbols[count++] = this.#ofAscii[lead]!;
        continue;
      }
      // RFC 3629, section 4: the second byte keeps out what a shorter form would hold, surrogates, and what is too high.
      const more = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
      if (more === 0 || end - at < more) return -1;
      let code = lead & (0x3f >>> more);
      for (const last = at + more; at < last; at++) {
        const byte = bytes[at]!;
        if ((byte & 0xc0) !== 0x80) return -1;
        code = (code << 6) | (byte & 0x3f);
      }
      if (more === 2 && (code < 0x800 || code >>> 11 === 0x1b)) return -1;
      if (more === 3 && (code < 0x10000 || code > CODE_MAX)) return -1;
      symbols[count++] = this.of(code);
    }
    return count;
  }
}
