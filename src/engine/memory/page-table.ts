/**
 * A table of pages, numbered from 1: the pages of one kind that one shard (or the ordered index) has.
 *
 * A number that became free is given out again only after two rounds of waiting. In the first the readers let go of
 * what lies in the page. In the second, which begins when they are told that the page is gone, each takes note of that:
 * a reader takes note whenever it begins to read. So no reader ever takes a new page's number for the old page.
 */
import { assert } from '../../errors.ts';
import type { Epochs } from './epochs.ts';
import { PAGE_COUNT_MAX } from './layout.ts';
import { Limbo } from './limbo.ts';
import type { Page, PagePool } from './page-pool.ts';

/** Tells readers that a table has a page under a number, or (`undefined`) has it no longer. */
export type NoticePage = (table: number, index: number, buffer: SharedArrayBuffer | undefined) => void;

const NO_WORDS = new Uint32Array(0);
const NO_BYTES = new Uint8Array(0);

export class PageTable {
  /** By number; what is not there is empty. */
  readonly words: Uint32Array[] = [NO_WORDS];
  readonly bytes: Uint8Array[] = [NO_BYTES];
  readonly #pages: (Page | undefined)[] = [undefined];
  readonly #freeIndexes: number[] = [];
  readonly #pool: PagePool;
  readonly #table: number;
  readonly #notice: NoticePage;
  readonly #limbo: Limbo;
  readonly #indexLimbo: Limbo;

  constructor(table: number, pool: PagePool, epochs: Epochs, notice: NoticePage) {
    this.#table = table;
    this.#pool = pool;
    this.#notice = notice;
    this.#limbo = new Limbo(epochs, (index) => this.#giveBack(index));
    this.#indexLimbo = new Limbo(epochs, (index) => void this.#freeIndexes.push(index));
  }

  /**
   * Adds a page of the usual size, or a new one of `byteCount`: of that, memory is taken only as it is written to. The
   * content is arbitrary.
   */
  add(byteCount?: number): number {
    const index = this.#freeIndexes.pop() ?? this.words.length;
    if (index >= PAGE_COUNT_MAX) throw new RangeError('a shard of the memory engine is full');
    const page = byteCount === undefined ? this.#pool.take() : this.#pool.takeOf(byteCount);
    this.words[index] = page.words;
    this.bytes[index] = page.bytes;
    this.#pages[index] = page;
    this.#notice(this.#table, index, page.buffer);
    return index;
  }

  /** A page that is there. */
  page(index: number): Page {
    return this.#pages[index]!;
  }

  /** Takes a page out to which nothing points any more. */
  remove(index: number): void {
    this.#limbo.retire(index);
  }

  /** Whether pages wait for readers of other threads. */
  get isWaiting(): boolean {
    return this.#limbo.count > 0 || this.#indexLimbo.count > 0;
  }

  reclaim(oldestEpoch: number): void {
    this.#indexLimbo.reclaim(oldestEpoch, 64);
    this.#limbo.reclaim(oldestEpoch, 16);
  }

  /** Tells all pages, to a reader that has just come. */
  announceTo(notice: NoticePage): void {
    this.#pages.forEach((page, index) => page !== undefined && notice(this.#table, index, page.buffer));
  }

  /** For the check of all structures: throws unless each number is in use, free or waiting. @returns the pages. */
  verifyIntegrity(): number {
    const pageCount = this.#pages.filter((page) => page !== undefined).length;
    const spareCount = this.#freeIndexes.length + this.#indexLimbo.count;
    assert(pageCount + spareCount === this.#pages.length - 1, 'no number of a page is lost');
    return pageCount;
  }

  #giveBack(index: number): void {
    const page = this.#pages[index];
    if (page === undefined) throw new Error('broken invariant: a page is given back once');
    this.words[index] = NO_WORDS;
    this.bytes[index] = NO_BYTES;
    this.#pages[index] = undefined;
    this.#notice(this.#table, index, undefined);
    this.#pool.give(page);
    this.#indexLimbo.retire(index);
  }
}
