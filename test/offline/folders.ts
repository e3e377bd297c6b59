/** Stores in folders of the file system, and what lies in those. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeBackupFile } from '../../src/offline/backup-file.ts';
import { openStore } from '../../src/kv/open-store.ts';
import { type StoreOptions } from '../../src/store/store-options.ts';
import type { Store } from '../../src/api.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';

export const NO_PROGRESS = (): undefined => undefined;

/** The time at which the clocks of the tests begin. */
export const BEGIN_MS = Date.UTC(2026, 0, 1);

export interface FolderStore {
  readonly store: Store;
  readonly clock: ManualClock;
}

/** Opens a store that is closed when the test ends, if it has not been before. */
export async function openFolder(
  dataDir: string,
  options: Pick<StoreOptions, 'limits'> & { readonly clock?: ManualClock; readonly seed?: number } = {},
): Promise<FolderStore> {
  const { clock = new ManualClock(BEGIN_MS), seed = 1, limits } = options;
  const random = new SeededRandom(seed);
  const store = await openStore({ dataDir, clock, random, fsync: 'never', ...(limits && { limits }) });
  onTestFinished(() => store.close());
  return { store, clock };
}

export async function backUp(store: Store, path: string): Promise<number> {
  return (await writeBackupFile(path, store.backup(), NO_PROGRESS)).revision;
}

/** Everything below a folder: the bytes and the time of change of each file. */
export async function contentsOf(folder: string): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name);
    const { mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    const bytes = (await stat(path)).isDirectory() ? 'folder' : (await readFile(path)).toString('base64');
    contents.set(name, `${mtimeNs} ${ctimeNs} ${bytes}`);
  }
  return contents;
}
