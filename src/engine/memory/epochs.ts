/**
 * Epoch-based reclamation (Fraser, "Practical lock-freedom", 5.2.3, in its form for one writer): what readers of other
 * threads may still look at is not reused before all of them have moved on.
 *
 * A reader says that it reads by writing the present epoch into its seat, and that it is done by writing 0. What the
 * writer takes out of the structures it retires under the present epoch; once every reader sits in a later epoch, or in
 * none, nobody can reach it any more.
 *
 * The control block, in words: the epoch, the number of the newest page notice, the compaction's revision
 * (high, low, and high again, so that no reader puts the halves of two revisions together), then one seat per reader.
 */
import { assert } from '../../errors.ts';

const EPOCH = 0;
const NOTICE_COUNT = 1;
const COMPACT_HIGH_BEFORE = 2;
const COMPACT_LOW = 3;
const COMPACT_HIGH_AFTER = 4;
const FIRST_SEAT = 16;
/** Seats lie this many words apart: a cache line each, so that readers do not slow each other down. */
const SEAT_STRIDE = 16;
export const READER_COUNT_MAX = 64;

const IDLE = 0;
const FREE_SEAT = 0xffff_ffff;

export const CONTROL_BYTES = 4 * (FIRST_SEAT + READER_COUNT_MAX * SEAT_STRIDE);

/** The writer's side. */
export class Epochs {
  readonly control = new SharedArrayBuffer(CONTROL_BYTES);
  readonly #words = new Uint32Array(this.control);
  #readerCount = 0;

  constructor() {
    this.#words[EPOCH] = 1;
    for (let seat = 0; seat < READER_COUNT_MAX; seat++) this.#words[seatOffset(seat)] = FREE_SEAT;
  }

  get hasReaders(): boolean {
    return this.#readerCount > 0;
  }

  /**
   * Stores a word that readers follow: what was written before is seen by whoever sees it. Without readers the plain
   * store is much cheaper, since an atomic one waits until all stores before it have reached the cache.
   */
  publish(words: Uint32Array, offset: number, value: number): void {
    if (this.#readerCount > 0) Atomics.store(words, offset, value);
    else words[offset] = value;
  }

  /** The epoch under which something is retired now. */
  get current(): number {
    return this.#words[EPOCH] ?? 0;
  }

  /** Begins a new epoch, so that what was retired before can become free. */
  advance(): void {
    Atomics.add(this.#words, EPOCH, 1);
  }

  /** The oldest epoch that a reader may be in; what was retired in an earlier one is free. */
  oldest(): number {
    let oldest = Atomics.load(this.#words, EPOCH);
    for (let seat = 0; this.#readerCount > 0 && seat < READER_COUNT_MAX; seat++) {
      const epoch = Atomics.load(this.#words, seatOffset(seat));
      if (epoch !== IDLE && epoch !== FREE_SEAT && epoch < oldest) oldest = epoch;
    }
    return oldest;
  }

  takeSeat(): number {
    for (let seat = 0; seat < READER_COUNT_MAX; seat++) {
      if (Atomics.compareExchange(this.#words, seatOffset(seat), FREE_SEAT, IDLE) !== FREE_SEAT) continue;
      this.#readerCount++;
      return seat;
    }
    throw new Error(`broken invariant: more than ${READER_COUNT_MAX} readers`);
  }

  /** Gives the seat of a reader back that reads no more, be it that its thread has ended in the middle of a read. */
  leaveSeat(seat: number): void {
    assert(Atomics.exchange(this.#words, seatOffset(seat), FREE_SEAT) !== FREE_SEAT, 'a reader leaves once');
    this.#readerCount--;
  }

  publishNoticeCount(count: number): void {
    Atomics.store(this.#words, NOTICE_COUNT, count);
  }

  publishCompactRevision(revision: number): void {
    const high = Math.floor(revision / 0x1_0000_0000);
    Atomics.store(this.#words, COMPACT_HIGH_BEFORE, high);
    Atomics.store(this.#words, COMPACT_LOW, revision >>> 0);
    Atomics.store(this.#words, COMPACT_HIGH_AFTER, high);
  }
}

/** A reader's side, in its own thread. */
export class ReaderSeat {
  readonly #words: Uint32Array;
  readonly #offset: number;

  constructor(control: SharedArrayBuffer, seat: number) {
    this.#words = new Uint32Array(control);
    this.#offset = seatOffset(seat);
  }

  enter(): void {
    for (;;) {
      const epoch = Atomics.load(this.#words, EPOCH);
      Atomics.store(this.#words, this.#offset, epoch);
      // Had the writer moved on in between, it may have looked at the seat before it was taken.
      if (Atomics.load(this.#words, EPOCH) === epoch) return;
    }
  }

  leave(): void {
    Atomics.store(this.#words, this.#offset, IDLE);
  }

  noticeCount(): number {
    return Atomics.load(this.#words, NOTICE_COUNT);
  }

  compactRevision(): number {
    for (;;) {
      // Against the order of writing.
      const high = Atomics.load(this.#words, COMPACT_HIGH_AFTER);
      const low = Atomics.load(this.#words, COMPACT_LOW);
      if (Atomics.load(this.#words, COMPACT_HIGH_BEFORE) === high) return high * 0x1_0000_0000 + low;
    }
  }
}

function seatOffset(seat: number): number {
  return FIRST_SEAT + seat * SEAT_STRIDE;
}
