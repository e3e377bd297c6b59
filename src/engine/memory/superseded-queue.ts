/**
 * What a compaction may make superfluous, in the order of revisions: each entry says that at a revision a key got a
 * version that replaces an older one, or that is a deletion.
 *
 * Entries mostly come in the order of their revisions and then cost a store to the end of a row of pages. Those that do
 * not (a snapshot with history is loaded key by key) go into a binary heap.
 *
 *     entry, in words of a page: key id; revision, low word; revision, high word
 */
import { PAGE_WORDS, wide } from './layout.ts';
import type { Page, PagePool } from './page-pool.ts';

const ENTRY_WORDS = 3;
const PAGE_END = Math.floor(PAGE_WORDS / ENTRY_WORDS) * ENTRY_WORDS;
const TWO_POW_32 = 0x1_0000_0000;

export class SupersededQueue {
  readonly #pool: PagePool;
  /** The oldest entry is in the first page, the newest in the last. Without entries there is no page. */
  readonly #pages: Page[] = [];
  /** The word of the oldest entry in the first page, and the word after the newest one in the last. */
  #head = 0;
  #tail = PAGE_END;
  #lastRevision = 0;
  readonly #heapRevisions: number[] = [];
  readonly #heapKeyIds: number[] = [];

  constructor(pool: PagePool) {
    this.#pool = pool;
  }

  get pageCount(): number {
    return this.#pages.length;
  }

  push(revision: number, keyId: number): void {
    if (revision < this.#lastRevision) {
      this.#pushHeap(revision, keyId);
      return;
    }
    this.#lastRevision = revision;
    if (this.#tail === PAGE_END) {
      this.#pages.push(this.#pool.take());
      this.#tail = 0;
    }
    const { words } = this.#pages[this.#pages.length - 1]!;
    words[this.#tail] = keyId;
    words[this.#tail + 1] = revision;
    words[this.#tail + 2] = revision / TWO_POW_32;
    this.#tail += ENTRY_WORDS;
  }

  /** The lowest revision; `Infinity` when there is none. */
  nextRevision(): number {
    return Math.min(this.#nextInRow(), this.#heapRevisions[0] ?? Infinity);
  }

  /** Takes out the entry of `nextRevision` and gives its key. */
  shift(): number {
    if ((this.#heapRevisions[0] ?? Infinity) < this.#nextInRow()) return this.#shiftHeap();
    const page = this.#pages[0]!;
    const keyId = page.words[this.#head]!;
    this.#head += ENTRY_WORDS;
    const isLastPage = this.#pages.length === 1;
    if (this.#head < (isLastPage ? this.#tail : PAGE_END)) return keyId;
    this.#pages.shift();
    this.#pool.give(page);
    this.#head = 0;
    if (isLastPage) {
      this.#tail = PAGE_END;
      this.#lastRevision = 0;
    }
    return keyId;
  }

  /** All entries, in no order: key id and revision. For the check of all structures. */
  *entries(): Generator<readonly [keyId: number, revision: number], undefined> {
    for (const [index, { words }] of this.#pages.entries()) {
      const end = index === this.#pages.length - 1 ? this.#tail : PAGE_END;
      for (let at = index === 0 ? this.#head : 0; at < end; at += ENTRY_WORDS) {
        yield [words[at]!, wide(words[at + 1]!, words[at + 2]!)];
      }
    }
    for (const [index, revision] of this.#heapRevisions.entries()) yield [this.#heapKeyIds[index]!, revision];
  }

  #nextInRow(): number {
    const page = this.#pages[0];
    return page === undefined ? Infinity : wide(page.words[this.#head + 1]!, page.words[this.#head + 2]!);
  }

  #pushHeap(revision: number, keyId: number): void {
    const revisions = this.#heapRevisions;
    const keyIds = this.#heapKeyIds;
    let index = revisions.length;
    revisions.push(revision);
    keyIds.push(keyId);
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (revisions[parent]! <= revision) break;
      revisions[index] = revisions[parent]!;
      keyIds[index] = keyIds[parent]!;
      index = parent;
    }
    revisions[index] = revision;
    keyIds[index] = keyId;
  }

  #shiftHeap(): number {
    const revisions = this.#heapRevisions;
    const keyIds = this.#heapKeyIds;
    const first = keyIds[0]!;
    const revision = revisions.pop()!;
    const keyId = keyIds.pop()!;
    const count = revisions.length;
    if (count === 0) return first;
    let index = 0;
    for (let child = 1; child < count; child = 2 * index + 1) {
      if (child + 1 < count && revisions[child + 1]! < revisions[child]!) child++;
      if (revisions[child]! >= revision) break;
      revisions[index] = revisions[child]!;
      keyIds[index] = keyIds[child]!;
      index = child;
    }
    revisions[index] = revision;
    keyIds[index] = keyId;
    return first;
  }
}
