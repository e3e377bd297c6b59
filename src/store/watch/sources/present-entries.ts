/** Makes the messages of a watch that begins with the present entries: a scan of its ranges at a pinned revision. */
import { StoreError } from '../../../errors.ts';
import { fixed } from '../../../limits.ts';
import type { Entry } from '../../../api.ts';
import { WorkBudget } from '../../../work-budget.ts';
import type { Pin } from '../../history/pins.ts';
import { copyEntry } from '../../views/entries.ts';
import { isOverdue } from '../../views/overdue.ts';
import { bytesOfEntry } from '../messages/event-maker.ts';
import type { WatchWork } from './watch-work.ts';

export class PresentEntries {
  readonly #work: WatchWork;
  readonly #keysOnly: boolean;
  readonly #instantMs: number;
  readonly #pin: Pin;
  #rangeIndex = 0;
  #nextKey: Uint8Array | undefined;

  /** Pins the revision that the watch is at. */
  constructor(work: WatchWork, keysOnly: boolean, nowMs: number) {
    this.#work = work;
    this.#keysOnly = keysOnly;
    this.#instantMs = nowMs;
    const holder = 'a watch that reads the present entries';
    this.#pin = work.source.history.pin(work.place.cursor, { holder, msMax: fixed.pinMsMax });
  }

  release(): void {
    this.#pin.release();
  }

  /**
   * Goes on until a message is ready or needs more room, or the turn is over.
   * @returns whether all entries are dealt with.
   * @throws StoreError `slowWatcher` when the revision is no longer kept.
   */
  read(): boolean {
    const { filter, ready, turn } = this.#work;
    while (!ready.isHeldUp) {
      const range = filter.ranges[this.#rangeIndex];
      if (range === undefined) return true;
      if (turn.isOver) return false;
      if (!this.#pin.isHeld()) {
        throw new StoreError(
          'slowWatcher',
          'the present entries were read so slowly, or memory was so short, that their revision is no longer kept; watch again from the start',
          { resumeRevision: 0 },
        );
      }
      this.#readPage(this.#nextKey ?? range.bytes.start, range.bytes.end);
    }
    return false;
  }

  #readPage(start: Uint8Array, end: Uint8Array | undefined): void {
    const { source, place, ready, turn } = this.#work;
    const withValue = !this.#keysOnly;
    const entries: Entry[] = [];
    let bytes = 0;
    let nextKey: Uint8Array | undefined;
    const visitsMax = Math.min(fixed.watchMessageEventsMax, turn.visitsLeft);
    const budget = new WorkBudget(visitsMax);
    const options = { reverse: false, budget };
    const scannedTo = source.engine.scan({ start, end }, place.cursor, options, (shown) => {
      if (isOverdue(shown, this.#instantMs)) return true;
      const entryBytes = bytesOfEntry(shown, withValue);
      const fits =
        entries.length === 0 ? ready.fits(entryBytes) : bytes + entryBytes <= fixed.watchMessageBytesMax;
      if (fits) {
        entries.push(copyEntry(shown, withValue));
        bytes += entryBytes;
      } else {
        nextKey = shown.copyKey();
      }
      return fits;
    });
    this.#nextKey = nextKey ?? scannedTo;
    if (this.#nextKey === undefined) this.#rangeIndex++;
    turn.spend(visitsMax - budget.visitsLeft);
    if (entries.length > 0) ready.sayCurrent(place.cursor, entries, bytes);
  }
}
