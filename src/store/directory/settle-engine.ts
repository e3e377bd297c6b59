/**
 * Which engine a data directory is for. A directory stays with the one that has made it: what another one would find there is not its
 * own, and to begin anew beside it would hide what is there.
 *
 * A first start names the engine, durably, before it makes anything that only that engine can read; the log is next, whose id of the
 * store the files of the engine have, too. One that was killed before there was a log has left nothing that counts, so that the next one
 * may choose again.
 */
import { dirname } from 'node:path';
import type { Disk } from '../../disk/disk.ts';
import type { EngineName } from '../../engine-names.ts';
import { StoreError } from '../../errors.ts';
import type { DataDirectory } from './data-directory.ts';
import { readEngineFile, writeEngineFile } from './engine-file.ts';

/**
 * @param isNew neither log nor snapshot is there.
 * @throws StoreError `invalidArgument` when the directory is another engine's, `damaged`. A `DiskError`.
 */
export async function settleEngine(
  disk: Disk,
  directory: DataDirectory,
  wanted: EngineName,
  isNew: boolean,
): Promise<void> {
  const found = await readEngineFile(disk, directory.engine);
  const hasBase = (await disk.list(directory.base)).length > 0;
  if (found === 'memory' && hasBase) {
    throw new StoreError(
      'damaged',
      `${directory.base} holds files of an engine, but ${directory.engine}, which says of which one, is missing: put it back, or restore a backup into an empty directory`,
    );
  }
  if (found === wanted && isNew && hasBase) {
    throw new StoreError(
      'damaged',
      `${directory.log} holds no log segment, but ${directory.base} holds files of the engine ${found}: the log is missing. Put it back, or restore a backup into an empty directory`,
    );
  }
  if (found === wanted && (!isNew || wanted === 'memory')) return;
  if (found !== wanted && (!isNew || hasBase)) throw otherEngine(directory, found, wanted);
  // Also where it is named already: the flush of the folder may have failed in the life before, and then no later one makes that name
  // durable.
  if (wanted !== 'memory') return await writeEngineFile(disk, directory.engine, wanted);
  await disk.remove(directory.engine);
  await disk.syncDirectory(dirname(directory.engine));
}

function otherEngine({ engine }: DataDirectory, found: EngineName, wanted: EngineName): StoreError {
  return new StoreError(
    'invalidArgument',
    `${dirname(engine)} is the directory of a store of the engine ${found}, not of ${wanted}: start it with --engine ${found} (option engine). ` +
      `To change the engine, take a backup (kelp backup) and restore that into an empty directory (kelp restore --engine ${wanted}). Nothing was changed`,
  );
}
