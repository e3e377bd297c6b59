/** An open file of the simulated disk (`simulated-disk.ts`). */
import type { DiskError, DiskFile } from '../../src/disk/disk.ts';
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

/** Like `RunCall`, for a call that has ended when it returns. */
export type RunCallNow = <Result>(
  call: DiskCall,
  path: string,
  detail: string,
  action: (fault: InjectedError | undefined) => Result,
) => Result;

/** The space that all files of a disk share. */
export interface Space {
  /** By so much they may still grow. */
  leftBytes: number;
}

/** What a file has of its disk. */
export interface FileContext {
  readonly random: SeededRandom;
  readonly space: Space;
  readonly run: RunCall;
  readonly runNow: RunCallNow;
}

/** An open file of the simulated disk. */
export class SimulatedFile implements DiskFile {
  #path: string;
  readonly #inode: Inode;
  readonly #isWritable: boolean;
  readonly #context: FileContext;
  #isClosed = false;

  constructor(path: string, inode: Inode, isWritable: boolean, context: FileContext) {
    this.#path = path;
    this.#inode = inode;
    this.#isWritable = isWritable;
    this.#context = context;
  }

  size(): Promise<number> {
    return this.#call('size', '', (fault) => {
      if (fault !== undefined) throw fault;
      return this.#inode.visible.length;
    });
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#call('read', `${position}+${buffer.length}`, (fault) => this.#get(buffer, position, fault));
  }

  readNow(buffer: Uint8Array, position: number): number {
    if (this.#isClosed) throw this.#closed('read');
    return this.#context.runNow('read', this.#path, `${position}+${buffer.length} at once`, (fault) =>
      this.#get(buffer, position, fault),
    );
  }

  #get(buffer: Uint8Array, position: number, fault: InjectedError | undefined): number {
    if (fault !== undefined) throw fault;
    const bytes = this.#inode.visible.bytes.subarray(position, position + buffer.length);
    buffer.set(bytes);
    return bytes.length;
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
      this.#endWrite(change, fault);
    });
  }

  writeNow(buffer: Uint8Array, position: number): void {
    if (!this.#isWritable || this.#isClosed) throw failure('failed', 'write', this.#path);
    const bytes = new Uint8Array(buffer);
    this.#context.runNow('write', this.#path, `${position}+${bytes.length} at once`, (fault) => {
      const change: Change = { position, bytes, hasEnded: false };
      this.#inode.begin(change);
      this.#endWrite(change, fault);
    });
  }

  /** Does of a write what the fault, if there is one, and the space that is left let it do. */
  #endWrite(change: Change, fault: InjectedError | undefined): void {
    const { random, space } = this.#context;
    const { position, bytes } = change;
    const { length } = this.#inode.visible;
    const wanted = fault === undefined ? bytes.length : fault.bytesWritten(bytes.length, random);
    const written = Math.min(wanted, Math.max(0, length + space.leftBytes - position));
    change.bytes = bytes.subarray(0, written);
    if (written > 0) space.leftBytes -= Math.max(0, position + written - length);
    this.#inode.end(change);
    if (fault !== undefined) throw fault;
    if (written < wanted) throw failure('noSpace', 'write', this.#path);
  }

  sync(): Promise<void> {
    // A write that has not ended when the sync begins is none of its business.
    const changes = this.#inode.endedChanges();
    return this.#call('sync', '', (fault) => {
      if (fault === undefined) {
        this.#inode.makeDurable(changes);
      } else {
        const { random } = this.#context;
        this.#inode.failToMakeDurable(changes, () => fault.fateOfChange(random), random);
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
    return this.#context.run('close', this.#path, '', (fault) => {
      if (fault !== undefined) throw fault;
    });
  }

  #call<Result>(
    call: DiskCall,
    detail: string,
    action: (fault: InjectedError | undefined) => Result,
  ): Promise<Result> {
    if (this.#isClosed) return Promise.reject(this.#closed(call));
    return this.#context.run(call, this.#path, detail, action);
  }

  #closed(call: DiskCall): DiskError {
    return failure('failed', call, `${this.#path}, which is closed`);
  }
}
