/**
 * An open file of a `MemoryDisk`. What is in it lies in blocks that are made when something other than zeros is written to them:
 * the zeros that the log writes ahead of its need take no memory.
 */
import { assert } from '../errors.ts';
import { DiskError } from './disk.ts';
import type { DiskFile } from './disk.ts';

const BLOCK_BYTES = 65_536;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** What is in a file, with whatever names, opened however often. */
export interface MemoryContent {
  bytes: number;
  /** By their place; `undefined`: zeros. */
  readonly blocks: (Buffer | undefined)[];
}

export function newContent(): MemoryContent {
  return { bytes: 0, blocks: [] };
}

export class MemoryFile implements DiskFile {
  #path: string;
  readonly #content: MemoryContent;
  readonly #isWritable: boolean;
  #isClosed = false;

  constructor(path: string, content: MemoryContent, isWritable: boolean) {
    this.#path = path;
    this.#content = content;
    this.#isWritable = isWritable;
  }

  size(): Promise<number> {
    return this.#done('stat', () => this.#content.bytes);
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#done('read', () => this.#get(buffer, position));
  }

  readNow(buffer: Uint8Array, position: number): number {
    this.#checkOpen('read');
    return this.#get(buffer, position);
  }

  write(buffer: Uint8Array, position: number): Promise<void> {
    return this.#done('write', () => this.#put(buffer, position));
  }

  writeNow(buffer: Uint8Array, position: number): void {
    this.#checkOpen('write');
    this.#put(buffer, position);
  }

  sync(): Promise<void> {
    return this.#done('sync', () => undefined);
  }

  renamedTo(path: string): void {
    this.#path = path;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return new Promise((resolve) => setImmediate(resolve));
  }

  #get(buffer: Uint8Array, position: number): number {
    const { bytes, blocks } = this.#content;
    const count = Math.max(0, Math.min(buffer.length, bytes - position));
    eachPart(position, count, (index, start, end, offset) => {
      buffer.set((blocks[index] ?? ZEROS).subarray(start, end), offset);
    });
    return count;
  }

  #put(buffer: Uint8Array, position: number): void {
    if (!this.#isWritable) throw new DiskError('failed', `write ${this.#path}: it is open for reading only`);
    if (buffer.length === 0) return;
    const content = this.#content;
    eachPart(position, buffer.length, (index, start, end, offset) => {
      const part = buffer.subarray(offset, offset + end - start);
      if (content.blocks[index] === undefined && Buffer.compare(part, ZEROS.subarray(start, end)) === 0)
        return;
      (content.blocks[index] ??= Buffer.alloc(BLOCK_BYTES)).set(part, start);
    });
    content.bytes = Math.max(content.bytes, position + buffer.length);
  }

  /** Does the work of a call, and answers in the next round of the event loop. */
  #done<Result>(call: string, work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      try {
        this.#checkOpen(call);
        const result = work();
        setImmediate(resolve, result);
      } catch (error) {
        assert(error instanceof DiskError, 'a file in memory fails for what the caller did alone');
        reject(error);
      }
    });
  }

  #checkOpen(call: string): void {
    if (this.#isClosed) throw new DiskError('failed', `${call} ${this.#path}: it is closed`);
  }
}

/** Calls for each block that a part of a file lies in: its index, from where to where in it, and where in the part that is. */
function eachPart(
  position: number,
  length: number,
  visit: (index: number, start: number, end: number, offset: number) => void,
): void {
  for (let offset = 0; offset < length;) {
    const start = (position + offset) % BLOCK_BYTES;
    const end = Math.min(BLOCK_BYTES, start + length - offset);
    visit(Math.floor((position + offset) / BLOCK_BYTES), start, end, offset);
    offset += end - start;
  }
}
