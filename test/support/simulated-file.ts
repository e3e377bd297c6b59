import type { DiskFile } from '../../src/disk/disk.ts';
import type { SeededRandom } from './random.ts';
import { failure } from './simulated-fault.ts';
import type { DiskCall, InjectedError } from './simulated-fault.ts';
import type { Change, Inode } from './simulated-inode.ts';

/** Runs a call of the simulated disk when its time has come; the action is told the error it is to fail with. */
export type RunCall = <Result>(
  call: DiskCall,
  path: string,
  detail: string,
  action: (fault: InjectedError | undefined) => Result,
) => Promise<Result>;

/** An open file of the simulated disk. */
export class SimulatedFile implements DiskFile {
  #path: string;
  readonly #inode: Inode;
  readonly #isWritable: boolean;
  readonly #random: SeededRandom;
  readonly #run: RunCall;
  #isClosed = false;

  constructor(path: string, inode: Inode, isWritable: boolean, random: SeededRandom, run: RunCall) {
    this.#path = path;
    this.#inode = inode;
    this.#isWritable = isWritable;
    this.#random = random;
    this.#run = run;
  }

  size(): Promise<number> {
    return this.#call('size', '', (fault) => {
      if (fault !== undefined) throw fault;
      return this.#inode.visible.length;
    });
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#call('read', `${position}+${buffer.length}`, (fault) => {
      if (fault !== undefined) throw fault;
      const bytes = this.#inode.visible.bytes.subarray(position, position + buffer.length);
      buffer.set(bytes);
      return bytes.length;
    });
  }

  write(buffer: Uint8Array, position: number): Promise<void> {
    if (!this.#isWritable) return Promise.reject(failure('failed', 'write', this.#path));
    // Not `slice`: that of a `Buffer` shares its memory.
    const bytes = new Uint8Array(buffer);
    const change: Change = { position, bytes, hasEnded: false };
    // From now on a crash may find some of it done, whether it is to fail or not.
    if (!this.#isClosed) this.#inode.begin(change);
    return this.#call('write', `${position}+${bytes.length}`, (fault) => {
      if (Buffer.compare(buffer, bytes) !== 0) {
        throw new Error(`broken contract: a buffer changed while it was being written to ${this.#path}`);
      }
      if (fault !== undefined)
        change.bytes = bytes.subarray(0, fault.bytesWritten(bytes.length, this.#random));
      this.#inode.end(change);
      if (fault !== undefined) throw fault;
    });
  }

  sync(): Promise<void> {
    // A write that has not ended when the sync begins is none of its business.
    const changes = this.#inode.endedChanges();
    return this.#call('sync', '', (fault) => {
      if (fault === undefined) {
        this.#inode.makeDurable(changes);
      } else {
        this.#inode.failToMakeDurable(changes, () => fault.fateOfChange(this.#random), this.#random);
        throw fault;
      }
    });
  }

  renamedTo(path: string): void {
    this.#path = path;
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    return this.#run('close', this.#path, '', (fault) => {
      if (fault !== undefined) throw fault;
    });
  }

  #call<Result>(
    call: DiskCall,
    detail: string,
    action: (fault: InjectedError | undefined) => Result,
  ): Promise<Result> {
    if (this.#isClosed) return Promise.reject(failure('failed', call, `${this.#path}, which is closed`));
    return this.#run(call, this.#path, detail, action);
  }
}
