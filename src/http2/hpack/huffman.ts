/**
 * The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B).
 *
 * The code is canonical: codes of one length go up with their symbols, and a longer one begins where the shorter ones end. So the
 * lengths are the whole table. Reading looks 8 bits up at a time: a code of up to 8 bits is one step, the longest, of 30, four.
 */

/** The end of a string, which may not come; the bits that fill the last byte are the first ones of its code, all 1. */
const END_OF_STRING = 256;

/** The bits of each symbol's code, from 0 to `END_OF_STRING`, 16 symbols to a line. */
// prettier-ignore
const lengthBySymbol: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

/** The longest text that so many coded bytes can be: the shortest codes have 5 bits. */
export function decodedBytesMax(codedBytes: number): number {
  return Math.floor((codedBytes * 8) / 5);
}

const codeLengths = Uint8Array.from(lengthBySymbol);
const codes = codesOf(codeLengths);
const steps = stepsOf(codes, codeLengths);

function codesOf(lengths: Uint8Array): Uint32Array {
  const result = new Uint32Array(lengths.length);
  const inOrder = [...lengths.keys()].toSorted((a, b) => lengths[a]! - lengths[b]! || a - b);
  let code = 0;
  let length = 0;
  for (const symbol of inOrder) {
    code <<= lengths[symbol]! - length;
    length = lengths[symbol]!;
    result[symbol] = code++;
  }
  return result;
}

/**
 * Tables of 256 steps each, one for each next byte: the symbol whose code ends there, times 16, plus the bits of the byte that
 * are its code's; or, for a code that goes on, minus the place of the table where it does. The first table begins at 0.
 */
function stepsOf(codeBySymbol: Uint32Array, lengths: Uint8Array): Int32Array {
  const result: number[] = Array.from({ length: 256 }, () => 0);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const code = codeBySymbol[symbol]!;
    let bits = lengths[symbol]!;
    let table = 0;
    for (; bits > 8; bits -= 8) {
      const place = table + ((code >>> (bits - 8)) & 0xff);
      if (result[place] === 0) {
        result[place] = -result.length;
        for (let byte = 0; byte < 256; byte++) result.push(0);
      }
      table = -result[place]!;
    }
    const first = table + ((code << (8 - bits)) & 0xff);
    for (let place = first; place < first + (1 << (8 - bits)); place++) result[place] = symbol * 16 + bits;
  }
  return Int32Array.from(result);
}

/**
 * Reads the coded bytes of `source` from `from` to `to` into `target`, which has room for `decodedBytesMax` of them.
 *
 * @returns the bytes of the text; -1: the code is broken, or filled up by anything else than up to 7 bits of 1.
 */
export function decodeHuffman(source: Uint8Array, from: number, to: number, target: Uint8Array): number {
  let written = 0;
  let table = 0;
  /** The bits read and not used, in the lowest places of `held`. */
  let held = 0;
  let heldBits = 0;
  for (let position = from; position < to; position++) {
    held = ((held << 8) | source[position]!) & 0xffff;
    heldBits += 8;
    while (heldBits >= 8) {
      const step = steps[table + ((held >>> (heldBits - 8)) & 0xff)]!;
      if (step < 0) {
        table = -step;
        heldBits -= 8;
        continue;
      }
      if (step >>> 4 === END_OF_STRING) return -1;
      target[written++] = step >>> 4;
      heldBits -= step & 0xf;
      table = 0;
    }
  }
  // Fewer than 8 bits are left: the end of a code, then more of them, then what fills the byte.
  while (heldBits > 0) {
    const step = steps[table + (((held << (8 - heldBits)) | (0xff >>> heldBits)) & 0xff)]!;
    const bits = step & 0xf;
    if (step < 0 || bits > heldBits) break;
    if (step >>> 4 === END_OF_STRING) return -1;
    target[written++] = step >>> 4;
    heldBits -= bits;
    table = 0;
  }
  const fill = (1 << heldBits) - 1;
  return table === 0 && (held & fill) === fill ? written : -1;
}

/** The bytes that the code of a text takes, whose characters stand for one byte each. */
export function huffmanBytes(text: string): number {
  let bits = 0;
  for (let index = 0; index < text.length; index++) bits += codeLengths[text.charCodeAt(index)]!;
  return (bits + 7) >>> 3;
}

/** Writes the code of a text at `position`; returns where it ends. */
export function encodeHuffman(text: string, target: Uint8Array, position: number): number {
  let held = 0;
  let heldBits = 0;
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index);
    const code = codes[symbol]!;
    let bits = codeLengths[symbol]!;
    // With the 7 bits that may be held, a long code would not fit into 32.
    if (bits > 24) {
      bits -= 16;
      held = (held << bits) | (code >>> 16);
      heldBits += bits;
      for (; heldBits >= 8; heldBits -= 8) target[position++] = held >>> (heldBits - 8);
      bits = 16;
    }
    held = (held << bits) | (code & ((1 << bits) - 1));
    heldBits += bits;
    for (; heldBits >= 8; heldBits -= 8) target[position++] = held >>> (heldBits - 8);
  }
  if (heldBits > 0) target[position++] = (held << (8 - heldBits)) | (0xff >>> heldBits);
  return position;
}
