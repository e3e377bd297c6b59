/** The work of `log`. */
import { type LogEnd, readLog } from '../../../offline/log-records.ts';
import type { StoredState } from '../../../offline/stored-state.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { recordJson, recordLines } from '../../terminal/log-lines.ts';
import type { OfflineTask } from '../../session/offline-task.ts';

export interface LogFlags {
  readonly from?: number;
  readonly to?: number;
  readonly values?: boolean;
}

/** Lines are gathered up to this length before they are written. */
const GATHERED_CHARACTERS_MAX = 64 * 1024;

export async function printLog(
  path: string,
  { from, to, values = false }: LogFlags,
  { output, isJson }: OfflineTask,
): Promise<void> {
  if (from !== undefined && to !== undefined && from > to) throw new UsageError('--from is above --to');
  let gathered = '';
  const request = {
    path,
    ...(from !== undefined && { fromRevision: from }),
    ...(to !== undefined && { toRevision: to }),
  };
  try {
    const end = await readLog(request, (record) => {
      gathered += isJson ? `${JSON.stringify(recordJson(record, values))}\n` : recordLines(record, values);
      if (gathered.length < GATHERED_CHARACTERS_MAX) return undefined;
      const lines = gathered;
      gathered = '';
      return output.write(lines);
    });
    await output.write(gathered);
    gathered = '';
    for (const note of notesOf(end, from)) output.note(note);
  } finally {
    // Also what stands before damage.
    await output.write(gathered);
  }
}

/** What stands beside the records. */
function* notesOf({ torn, firstRevision, lastRevision, stored }: LogEnd, from = 0): Generator<string> {
  if (from < firstRevision && firstRevision > 1) yield `the log begins at revision ${firstRevision}`;
  if (lastRevision !== undefined && from > lastRevision) yield `the log ends at revision ${lastRevision}`;
  if (stored !== undefined) yield storedText(stored, firstRevision);
  if (torn !== undefined) {
    const { file, offset, bytes } = torn;
    yield `behind the end, at ${file}, offset ${offset}, are ${bytes} bytes of a write that was never acknowledged`;
  }
}

function storedText({ engine, revision }: StoredState, firstRevision: number): string {
  const files = `the files of the engine ${engine}`;
  if (revision === undefined) return `${files} are damaged: kelp verify says more`;
  if (revision > 0)
    return `${files} hold all up to revision ${revision}: a start reads the log above it, and what is older is there for watches`;
  return firstRevision > 1
    ? `${files} are empty: the next start loads the backup that was restored`
    : `${files} are empty: no checkpoint yet`;
}
