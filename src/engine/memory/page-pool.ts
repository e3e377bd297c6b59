/**
 * The pages that all tables of an engine are made of, and what is kept of those that became free.
 *
 * A page is a `SharedArrayBuffer` that says it may grow (it never does): V8 takes such a buffer straight from the
 * operating system and gives it straight back. A plain one comes from the allocator of the C library, which keeps the
 * freed memory: in a trial of 1200 pages, of which 90 % were dropped, the resident set stayed at 348 MB with plain
 * buffers and fell to 79 MB with growable ones.
 */
import { assert } from '../../errors.ts';
import { PAGE_BYTES } from './layout.ts';

export interface Page {
  readonly buffer: SharedArrayBuffer;
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

/**
 * Each growable buffer is a mapping of its own, of which Linux allows a process 65,530 by default. Beyond this many
 * pages plain buffers are taken.
 */
const GROWABLE_COUNT_MAX = 40_000;

/**
 * Free pages that are kept for the next one who needs any. One for each shard, unless the engine is small: under
 * overwrites all shards empty pages at about the same time, and a page that is dropped then only to be missed a moment
 * later costs a collection of the heap (26 of them in 1,300,000 writes with 8 spares, 2 with 64). A small engine, such as
 * one that has just lost most of its keys, keeps a share of its pages, a large one a smaller share.
 */
const SPARE_COUNT_MIN = 8;
const SPARE_COUNT_SHARDS = 64;
const SPARE_SHARE_SMALL = 1 / 8;
const SPARE_SHARE_LARGE = 1 / 64;

/**
 * A dropped page is freed by the garbage collector, to which a shared buffer is a small object: it might not come by
 * for minutes. So after some dropped pages it is shown an ordinary buffer of the size at which V8 begins to collect:
 * one that is never touched, and so has no memory behind it. The collector then works beside the program, in small
 * steps. The fewer pages wait for it, the shorter it stops the program to unmap them (10 ms for 64 MB in a trial); the
 * more, the fewer collections there are, which take some milliseconds each however little they find. So it is shown
 * something after a share of the pages in use, within bounds.
 */
const DROPPED_SHARE_PER_HINT = 1 / 8;
const DROPPED_BYTES_PER_HINT_MIN = 8 * PAGE_BYTES;
const DROPPED_BYTES_PER_HINT_MAX = 128 * PAGE_BYTES;
const HINT_BYTES = 64 * 1024 * 1024;

export class PagePool {
  readonly #spares: Page[] = [];
  #usedCount = 0;
  #usedBytes = 0;
  #droppedBytes = 0;

  /** The pages in use. */
  get usedCount(): number {
    return this.#usedCount;
  }

  /** The bytes of all pages in use. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** A page of the usual size; what lies in it is arbitrary. */
  take(): Page {
    this.#usedCount++;
    this.#usedBytes += PAGE_BYTES;
    return this.#spares.pop() ?? pageOf(this.#newBuffer(PAGE_BYTES));
  }

  /** A page of another size, for a single version. */
  takeOf(byteCount: number): Page {
    this.#usedCount++;
    this.#usedBytes += byteCount;
    return pageOf(this.#newBuffer(byteCount));
  }

  /** Takes a page back that nobody looks at any more. */
  give(page: Page): void {
    const byteCount = page.buffer.byteLength;
    this.#usedCount--;
    this.#usedBytes -= byteCount;
    if (byteCount === PAGE_BYTES && this.#spares.length < this.#spareCountMax()) this.#spares.push(page);
    else this.#noteDropped(byteCount);
  }

  /** What was dropped is to be freed soon, also if it is little. */
  settle(): void {
    if (this.#droppedBytes >= DROPPED_BYTES_PER_HINT_MIN) this.#hint();
  }

  /** Drops a spare page if there are more than there should be. @returns whether there still are. */
  trim(isThorough: boolean): boolean {
    const excess = this.#spares.length - (isThorough ? SPARE_COUNT_MIN : this.#spareCountMax());
    if (excess <= 0) return false;
    this.#spares.pop();
    this.#noteDropped(PAGE_BYTES);
    return excess > 1;
  }

  #newBuffer(byteCount: number): SharedArrayBuffer {
    const isGrowable = this.#usedCount <= GROWABLE_COUNT_MAX;
    return new SharedArrayBuffer(byteCount, isGrowable ? { maxByteLength: byteCount } : undefined);
  }

  #noteDropped(byteCount: number): void {
    this.#droppedBytes += byteCount;
    const share = this.#usedBytes * DROPPED_SHARE_PER_HINT;
    if (this.#droppedBytes < Math.min(DROPPED_BYTES_PER_HINT_MAX, share)) return;
    if (this.#droppedBytes >= DROPPED_BYTES_PER_HINT_MIN) this.#hint();
  }

  #hint(): void {
    this.#droppedBytes = 0;
    showToCollector(HINT_BYTES);
  }

  #spareCountMax(): number {
    const small = Math.min(SPARE_COUNT_SHARDS, this.#usedCount * SPARE_SHARE_SMALL);
    return Math.max(SPARE_COUNT_MIN, small, this.#usedCount * SPARE_SHARE_LARGE);
  }
}

export function pageOf(buffer: SharedArrayBuffer): Page {
  // Views of a fixed length: V8 accesses those of a length that follows the buffer more slowly.
  return {
    buffer,
    words: new Uint32Array(buffer, 0, buffer.byteLength / 4),
    bytes: new Uint8Array(buffer, 0, buffer.byteLength),
  };
}

function showToCollector(byteCount: number): void {
  const shown = new ArrayBuffer(byteCount, { maxByteLength: byteCount });
  assert(shown.byteLength === byteCount, 'a buffer was made');
}
