/** Takes a value of Redis apart, piece by piece. All that it reads lies within the bytes; what it says is too long is refused before memory is taken. */
import type { WorkBudget } from '../../work-budget.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { lengths, stringEncodings } from './format.ts';
import { decompressLzf } from './lzf.ts';
import { PayloadError } from './payload-error.ts';

export class ValueReader {
  readonly #bytes: Uint8Array;
  readonly #data: DataView;
  readonly #budget: WorkBudget;
  #at = 0;

  /** @param budget pays for what is decompressed. */
  constructor(bytes: Uint8Array, budget: WorkBudget) {
    this.#bytes = bytes;
    this.#data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#budget = budget;
  }

  /** Whether all of it is read. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.#data.getUint8(this.#advance(1));
  }

  /** A view. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  double(): number {
    return this.#data.getFloat64(this.#advance(8), true);
  }

  uint64(): bigint {
    return this.#data.getBigUint64(this.#advance(8), true);
  }

  /** How many elements or bytes there are. */
  length(): number {
    return Number(this.longLength());
  }

  /** A number of 64 bits, written as a length is. */
  longLength(): number | bigint {
    const first = this.byte();
    if ((first & lengths.kindMask) === lengths.encoded) throw new PayloadError();
    return first === lengths.longest ? this.#data.getBigUint64(this.#advance(8)) : this.#restOfLength(first);
  }

  /** A view, unless it is a number or compressed. */
  string(): Uint8Array {
    const first = this.byte();
    if ((first & lengths.kindMask) !== lengths.encoded) return this.take(this.#restOfLength(first));
    switch (first & ~lengths.kindMask) {
      case stringEncodings.int8:
        return toText(this.#data.getInt8(this.#advance(1)));
      case stringEncodings.int16:
        return toText(this.#data.getInt16(this.#advance(2), true));
      case stringEncodings.int32:
        return toText(this.#data.getInt32(this.#advance(4), true));
      case stringEncodings.lzf: {
        const compressed = this.length();
        const length = this.length();
        this.#budget.spendBytes(length);
        if (this.#budget.isSpent) throw budgetSpent(this.#budget);
        return decompressLzf(this.take(compressed), length);
      }
      default:
        throw new PayloadError();
    }
  }

  #restOfLength(first: number): number {
    if ((first & lengths.kindMask) === lengths.short) return first;
    if ((first & lengths.kindMask) === lengths.medium)
      return ((first & ~lengths.kindMask) << 8) | this.byte();
    if (first === lengths.long) return this.#data.getUint32(this.#advance(4));
    if (first !== lengths.longest) throw new PayloadError();
    return Number(this.#data.getBigUint64(this.#advance(8)));
  }

  /** @returns where so many bytes begin. */
  #advance(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new PayloadError();
    this.#at += length;
    return start;
  }
}

function toText(value: number): Uint8Array {
  return Buffer.from(String(value), 'latin1');
}
