/** Keys as they can be typed again: as they are where that is one word, else in quotes. */
import type { Key } from '../api-value.ts';
import { unprintable } from './unprintable.ts';

/** Whatever else it may hold, a word of these alone needs no quotes. */
const needsQuotes = /[\s'"\\$]|^#|^$/u;

/** A key as a word: `user:1`, `'two words'`, `$'line\nbreak'`, `$'\xff'`. What is shown can't move the cursor. */
export function quoteWord(key: Key): string {
  return typeof key === 'string' ? quoteText(key) : `$'${[...key].map(escapeByte).join('')}'`;
}

function quoteText(text: string): string {
  if (unprintable.test(text) || text.includes("'")) return `$'${Array.from(text, escapeCharacter).join('')}'`;
  return needsQuotes.test(text) ? `'${text}'` : text;
}

const letterByCharacter: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
  "'": "\\'",
};

function escapeCharacter(character: string): string {
  const letter = letterByCharacter[character];
  if (letter !== undefined) return letter;
  if (!unprintable.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\U${digits(code, 8)}` : `\\u${digits(code, 4)}`;
}

/** Of a key that is not UTF-8: what is ASCII stays readable. */
function escapeByte(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? escapeCharacter(String.fromCharCode(byte)) : `\\x${digits(byte, 2)}`;
}

function digits(code: number, length: number): string {
  return code.toString(16).padStart(length, '0');
}
