/**
 * A message as it goes over the wire: `message channel payload`, `pmessage pattern channel payload`, `smessage ...`. It is written
 * once for each version of the protocol, however many clients it goes to: an array in RESP2, a push in RESP3.
 */

const ARRAY = '*'.charCodeAt(0);
const PUSH = '>'.charCodeAt(0);

export class Message {
  readonly #words: readonly Uint8Array[];
  #array: Uint8Array | undefined;
  #push: Uint8Array | undefined;

  /** @param words stay as they are. */
  constructor(words: readonly Uint8Array[]) {
    this.#words = words;
  }

  bytes(version: 2 | 3): Uint8Array {
    if (version === 2) return (this.#array ??= this.#encode(ARRAY));
    return (this.#push ??= this.#encode(PUSH));
  }

  #encode(type: number): Uint8Array {
    const heads = this.#words.map(({ length }) => `$${length}\r\n`);
    const opening = `*${this.#words.length}\r\n`;
    const wordBytes = this.#words.reduce(
      (sum, word, index) => sum + word.length + (heads[index]?.length ?? 0) + 2,
      0,
    );
    const bytes = Buffer.allocUnsafe(opening.length + wordBytes);
    let offset = bytes.write(opening, 0, 'latin1');
    this.#words.forEach((word, index) => {
      offset += bytes.write(heads[index] ?? '', offset, 'latin1');
      bytes.set(word, offset);
      offset += word.length;
      offset += bytes.write('\r\n', offset, 'latin1');
    });
    bytes[0] = type;
    return bytes;
  }
}
