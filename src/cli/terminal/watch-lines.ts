/** What a watch tells, as lines for people. */
import type { ElementChange, ElementChanges, Entry, Key, WatchEvent } from '../../api.ts';
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
      const { type, entry, previous, elements } = event;
      const ofEntry = this.#ofEntry(type, entry, previous, this.#keysOnly || type === 'touch');
      return elements === undefined ? ofEntry : ofEntry + elementLines(elements, entry.type);
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
    const value = isKeyOnly ? '' : `  ${shownValue(entry)}`;
    const rest = `${this.#show(keyOf(entry))}${value}${before(previous, isKeyOnly)}`;
    return line(entry.modRevision, kind, rest);
  }
}

const reasonTexts = {
  expired: 'its time to live ended',
  leaseExpired: 'its lease ended',
  leaseRevoked: 'its lease was revoked',
  evicted: 'evicted',
};

function before(previous: Entry | undefined, isKeyOnly: boolean): string {
  if (previous === undefined) return '';
  return `  (before: ${isKeyOnly ? `revision ${previous.modRevision}` : shownValue(previous)})`;
}

/** What a key holds that is no plain value is told by its type. */
function shownValue({ type, value }: Entry): string {
  return type === undefined ? displayValue(value) : `(${type})`;
}

function elementLines({ changes, isWhole, isLeftOut }: ElementChanges, type: Entry['type']): string {
  if (isLeftOut) return `${INDENT}(its elements are to be read)\n`;
  const sign = isWhole ? '=' : '+';
  return changes
    .map((change) => `${INDENT}${change.isRemoved ? '-' : sign} ${elementText(change, type)}\n`)
    .join('');
}

function elementText({ name, value, score, isRemoved }: ElementChange, type: Entry['type']): string {
  if (type === 'list') return displayValue(value);
  const element = displayValue(name);
  if (isRemoved || type === 'set') return element;
  return type === 'sortedSet' ? `${element}  ${score}` : `${element}  ${displayValue(value)}`;
}

/** Below the kind of the event. */
const INDENT = '      ';

function line(revision: number, kind: string, rest: string): string {
  return `${revision}  ${kind.padEnd(7)}  ${rest}\n`;
}
