/** What a watch tells, as lines for people. */
import type { Entry, Key, WatchEvent } from '../../api.ts';
import { keyOf } from '../../arguments/key.ts';
import type { WatchMessage } from '../../client/messages/types.ts';
import { displayValue } from './display.ts';

/** `12  put      a  "1"` for each entry or event of a message. */
export class WatchLines {
  readonly #show: (key: Key) => string;
  readonly #keysOnly: boolean;

  /** @param show how keys are written. */
  constructor(show: (key: Key) => string, keysOnly: boolean) {
    this.#show = show;
    this.#keysOnly = keysOnly;
  }

  of(message: WatchMessage<Entry>): string {
    switch (message.kind) {
      case 'current':
        return message.entries
          .map((entry) => this.#ofEntry('current', entry, undefined, this.#keysOnly))
          .join('');
      case 'events':
        return message.events.map((event) => this.#ofEvent(event)).join('');
      default:
        return '';
    }
  }

  #ofEvent(event: WatchEvent): string {
    if (event.type !== 'delete') {
      return this.#ofEntry(event.type, event.entry, event.previous, this.#keysOnly || event.type === 'touch');
    }
    const { modRevision, reason, previous } = event;
    const why = reason === 'requested' ? '' : `  (${reasonTexts[reason]})`;
    return line(
      modRevision,
      'delete',
      `${this.#show(keyOf(event))}${why}${before(previous, this.#keysOnly)}`,
    );
  }

  #ofEntry(kind: string, entry: Entry, previous: Entry | undefined, isKeyOnly: boolean): string {
    const value = isKeyOnly ? '' : `  ${displayValue(entry.value)}`;
    const rest = `${this.#show(keyOf(entry))}${value}${before(previous, isKeyOnly)}`;
    return line(entry.modRevision, kind, rest);
  }
}

const reasonTexts = {
  expired: 'its time to live ended',
  leaseExpired: 'its lease ended',
  leaseRevoked: 'its lease was revoked',
};

function before(previous: Entry | undefined, isKeyOnly: boolean): string {
  if (previous === undefined) return '';
  return `  (before: ${isKeyOnly ? `revision ${previous.modRevision}` : displayValue(previous.value)})`;
}

function line(revision: number, kind: string, rest: string): string {
  return `${revision}  ${kind.padEnd(7)}  ${rest}\n`;
}
