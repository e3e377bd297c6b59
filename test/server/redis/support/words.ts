/** The words of a command as tests write them. */

/** Text is UTF-8. */
export type Word = string | number | bigint | Uint8Array;

export function toBytes(word: Word): Uint8Array {
  return word instanceof Uint8Array ? word : Buffer.from(String(word));
}

/** As clients send it. */
export function toRequest(words: readonly Word[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = toBytes(word);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** For messages: bytes that are no text are escaped. */
export function showWords(words: readonly Word[]): string {
  return words
    .map((word) => {
      const text = Buffer.from(toBytes(word)).toString('latin1');
      return /^[\w.:*()[\]+-]+$/.test(text)
        ? text
        : JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
    })
    .join(' ');
}
