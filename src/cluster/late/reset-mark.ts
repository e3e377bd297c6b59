/**
 * The state of a node can be had again from the others, so it may be thrown away. While that is under way a file in the data directory
 * says so (`DataDirectory.reset`): whatever lies beside it is of no use, and the next start throws the rest away.
 */
import type { Disk } from '../../disk/disk.ts';
import type { DataDirectory } from '../../store/directory/data-directory.ts';

/** Makes the mark, durably. */
export async function markReset(disk: Disk, dataDir: string, { reset }: DataDirectory): Promise<void> {
  const file = await disk.create(reset);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.syncDirectory(dataDir);
}

export async function isMarkedReset(disk: Disk, dataDir: string, { reset }: DataDirectory): Promise<boolean> {
  const names = await disk.list(dataDir);
  return names.some((name) => `${dataDir}/${name}` === reset);
}

/** Removes the mark. All that was made beside it must be durable. */
export async function unmarkReset(disk: Disk, dataDir: string, { reset }: DataDirectory): Promise<void> {
  await disk.remove(reset);
  await disk.syncDirectory(dataDir);
}

/** What is damaged is not destroyed: its name gets this ending, by which nothing looks at it any more. */
const DAMAGED = '.damaged';

/**
 * Removes what a store is made of, but for its locks, and for what `isKept`. A file that is damaged is set aside, in place of those that
 * were before.
 */
export async function removeState(
  disk: Disk,
  dataDir: string,
  { log, snapshots, newestSegment }: DataDirectory,
  {
    isKept = () => false,
    damagedPath,
  }: { readonly isKept?: (name: string) => boolean; readonly damagedPath?: string | undefined } = {},
): Promise<void> {
  for (const path of [newestSegment, `${newestSegment}.tmp`]) await disk.remove(path);
  for (const folder of [log, snapshots]) {
    for (const name of await disk.list(folder)) {
      const path = `${folder}/${name}`;
      if (path === damagedPath) await disk.rename(path, path + DAMAGED);
      else if (!name.startsWith('.') && !isKept(name)) await disk.remove(path);
    }
    await disk.syncDirectory(folder);
  }
  await disk.syncDirectory(dataDir);
}
