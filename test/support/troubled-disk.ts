/** The machine's disk with the troubles that a server must live with. */
import { type Disk, DiskError } from '../../src/disk/disk.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { withFiles } from './wrapped-disk.ts';

/** A disk whose first call waits: a store that is opened on it stays in its recovery for as long as a test likes. */
export function slowDisk(): { readonly disk: Disk; readonly goOn: () => void } {
  const gate = Promise.withResolvers<void>();
  const disk: Disk = {
    ...nodeDisk,
    async makeDirectory(path) {
      await gate.promise;
      await nodeDisk.makeDirectory(path);
    },
  };
  return { disk, goOn: () => gate.resolve() };
}

/** A disk that can't flush any more once `fail` is called. */
export function failingDisk(): { readonly disk: Disk; readonly fail: () => void } {
  let isFailing = false;
  const disk = withFiles(nodeDisk, (file) => ({
    sync: () => (isFailing ? Promise.reject(new DiskError('failed', 'the disk is broken')) : file.sync()),
  }));
  return {
    disk,
    fail: () => {
      isFailing = true;
    },
  };
}
