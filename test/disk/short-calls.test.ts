/** A system that reads and writes less than it was asked to, as it may. */
import type * as FileSystem from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { expectDiskError } from './disk-contract.ts';

const system = vi.hoisted(() => ({ bytesAtOnce: 3, callCount: 0, fails: undefined as string | undefined }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof FileSystem>();
  const shorter = (length: number): number => {
    system.callCount++;
    if (system.fails !== undefined) throw Object.assign(new Error('simulated'), { code: system.fails });
    return Math.min(length, system.bytesAtOnce);
  };
  return {
    ...fs,
    readSync: (file: number, buffer: Uint8Array, start: number, length: number, position: number) =>
      fs.readSync(file, buffer, start, shorter(length), position),
    read: (
      file: number,
      buffer: Uint8Array,
      start: number,
      length: number,
      position: number,
      done: (error: Error | null, count: number) => void,
    ) => fs.read(file, buffer, start, shorter(length), position, done),
    writeSync: (file: number, buffer: Uint8Array, start: number, length: number, position: number) =>
      fs.writeSync(file, buffer, start, shorter(length), position),
    write: (
      file: number,
      buffer: Uint8Array,
      start: number,
      length: number,
      position: number,
      done: (error: Error | null, count: number) => void,
    ) => fs.write(file, buffer, start, shorter(length), position, done),
  };
});

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/kelp-disk-`);
  Object.assign(system, { bytesAtOnce: 3, callCount: 0, fails: undefined });
});

afterEach(() => rm(directory, { recursive: true }));

it.each(['write', 'writeNow'] as const)('%s goes on where the system stopped', async (call) => {
  const file = await nodeDisk.create(`${directory}/file`);
  await file[call](Buffer.from('0123456789'), 0);
  await file[call](Buffer.from('abcde'), 8);
  await file.close();
  expect(await readFile(`${directory}/file`, 'latin1')).toBe('01234567abcde');
  expect(system.callCount).toBe(4 + 2);
});

it.each(['read', 'readNow'] as const)('%s goes on where the system stopped, up to the end', async (call) => {
  const file = await nodeDisk.create(`${directory}/file`);
  await file.write(Buffer.from('0123456789'), 0);
  system.callCount = 0;
  const buffer = Buffer.alloc(7, '-');
  expect(await file[call](buffer, 1)).toBe(7);
  expect(buffer.toString()).toBe('1234567');
  expect(system.callCount).toBe(3);
  expect(await file[call](buffer, 6)).toBe(4);
  expect(buffer.toString()).toBe('6789567');
  await file.close();
});

it('readNow tells what the system says, and for which file', async () => {
  const file = await nodeDisk.create(`${directory}/file`);
  system.fails = 'EIO';
  await expectDiskError((async () => file.readNow(Buffer.alloc(1), 0))(), 'failed');
  expect(() => file.readNow(Buffer.alloc(1), 0)).toThrow(`read ${directory}/file: `);
  await file.close();
});

it.each(['write', 'writeNow'] as const)('%s fails when the system writes nothing', async (call) => {
  const file = await nodeDisk.create(`${directory}/file`);
  system.bytesAtOnce = 0;
  await expectDiskError((async () => file[call](Buffer.from('x'), 0))(), 'failed');
  await file.close();
});

it('writeNow tells what the system says, and for which file', async () => {
  const file = await nodeDisk.create(`${directory}/file`);
  system.fails = 'ENOSPC';
  await expectDiskError((async () => file.writeNow(Buffer.from('x'), 0))(), 'noSpace');
  expect(() => file.writeNow(Buffer.from('x'), 0)).toThrow(`write ${directory}/file: `);
  system.fails = 'EIO';
  await expectDiskError((async () => file.writeNow(Buffer.from('x'), 0))(), 'failed');
  await file.close();
});
