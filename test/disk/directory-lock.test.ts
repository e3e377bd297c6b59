import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { NOBODY_ID } from '../support/nobody.ts';
import { expectDiskError } from './disk-contract.ts';

const holder = new URL('lock-holder.ts', import.meta.url);

describe('the lock of a directory', () => {
  let directory: string;
  let path: string;
  let children: ChildProcess[];

  beforeEach(async () => {
    directory = await mkdtemp(`${tmpdir()}/kelp-lock-`);
    path = `${directory}/lock`;
    children = [];
  });

  afterEach(async () => {
    await Promise.all(children.map(kill));
    await rm(directory, { recursive: true });
  });

  /** @returns the process and what it says of its attempt to take the lock. */
  async function startHolder(...options: readonly string[]): Promise<[ChildProcess, string]> {
    const child = spawn(process.execPath, [fileURLToPath(holder), path, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    return [child, said.toString().trim()];
  }

  async function startThread(): Promise<[Worker, string]> {
    const thread = new Worker(holder, { workerData: path, stdout: true });
    const [said] = (await once(thread.stdout, 'data')) as [Buffer];
    return [thread, said.toString().trim()];
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  it('keeps other processes out until its owner is killed', async () => {
    const [child, said] = await startHolder();
    expect(said).toBe('has the lock');
    await expectDiskError(nodeDisk.lock(path), 'locked');
    const [, saidByOther] = await startHolder();
    expect(saidByOther).toBe('locked');
    await kill(child);
    const lock = await nodeDisk.lock(path);
    await lock.release();
  });

  it('keeps other processes out while this one has it, also after failed attempts here', async () => {
    const lock = await nodeDisk.lock(path);
    await expectDiskError(nodeDisk.lock(path), 'locked');
    const [, said] = await startHolder();
    expect(said).toBe('locked');
    await lock.release();
    const [, saidAfter] = await startHolder();
    expect(saidAfter).toBe('has the lock');
  });

  it('keeps other threads of this process out, and ends with its thread', async () => {
    const lock = await nodeDisk.lock(path);
    const [outsider, said] = await startThread();
    expect(said).toBe('locked');
    await outsider.terminate();
    await lock.release();

    const [owner, saidByOwner] = await startThread();
    expect(saidByOwner).toBe('has the lock');
    await expectDiskError(nodeDisk.lock(path), 'locked');
    await owner.terminate();
    const again = await nodeDisk.lock(path);
    await again.release();
  });

  it('writes nothing, neither into its file nor beside it', async () => {
    const lock = await nodeDisk.lock(path);
    expect(await readdir(directory)).toEqual(['lock']);
    expect((await stat(path)).size).toBe(0);
    await lock.release();
    expect((await stat(path)).size).toBe(0);
  });

  it('says so when the file is something else', async () => {
    await writeFile(
      path,
      'this is not a lock file, and longer than the head of a database of SQLite'.repeat(10),
    );
    await expect(nodeDisk.lock(path)).rejects.toThrow(/must be empty/);
    await rm(path);
    await nodeDisk.makeDirectory(path);
    await expectDiskError(nodeDisk.lock(path), 'failed');
  });

  // The superuser may do anything: its tests act as somebody else, in another process.
  describe('without permission', () => {
    const isRoot = process.getuid?.() === 0;

    async function attempt(): Promise<string> {
      const [, said] = await startHolder(...(isRoot ? ['as-nobody'] : []));
      return said;
    }

    it('tells it of a directory that may not be written', async () => {
      await chmod(directory, 0o555);
      expect(await attempt()).toBe('noPermission');
    });

    it('tells it of a directory that may not be entered', async () => {
      await chmod(directory, 0o000);
      expect(await attempt()).toBe('noPermission');
    });

    it('tells it of a lock file that may not be written', async () => {
      await writeFile(path, '');
      await chmod(path, 0o444);
      if (isRoot) await chown(directory, NOBODY_ID, NOBODY_ID);
      expect(await attempt()).toBe('noPermission');
    });

    afterEach(() => chmod(directory, 0o755));
  });
});
