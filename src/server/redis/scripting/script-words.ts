/**
 * The words of a call that a script makes: values of Lua put as bytes where a command looks for its words.
 *
 * What a call writes may point to its words until the transaction is committed, so no byte is used twice: words lie one behind the other
 * in a piece of memory, and a new piece is taken when it is full.
 */
import { toGeneral } from '../../../lua/decimal-digits.ts';
import type { LuaValue } from '../../../lua/value.ts';
import { PlacedArguments } from '../protocol/placed-arguments.ts';

const PIECE_BYTES = 64 * 1024;
/** Words that are longer together lie in memory of their own, so that no more of it is kept than a piece. */
const LONG_BYTES = 16 * 1024;
/** Below this a loop copies faster than a call of the runtime. */
const LOOP_LENGTH_MAX = 24;
/** Digits that tell any two doubles apart. */
const DIGITS = 17;

export class ScriptWords {
  readonly args = new PlacedArguments();
  #piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #at = 0;

  constructor() {
    this.args.keepsKeys = true;
  }

  /**
   * @param words numbers among them become text.
   * @param pay is told how many bytes they have before they are copied.
   * @returns false: there is a word that is neither a string nor a number.
   */
  put(words: LuaValue[], pay: (bytes: number) => void): boolean {
    let bytes = 0;
    for (let index = 0; index < words.length; index++) {
      const word = words[index];
      const text = typeof word === 'number' ? toGeneral17(word) : word;
      if (typeof text !== 'string') return false;
      words[index] = text;
      bytes += text.length;
    }
    pay(bytes);
    const isLong = bytes > LONG_BYTES;
    if (!isLong && this.#at + bytes > PIECE_BYTES) {
      this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.#at = 0;
    }
    const piece = isLong ? Buffer.allocUnsafeSlow(bytes) : this.#piece;
    this.args.begin(piece);
    let at = isLong ? 0 : this.#at;
    for (const word of words) {
      if (typeof word !== 'string') return false;
      const { length } = word;
      if (length <= LOOP_LENGTH_MAX)
        for (let index = 0; index < length; index++) piece[at + index] = word.charCodeAt(index);
      else piece.write(word, at, length, 'latin1');
      this.args.add(at, at + length);
      at += length;
    }
    if (!isLong) this.#at = at;
    return true;
  }
}

/** As Redis does it: scripts see fewer digits of the same number. */
function toGeneral17(value: number): string {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  if (Number.isNaN(value)) return '-nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return toGeneral(value, DIGITS);
}
