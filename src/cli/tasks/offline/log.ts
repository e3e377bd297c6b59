/** The work of `log`. */
import { readLog } from '../../../offline/log-records.ts';
import { UsageError } from '../../process/exit-code.ts';
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
    const { torn, firstRevision } = await readLog(request, (record) => {
      gathered += isJson ? `${JSON.stringify(recordJson(record, values))}\n` : recordLines(record, values);
      if (gathered.length < GATHERED_CHARACTERS_MAX) return undefined;
      const lines = gathered;
      gathered = '';
      return output.write(lines);
    });
    if (from !== undefined && from < firstRevision)
      output.note(`the log begins at revision ${firstRevision}`);
    if (torn !== undefined) {
      const { file, offset, bytes } = torn;
      output.note(
        `behind the end, at ${file}, offset ${offset}, are ${bytes} bytes of a write that was never acknowledged`,
      );
    }
  } finally {
    // Also what stands before damage.
    await output.write(gathered);
  }
}
