/** The escapes that stand in `$'...'`, as bash and zsh have them. Those that write a byte may make text that is not UTF-8. */
import { UsageError } from './usage-error.ts';

const characterByLetter: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  E: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '?': '?',
};

const byteForm = /(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3}))/y;
const characterForm = /(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8}))/y;

export interface Escape {
  readonly content: string | number;
  /** Where the text goes on. */
  readonly end: number;
}

/** Reads the escape whose backslash stands before `start`. @returns its text, or its byte. */
export function readEscape(line: string, start: number): Escape {
  const letter = line[start] ?? '';
  const plain = characterByLetter[letter];
  if (plain !== undefined) return { content: plain, end: start + 1 };
  byteForm.lastIndex = start;
  const [byteText, hex, octal = ''] = byteForm.exec(line) ?? [];
  if (byteText !== undefined) {
    const byte = hex === undefined ? Number.parseInt(octal, 8) : Number.parseInt(hex, 16);
    if (byte > 0xff) throw new UsageError(`\\${byteText} is no byte: the highest is \\377`);
    return { content: byte, end: start + byteText.length };
  }
  characterForm.lastIndex = start;
  const [characterText, short, long = ''] = characterForm.exec(line) ?? [];
  if (characterText === undefined) {
    throw new UsageError(`\\${letter} is no escape of $'...'; there are \\n, \\t, \\xff, \\u00e4 and others`);
  }
  const code = Number.parseInt(short ?? long, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw new UsageError(`\\${characterText} is no character of Unicode`);
  }
  return { content: String.fromCodePoint(code), end: start + characterText.length };
}
