/** A disk over another one that does some things in its own way, and hands on all else. */
import type { Disk, DiskFile } from '../../src/disk/disk.ts';

/** The disk with some of its methods replaced. */
export function withCalls(disk: Disk, replaced: Partial<Disk>): Disk {
  return {
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    open: (path, mode) => disk.open(path, mode),
    create: (path) => disk.create(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    openDirectory: (path) => disk.openDirectory(path),
    lock: (path) => disk.lock(path),
    ...replaced,
  };
}

/** The disk with some methods of its files replaced. */
export function withFiles(disk: Disk, replace: (file: DiskFile) => Partial<DiskFile>): Disk {
  const wrap = (file: DiskFile): DiskFile => ({
    size: () => file.size(),
    read: (buffer, position) => file.read(buffer, position),
    readNow: (buffer, position) => file.readNow(buffer, position),
    write: (buffer, position) => file.write(buffer, position),
    writeNow: (buffer, position) => file.writeNow(buffer, position),
    renamedTo: (path) => file.renamedTo(path),
    sync: () => file.sync(),
    close: () => file.close(),
    ...replace(file),
  });
  return withCalls(disk, {
    open: async (path, mode) => wrap(await disk.open(path, mode)),
    create: async (path) => wrap(await disk.create(path)),
  });
}
