/**
 * The file `ENGINE` of a data directory: which engine keeps the state there, its name in a line. A directory without it is one of
 * `memory`, as all were before there were others. It is written once, before anything that only its engine can read.
 */
import { dirname } from 'node:path';
import { type Disk, DiskError } from '../../disk/disk.ts';
import { StoreError } from '../../errors.ts';
import { ENGINE_NAMES, type EngineName } from '../../engine-names.ts';

/** More than the file ever has. */
const READ_BYTES = 64;

/** @throws StoreError `damaged` when there is such a file, and it names no engine that this version knows. A `DiskError`. */
export async function readEngineFile(disk: Disk, path: string): Promise<EngineName> {
  const text = await readText(disk, path);
  if (text === undefined) return 'memory';
  const name = ENGINE_NAMES.find((each) => text === `${each}\n`);
  if (name !== undefined) return name;
  const known = ENGINE_NAMES.join(', ');
  throw new StoreError(
    'damaged',
    `${path} is damaged or of a newer version: it is to be a line with one of ${known}; restore the file from a copy, or restore a backup`,
  );
}

/** Once it resolves, the file is durable; a crash before leaves none, or the whole. */
export async function writeEngineFile(disk: Disk, path: string, name: EngineName): Promise<void> {
  const temporary = `${path}.tmp`;
  await disk.remove(temporary);
  const file = await disk.create(temporary);
  try {
    await file.write(Buffer.from(`${name}\n`, 'latin1'), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(dirname(path));
}

/** `undefined`: there is no such file. */
async function readText(disk: Disk, path: string): Promise<string | undefined> {
  const buffer = Buffer.alloc(READ_BYTES);
  try {
    const file = await disk.open(path, 'read');
    try {
      return buffer.toString('latin1', 0, await file.read(buffer, 0));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof DiskError && error.code === 'notFound') return undefined;
    throw error;
  }
}
