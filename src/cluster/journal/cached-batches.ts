/**
 * The batches of the shared log on their way into the cache, the local `Log`, and which records of the store are readable there.
 *
 * A batch goes in by one row: the note of its place, and behind it its records. So it comes into one frame, and what a crash leaves
 * of the cache ends with a whole batch. The store does not count the notes:
 *
 *   the cache's sequence    1      2  3  4    5      6        7      8  9
 *   what it is              place  a  b  c    place  a note   place  d  e
 *   the store's sequence           1  2  3           4               5  6
 *
 * When the cache has written up to 4, the store's records up to 3 are readable, and the first place is the durable one.
 */
import type { Clock } from '../../clock.ts';
import { assert } from '../../errors.ts';
import { cluster as limits } from '../../limits.ts';
import { Fifo } from '../../store/fifo.ts';
import type { JournalPlace, LogPlace } from '../../wal/journal.ts';
import type { Log } from '../../wal/log.ts';
import { encodePlace } from './place-note.ts';

interface Cached {
  readonly cacheSequence: number;
  readonly sequence: number;
  readonly place: JournalPlace;
}

/** The records of a batch that go into the cache. */
export interface CachedRecords {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly count: number;
  /** Of them: the others are notes. */
  readonly revisionCount: number;
}

export class CachedBatches {
  readonly #cache: Log;
  readonly #clock: Clock;
  readonly #cached = new Fifo<Cached>();
  /** Of the newest batch that was put in. */
  #place: LogPlace;
  #durablePlace: JournalPlace;
  /** The store's: of the newest record that was put in, ... */
  #sequence = 0;
  /** ... and of the newest that is readable. */
  #durableSequence = 0;
  #wakeWaiting: (() => void) | undefined;
  #isShortOfRoom = false;
  #isOver = false;

  constructor(cache: Log, clock: Clock, place: JournalPlace) {
    this.#cache = cache;
    this.#clock = clock;
    this.#place = place;
    this.#durablePlace = place;
  }

  get place(): LogPlace {
    return this.#place;
  }

  get durablePlace(): JournalPlace {
    return this.#durablePlace;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get durableSequence(): number {
    return this.#durableSequence;
  }

  /** Whether something that was put in, or that has no room, waits for the disk. */
  get isAwaitingDisk(): boolean {
    return this.#isShortOfRoom || this.#cached.length > 0;
  }

  /** Resolves when there is room for a batch of so many bytes, the cache has failed, or all is over. One call at a time. */
  async room(byteCount: number, place: LogPlace): Promise<void> {
    const bytes = byteCount + encodePlace(place).length;
    while (
      !this.#isOver &&
      this.#cache.failure === undefined &&
      this.#cache.reserveRow(bytes) === undefined
    ) {
      this.#isShortOfRoom = true;
      await this.#move();
    }
    this.#isShortOfRoom = false;
  }

  /** There is room for it, as `room` has said in the same turn. */
  put(place: LogPlace, records: CachedRecords | undefined): void {
    assert(isNext(place, this.#place), 'batches come into the cache one by one');
    const note = encodePlace(place);
    const bytes = note.length + (records === undefined ? 0 : records.end - records.start);
    const offset = this.#cache.reserveRow(bytes);
    assert(offset !== undefined, 'the cache has room for the batch');
    const { buffer } = this.#cache;
    note.copy(buffer, offset);
    records?.buffer.copy(buffer, offset + note.length, records.start, records.end);
    const { count, revisionCount } = records ?? { count: 0, revisionCount: 0 };
    const cacheSequence = this.#cache.commitRow(1 + count, offset + bytes, revisionCount);
    this.#place = place;
    this.#sequence += count;
    this.#cached.push({
      cacheSequence,
      sequence: this.#sequence,
      place: { ...place, revision: this.#cache.lastRevision },
    });
  }

  /**
   * Passes over a batch of which the snapshot that the cache begins with has all, and more: the cache can't say that the state is at
   * its place. Nothing was put in yet.
   */
  passOver(place: JournalPlace): void {
    assert(place.position === this.#place.position + 1, 'batches are passed over one by one');
    assert(this.#cached.length === 0 && this.#sequence === 0, 'what a snapshot has comes first');
    this.#place = place;
    this.#durablePlace = place;
  }

  /** The cache has written what it has up to this sequence of its own. @returns whether a batch is readable that was not. */
  written(cacheSequence: number): boolean {
    let hasMoved = false;
    const cached = this.#cached;
    for (let next = cached.peek(); next !== undefined && next.cacheSequence <= cacheSequence;) {
      cached.shift();
      this.#durableSequence = next.sequence;
      this.#durablePlace = next.place;
      hasMoved = true;
      next = cached.peek();
    }
    this.#wakeWaiting?.();
    return hasMoved;
  }

  /** Nothing is put in any more: who waits for room waits no longer. */
  end(): void {
    this.#isOver = true;
    this.#wakeWaiting?.();
  }

  /** Resolves when the cache has written something; or after a while, since room may come by what it does beside. */
  #move(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wakeWaiting = undefined;
        timer.cancel();
        resolve();
      };
      const timer = this.#clock.setTimer(limits.cacheRetryMs, wake);
      this.#wakeWaiting = wake;
    });
  }
}

/** Revisions of a server that is followed are its places, many in a batch, or none where it holds notes alone. */
function isNext({ position, epoch }: LogPlace, newest: LogPlace): boolean {
  return epoch === 0 ? position >= newest.position : position === newest.position + 1;
}
