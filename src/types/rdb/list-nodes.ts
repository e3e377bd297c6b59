/**
 * The nodes of a list in the form that Redis has written since 7.0: elements in listpacks of up to 8 KiB, and each longer one by itself.
 * All elements are written as texts, numbers too, which Redis reads as well.
 */
import { nodeTypes } from './format.ts';
import { LISTPACK_END, LISTPACK_HEAD_BYTES, listpackLengthBytes } from './packed.ts';
import type { ValueWriter } from './value-writer.ts';

const NODE_BYTES_MAX = 8192;
const ENTRY_HEAD_BYTES_MAX = 5;
const COUNT_MAX = 0xfffe;

type Node = { readonly type: number; readonly bytes: Uint8Array };

export class ListNodes {
  readonly #nodes: Node[] = [];
  /** The entries of the listpack that is being filled. */
  #entries: Uint8Array[] = [];
  #entriesBytes = 0;

  /** @param element is copied. */
  add(element: Uint8Array): void {
    if (element.length > NODE_BYTES_MAX) {
      this.#endListpack();
      this.#nodes.push({ type: nodeTypes.plain, bytes: new Uint8Array(element) });
      return;
    }
    const entry = listpackEntry(element);
    if (this.#entriesBytes + entry.length > NODE_BYTES_MAX || this.#entries.length === COUNT_MAX)
      this.#endListpack();
    this.#entries.push(entry);
    this.#entriesBytes += entry.length;
  }

  writeTo(writer: ValueWriter): void {
    this.#endListpack();
    writer.length(this.#nodes.length);
    for (const { type, bytes } of this.#nodes) {
      writer.length(type);
      writer.string(bytes);
    }
  }

  #endListpack(): void {
    if (this.#entries.length === 0) return;
    const bytes = Buffer.allocUnsafe(LISTPACK_HEAD_BYTES + this.#entriesBytes + 1);
    bytes.writeUInt32LE(bytes.length, 0);
    bytes.writeUInt16LE(this.#entries.length, 4);
    let at = LISTPACK_HEAD_BYTES;
    for (const entry of this.#entries) {
      bytes.set(entry, at);
      at += entry.length;
    }
    bytes[at] = LISTPACK_END;
    this.#nodes.push({ type: nodeTypes.packed, bytes });
    this.#entries = [];
    this.#entriesBytes = 0;
  }
}

/** A text as an entry of a listpack, with its length backwards behind it. */
function listpackEntry(element: Uint8Array): Uint8Array {
  const { length } = element;
  const entry = Buffer.allocUnsafe(ENTRY_HEAD_BYTES_MAX + length + ENTRY_HEAD_BYTES_MAX);
  let at = 0;
  if (length < 64) {
    entry[at++] = 0x80 | length;
  } else if (length < 4096) {
    entry[at++] = 0xe0 | (length >>> 8);
    entry[at++] = length & 0xff;
  } else {
    entry[at++] = 0xf0;
    at = entry.writeUInt32LE(length, at);
  }
  entry.set(element, at);
  at += length;
  const entryBytes = at;
  const lengthBytes = listpackLengthBytes(entryBytes);
  // Seven bits each, the highest first; all but the first have a mark, as they are read from behind.
  for (let left = lengthBytes - 1; left >= 0; left--)
    entry[at++] = ((entryBytes >>> (7 * left)) & 0x7f) | (left === lengthBytes - 1 ? 0 : 0x80);
  return entry.subarray(0, at);
}
