/** The nodes of a stream (`format.ts`): some entries each, which name fields only where those are not as in the first of them. */
import { ItemCursor } from '../collections/packed-items.ts';
import { halvesOf } from '../stream/stream-id.ts';
import { entryFlags } from './format.ts';
import { ListpackWriter } from './listpack-writer.ts';
import type { ValueWriter } from './value-writer.ts';

/** What Redis has in a node, where it is not told otherwise. */
const NODE_ENTRIES_MAX = 100;
const NODE_BYTES_MAX = 4096;

interface NodeEntry {
  readonly id: Uint8Array;
  /** Fields and values in turn. */
  readonly items: readonly Uint8Array[];
}

export class StreamNodes {
  readonly #nodes: { readonly id: Uint8Array; readonly bytes: Uint8Array }[] = [];
  readonly #listpack = new ListpackWriter();
  /** Of the node that is being filled. */
  #entries: NodeEntry[] = [];
  #entryBytes = 0;

  /** @param fields what an entry has as its value (`stream/entries.ts`). Both are copied. */
  add(id: Uint8Array, fields: Uint8Array): void {
    if (this.#entries.length === NODE_ENTRIES_MAX || this.#entryBytes + fields.length > NODE_BYTES_MAX)
      this.#endNode();
    const items: Uint8Array[] = [];
    for (const cursor = new ItemCursor(Uint8Array.from(fields)); cursor.next();) items.push(cursor.item);
    this.#entries.push({ id: Uint8Array.from(id), items });
    this.#entryBytes += fields.length;
  }

  writeTo(writer: ValueWriter): void {
    this.#endNode();
    writer.length(this.#nodes.length);
    for (const { id, bytes } of this.#nodes) {
      writer.string(id);
      writer.string(bytes);
    }
  }

  #endNode(): void {
    const [first] = this.#entries;
    if (first === undefined) return;
    const listpack = this.#listpack;
    const fields = fieldsOf(first.items);
    listpack.integer(this.#entries.length);
    listpack.integer(0);
    listpack.integer(fields.length);
    for (const field of fields) listpack.text(field);
    listpack.integer(0);
    const [firstMs, firstSequence] = halvesOf(first.id);
    for (const { id, items } of this.#entries) {
      const [ms, sequence] = halvesOf(id);
      const isAlike = hasFields(items, fields);
      listpack.integer(isAlike ? entryFlags.hasFieldsOfNode : 0);
      listpack.integer(BigInt.asIntN(64, ms - firstMs));
      listpack.integer(BigInt.asIntN(64, sequence - firstSequence));
      if (!isAlike) listpack.integer(items.length / 2);
      for (const [index, item] of items.entries()) if (!isAlike || index % 2 === 1) listpack.text(item);
      listpack.integer(isAlike ? fields.length + 3 : items.length + 4);
    }
    this.#nodes.push({ id: first.id, bytes: listpack.take() });
    this.#entries = [];
    this.#entryBytes = 0;
  }
}

function fieldsOf(items: readonly Uint8Array[]): readonly Uint8Array[] {
  return items.filter((_, index) => index % 2 === 0);
}

function hasFields(items: readonly Uint8Array[], fields: readonly Uint8Array[]): boolean {
  if (items.length !== 2 * fields.length) return false;
  return fields.every((field, index) => Buffer.compare(field, items[2 * index] ?? field) === 0);
}
