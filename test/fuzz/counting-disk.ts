/** A disk that counts what is asked of another one: how much work and memory reading a file costs. */
import type { Disk, DiskFile } from '../../src/disk/disk.ts';

export class CountingDisk implements Disk {
  readCount = 0;
  /** Of all buffers that were to be filled; a reader has made room for each. */
  readBytes = 0;
  longestReadBytes = 0;
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  makeDirectory: Disk['makeDirectory'] = (path) => this.#disk.makeDirectory(path);
  list: Disk['list'] = (path) => this.#disk.list(path);
  rename: Disk['rename'] = (from, to) => this.#disk.rename(from, to);
  remove: Disk['remove'] = (path) => this.#disk.remove(path);
  syncDirectory: Disk['syncDirectory'] = (path) => this.#disk.syncDirectory(path);
  openDirectory: Disk['openDirectory'] = (path) => this.#disk.openDirectory(path);
  lock: Disk['lock'] = (path) => this.#disk.lock(path);
  open: Disk['open'] = async (path, mode) => this.#counting(await this.#disk.open(path, mode));
  create: Disk['create'] = async (path) => this.#counting(await this.#disk.create(path));

  #counting(file: DiskFile): DiskFile {
    const count = (bytes: number): void => {
      this.readCount++;
      this.readBytes += bytes;
      this.longestReadBytes = Math.max(this.longestReadBytes, bytes);
    };
    return {
      read: (buffer, position) => {
        count(buffer.length);
        return file.read(buffer, position);
      },
      readNow: (buffer, position) => {
        count(buffer.length);
        return file.readNow(buffer, position);
      },
      size: () => file.size(),
      write: (buffer, position) => file.write(buffer, position),
      writeNow: (buffer, position) => file.writeNow(buffer, position),
      renamedTo: (path) => file.renamedTo(path),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  }
}
