/**
 * The bits of a Bloom filter, for one call: pages are read when they are first looked at, and written together at the end. A page that
 * was never written is not there: all of its bits are 0.
 */
import { beginElementKey, ELEMENT_HEAD_BYTES, tags } from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { MurmurHash } from '../hashing/murmur-hash.ts';
import { type Filter, type Layer, PAGE_BYTES } from './layers.ts';

const SEED_LOW = 0x5bd1e995;
const SEED_HIGH = 0xc6a4a793;
/** Of a hash so many bits are used: what a double holds exactly. */
const HIGH_MASK = 0x1fffff;
const PAGE_BITS = PAGE_BYTES * 8;

const hash = new MurmurHash();

export class Pages {
  readonly #view: ReadView;
  readonly #filter: Filter;
  /** 0: the filter is packed, or new. */
  readonly #collectionId: number;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #written = new Set<number>();
  #a = 0;
  #b = 0;
  #c = 0;

  constructor(view: ReadView, filter: Filter, collectionId: number) {
    this.#view = view;
    this.#filter = filter;
    this.#collectionId = collectionId;
  }

  /**
   * What `isIn` and `addTo` are about from now on. The places of an item are `a`, `a + b`, `a + 2b + c`, `a + 3b + 3c`, ...: with
   * two numbers alone, places would come round too soon in a layer of few bits, where two items would often have all of theirs
   * in common (Dillinger and Manolios, "Bloom Filters in Probabilistic Verification").
   */
  select(item: Uint8Array): void {
    const { budget } = this.#view;
    budget.spendVisits(1);
    budget.spendKeyBytes(item.length);
    if (budget.isSpent) throw budgetSpent(budget);
    hash.hash(item, SEED_LOW, SEED_HIGH);
    this.#a = (hash.high & HIGH_MASK) * 2 ** 32 + hash.low;
    hash.hash(item, hash.low, hash.high);
    this.#b = (hash.high & HIGH_MASK) * 2 ** 32 + hash.low;
    hash.hash(NO_BYTES, hash.low, hash.high);
    this.#c = (hash.high & HIGH_MASK) * 2 ** 32 + hash.low;
  }

  isIn(layer: Layer): boolean {
    const bits = layer.bytes * 8;
    const turn = this.#c % bits;
    let step = this.#b % bits;
    let place = this.#a % bits;
    for (let index = 0; index < layer.hashes; index++) {
      const page = this.#page(layer, Math.floor(place / PAGE_BITS));
      if (((page[(place % PAGE_BITS) >> 3] ?? 0) & (1 << (place & 7))) === 0) return false;
      place = (place + step) % bits;
      step = (step + turn) % bits;
    }
    return true;
  }

  addTo(layer: Layer): void {
    const bits = layer.bytes * 8;
    const turn = this.#c % bits;
    let step = this.#b % bits;
    let place = this.#a % bits;
    for (let index = 0; index < layer.hashes; index++) {
      const number = Math.floor(place / PAGE_BITS);
      const page = this.#page(layer, number);
      const at = (place % PAGE_BITS) >> 3;
      page[at] = (page[at] ?? 0) | (1 << (place & 7));
      this.#written.add(layer.firstPage + number);
      place = (place + step) % bits;
      step = (step + turn) % bits;
    }
  }

  /** The filter is packed no more: its bits are the first page. */
  unpack(): void {
    const { packedBits } = this.#filter;
    if (packedBits === undefined) return;
    this.#pages.set(0, packedBits);
    this.#written.add(0);
    this.#filter.packedBits = undefined;
  }

  /** Writes the pages that have changed. */
  write(view: View, collectionId: number): void {
    for (const number of this.#written) {
      const page = this.#pages.get(number);
      if (page !== undefined) view.put(pageKey(collectionId, number), page);
    }
  }

  /** @param index among the pages of the layer. */
  #page(layer: Layer, index: number): Uint8Array {
    const { packedBits } = this.#filter;
    if (packedBits !== undefined) return packedBits;
    const number = layer.firstPage + index;
    let page = this.#pages.get(number);
    if (page !== undefined) return page;
    const stored =
      this.#collectionId === 0 ? undefined : this.#view.read(pageKey(this.#collectionId, number))?.value;
    page = stored?.slice() ?? new Uint8Array(Math.min(PAGE_BYTES, layer.bytes - index * PAGE_BYTES));
    if (this.#view.budget.isSpent) throw budgetSpent(this.#view.budget);
    this.#pages.set(number, page);
    return page;
  }
}

function pageKey(collectionId: number, number: number): Uint8Array {
  const key = beginElementKey(collectionId, tags.page, 4);
  for (let index = 0; index < 4; index++) key[ELEMENT_HEAD_BYTES + index] = number >>> (24 - 8 * index);
  return key;
}
