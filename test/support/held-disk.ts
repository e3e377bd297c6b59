/** A disk for tests that have to do something while a flush is under way. */
import type { Disk, DiskFile } from '../../src/disk/disk.ts';

/** A disk whose flushes of files wait while they are held; everything else goes through at once. */
export class HeldDisk implements Disk {
  readonly #disk: Disk;
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined;
  #waitingCount = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** How many flushes wait now. */
  get waitingCount(): number {
    return this.#waitingCount;
  }

  /** From now on flushes wait. */
  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate ??= { opened: promise, open: resolve };
  }

  /** Lets those that wait, and all later ones, go on. */
  release(): void {
    this.#gate?.open();
    this.#gate = undefined;
  }

  makeDirectory(path: string): Promise<void> {
    return this.#disk.makeDirectory(path);
  }

  list(path: string): Promise<string[]> {
    return this.#disk.list(path);
  }

  async open(path: string, mode: 'read' | 'readWrite'): Promise<DiskFile> {
    return this.#held(await this.#disk.open(path, mode));
  }

  async create(path: string): Promise<DiskFile> {
    return this.#held(await this.#disk.create(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#disk.rename(from, to);
  }

  remove(path: string): Promise<void> {
    return this.#disk.remove(path);
  }

  syncDirectory(path: string): Promise<void> {
    return this.#disk.syncDirectory(path);
  }

  openDirectory(path: string): ReturnType<Disk['openDirectory']> {
    return this.#disk.openDirectory(path);
  }

  lock(path: string): ReturnType<Disk['lock']> {
    return this.#disk.lock(path);
  }

  #held(file: DiskFile): DiskFile {
    return {
      size: () => file.size(),
      read: (buffer, position) => file.read(buffer, position),
      readNow: (buffer, position) => file.readNow(buffer, position),
      write: (buffer, position) => file.write(buffer, position),
      writeNow: (buffer, position) => file.writeNow(buffer, position),
      renamedTo: (path) => file.renamedTo(path),
      close: () => file.close(),
      sync: async () => {
        if (this.#gate !== undefined) {
          this.#waitingCount++;
          await this.#gate.opened;
          this.#waitingCount--;
        }
        await file.sync();
      },
    };
  }
}
