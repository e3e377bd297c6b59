/**
 * The JSON of a message while it is sent. Long values stay as they are and become base64 in pieces, each when the client has
 * taken the one before: a reply of 64 MiB is never there as a text.
 */
import { serverFixed } from '../../limits.ts';

const { jsonPieceBytes, jsonLongValueBytes } = serverFixed;
/** Text is made bytes when it has so many characters. */
const TEXT_LENGTH = 16 * 1024;
/** Base64 in pieces fits together where each but the last stands for a multiple of three bytes. */
const VALUE_PIECE_BYTES = Math.floor(jsonPieceBytes / 4) * 3;

interface LongValue {
  readonly bytes: Buffer;
  readonly isLong: true;
}

export class JsonText {
  /** What is not sent, from `#next` on. */
  readonly #parts: (Buffer | LongValue | undefined)[] = [];
  #next = 0;
  /** Of the long value that comes next, what is sent of it. */
  #valueOffset = 0;
  /** What is written and no part yet. */
  #text = '';
  #byteLength = 0;
  #heldBytes = 0;

  /** Of all that is written by `text` and `bytes`, sent or not, once `end` was called. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** The memory of what is not sent. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  text(text: string): void {
    this.#text += text;
    if (this.#text.length >= TEXT_LENGTH) this.end();
  }

  /** Bytes, which must not change from now on, as base64 in quotes. */
  bytes(value: Uint8Array): void {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (bytes.length < jsonLongValueBytes) return this.text(`"${bytes.toString('base64')}"`);
    this.text('"');
    this.end();
    this.#parts.push({ bytes, isLong: true });
    this.#byteLength += Math.ceil(bytes.length / 3) * 4;
    this.#heldBytes += bytes.length;
    this.text('"');
  }

  /** Nothing more is written. */
  end(): void {
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    this.#byteLength += bytes.length;
    this.#heldBytes += bytes.length;
    if (bytes.length > 0) this.#parts.push(bytes);
  }

  /** Takes the next bytes out, `jsonPieceBytes` or a little more of them; `undefined`: that was all. */
  take(): Buffer | undefined {
    const taken: Buffer[] = [];
    let length = 0;
    for (let part = this.#parts[this.#next]; part !== undefined; part = this.#parts[this.#next]) {
      const bytes = 'isLong' in part ? this.#takeOfValue(part.bytes) : this.#takePart(part);
      taken.push(bytes);
      length += bytes.length;
      if (length >= jsonPieceBytes) break;
    }
    return taken.length > 1 ? Buffer.concat(taken, length) : taken[0];
  }

  #takeOfValue(value: Buffer): Buffer {
    const from = this.#valueOffset;
    const to = Math.min(value.length, from + VALUE_PIECE_BYTES);
    this.#valueOffset = to;
    if (to === value.length) this.#takePart(value);
    return Buffer.from(value.toString('base64', from, to), 'latin1');
  }

  #takePart(part: Buffer): Buffer {
    this.#parts[this.#next++] = undefined;
    this.#valueOffset = 0;
    this.#heldBytes -= part.length;
    return part;
  }
}
