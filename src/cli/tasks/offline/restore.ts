/** The work of `restore`. */
import { restore } from '../../../offline/restore.ts';
import { displayCount, displayHeld } from '../../terminal/display.ts';
import type { EngineName } from '../../../engine-names.ts';
import { timeJson } from '../../../api-json.ts';
import { interruptedBy, untilInterrupted } from '../../process/interrupt.ts';
import type { OfflineTask } from '../../session/offline-task.ts';
import { formatFacts } from '../../terminal/table.ts';

export interface RestoreFlags {
  readonly dataDir: string;
  readonly log?: readonly string[];
  readonly revision?: number;
  readonly time?: number;
  readonly engine: EngineName;
}

export async function restoreBackup(
  backupPath: string,
  { dataDir, log: logPaths = [], revision, time, engine }: RestoreFlags,
  { output, isJson, onProgress }: OfflineTask,
): Promise<void> {
  const request = {
    backupPath,
    dataDir,
    logPaths,
    engine,
    ...(revision !== undefined && { revision }),
    ...(time !== undefined && { timeMs: time }),
  };
  const result = await untilInterrupted((signal) => restore(request, interruptedBy(signal, onProgress)));
  if (time !== undefined && result.hasLogEnded) {
    output.note(
      `the log ends at revision ${result.revision}, of ${timeJson(result.timeMs)}: whether more was committed up to the time that is wanted, it does not show`,
    );
  }
  if (isJson) return output.writeJson(result);
  const { backupRevision, torn } = result;
  await output.write(
    formatFacts({
      revision: `${result.revision}, of ${timeJson(result.timeMs)}`,
      backup: `revision ${backupRevision}, ${displayHeld(result, 'key')}`,
      log: logPaths.length === 0 ? 'none' : displayCount(result.revision - backupRevision, 'revision'),
      store: result.storeId,
      engine: result.engine,
    }),
  );
  if (torn !== undefined) {
    output.note(`the log ends in ${torn.bytes} bytes of a write that was never acknowledged; left out`);
  }
}
