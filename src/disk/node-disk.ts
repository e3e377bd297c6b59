/** The `Disk` of the operating system. */
import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DiskError } from './disk.ts';
import type { Disk } from './disk.ts';
import { lockDirectory } from './directory-lock.ts';
import { NodeDirectory, NodeFile, run } from './node-file.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;

/** Keys and values may be secrets: files and folders are for the owner alone. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

export const nodeDisk: Disk = {
  async makeDirectory(path) {
    const wanted = resolve(path);
    try {
      await makeOneDirectory(wanted);
    } catch (error) {
      if (!isNotFound(error) || dirname(wanted) === wanted) throw error;
      // Node's own recursion does not end where the parent can not be made either, as in /proc.
      await nodeDisk.makeDirectory(dirname(wanted));
      await makeOneDirectory(wanted);
    }
  },

  async list(path) {
    try {
      return await run<string[]>('list', path, (done) => fs.readdir(path, done));
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  },

  async open(path, mode) {
    const flags = mode === 'read' ? O_RDONLY : O_RDWR;
    return new NodeFile(path, await run<number>('open', path, (done) => fs.open(path, flags, done)));
  },

  async create(path) {
    const flags = O_RDWR | O_CREAT | O_EXCL;
    return new NodeFile(
      path,
      await run<number>('create', path, (done) => fs.open(path, flags, FILE_MODE, done)),
    );
  },

  rename(from, to) {
    return run('rename', `${from} to ${to}`, (done) => fs.rename(from, to, done));
  },

  async remove(path) {
    try {
      await run('remove', path, (done) => fs.unlink(path, done));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  },

  async syncDirectory(path) {
    const directory = await nodeDisk.openDirectory(path);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },

  async openDirectory(path) {
    const descriptor = await run<number>('sync directory', path, (done) =>
      fs.open(path, O_RDONLY | O_DIRECTORY, done),
    );
    return new NodeDirectory(path, descriptor);
  },

  lock(path) {
    return lockDirectory(path);
  },
};

function isNotFound(error: unknown): boolean {
  return error instanceof DiskError && error.code === 'notFound';
}

/** Its parent must be there. */
async function makeOneDirectory(path: string): Promise<void> {
  try {
    await run('make directory', path, (done) => fs.mkdir(path, DIRECTORY_MODE, done));
  } catch (error) {
    if (error instanceof DiskError && error.code === 'exists' && (await isDirectory(path))) return;
    throw error;
  }
  // Its name lies in its parent; a store whose folder a crash can take away keeps no promise.
  await nodeDisk.syncDirectory(dirname(path));
}

async function isDirectory(path: string): Promise<boolean> {
  const stats = await run<fs.Stats>('look at', path, (done) => fs.stat(path, done));
  return stats.isDirectory();
}
