/** Makes the events of one watch, from recent changes with the engine's entries, or from effects of the log. */
import { PlacedChange } from '../../engine/version.ts';
import { StoreError } from '../../errors.ts';
import type { Entry, EventType, WatchEvent } from '../../api.ts';
import { toDeleteReason } from '../commit/effects.ts';
import { copyEntry, toEntry } from '../views/entries.ts';
import { decodeKey, fromKeyText } from '../views/keys.ts';
import type { RecentChange } from './recent-changes.ts';
import type { WatchSource } from './watch-registry.ts';

/** An effect on a key, as it lies in the log: what kinds of effects have less leaves the rest as `clear` does. */
export class PlacedEffect extends PlacedChange {
  reason = 0;
  replacedExpired = false;
}

/** What of an entry a watch is told. */
export interface EventContents {
  readonly keysOnly: boolean;
  readonly returnPrevious: boolean;
}

export class EventMaker {
  readonly #source: Pick<WatchSource, 'engine' | 'history'>;
  readonly #keysOnly: boolean;
  readonly #returnPrevious: boolean;

  constructor(source: Pick<WatchSource, 'engine' | 'history'>, { keysOnly, returnPrevious }: EventContents) {
    this.#source = source;
    this.#keysOnly = keysOnly;
    this.#returnPrevious = returnPrevious;
  }

  /** The engine must still be readable at `revision`. */
  ofRecent(change: RecentChange, revision: number): WatchEvent {
    const key = fromKeyText(change.key);
    const keyText = decodeKey(key);
    const { type, replacedExpired } = change;
    const previous = replacedExpired ? undefined : this.#previous(key, keyText, revision);
    if (type === 'delete') {
      return deletion(keyText, revision, change.reason ?? 'requested', previous);
    }
    const { engine } = this.#source;
    const withValue = type === 'put' && !this.#keysOnly;
    const version = withValue ? engine.read(key, revision) : engine.readMeta(key, revision);
    if (version === undefined)
      throw new Error(`broken invariant: the engine lacks a change of revision ${revision}`);
    return written(type, toEntry(keyText, version), previous, replacedExpired);
  }

  /** Copies what it needs of the effect. */
  ofEffect(type: EventType, effect: PlacedEffect, revision: number): WatchEvent {
    const { replacedExpired } = effect;
    const key = effect.copyKey();
    const keyText = decodeKey(key);
    const previous = replacedExpired ? undefined : this.#previous(key, keyText, revision);
    if (type === 'delete') return deletion(keyText, revision, toDeleteReason(effect.reason), previous);
    const withValue = type === 'put' && !this.#keysOnly;
    return written(type, copyEntry(effect, withValue), previous, replacedExpired);
  }

  #previous(key: Uint8Array, keyText: string, revision: number): Entry | undefined {
    if (!this.#returnPrevious) return undefined;
    const { engine, history } = this.#source;
    if (revision - 1 < history.oldestRevision) throw slowWatcher(revision);
    const version = this.#keysOnly ? engine.readMeta(key, revision - 1) : engine.read(key, revision - 1);
    return version && toEntry(keyText, version);
  }
}

/** What ends a watch that needs more than is still kept. */
export function slowWatcher(resumeRevision: number): StoreError {
  return new StoreError(
    'slowWatcher',
    `the watch was read too slowly: revision ${resumeRevision} is no longer kept. Read the present state and watch from there`,
    { resumeRevision },
  );
}

function deletion(
  key: string,
  modRevision: number,
  reason: Extract<WatchEvent, { readonly type: 'delete' }>['reason'],
  previous: Entry | undefined,
): WatchEvent {
  return { type: 'delete', key, modRevision, reason, previous };
}

function written(
  type: 'put' | 'touch',
  entry: Entry,
  previous: Entry | undefined,
  replacedExpired: boolean,
): WatchEvent {
  const event = { type, entry, previous };
  return replacedExpired ? { ...event, replacedExpired: true } : event;
}
