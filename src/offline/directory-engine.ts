/** The engine of a data directory, for tools that open the store in it, whichever it is. */
import type { Disk } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import type { EngineName } from '../engine-names.ts';
import { isStoreError } from '../errors.ts';
import { dataDirectory, type DataDirectory } from '../store/directory/data-directory.ts';
import { readEngineFile } from '../store/directory/engine-file.ts';
import type { Damage } from './verify/verify-report.ts';

/** `memory` for one that is not there yet. @throws StoreError `damaged`, a `DiskError`. */
export function engineOfDirectory(dataDir: string, disk: Disk = nodeDisk): Promise<EngineName> {
  return readEngineFile(disk, dataDirectory(dataDir).engine);
}

export interface FoundEngine {
  readonly engine: EngineName | undefined;
  readonly engineDamage: Damage | undefined;
}

export async function findEngine(disk: Disk, { engine: file, base }: DataDirectory): Promise<FoundEngine> {
  try {
    const engine = await readEngineFile(disk, file);
    const isNameless = engine === 'memory' && (await disk.list(base)).length > 0;
    return isNameless
      ? damagedEngine(file, `it is missing, and ${base} holds the files of an engine`)
      : { engine, engineDamage: undefined };
  } catch (error) {
    if (!isStoreError(error, 'damaged')) throw error;
    return damagedEngine(file, 'it names no engine that this version knows');
  }
}

function damagedEngine(file: string, what: string): FoundEngine {
  const engineDamage = { file, offset: 0, what, fromRevision: 1, toRevision: undefined };
  return { engine: undefined, engineDamage };
}
