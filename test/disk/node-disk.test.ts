import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DiskError } from '../../src/disk/disk.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { diskError } from '../../src/disk/system-error.ts';
import { expectDiskError, testDiskContract } from './disk-contract.ts';

testDiskContract('the disk of Node', async () => {
  const directory = await mkdtemp(`${tmpdir()}/kelp-disk-`);
  return { disk: nodeDisk, directory, removeAll: () => rm(directory, { recursive: true }) };
});

describe('the disk of Node', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(`${tmpdir()}/kelp-disk-`);
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(directory, { recursive: true });
  });

  it('makes the folders it makes durable in their parents', async () => {
    const syncDirectory = vi.spyOn(nodeDisk, 'syncDirectory');
    await nodeDisk.makeDirectory(`${directory}/a/b/c`);
    expect(syncDirectory.mock.calls.flat()).toEqual([directory, `${directory}/a`, `${directory}/a/b`]);
    syncDirectory.mockClear();
    await nodeDisk.makeDirectory(`${directory}/a/b/d/`);
    expect(syncDirectory.mock.calls.flat()).toEqual([`${directory}/a/b`]);
    syncDirectory.mockClear();
    await nodeDisk.makeDirectory(`${directory}/a/b/c`);
    expect(syncDirectory).not.toHaveBeenCalled();
  });

  it.runIf(process.platform === 'linux')('gives up where no folder can be made', async () => {
    await expect(nodeDisk.makeDirectory('/proc/self/a/b')).rejects.toMatchObject({ code: 'notFound' });
  });

  it('keeps what it makes from other users', async () => {
    await nodeDisk.makeDirectory(`${directory}/a`);
    const file = await nodeDisk.create(`${directory}/a/file`);
    await file.close();
    expect((await stat(`${directory}/a`)).mode & 0o077).toBe(0);
    expect((await stat(`${directory}/a/file`)).mode & 0o077).toBe(0);
  });

  it('writes and reads at once beyond what the thread pool holds', async () => {
    const file = await nodeDisk.create(`${directory}/file`);
    const count = 200;
    await Promise.all(
      Array.from({ length: count }, (_, index) =>
        file.write(Buffer.from(String(index).padStart(8, '0')), index * 8),
      ),
    );
    await file.close();
    const text = await readFile(`${directory}/file`, 'latin1');
    expect(text.match(/.{8}/g)?.map(Number)).toEqual(Array.from({ length: count }, (_, index) => index));
  });

  it('fails to flush, read and write what is not a file', async () => {
    const file = await nodeDisk.open(directory, 'read');
    await expectDiskError(file.read(Buffer.alloc(1), 0), 'failed');
    await file.close();
    await expectDiskError(nodeDisk.open(directory, 'readWrite'), 'failed');
    await expectDiskError(nodeDisk.list(`/dev/null`), 'failed');
  });
});

describe('an error of the system', () => {
  it.each([
    ['ENOENT', 'notFound'],
    ['EEXIST', 'exists'],
    ['ENOSPC', 'noSpace'],
    ['EDQUOT', 'noSpace'],
    ['EMFILE', 'tooManyFiles'],
    ['ENFILE', 'tooManyFiles'],
    ['EACCES', 'noPermission'],
    ['EPERM', 'noPermission'],
    ['EROFS', 'noPermission'],
    ['EIO', 'failed'],
    ['constructor', 'failed'],
  ])('%s has the code %s, and its message names call, path and error', (errno, code) => {
    const cause = Object.assign(new Error('as the system says it'), { code: errno });
    const error = diskError('write', '/some/file', cause);
    expect(error).toBeInstanceOf(DiskError);
    expect(error.code).toBe(code);
    expect(error.cause).toBe(cause);
    expect(error.message).toMatch(new RegExp(`^write /some/file: .*\\(${errno}\\)$`));
  });
});
