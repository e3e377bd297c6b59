/**
 * The `Disk` contract: all that KelpDB does with files goes through it.
 *
 * What a caller may rely on:
 *
 * - Bytes written are durable after a `sync` of the same file that began after the write had ended; before that a
 *   crash may keep any subset of them.
 * - A file's name is durable after a `syncDirectory` of its folder that began after `create`, `rename` or `remove`
 *   had ended.
 * - `rename` replaces an existing target atomically.
 * - A call that fails leaves everything it would have made durable in an unknown state. A failed `sync` must never
 *   be tried again: the kernel may have dropped the dirty pages and say "done" the second time.
 * - A call that fails with `tooManyFiles` has done nothing at all, and may be tried again. `open`, `create`, `list`,
 *   `openDirectory` and `syncDirectory` may: they need a descriptor. What is open already needs none.
 *
 * Paths are absolute or relative to the process; they use `/`. Buffers that are handed in belong to the disk until the
 * returned promise settles, or the call returns.
 */
export interface Disk {
  /** Makes a folder and its parents; one that exists is not an error. */
  makeDirectory(path: string): Promise<void>;
  /** The names (not paths) in a folder, in no particular order; `[]` when there is no such folder. */
  list(path: string): Promise<string[]>;
  /** Opens a file that exists. Rejects with a `DiskError` of code `notFound` when there is none. */
  open(path: string, mode: 'read' | 'readWrite'): Promise<DiskFile>;
  /** Makes a new, empty file. Rejects with code `exists` when the name is taken. */
  create(path: string): Promise<DiskFile>;
  /** Gives a file another name in the same folder, replacing what had that name. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; a missing one is not an error. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncDirectory(path: string): Promise<void>;
  /** Keeps a folder open, so that its names can be made durable however many other files are open by then. */
  openDirectory(path: string): Promise<DiskDirectory>;
  /**
   * Takes the folder for this process alone, by a file of this path, which is made if need be. A process that ends, however
   * it ends, gives the lock back. Rejects with code `locked` when another owner, also one in this process, has it.
   *
   * The lock is on the file, not on its name: who removes the file lets another owner in. See `DiskLock.isHeld`.
   */
  lock(path: string): Promise<DiskLock>;
}

export interface DiskFile {
  /** The length now, in bytes. */
  size(): Promise<number>;
  /**
   * Reads into `buffer` from `position` until it is full or the file ends.
   * @returns how many bytes were read: fewer than `buffer.length` only at the end of the file.
   */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /**
   * Like `read`, done before it returns: for short reads that an answer waits for. What the system has in memory comes sooner than
   * by the thread pool; for what it has not, the event loop stands still. May run beside the other calls.
   * @throws DiskError what `read` rejects with.
   */
  readNow(buffer: Uint8Array, position: number): number;
  /** Writes all of `buffer` at `position`. A short write of the system is gone on with, or fails. */
  write(buffer: Uint8Array, position: number): Promise<void>;
  /**
   * The same before it returns: sooner done than by the thread pool, but the event loop stands still meanwhile. For short
   * writes that go to the system's memory. May run beside the other calls.
   * @throws DiskError what `write` rejects with.
   */
  writeNow(buffer: Uint8Array, position: number): void;
  /** Makes everything written so far durable, the length included. */
  sync(): Promise<void>;
  /** `Disk.rename` has given the open file this path: its errors name it from now on. */
  renamedTo(path: string): void;
  /** Closes the file; it does not make anything durable. */
  close(): Promise<void>;
}

export interface DiskDirectory {
  /** As `Disk.syncDirectory`; it needs no further descriptor. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface DiskLock {
  /**
   * Whether the path still names the file that was locked. False: the file or its folder was removed, renamed or replaced,
   * and another owner may have come. What the system does not tell counts as true. Never rejects.
   */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

export type DiskErrorCode =
  | 'notFound'
  | 'exists'
  /** Another owner has taken the folder. */
  | 'locked'
  /** Another program is at work on the file, or keeps it locked. */
  | 'busy'
  /** The file system is full, or a quota is used up. */
  | 'noSpace'
  /** The process, or the system, has as many files open as it may. */
  | 'tooManyFiles'
  /** The process may not do this. */
  | 'noPermission'
  /** Anything else, an error of the device among it. */
  | 'failed';

/** What went wrong with a file. The message names the call and the path; `cause` is the system's own error. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: DiskErrorCode;

  constructor(code: DiskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
