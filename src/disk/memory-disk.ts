/**
 * A `Disk` that is in memory alone, for a store that keeps no files: it is gone with the object. Folders are the names before the
 * slashes of what was made in them.
 *
 * Calls are done at once, but answer no sooner than in the next round of the event loop, as the system's do: a caller that goes
 * on with each answer lets timers and sockets have their turn.
 */
import { DiskError } from './disk.ts';
import type { Disk, DiskDirectory, DiskFile, DiskLock } from './disk.ts';
import { type MemoryContent, MemoryFile, newContent } from './memory-file.ts';

export class MemoryDisk implements Disk {
  readonly #folders = new Set<string>(['', '.']);
  readonly #files = new Map<string, MemoryContent>();
  /** By what was locked, not by its name: who removes the file lets another owner in. */
  readonly #locked = new Set<MemoryContent>();

  async makeDirectory(path: string): Promise<void> {
    await turn();
    const parts = path.split('/');
    for (let length = 1; length <= parts.length; length++) {
      const folder = parts.slice(0, length).join('/');
      if (this.#files.has(folder)) throw new DiskError('exists', `make directory ${folder}: there is a file`);
      this.#folders.add(folder);
    }
  }

  async list(path: string): Promise<string[]> {
    await turn();
    const names = [...this.#files.keys(), ...this.#folders].filter((each) => folderOf(each) === path);
    return names.filter((each) => each !== path).map((each) => each.slice(path.length + 1));
  }

  async open(path: string, mode: 'read' | 'readWrite'): Promise<DiskFile> {
    await turn();
    return new MemoryFile(path, this.#content('open', path), mode === 'readWrite');
  }

  async create(path: string): Promise<DiskFile> {
    await turn();
    this.#checkFolder('create', folderOf(path));
    if (this.#files.has(path) || this.#folders.has(path)) {
      throw new DiskError('exists', `create ${path}: the name is taken`);
    }
    return new MemoryFile(path, this.#make(path), true);
  }

  async rename(from: string, to: string): Promise<void> {
    await turn();
    const content = this.#content('rename', from);
    this.#files.delete(from);
    this.#files.set(to, content);
  }

  async remove(path: string): Promise<void> {
    await turn();
    this.#files.delete(path);
  }

  async syncDirectory(path: string): Promise<void> {
    await turn();
    this.#checkFolder('sync directory', path);
  }

  async openDirectory(path: string): Promise<DiskDirectory> {
    await this.syncDirectory(path);
    return { sync: turn, close: turn };
  }

  async lock(path: string): Promise<DiskLock> {
    await turn();
    this.#checkFolder('lock', folderOf(path));
    const content = this.#files.get(path) ?? this.#make(path);
    if (this.#locked.has(content)) throw new DiskError('locked', `lock ${path}: it has another owner`);
    this.#locked.add(content);
    let isOwner = true;
    return {
      isHeld: async () => {
        await turn();
        return this.#files.get(path) === content;
      },
      release: async () => {
        await turn();
        if (isOwner) this.#locked.delete(content);
        isOwner = false;
      },
    };
  }

  #content(call: string, path: string): MemoryContent {
    const content = this.#files.get(path);
    if (content === undefined) throw new DiskError('notFound', `${call} ${path}: there is no such file`);
    return content;
  }

  #make(path: string): MemoryContent {
    const content = newContent();
    this.#files.set(path, content);
    return content;
  }

  #checkFolder(call: string, path: string): void {
    if (!this.#folders.has(path)) throw new DiskError('notFound', `${call} ${path}: there is no such folder`);
  }
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}

/** The next round of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
