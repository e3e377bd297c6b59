/**
 * Makes the messages of a watch that has fallen behind, from the log.
 *
 * A record is gone through where it lies, effect by effect: what the watch does not want is passed over by its key and takes
 * no object, and no effect is looked at twice. When the turn is over, or a message is full, the walk stops within the record;
 * the log's reader begins with the same record again, and the walk where it was.
 */
import { DiskError } from '../../../disk/disk.ts';
import { readFailedError, StoreError } from '../../../errors.ts';
import type { LogReader, ReadResult } from '../../../wal/reader.ts';
import type { WalkRecord } from '../../../wal/frames/records.ts';
import { WireError } from '../../../wire/wire-error.ts';
import type { EventType } from '../../../api.ts';
import { ELEMENT } from '../../views/regions.ts';
import type { ElementRows } from '../messages/element-rows.ts';
import { type PlacedEffect, slowWatcher } from '../messages/event-maker.ts';
import { RecordWalk } from './record-walk.ts';
import { isWantedAt } from '../matching/watch-filter.ts';
import type { WatchWork } from './watch-work.ts';

/** Where the walk through the record of a revision stopped. */
interface Stop {
  readonly revision: number;
  /** The changes of keys before. */
  readonly changeCount: number;
  /** The bytes of the record before. */
  readonly offset: number;
}

export class LogSource {
  readonly #work: WatchWork;
  #reader: LogReader | undefined;
  #stop: Stop | undefined;

  constructor(work: WatchWork) {
    this.#work = work;
  }

  /**
   * Goes on until no other event fits into the messages, the turn is over, or about 64 KiB or one frame of the log are dealt with.
   * @throws StoreError `slowWatcher`, `damaged`, `readFailed`, `closed`.
   */
  async read(visibleRevision: number): Promise<void> {
    const { place, source } = this.#work;
    if (place.cursor + 1 < source.history.oldestWatchRevision) throw slowWatcher(place.cursor + 1);
    const reader = (this.#reader ??= source.log.reader(place.cursor + 1));
    let walk: RecordWalk | undefined;
    const outcome = await next(reader, (buffer, start, end) => {
      // The watch has ended meanwhile: what this makes ready could not be handed out.
      if (this.#reader !== reader) return false;
      if (walk?.buffer !== buffer) walk = new RecordWalk(buffer);
      return this.#readRecord(walk, start, end, visibleRevision);
    });
    if (outcome === 'removed') throw slowWatcher(place.cursor + 1);
    if (outcome === 'end' || place.cursor >= visibleRevision) await this.close();
  }

  /** Lets go of the segment of the log; the next `read` goes on with another reader. */
  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.close();
  }

  /** @returns whether the record is dealt with; else it is to be handed on again. */
  #readRecord(walk: RecordWalk, start: number, end: number, visibleRevision: number): boolean {
    const { place, turn, ready } = this.#work;
    try {
      const { revision, timeMs } = walk.readHead(start, end);
      turn.spend(1);
      if (revision <= place.cursor) return true;
      if (revision > visibleRevision || turn.isOver) return false;
      if (!this.#readEffects(walk, start, end, revision, timeMs)) return false;
      ready.close(false);
      place.pass(revision);
      return true;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const text = `what the log has behind revision ${place.cursor} is no record: ${error.message}`;
      throw new StoreError('damaged', text, { cause: error });
    }
  }

  /** @returns whether all effects are dealt with. */
  #readEffects(walk: RecordWalk, start: number, end: number, revision: number, timeMs: number): boolean {
    const { place, turn, ready, filter, events, elements } = this.#work;
    const isGathered = elements === undefined || elements.revision === revision;
    if (!isGathered) elements.begin(revision);
    const stop = isGathered && this.#stop?.revision === revision ? this.#stop : { changeCount: 0, offset: 0 };
    let { changeCount } = stop;
    walk.goTo(start + stop.offset, end);
    for (;;) {
      const offset = walk.position - start;
      if (turn.isOver) return this.#stopAt({ revision, changeCount, offset });
      turn.spend(1);
      const type = walk.next();
      if (type === undefined) return true;
      if (type === 'other') continue;
      // An effect can be read once.
      const isLookedAt =
        elements !== undefined || (changeCount >= place.changesDone && filter.types.has(type));
      const effect = isLookedAt ? walk.readEffect(type, revision) : undefined;
      if (elements !== undefined && effect !== undefined) gather(effect, type, elements);
      // What comes before was read from the recent changes.
      if (changeCount >= place.changesDone) {
        if (effect !== undefined && isWantedAt(filter, effect, type)) {
          const made = events.ofEffect(type, effect, revision, ready, elements);
          if (made === undefined) {
            if (ready.close(true)) place.passFragment(changeCount);
            return this.#stopAt({ revision, changeCount, offset });
          }
          ready.add(revision, timeMs, made.event, made.bytes);
          turn.spendEvent(made.bytes);
        }
        place.changesDone = changeCount + 1;
      }
      changeCount++;
    }
  }

  #stopAt(stop: Stop): false {
    this.#stop = stop;
    return false;
  }
}

async function next(reader: LogReader, onRecord: WalkRecord): Promise<ReadResult> {
  try {
    return await reader.next(onRecord);
  } catch (error) {
    throw error instanceof DiskError ? readFailedError(error) : error;
  }
}

/** A change of an element comes before that of its collection's metadata. */
function gather(effect: PlacedEffect, type: EventType, elements: ElementRows): void {
  // A touch is another time to live, and nothing else.
  if (effect.keyMemory.bytes[effect.keyStart] !== ELEMENT || elements.isOver || type === 'touch') return;
  elements.add(effect.copyKey(), type === 'delete' ? undefined : effect.copyValue());
}
