/**
 * The JSON of a message while it is sent. Long values stay as they are and become base64, or text with its escapes, in pieces,
 * each when the client has taken the one before: a reply of 64 MiB is never there as a text.
 */
import { isUtf8 } from 'node:buffer';
import { serverFixed } from '../../limits.ts';

const { jsonPieceBytes, jsonLongValueBytes } = serverFixed;
/** Text is made bytes when it has so many characters. */
const TEXT_LENGTH = 16 * 1024;
/** Base64 in pieces fits together where each but the last stands for a multiple of three bytes. */
const VALUE_PIECE_BYTES = Math.floor(jsonPieceBytes / 4) * 3;
/** A byte of a text becomes six at most: `\u0000`. */
const TEXT_PIECE_BYTES = Math.floor(jsonPieceBytes / 6);

interface LongValue {
  readonly bytes: Buffer;
  readonly form: 'base64' | 'text';
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

  /** Of all that is written by `text` and `bytes`, sent or not, once `end` was called; how long values get as text is not known. */
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
    this.#long(bytes, 'base64');
    this.#byteLength += Math.ceil(bytes.length / 3) * 4;
    this.text('"');
  }

  /** Bytes, which must not change from now on, as a text if they are UTF-8, else as `{"base64": "..."}`. */
  value(value: Uint8Array): void {
    if (!isUtf8(value)) {
      this.text('{"base64":');
      this.bytes(value);
      return this.text('}');
    }
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (bytes.length < jsonLongValueBytes) return this.text(JSON.stringify(bytes.toString()));
    this.text('"');
    this.end();
    this.#long(bytes, 'text');
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
      const bytes = 'form' in part ? this.#takeOfValue(part) : this.#takePart(part);
      taken.push(bytes);
      length += bytes.length;
      if (length >= jsonPieceBytes) break;
    }
    return taken.length > 1 ? Buffer.concat(taken, length) : taken[0];
  }

  #takeOfValue({ bytes, form }: LongValue): Buffer {
    const from = this.#valueOffset;
    const to =
      form === 'base64'
        ? Math.min(bytes.length, from + VALUE_PIECE_BYTES)
        : characterBoundary(bytes, from + TEXT_PIECE_BYTES);
    this.#valueOffset = to;
    if (to === bytes.length) this.#takePart(bytes);
    if (form === 'base64') return Buffer.from(bytes.toString('base64', from, to), 'latin1');
    return Buffer.from(JSON.stringify(bytes.toString('utf8', from, to)).slice(1, -1));
  }

  #long(bytes: Buffer, form: LongValue['form']): void {
    this.#parts.push({ bytes, form });
    this.#heldBytes += bytes.length;
  }

  #takePart(part: Buffer): Buffer {
    this.#parts[this.#next++] = undefined;
    this.#valueOffset = 0;
    this.#heldBytes -= part.length;
    return part;
  }
}

/** The last place at or before `end` where no character of UTF-8 is cut; the end of all, if that comes first. */
function characterBoundary(utf8: Uint8Array, end: number): number {
  if (end >= utf8.length) return utf8.length;
  let boundary = end;
  while (((utf8[boundary] ?? 0) & 0xc0) === 0x80) boundary--;
  return boundary;
}
