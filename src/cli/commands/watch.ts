/** `watch`. */
import { type Command, Option } from 'commander';
import type { Entry } from '../../client/entry.ts';
import { KelpError } from '../../client/error.ts';
import type { KeyRange } from '../../client/types.ts';
import type { EventType, WatchEvent, WatchMessage, WatchRequest } from '../../client/watch-message.ts';
import { collect, namesOf, wholeNumber } from '../argument.ts';
import { displayKey, displayValue } from '../display.ts';
import { type ExitCode, UsageError, exitCode } from '../exit-code.ts';
import { watchJson } from '../json.ts';
import type { Output } from '../output.ts';
import type { Session, SessionRunner } from '../session.ts';

const eventTypes: readonly EventType[] = ['put', 'delete', 'touch'];

export function addWatchCommand(program: Command, runner: SessionRunner): void {
  program
    .command('watch [keys...]')
    .description('print changes as they come, over broken connections too, until interrupted')
    .addOption(
      new Option('--prefix <text>', 'all keys that begin with this text; can be repeated').argParser(collect),
    )
    .addOption(
      new Option('--from-revision <revision>', 'begin with this revision, not now').argParser(wholeNumber),
    )
    .addOption(
      new Option('--store-id <id>', 'end if this is another store, whose revisions mean nothing here'),
    )
    .addOption(new Option('--current', 'print the present entries first').conflicts('fromRevision'))
    .addOption(
      new Option('--events <types>', 'of put, delete, touch')
        .default(['put', 'delete'], 'put,delete')
        .argParser(namesOf(eventTypes)),
    )
    .option('--keys-only', 'print no values')
    .option('--previous', 'print the entry before each event too')
    .option('--restart', 'when a broken watch can not go on, begin again with the present entries')
    .addHelpText('after', help)
    .action((keys: string[], flags: WatchFlags, command: Command) =>
      runner.run(command, (session) => watch(session, keys, flags)),
    );
}

interface WatchFlags {
  readonly prefix?: readonly string[];
  readonly fromRevision?: number;
  readonly storeId?: string;
  readonly current?: boolean;
  readonly events: EventType[];
  readonly keysOnly?: boolean;
  readonly previous?: boolean;
  readonly restart?: boolean;
}

async function watch(
  { client, output, isJson }: Session,
  keys: readonly string[],
  flags: WatchFlags,
): Promise<ExitCode> {
  const { keysOnly = false } = flags;
  for await (const message of client.watch(requestOf(keys, flags, output))) {
    if (isJson) await output.writeJson(watchJson(message, !keysOnly));
    else await output.write(linesOf(message, keysOnly));
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

function requestOf(keys: readonly string[], flags: WatchFlags, output: Output): WatchRequest {
  const { prefix: prefixes = [], fromRevision, storeId, current, events } = flags;
  const { keysOnly, previous, restart } = flags;
  if ([...keys, ...prefixes].includes(''))
    throw new UsageError('a key or prefix is empty; give none to watch all');
  const ranges: KeyRange[] = [...keys.map((key) => ({ key })), ...prefixes.map((prefix) => ({ prefix }))];
  return {
    ranges,
    eventTypes: events,
    startRevision: fromRevision ?? 0,
    storeId: storeId ?? '',
    includeCurrent: current ?? false,
    keysOnly: keysOnly ?? false,
    returnPrevious: previous ?? false,
    restartWhenLost: restart ?? false,
    onInterrupted: (error) => output.note(`${error.message}; connecting again ...`),
    onResumed: () => output.note('connected again'),
  };
}

/** `12  put      a  "1"` for each entry or event of a message. */
function linesOf(message: WatchMessage, keysOnly: boolean): string {
  switch (message.kind) {
    case 'current':
      return message.entries.map((entry) => entryLine('current', entry, undefined, keysOnly)).join('');
    case 'events':
      return message.events.map((event) => eventLine(event, keysOnly)).join('');
    default:
      return '';
  }
}

function eventLine(event: WatchEvent, keysOnly: boolean): string {
  if (event.type !== 'delete') {
    return entryLine(event.type, event.entry, event.previous, keysOnly || event.type === 'touch');
  }
  const { key, modRevision, reason, previous } = event;
  const why = reason === 'requested' ? '' : `  (${reasonTexts[reason]})`;
  return line(modRevision, 'delete', `${displayKey(key)}${why}${before(previous, keysOnly)}`);
}

const reasonTexts = {
  expired: 'its time to live ended',
  leaseExpired: 'its lease ended',
  leaseRevoked: 'its lease was revoked',
};

function entryLine(kind: string, entry: Entry, previous: Entry | undefined, isKeyOnly: boolean): string {
  const value = isKeyOnly ? '' : `  ${displayValue(entry.value)}`;
  return line(entry.modRevision, kind, `${displayKey(entry.key)}${value}${before(previous, isKeyOnly)}`);
}

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

const help = `
Watches the given keys and prefixes, or all keys. With --json each line is a message: { "kind": "events",
"revision": 12, "events": [...] } holds all events of one revision; "current", "synced", "progress", "restarted"
and "compacted" are told too. "synced" has the storeId that belongs to a revision to go on from.

Examples:
  kelp watch --prefix config/
  kelp watch config/theme --current
  kelp watch --from-revision 100 --store-id 1b9d... --json | jq -c .events[]?`;
