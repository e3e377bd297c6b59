/**
 * The state of a node can be had again from the others, so it may be thrown away. While that is under way a file in the data directory
 * says so (`DataDirectory.reset`): whatever lies beside it is of no use, and the next start throws the rest away.
 */
import type { Disk } from '../../disk/disk.ts';
import { cluster as limits } from '../../limits.ts';
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

/**
 * What is damaged is not destroyed: its name gets this ending, by which nothing looks at it any more. It stays until the operator removes
 * it, so many of each folder at most: from then on what is damaged is not set aside.
 */
const DAMAGED = '.damaged';

/** Removes what a store is made of, but for its locks, for what was set aside, and for what `isKept`. A file that is damaged is set aside. */
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
    const names = await disk.list(folder);
    const setAside = new Set(names.filter((name) => name.endsWith(DAMAGED)));
    for (const name of names) {
      const path = `${folder}/${name}`;
      if (setAside.has(name) || name.startsWith('.') || isKept(name)) continue;
      const isSetAside = path === damagedPath && setAside.size < limits.damagedFilesMax;
      if (isSetAside) await disk.rename(path, `${folder}/${freeName(name, setAside)}`);
      else await disk.remove(path);
    }
    await disk.syncDirectory(folder);
  }
  await disk.syncDirectory(dataDir);
}

/** A file may be damaged that has the name of one that was. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name + DAMAGED;
  for (let count = 2; taken.has(free); count++) free = `${name}.${count}${DAMAGED}`;
  return free;
}
