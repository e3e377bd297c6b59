/** The machine's disk with the troubles that a server must live with. */
import { type Disk, DiskError, type DiskFile } from '../../src/disk/disk.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';

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
  const troubled = (file: DiskFile): DiskFile => ({
    size: () => file.size(),
    read: (buffer, position) => file.read(buffer, position),
    write: (buffer, position) => file.write(buffer, position),
    writeNow: (buffer, position) => file.writeNow(buffer, position),
    renamedTo: (path) => file.renamedTo(path),
    sync: () => (isFailing ? Promise.reject(new DiskError('failed', 'the disk is broken')) : file.sync()),
    close: () => file.close(),
  });
  const disk: Disk = {
    ...nodeDisk,
    open: async (path, mode) => troubled(await nodeDisk.open(path, mode)),
    create: async (path) => troubled(await nodeDisk.create(path)),
  };
  return {
    disk,
    fail: () => {
      isFailing = true;
    },
  };
}
