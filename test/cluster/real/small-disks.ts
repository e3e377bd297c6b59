/** Disks of nodes that become full and have room again, while the nodes run. */
import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type TestContext, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../../support/test-server.ts';
import type { RealNode } from './node-cluster.ts';

const run = promisify(execFile);

export interface SmallDisks {
  /** The data directory of a node. */
  dataDir(index: number): Promise<string>;
  fill(node: RealNode, index: number): Promise<void>;
  makeRoom(node: RealNode, index: number): Promise<void>;
}

/** Works everywhere: the process may write nothing to any file (`EFBIG`). */
export class ForbiddenWrites implements SmallDisks {
  dataDir(_index: number): Promise<string> {
    return temporaryDirectory();
  }

  async fill({ process }: RealNode): Promise<void> {
    await run('prlimit', [`--pid=${process.pid}`, '--fsize=0:']);
  }

  async makeRoom({ process }: RealNode): Promise<void> {
    await run('prlimit', [`--pid=${process.pid}`, '--fsize=unlimited:']);
  }
}

/** File systems of their own, of which all is taken (`ENOSPC`). */
export class SmallFileSystems implements SmallDisks {
  readonly #context: TestContext;
  readonly #bytes: number;
  readonly #directories: string[] = [];

  constructor(context: TestContext, bytes: number) {
    this.#context = context;
    this.#bytes = bytes;
  }

  async dataDir(index: number): Promise<string> {
    const directory = await temporaryDirectory();
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${this.#bytes}`, 'kelp-test', directory]);
    } catch (error) {
      this.#context.skip(`this user may not mount a file system: ${String(error)}`);
    }
    onTestFinished(async () => {
      // What is still open there goes with its process.
      await run('umount', ['--lazy', directory]);
    });
    this.#directories[index] = directory;
    return join(directory, 'data');
  }

  async fill(_node: RealNode, index: number): Promise<void> {
    const file = await open(this.#filler(index), 'w');
    try {
      for (;;) await file.write(Buffer.alloc(4096, 1));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      await file.close();
    }
  }

  async makeRoom(_node: RealNode, index: number): Promise<void> {
    await rm(this.#filler(index));
  }

  #filler(index: number): string {
    return join(this.#directories[index] ?? '', 'filler');
  }
}
