/** The work of `watch`. */
import type { EventType, KeyRange } from '../../api.ts';
import type { Entry } from '../../client/messages/entry.ts';
import { KelpError } from '../../client/errors/error.ts';
import type { WatchEvent, WatchMessage, WatchRequest } from '../../client/messages/types.ts';
import { keyOf } from '../../arguments/key.ts';
import { displayValue } from '../terminal/display.ts';
import { type ExitCode, UsageError, exitCode } from '../process/exit-code.ts';
import { watchJson } from '../../api-json.ts';
import type { KeyForm } from '../command-line/key-form.ts';
import type { Output } from '../terminal/output.ts';
import type { Session } from '../session/session.ts';

export interface WatchFlags {
  readonly prefix?: readonly string[];
  readonly fromRevision?: number;
  readonly storeId?: string;
  readonly incarnation?: string;
  readonly current?: boolean;
  readonly events: EventType[];
  readonly keysOnly?: boolean;
  readonly previous?: boolean;
  readonly restart?: boolean;
}

export async function watch(
  { client, output, isJson, keys }: Session,
  typed: readonly string[],
  flags: WatchFlags,
): Promise<ExitCode> {
  const { keysOnly = false } = flags;
  const lines = new Lines(keys, keysOnly);
  for await (const message of client.watch(requestOf(typed, flags, keys, output))) {
    if (isJson) await output.writeJson(watchJson(message, !keysOnly));
    else await output.write(lines.of(message));
    if (message.kind === 'compacted') {
      const { requestedRevision, oldestRevision, newestRevision } = message;
      throw new KelpError(
        'revisionCompacted',
        `revision ${requestedRevision} is not kept any more; begin with --current, or later than revision ${oldestRevision}`,
        { requestedRevision, oldestRevision, newestRevision },
      );
    }
    if (!isJson) noteOf(message, output);
  }
  return exitCode.ok;
}

function requestOf(
  keys: readonly string[],
  flags: WatchFlags,
  { read }: KeyForm,
  output: Output,
): WatchRequest {
  const { prefix: prefixes = [], fromRevision, storeId, incarnation, current, events } = flags;
  const { keysOnly, previous, restart } = flags;
  if ([...keys, ...prefixes].includes(''))
    throw new UsageError('a key or prefix is empty; give none to watch all');
  const ranges: KeyRange[] = [
    ...keys.map((key) => ({ key: read(key) })),
    ...prefixes.map((prefix) => ({ prefix: read(prefix) })),
  ];
  return {
    ranges,
    eventTypes: events,
    startRevision: fromRevision ?? 0,
    storeId: storeId ?? '',
    incarnation: incarnation ?? '',
    includeCurrent: current ?? false,
    keysOnly: keysOnly ?? false,
    returnPrevious: previous ?? false,
    restartWhenLost: restart ?? false,
    onInterrupted: (error) => output.note(`${error.message}; connecting again ...`),
    onResumed: () => output.note('connected again'),
  };
}

/** `12  put      a  "1"` for each entry or event of a message. */
class Lines {
  readonly #keys: KeyForm;
  readonly #keysOnly: boolean;

  constructor(keys: KeyForm, keysOnly: boolean) {
    this.#keys = keys;
    this.#keysOnly = keysOnly;
  }

  of(message: WatchMessage): string {
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
      `${this.#keys.show(keyOf(event))}${why}${before(previous, this.#keysOnly)}`,
    );
  }

  #ofEntry(kind: string, entry: Entry, previous: Entry | undefined, isKeyOnly: boolean): string {
    const value = isKeyOnly ? '' : `  ${displayValue(entry.value)}`;
    const rest = `${this.#keys.show(keyOf(entry))}${value}${before(previous, isKeyOnly)}`;
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

function noteOf(message: WatchMessage, output: Output): void {
  if (message.kind === 'synced') output.note(`up to revision ${message.revision}; watching`);
  if (message.kind === 'restarted') output.note('the present entries come anew; those before are void');
}
