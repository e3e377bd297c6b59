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

/** Free pages that are kept for the next one who needs any, at least, and as a share of the pages in use. */
const SPARE_COUNT_MIN = 8;
const SPARE_SHARE = 1 / 64;

/**
 * A dropped page is freed by the garbage collector, to which a shared buffer is a small object: it might not come by
 * for minutes. So after some dropped pages it is shown an ordinary buffer of the size at which V8 begins to collect:
 * one that is never touched, and so has no memory behind it. The collector then works beside the program, in small
 * steps. The fewer pages wait for it, the shorter it stops the program to unmap them: 10 ms for 64 MB in a trial.
 */
const DROPPED_BYTES_PER_HINT = 32 * PAGE_BYTES;
const DROPPED_BYTES_PER_SETTLE = 8 * PAGE_BYTES;
const HINT_BYTES = 64 * 1024 * 1024;

export class PagePool {
  readonly #spares: Page[] = [];
  #usedCount = 0;
  #usedBytes = 0;
  #droppedBytes = 0;

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
    const isSpare = this.#spares.length < Math.max(SPARE_COUNT_MIN, this.#usedCount * SPARE_SHARE);
    if (byteCount === PAGE_BYTES && isSpare) this.#spares.push(page);
    else this.#noteDropped(byteCount);
  }

  /** There is nothing to do for now: what was dropped is to be freed soon, also if it is little. */
  settle(): void {
    if (this.#droppedBytes >= DROPPED_BYTES_PER_SETTLE) this.#hint();
  }

  /** Drops spare pages that are more than there should be, some at a time. */
  trim(): void {
    if (this.#spares.length <= Math.max(SPARE_COUNT_MIN, this.#usedCount * SPARE_SHARE)) return;
    this.#spares.pop();
    this.#noteDropped(PAGE_BYTES);
  }

  #newBuffer(byteCount: number): SharedArrayBuffer {
    const isGrowable = this.#usedCount <= GROWABLE_COUNT_MAX;
    return new SharedArrayBuffer(byteCount, isGrowable ? { maxByteLength: byteCount } : undefined);
  }

  #noteDropped(byteCount: number): void {
    this.#droppedBytes += byteCount;
    if (this.#droppedBytes >= DROPPED_BYTES_PER_HINT) this.#hint();
  }

  #hint(): void {
    this.#droppedBytes = 0;
    showToCollector(HINT_BYTES);
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
