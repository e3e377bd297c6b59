/** Open files and folders of the operating system, by `node:fs` and its thread pool, but for `readNow` and `writeNow`. */
import * as fs from 'node:fs';
import { DiskError } from './disk.ts';
import type { DiskDirectory, DiskFile } from './disk.ts';
import { diskError, errnoOf } from './system-error.ts';

/** One call moves at most this much; the system's own limit is 2^31 - 4096 bytes. */
const TRANSFER_BYTES_MAX = 2 ** 30;

type Done<Result> = (error: Error | null, result: Result) => void;

/** Runs a call of `node:fs` that takes a callback; what goes wrong becomes a `DiskError`. */
export function run<Result = void>(
  call: string,
  path: string,
  start: (done: Done<Result>) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result);
      else reject(diskError(call, path, error));
    });
  });
}

/**
 * `close` waits for the calls under way, and later calls are refused: the system gives the number of a closed descriptor
 * to the next file that is opened, and a late write would land there.
 */
export class NodeFile implements DiskFile {
  #path: string;
  readonly #descriptor: number;
  #callsUnderWay = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(path: string, descriptor: number) {
    this.#path = path;
    this.#descriptor = descriptor;
  }

  size(): Promise<number> {
    return this.#whileOpen('stat', async () => {
      const stats = await run<fs.Stats>('stat', this.#path, (done) => fs.fstat(this.#descriptor, done));
      return stats.size;
    });
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#whileOpen('read', async () => {
      let count = 0;
      while (count < buffer.length) {
        const length = Math.min(buffer.length - count, TRANSFER_BYTES_MAX);
        const transferred = await run<number>('read', this.#path, (done) =>
          fs.read(this.#descriptor, buffer, count, length, position + count, done),
        );
        if (transferred === 0) break;
        count += transferred;
      }
      return count;
    });
  }

  readNow(buffer: Uint8Array, position: number): number {
    if (this.#closing !== undefined) throw this.#closedError('read');
    let count = 0;
    while (count < buffer.length) {
      const transferred = this.#readSome(buffer, count, position);
      if (transferred === 0) break;
      count += transferred;
    }
    return count;
  }

  #readSome(buffer: Uint8Array, start: number, position: number): number {
    const length = Math.min(buffer.length - start, TRANSFER_BYTES_MAX);
    try {
      return fs.readSync(this.#descriptor, buffer, start, length, position + start);
    } catch (cause) {
      throw diskError('read', this.#path, cause);
    }
  }

  write(buffer: Uint8Array, position: number): Promise<void> {
    return this.#whileOpen('write', async () => {
      let count = 0;
      while (count < buffer.length) {
        const length = Math.min(buffer.length - count, TRANSFER_BYTES_MAX);
        const transferred = await run<number>('write', this.#path, (done) =>
          fs.write(this.#descriptor, buffer, count, length, position + count, done),
        );
        if (transferred === 0) throw this.#nothingWritten();
        count += transferred;
      }
    });
  }

  writeNow(buffer: Uint8Array, position: number): void {
    if (this.#closing !== undefined) throw this.#closedError('write');
    let count = 0;
    while (count < buffer.length) {
      const transferred = this.#writeSome(buffer, count, position);
      if (transferred === 0) throw this.#nothingWritten();
      count += transferred;
    }
  }

  #writeSome(buffer: Uint8Array, start: number, position: number): number {
    const length = Math.min(buffer.length - start, TRANSFER_BYTES_MAX);
    try {
      return fs.writeSync(this.#descriptor, buffer, start, length, position + start);
    } catch (cause) {
      throw diskError('write', this.#path, cause);
    }
  }

  #nothingWritten(): DiskError {
    return new DiskError('failed', `write ${this.#path}: the system wrote nothing`);
  }

  #closedError(call: string): DiskError {
    return new DiskError('failed', `${call} ${this.#path}: the file is closed`);
  }

  sync(): Promise<void> {
    // Without the file's times, but with its length: POSIX has fdatasync write what is needed to read the data.
    return this.#whileOpen('sync', () =>
      run('sync', this.#path, (done) => fs.fdatasync(this.#descriptor, done)),
    );
  }

  renamedTo(path: string): void {
    this.#path = path;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#callsUnderWay > 0) {
      const idle = Promise.withResolvers<void>();
      this.#onIdle = idle.resolve;
      await idle.promise;
    }
    await run('close', this.#path, (done) => fs.close(this.#descriptor, done));
  }

  async #whileOpen<Result>(call: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#closing !== undefined) throw this.#closedError(call);
    this.#callsUnderWay++;
    try {
      return await work();
    } finally {
      this.#callsUnderWay--;
      if (this.#callsUnderWay === 0) this.#onIdle?.();
    }
  }
}

/** A folder that is open so that its names can be made durable. */
export class NodeDirectory implements DiskDirectory {
  readonly #path: string;
  readonly #descriptor: number;
  /** The calls run one after the other, and none after `close`: see `NodeFile`. */
  #lastCall: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(path: string, descriptor: number) {
    this.#path = path;
    this.#descriptor = descriptor;
  }

  sync(): Promise<void> {
    if (this.#closing !== undefined) {
      return Promise.reject(new DiskError('failed', `sync directory ${this.#path}: the folder is closed`));
    }
    const synced = this.#lastCall.then(() => this.#sync());
    this.#lastCall = synced.catch(() => undefined);
    return synced;
  }

  #sync(): Promise<void> {
    return run('sync directory', this.#path, (done) =>
      fs.fsync(this.#descriptor, (error) => {
        // EINVAL is how a file system says that it has no such thing for directories, as some network ones do.
        done(errnoOf(error) === 'EINVAL' ? null : error);
      }),
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#lastCall.then(() =>
      run('close', this.#path, (done) => fs.close(this.#descriptor, done)),
    );
    return this.#closing;
  }
}
