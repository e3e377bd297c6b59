/** Where the files of an engine on disk stand, without reading more of them: above that revision its log is replayed. */
import type { Disk } from '../disk/disk.ts';
import type { EngineName } from '../engine-names.ts';
import { readWhole } from '../engine/runs/base-directory.ts';
import { MANIFEST_NAME } from '../engine/runs/file-names.ts';
import { decodeManifest } from '../engine/runs/manifest.ts';
import { isStoreError } from '../errors.ts';
import { dataDirectory } from '../store/directory/data-directory.ts';
import { readEngineFile } from '../store/directory/engine-file.ts';
import { kindOf } from './file-system.ts';
import type { DiskEngine } from './verify/verify-base.ts';

export interface StoredState {
  readonly engine: DiskEngine;
  /** 0: there was no checkpoint yet; `undefined`: they are damaged. */
  readonly revision: number | undefined;
}

/** `undefined`: it is no directory of an engine on disk. @throws DiskError */
export async function storedStateOf(disk: Disk, dataDir: string): Promise<StoredState | undefined> {
  if ((await kindOf(dataDir)) !== 'folder') return undefined;
  const { engine: file, base } = dataDirectory(dataDir);
  let engine: EngineName = 'memory';
  try {
    engine = await readEngineFile(disk, file);
    return engine === 'memory' ? undefined : { engine, revision: await revisionOf(disk, engine, base) };
  } catch (error) {
    if (!isStoreError(error, 'damaged')) throw error;
    return engine === 'memory' ? undefined : { engine, revision: undefined };
  }
}

async function revisionOf(disk: Disk, engine: DiskEngine, folder: string): Promise<number> {
  if (engine === 'btree') {
    const { readRevision } = await import('../engine/btree/read-revision.ts');
    return readRevision(folder, disk);
  }
  const path = `${folder}/${MANIFEST_NAME}`;
  const bytes = await readWhole(disk, path);
  return bytes === undefined ? 0 : decodeManifest(bytes, path, engine).revision;
}
