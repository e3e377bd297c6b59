/** A disk that becomes full. */
import { DiskError, type Disk, type DiskFile } from '../../../src/disk/disk.ts';
import { withCalls } from '../../support/wrapped-disk.ts';

const MANIFEST_PATH = '/data/base/manifest';

/** A disk of so many bytes: what is removed gives its room back. */
export class SmallDisk {
  capacity = Infinity;
  readonly disk: Disk;
  readonly #bytesByPath = new Map<string, number>();

  constructor(inner: Disk, before?: SmallDisk) {
    for (const [path, bytes] of before === undefined ? [] : before.#bytesByPath)
      this.#bytesByPath.set(path, bytes);
    this.disk = withCalls(inner, {
      open: async (path, mode) => this.#counted(path, await inner.open(path, mode)),
      create: async (path) => {
        const file = await inner.create(path);
        this.#bytesByPath.set(path, 0);
        return this.#counted(path, file);
      },
      remove: async (path) => {
        await inner.remove(path);
        this.#bytesByPath.delete(path);
      },
      rename: async (from, to) => {
        await inner.rename(from, to);
        this.#bytesByPath.set(to, this.#bytesByPath.get(from) ?? 0);
        this.#bytesByPath.delete(from);
      },
    });
  }

  get used(): number {
    return [...this.#bytesByPath.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Of the manifests alone. */
  get manifestBytes(): number {
    return this.#bytesByPath.get(MANIFEST_PATH) ?? 0;
  }

  #counted(path: string, file: DiskFile): DiskFile {
    return {
      size: () => file.size(),
      read: (buffer, position) => file.read(buffer, position),
      readNow: (buffer, position) => file.readNow(buffer, position),
      writeNow: (buffer, position) => file.writeNow(buffer, position),
      renamedTo: (to) => file.renamedTo(to),
      sync: () => file.sync(),
      close: () => file.close(),
      write: async (buffer, position) => {
        const before = this.#bytesByPath.get(path) ?? 0;
        const bytes = Math.max(before, position + buffer.length);
        if (this.used - before + bytes > this.capacity)
          throw new DiskError('noSpace', 'no space left on device');
        this.#bytesByPath.set(path, bytes);
        await file.write(buffer, position);
      },
    };
  }
}
