/**
 * How much memory the state of a store may take, and what happens near the limit.
 *
 * What counts: the pages that the engine has reserved (keys, values, every version that history keeps, indexes, pages
 * that are being filled), its rows of keys that history holds many versions of, and the lease table with the keys in it,
 * by an estimate. What does not count is bounded by itself: the log's buffer (`unflushedBytesMax`), the changes kept for
 * watches (`recentChangesMax`), the messages of calls (`callBytesMax` of the server), and the rest of V8's own heap.
 *
 * A write that adds a version and would pass the limit is refused before anything has changed. Deletes, expiry and the
 * ends of leases go on, though each adds a little until history lets go of it: what they free is the way out. So the
 * engine may pass the limit by what they add, by the pages that one transaction opens, and by what a recovery finds.
 *
 * When memory is scarce (near the limit), history is cut short and the engine gives back what it would keep otherwise
 * (`maintenance.ts`), so that writes are refused only once the newest state alone is too large.
 */
import type { Clock } from '../clock.ts';
import type { Engine } from '../engine/engine.ts';
import { StoreError } from '../errors.ts';
import { fixed } from '../limits.ts';
import type { LeaseTable } from './lease-table.ts';
import type { StoreEvent } from './store-event.ts';

const MIB = 1024 * 1024;

export interface MemoryLimitContext {
  readonly engine: Engine;
  readonly leases: LeaseTable;
  readonly clock: Clock;
  readonly bytesMax: number;
  onEvent(event: StoreEvent): void;
}

export class MemoryLimit {
  readonly bytesMax: number;
  readonly #context: MemoryLimitContext;
  readonly #scarceBytes: number;
  #toldMs = -Infinity;

  constructor(context: MemoryLimitContext) {
    const { bytesMax } = context;
    this.#context = context;
    this.bytesMax = bytesMax;
    this.#scarceBytes = bytesMax - Math.min(bytesMax * fixed.memoryReserveShare, fixed.memoryReserveBytesMax);
    if (this.usedBytes > bytesMax) this.#tell();
  }

  get usedBytes(): number {
    return this.#context.engine.memoryBytes + this.#context.leases.memoryBytes;
  }

  /** Whether so little is left that history should be given up for it. */
  get isScarce(): boolean {
    return this.usedBytes > this.#scarceBytes;
  }

  /**
   * A transaction is about to have put so many bytes of keys and values.
   * @throws StoreError `limitReached` when there is no room for them.
   */
  admit(byteCount: number): void {
    if (this.usedBytes + byteCount <= this.bytesMax) return;
    this.#tell();
    throw new StoreError(
      'limitReached',
      `the store uses ${inMiB(this.usedBytes)} of the ${inMiB(this.bytesMax)} of memory that it may (memory-limit), and this write needs more; delete keys, which goes on and frees memory within seconds, or raise the limit`,
    );
  }

  /** Tells whoever runs the store, but not for each write that is refused. */
  #tell(): void {
    const nowMs = this.#context.clock.monotonicMs();
    if (nowMs - this.#toldMs < fixed.memoryFullEventMs) return;
    this.#toldMs = nowMs;
    this.#context.onEvent({ kind: 'memoryFull', usedBytes: this.usedBytes, limitBytes: this.bytesMax });
  }
}

function inMiB(byteCount: number): string {
  return `${(byteCount / MIB).toFixed(1)} MiB`;
}
