/** The engine of a data directory, for tools that open the store in it, whichever it is. */
import type { Disk } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import type { EngineName } from '../engine-names.ts';
import { dataDirectory } from '../store/directory/data-directory.ts';
import { readEngineFile } from '../store/directory/engine-file.ts';

/** `memory` for one that is not there yet. @throws StoreError `damaged`, a `DiskError`. */
export function engineOfDirectory(dataDir: string, disk: Disk = nodeDisk): Promise<EngineName> {
  return readEngineFile(disk, dataDirectory(dataDir).engine);
}
