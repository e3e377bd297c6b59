/**
 * The words of a line that a person has typed, as `sdssplitargs` of Redis takes them apart: between spaces, in double quotes with
 * escapes (`\n`, `\x41`), or in single quotes, where only `\'` is one.
 */
const escapes: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, a: 0x07 };
const DOUBLE = 0x22;
const SINGLE = 0x27;
const BACKSLASH = 0x5c;

/** @returns `undefined`: a quote is not closed, or closed within a word. */
export function splitWords(bytes: Buffer, start: number, end: number): Uint8Array[] | undefined {
  const words: Uint8Array[] = [];
  let at = start;
  for (;;) {
    while (at < end && isSpace(bytes[at])) at++;
    if (at >= end) return words;
    const word: number[] = [];
    let quote = 0;
    for (;;) {
      const byte = at < end ? bytes[at] : undefined;
      if (quote === 0) {
        if (byte === undefined || byte === 0 || isSpace(byte)) break;
        if (byte === DOUBLE || byte === SINGLE) quote = byte;
        else word.push(byte);
        at++;
        continue;
      }
      if (byte === undefined) return undefined;
      if (byte === BACKSLASH) {
        const length = escaped(bytes, at, end, quote, word);
        at += length;
        if (length > 0) continue;
      }
      if (byte === quote) {
        at++;
        if (at < end && !isSpace(bytes[at])) return undefined;
        break;
      }
      word.push(byte);
      at++;
    }
    words.push(Uint8Array.from(word));
    // A zero byte ends the line.
    if (at < end && bytes[at] === 0) return words;
  }
}

/** @returns how many bytes the escape has; 0: it is none. */
function escaped(bytes: Buffer, at: number, end: number, quote: number, word: number[]): number {
  if (at + 1 >= end) return 0;
  const next = bytes[at + 1] ?? 0;
  if (quote === SINGLE) {
    if (next !== SINGLE) return 0;
    word.push(SINGLE);
    return 2;
  }
  const hexadecimal = bytes.toString('latin1', at + 1, Math.min(at + 4, end));
  if (/^x[\da-f]{2}$/i.test(hexadecimal)) {
    word.push(Number.parseInt(hexadecimal.slice(1), 16));
    return 4;
  }
  word.push(escapes[String.fromCharCode(next)] ?? next);
  return 2;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}
