/**
 * The open streams of a connection by their ids. Ids of one side rise by two, so a slot is nearly always found at once: open
 * addressing with `id / 2` as hash, a power of two of slots of which at most half are taken.
 */
import { http2 } from '../../limits.ts';

export interface Identified {
  readonly id: number;
}

const SLOTS_MIN = 8;
/** Of a connection that has had no stream. */
const NO_SLOTS: undefined[] = [];

export class StreamTable<Stream extends Identified> {
  #slots: (Stream | undefined)[] = NO_SLOTS;
  #mask = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Stream | undefined {
    return this.#slots[this.#slotOf(id)];
  }

  /** Adds a stream whose id is not in the table. */
  add(stream: Stream): void {
    if (this.#size * 2 >= this.#slots.length) this.#rebuild(Math.max(this.#slots.length * 2, SLOTS_MIN));
    this.#slots[this.#slotOf(stream.id)] = stream;
    this.#size++;
  }

  delete(id: number): void {
    let hole = this.#slotOf(id);
    if (this.#slots[hole] === undefined) return;
    this.#size--;
    // What stands behind it because the slot was taken moves up, so that no search ends at the hole.
    for (let slot = hole; ;) {
      slot = (slot + 1) & this.#mask;
      const stream = this.#slots[slot];
      if (stream === undefined) break;
      const home = (stream.id >>> 1) & this.#mask;
      if (((slot - home) & this.#mask) < ((slot - hole) & this.#mask)) continue;
      this.#slots[hole] = stream;
      hole = slot;
    }
    this.#slots[hole] = undefined;
    if (this.#size === 0 && this.#slots.length > http2.streamSlotsKeptMax) this.#rebuild(SLOTS_MIN);
  }

  /** Those of now: the table may change while they are gone through. */
  all(): Stream[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  /** The slot with the stream of this id, else the free one where it would stand. */
  #slotOf(id: number): number {
    let slot = (id >>> 1) & this.#mask;
    for (;;) {
      const stream = this.#slots[slot];
      if (stream === undefined || stream.id === id) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #rebuild(slotCount: number): void {
    const streams = this.all();
    this.#slots = emptySlots<Stream>(slotCount);
    this.#mask = slotCount - 1;
    for (const stream of streams) this.#slots[this.#slotOf(stream.id)] = stream;
  }
}

function emptySlots<Stream>(count: number): (Stream | undefined)[] {
  return Array.from({ length: count }, () => undefined);
}
