/**
 * Finds numbers in JSON that a reader of JavaScript would round without a word: `JSON.parse` makes 9007199254740992 of
 * 9007199254740993, and 1 of 1.00000000000000000001. A whole number must be one that JavaScript holds exactly; a larger one is
 * written as text, as Protobuf's JSON does, also where a double is meant.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** So many digits are a number that is exact. */
const EXACT_DIGITS_MAX = 15;
/** Of the largest, 2^53 - 1. */
const LARGEST_DIGITS = 16;

/** A message shows so much of a number. */
const SHOWN_LENGTH_MAX = 40;

/**
 * Goes once through the bytes of a JSON text.
 * @returns what to say of the first number that would be rounded; `undefined`: there is none. What is no JSON is for
 * its parser to refuse.
 */
export function roundedNumberIn(json: Uint8Array): string | undefined {
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE) {
      at = endOfText(json, at);
    } else if (isDigit(byte) || byte === MINUS) {
      const end = endOfNumber(json, at);
      if (!isShortInteger(json, at, end)) {
        const number = Buffer.from(json.buffer, json.byteOffset + at, end - at).toString('latin1');
        if (isRounded(number)) {
          const shown =
            number.length <= SHOWN_LENGTH_MAX ? number : `${number.slice(0, SHOWN_LENGTH_MAX)}...`;
          return `the number ${shown} would be rounded; write a whole number beyond 2^53 - 1 as text, in quotes`;
        }
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** The quote that ends the text that begins at `start`, or the end of all. */
export function endOfText(json: Uint8Array, start: number): number {
  for (let end = json.indexOf(QUOTE, start + 1); end !== -1; end = json.indexOf(QUOTE, end + 1)) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return json.length;
}

/** Behind the last byte of the number that begins at `start`. */
function endOfNumber(json: Uint8Array, start: number): number {
  let end = start + 1;
  while (end < json.length && isOfNumber(json[end] ?? 0)) end++;
  return end;
}

function isOfNumber(byte: number): boolean {
  // Digits, the point, the signs and the letter of an exponent.
  return isDigit(byte) || byte === 0x2e || byte === MINUS || byte === 0x2b || byte === 0x45 || byte === 0x65;
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

function isShortInteger(json: Uint8Array, start: number, end: number): boolean {
  if (end - start > EXACT_DIGITS_MAX) return false;
  for (let at = start + 1; at < end; at++) if (!isDigit(json[at] ?? 0)) return false;
  return true;
}

/** Whether a number is whole for JavaScript, but is another one as it is written; or too large to be known exactly. */
function isRounded(number: string): boolean {
  const match = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number);
  if (match === null) return false;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const digits = trimZeros(whole + fraction);
  if (digits.text === '') return false;
  // The number is the digits, times ten to this power.
  const power = Number(exponent) - fraction.length + digits.zerosBehind;
  if (power < 0) return Number.isInteger(Number(number));
  if (digits.text.length + power > LARGEST_DIGITS) return true;
  return BigInt(digits.text) * 10n ** BigInt(power) > BigInt(Number.MAX_SAFE_INTEGER);
}

/** The digits without the zeros before and behind them. By loops: a pattern would try each row of zeros anew. */
function trimZeros(digits: string): { readonly text: string; readonly zerosBehind: number } {
  let start = 0;
  let end = digits.length;
  while (start < end && digits.charCodeAt(start) === DIGIT_0) start++;
  while (end > start && digits.charCodeAt(end - 1) === DIGIT_0) end--;
  return { text: digits.slice(start, end), zerosBehind: digits.length - end };
}
