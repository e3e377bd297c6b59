/** The work of `watch`. */
import type { EventType, KeyRange } from '../../api.ts';
import { KelpError } from '../../client/errors/error.ts';
import type { WatchMessage, WatchRequest } from '../../client/messages/types.ts';
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { watchJson } from '../../api-json.ts';
import { WatchLines } from '../terminal/watch-lines.ts';
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
  readonly elements?: boolean;
  readonly restart?: boolean;
}

export async function watch(
  { client, output, isJson, keys }: Session,
  typed: readonly string[],
  flags: WatchFlags,
): Promise<ExitCode> {
  const { keysOnly = false } = flags;
  const lines = new WatchLines(keys.show, keysOnly);
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
  const { keysOnly, previous, elements, restart } = flags;
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
    includeElements: elements ?? false,
    restartWhenLost: restart ?? false,
    onInterrupted: (error) => output.note(`${error.message}; connecting again ...`),
    onResumed: () => output.note('connected again'),
  };
}

function noteOf(message: WatchMessage, output: Output): void {
  if (message.kind === 'synced') output.note(`up to revision ${message.revision}; watching`);
  if (message.kind === 'restarted') output.note('the present entries come anew; those before are void');
}
