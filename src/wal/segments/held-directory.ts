/**
 * A folder whose names are made durable again and again. It is kept open: in the middle of a change there may be no
 * descriptor left to open it with.
 */
import type { Disk, DiskDirectory } from '../../disk/disk.ts';

export class HeldDirectory {
  readonly path: string;
  readonly #disk: Disk;
  #directory: Promise<DiskDirectory> | undefined;

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.path = path;
  }

  /** Opens the folder unless it is open. What fails here has changed nothing, and may be tried again. */
  async hold(): Promise<DiskDirectory> {
    const opening = (this.#directory ??= this.#disk.openDirectory(this.path));
    try {
      return await opening;
    } catch (error) {
      if (this.#directory === opening) this.#directory = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    const directory = this.#directory;
    this.#directory = undefined;
    await (await directory?.catch(() => undefined))?.close();
  }
}
