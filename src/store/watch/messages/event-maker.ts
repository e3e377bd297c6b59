/** Makes the events of one watch, from recent changes with the engine's entries, or from effects of the log. */
import { PlacedChange } from '../../../engine/version.ts';
import { assert, StoreError } from '../../../errors.ts';
import type { DeleteReason, ElementChanges, Entry, EventType, WatchEvent } from '../../../api.ts';
import { namedKey } from '../../../arguments/key.ts';
import { kinds } from '../../collections/kinds.ts';
import { toDeleteReason } from '../../commit/effects.ts';
import { copyEntry } from '../../views/entries.ts';
import { decodeKey, fromKeyText } from '../../views/keys.ts';
import { bytesOfElements, type ElementRows, LEFT_OUT } from './element-rows.ts';
import { ENTRY_BYTES, EVENT_BYTES, type ReadyMessages } from './ready-messages.ts';
import type { RecentChange } from '../matching/recent-changes.ts';
import type { WatchSource } from '../sources/watch-source.ts';

/** An effect on a key, as it lies in the log: what kinds of effects have less leaves the rest as `clear` does. */
export class PlacedEffect extends PlacedChange {
  reason = 0;
  replacedExpired = false;
}

/** What of an entry a watch is told. */
export interface EventContents {
  readonly keysOnly: boolean;
  readonly returnPrevious: boolean;
  readonly includeElements: boolean;
}

type EventSource = Pick<WatchSource, 'engine' | 'history' | 'describeElements'>;

/** Tells whether an event that takes so many bytes may be made. */
type EventRoom = Pick<ReadyMessages, 'fits'>;

/** An event, and what it takes. */
interface MadeEvent {
  readonly event: WatchEvent;
  readonly bytes: number;
}

/** All methods that make an event copy nothing for one that does not fit, and return `undefined`. */
export class EventMaker {
  readonly #source: EventSource;
  readonly keysOnly: boolean;
  readonly returnPrevious: boolean;
  readonly includeElements: boolean;

  constructor(source: EventSource, { keysOnly, returnPrevious, includeElements }: EventContents) {
    this.#source = source;
    this.keysOnly = keysOnly;
    this.returnPrevious = returnPrevious;
    this.includeElements = includeElements;
  }

  /**
   * The engine must still be readable at `revision`.
   * @param rows what the revision has changed of elements; `undefined`: the watch is not told.
   */
  ofRecent(
    change: RecentChange,
    revision: number,
    room: EventRoom,
    rows: ElementRows | undefined,
  ): MadeEvent | undefined {
    const { type, reason = 'requested', replacedExpired } = change;
    const key = fromKeyText(change.key);
    if (type === 'delete') return this.#deletion(key, revision, room, reason);
    let made: MadeEvent | undefined;
    this.#source.engine.readPlaced(key, revision, (shown) => {
      assert(shown !== undefined, 'the engine has what a visible revision changed');
      made = this.#writing(type, key, shown, revision, room, replacedExpired, rows);
    });
    return made;
  }

  ofEffect(
    type: EventType,
    effect: PlacedEffect,
    revision: number,
    room: EventRoom,
    rows: ElementRows | undefined,
  ): MadeEvent | undefined {
    if (type === 'delete') return this.#deletion(effect.key, revision, room, toDeleteReason(effect.reason));
    return this.#writing(type, effect.key, effect, revision, room, effect.replacedExpired, rows);
  }

  #deletion(key: Uint8Array, revision: number, room: EventRoom, reason: DeleteReason): MadeEvent | undefined {
    const ownBytes = EVENT_BYTES + key.length;
    const previous = this.#previous(key, revision, room, ownBytes);
    if (previous === 'tooLong') return undefined;
    const event = { type: 'delete', ...namedKey(decodeKey(key)), modRevision: revision, reason } as const;
    return { event: { ...event, previous: previous?.entry }, bytes: ownBytes + (previous?.bytes ?? 0) };
  }

  #writing(
    type: 'put' | 'touch',
    key: Uint8Array,
    shown: PlacedChange,
    revision: number,
    room: EventRoom,
    replacedExpired: boolean,
    rows: ElementRows | undefined,
  ): MadeEvent | undefined {
    const withValue = type === 'put' && !this.keysOnly;
    const elements = type === 'put' && rows !== undefined ? this.#elements(shown, rows) : undefined;
    const elementBytes = elements === undefined ? 0 : bytesOfElements(elements);
    const ownBytes = EVENT_BYTES + bytesOfEntry(shown, withValue) + elementBytes;
    const previous = this.#previous(key, revision, room, ownBytes, replacedExpired);
    if (previous === 'tooLong') return undefined;
    const event = {
      type,
      entry: copyEntry(shown, withValue),
      previous: previous?.entry,
      ...(elements !== undefined && { elements }),
    };
    const bytes = ownBytes + (previous?.bytes ?? 0);
    return { event: replacedExpired ? { ...event, replacedExpired } : event, bytes };
  }

  #elements(shown: PlacedChange, rows: ElementRows): ElementChanges | undefined {
    if (shown.kind === kinds.plain) return undefined;
    if (shown.collectionId !== 0 && rows.isOver) return LEFT_OUT;
    const described = this.#source.describeElements(shown, rows.of(shown.collectionId));
    return described === undefined ? LEFT_OUT : { ...described, isLeftOut: false };
  }

  /** The entry before, if the watch is told of it, and if it fits with the bytes that the event takes besides. */
  #previous(
    key: Uint8Array,
    revision: number,
    room: EventRoom,
    ownBytes: number,
    replacedExpired = false,
  ): { readonly entry: Entry; readonly bytes: number } | 'tooLong' | undefined {
    if (!this.returnPrevious || replacedExpired) return room.fits(ownBytes) ? undefined : 'tooLong';
    const { engine, history } = this.#source;
    if (revision - 1 < history.oldestRevision) throw slowWatcher(revision);
    let previous: { readonly entry: Entry; readonly bytes: number } | 'tooLong' | undefined;
    engine.readPlaced(key, revision - 1, (shown) => {
      const bytes = shown === undefined ? 0 : bytesOfEntry(shown, !this.keysOnly);
      if (!room.fits(ownBytes + bytes)) previous = 'tooLong';
      else if (shown !== undefined) previous = { entry: copyEntry(shown, !this.keysOnly), bytes };
    });
    return previous;
  }
}

/** What a copy of an entry takes. */
export function bytesOfEntry(shown: PlacedChange, withValue: boolean): number {
  const valueBytes = withValue ? shown.valueEnd - shown.valueStart : 0;
  return ENTRY_BYTES + shown.keyEnd - shown.keyStart + valueBytes;
}

/** What ends a watch that needs more than is still kept. */
export function slowWatcher(resumeRevision: number): StoreError {
  return new StoreError(
    'slowWatcher',
    `the watch was read too slowly: revision ${resumeRevision} is no longer kept. Read the present state and watch from there`,
    { resumeRevision },
  );
}
