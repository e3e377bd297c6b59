/**
 * The nodes of a list in the form that Redis has written since 7.0: elements in listpacks of up to 8 KiB, and each longer one by itself.
 * All elements are written as texts, numbers too, which Redis reads as well.
 */
import { nodeTypes } from './format.ts';
import { ListpackWriter, sizeOfText } from './listpack-writer.ts';
import type { ValueWriter } from './value-writer.ts';

const NODE_BYTES_MAX = 8192;

type Node = { readonly type: number; readonly bytes: Uint8Array };

export class ListNodes {
  readonly #nodes: Node[] = [];
  /** The one that is being filled. */
  readonly #listpack = new ListpackWriter();

  /** @param element is copied. */
  add(element: Uint8Array): void {
    if (element.length > NODE_BYTES_MAX) {
      this.#endListpack();
      this.#nodes.push({ type: nodeTypes.plain, bytes: new Uint8Array(element) });
      return;
    }
    if (this.#listpack.elementBytes + sizeOfText(element) > NODE_BYTES_MAX) this.#endListpack();
    this.#listpack.text(element);
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
    if (this.#listpack.elementBytes === 0) return;
    this.#nodes.push({ type: nodeTypes.packed, bytes: this.#listpack.take() });
  }
}
