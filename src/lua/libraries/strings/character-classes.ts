/** The classes of characters in Lua's patterns, as C's locale has them: bytes above 127 are in none. */

const ALPHA = 1;
const CONTROL = 2;
const DIGIT = 4;
const LOWER = 8;
const PUNCTUATION = 16;
const SPACE = 32;
const UPPER = 64;
const HEXADECIMAL = 128;
const ZERO = 256;

const classesByByte = Uint16Array.from({ length: 256 }, (_, byte) => {
  const text = String.fromCharCode(byte);
  let classes = byte === 0 ? ZERO : 0;
  if (/[A-Za-z]/.test(text)) classes |= ALPHA;
  if (byte < 32 || byte === 127) classes |= CONTROL;
  if (/[0-9]/.test(text)) classes |= DIGIT;
  if (/[a-z]/.test(text)) classes |= LOWER;
  if (/[!-/:-@[-`{-~]/.test(text)) classes |= PUNCTUATION;
  if (byte === 32 || (byte >= 9 && byte <= 13)) classes |= SPACE;
  if (/[A-Z]/.test(text)) classes |= UPPER;
  if (/[0-9A-Fa-f]/.test(text)) classes |= HEXADECIMAL;
  return classes;
});

const classesByLetter = new Uint16Array(256);
for (const [letter, classes] of Object.entries({
  a: ALPHA,
  c: CONTROL,
  d: DIGIT,
  l: LOWER,
  p: PUNCTUATION,
  s: SPACE,
  u: UPPER,
  w: ALPHA | DIGIT,
  x: HEXADECIMAL,
  z: ZERO,
})) {
  classesByLetter[letter.charCodeAt(0)] = classes;
  classesByLetter[letter.toUpperCase().charCodeAt(0)] = classes;
}

const FIRST_LOWER = 0x61;

/** Whether a byte is in the class `%letter`; a letter in upper case is the class's complement, any other character is itself. */
export function isInClass(byte: number, letter: number): boolean {
  const classes = classesByLetter[letter] ?? 0;
  if (classes === 0) return letter === byte;
  const isIn = ((classesByByte[byte] ?? 0) & classes) !== 0;
  return isIn === letter >= FIRST_LOWER;
}
