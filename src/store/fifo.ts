/**
 * A queue: first in, first out, with constant time for both ends (`Array.shift` copies). A ring, whose memory is used again; a
 * long one gives it back when it has become empty.
 */

const CAPACITY_MIN = 16;
const CAPACITY_KEPT_MAX = 1024;

export class Fifo<Item> {
  /** A power of two long. */
  #items: (Item | undefined)[] = empty(CAPACITY_MIN);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: Item): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#length) & (this.#items.length - 1)] = item;
    this.#length++;
  }

  peek(): Item | undefined {
    return this.#items[this.#head];
  }

  /** The item `offset` places behind the first; `undefined` where there is none. */
  at(offset: number): Item | undefined {
    return offset >= 0 && offset < this.#length
      ? this.#items[(this.#head + offset) & (this.#items.length - 1)]
      : undefined;
  }

  last(): Item | undefined {
    return this.#length === 0 ? undefined : this.at(this.#length - 1);
  }

  shift(): Item | undefined {
    if (this.#length === 0) return undefined;
    const items = this.#items;
    const item = items[this.#head];
    items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (items.length - 1);
    this.#length--;
    if (this.#length === 0 && items.length > CAPACITY_KEPT_MAX) this.#items = empty(CAPACITY_MIN);
    if (this.#length === 0) this.#head = 0;
    return item;
  }

  #grow(): void {
    const items = empty<Item>(this.#items.length * 2);
    for (let offset = 0; offset < this.#length; offset++) items[offset] = this.at(offset);
    this.#items = items;
    this.#head = 0;
  }
}

function empty<Item>(capacity: number): (Item | undefined)[] {
  return Array.from({ length: capacity });
}
