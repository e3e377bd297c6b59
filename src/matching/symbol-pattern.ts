/**
 * Matches a row of symbols (numbers from 0 on) with a pattern: parts, between which any symbols may stand.
 *
 * The first part stands at the beginning and the last one at the end. Those between are found from left to right, each
 * at its first place, which leaves the most to the parts behind it. They are found by Shift-And (R. Baeza-Yates and
 * G. Gonnet, "A new approach to text searching", CACM 35 (10), 1992): a bit for each position of a part tells whether
 * the symbols looked at last fit the part up to there. So each symbol between the first part and the last is looked at
 * once, in as many steps as the part has words of 32 bits, whatever the pattern and the symbols are.
 */

/** Which symbols one position of a part takes: those in the ranges (inclusive), or all others if it is negated. */
export interface Position {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [number, number])[];
}

export type Symbols = Uint8Array | Uint16Array;

/** The positions of a part, counted over all parts. */
interface Part {
  readonly from: number;
  readonly to: number;
}

const WORD_BITS = 32;

export class SymbolPattern {
  readonly #first: Part;
  readonly #between: readonly Part[];
  /** Is the first one, too, in a pattern of one part. */
  readonly #last: Part;
  readonly #isOnePart: boolean;
  readonly #positionCount: number;
  /** Words of 32 bits that hold a bit for each position. */
  readonly #wordCount: number;
  /** For each symbol: the bits of the positions that take it. */
  readonly #taking: Int32Array;
  /** The bits of the part that is being found. */
  readonly #reached: Int32Array;

  /** @param parts at least one. Of the symbols there are `symbolCount`. */
  constructor(parts: readonly (readonly Position[])[], symbolCount: number) {
    let from = 0;
    const places = parts.map(({ length }): Part => ({ from, to: (from += length) }));
    this.#first = places[0]!;
    this.#between = places.slice(1, -1);
    this.#last = places.at(-1)!;
    this.#isOnePart = parts.length === 1;
    this.#positionCount = from;
    this.#wordCount = Math.ceil(from / WORD_BITS);
    this.#taking = new Int32Array(symbolCount * this.#wordCount);
    this.#reached = new Int32Array(this.#wordCount);
    const positions = parts.flat();
    this.#takeForNegated(positions, symbolCount);
    for (const [index, position] of positions.entries()) this.#setTaking(index, position);
  }

  matches(symbols: Symbols, start: number, end: number): boolean {
    const count = end - start;
    if (this.#isOnePart ? count !== this.#positionCount : count < this.#positionCount) return false;
    const lastStart = end - (this.#last.to - this.#last.from);
    if (!this.#takes(this.#first, symbols, start) || !this.#takes(this.#last, symbols, lastStart))
      return false;
    let at = start + this.#first.to;
    for (const part of this.#between) {
      at = this.#endOf(part, symbols, at, lastStart);
      if (at === -1) return false;
    }
    return true;
  }

  /** Lets each symbol be taken by all negated positions; those in their ranges are left out then. */
  #takeForNegated(positions: readonly Position[], symbolCount: number): void {
    const negated = new Int32Array(this.#wordCount);
    for (const [index, position] of positions.entries())
      if (position.negated) negated[index >>> 5]! |= 1 << index;
    for (let symbol = 0; symbol < symbolCount; symbol++) this.#taking.set(negated, symbol * this.#wordCount);
  }

  #setTaking(index: number, { negated, ranges }: Position): void {
    const word = index >>> 5;
    const bit = 1 << index;
    for (const [low, high] of ranges) {
      for (let symbol = low; symbol <= high; symbol++) {
        if (negated) this.#taking[symbol * this.#wordCount + word]! &= ~bit;
        else this.#taking[symbol * this.#wordCount + word]! |= bit;
      }
    }
  }

  /** Whether the symbols from `at` on fit a part. */
  #takes({ from, to }: Part, symbols: Symbols, at: number): boolean {
    const taking = this.#taking;
    const wordCount = this.#wordCount;
    for (let position = from; position < to; position++, at++) {
      const word = taking[symbols[at]! * wordCount + (position >>> 5)]!;
      if (((word >>> position) & 1) === 0) return false;
    }
    return true;
  }

  /** Where a part that is found from `at` on ends; -1: it is not there before `end`. */
  #endOf({ from, to }: Part, symbols: Symbols, at: number, end: number): number {
    const firstBit = 1 << from;
    const lastBit = 1 << (to - 1);
    const firstWord = from >>> 5;
    const lastWord = (to - 1) >>> 5;
    const wordCount = this.#wordCount;
    const taking = this.#taking;
    if (firstWord === lastWord) {
      let reached = 0;
      while (at < end) {
        reached = ((reached << 1) | firstBit) & taking[symbols[at++]! * wordCount + firstWord]!;
        if ((reached & lastBit) !== 0) return at;
      }
      return -1;
    }
    const reached = this.#reached.fill(0, firstWord, lastWord + 1);
    while (at < end) {
      const base = symbols[at++]! * wordCount;
      let carry = firstBit;
      let now = 0;
      for (let word = firstWord; word <= lastWord; word++) {
        const before = reached[word]!;
        now = ((before << 1) | carry) & taking[base + word]!;
        reached[word] = now;
        carry = before >>> (WORD_BITS - 1);
      }
      if ((now & lastBit) !== 0) return at;
    }
    return -1;
  }
}
