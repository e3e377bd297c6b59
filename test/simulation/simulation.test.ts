import { describe, expect, test } from 'vitest';
import type { Disk, DiskFile } from '../../src/disk/disk.ts';
import { HeapEngine } from '../../src/engine/heap-engine.ts';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { MachineOptions } from './machine.ts';
import { simulate } from './simulation.ts';

const HEAP: MachineOptions = { makeEngine: () => new HeapEngine() };
const MEMORY: MachineOptions = { makeEngine: () => new MemoryEngine() };

/** More of them: `npm run simulate -- --schedules 20000 --seed 1`. */
const HEAP_SCHEDULES = 3000;
const MEMORY_SCHEDULES = 300;
const MEMORY_FIRST_SEED = 1_000_000;
const TIMEOUT_MS = 600_000;

describe('a simulated store', () => {
  test(
    'keeps its promises in every schedule',
    async () => {
      await runSchedules(1, HEAP_SCHEDULES, HEAP, 'heap');
    },
    TIMEOUT_MS,
  );

  test(
    'keeps its promises in every schedule with the memory engine',
    async () => {
      await runSchedules(MEMORY_FIRST_SEED, MEMORY_SCHEDULES, MEMORY, 'memory');
    },
    TIMEOUT_MS,
  );

  test('goes the same way twice from the same seed', async () => {
    const hashes = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) {
      const once = await simulate(seed, HEAP);
      const again = await simulate(seed, { ...HEAP, isTraced: true });
      expect({ hash: again.hash, steps: again.stepCount }).toEqual({
        hash: once.hash,
        steps: once.stepCount,
      });
      hashes.add(once.hash);
    }
    expect(hashes.size).toBe(20);
  });

  test('is found out when the disk only claims to have flushed a file', async () => {
    const wrapDisk = (disk: Disk): Disk => ({
      ...passOn(disk),
      open: async (path, mode) => withoutSync(await disk.open(path, mode)),
      create: async (path) => withoutSync(await disk.create(path)),
    });
    expect(await failureWithin(50, { ...HEAP, wrapDisk })).toMatch(/was seen, .* was recovered|damaged/);
  });

  test('is found out when the disk only claims to have flushed a folder', async () => {
    const wrapDisk = (disk: Disk): Disk => ({ ...passOn(disk), syncDirectory: () => Promise.resolve() });
    expect(await failureWithin(50, { ...HEAP, wrapDisk })).toMatch(/was seen, .* was recovered|damaged/);
  });
});

async function runSchedules(
  firstSeed: number,
  count: number,
  options: MachineOptions,
  engine: string,
): Promise<void> {
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const { failure } = await simulate(seed, options);
    if (failure === undefined) continue;
    const command = `npm run simulate -- --seed ${seed} --engine ${engine} --trace`;
    throw new Error(`seed ${seed} fails: ${failure.message}\nsee it again: ${command}`, { cause: failure });
  }
}

/** What the first schedule that fails says. */
async function failureWithin(schedules: number, options: MachineOptions): Promise<string | undefined> {
  for (let seed = 1; seed <= schedules; seed++) {
    const { failure } = await simulate(seed, options);
    if (failure !== undefined) return failure.message;
  }
  return undefined;
}

function passOn(disk: Disk): Disk {
  return {
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    open: (path, mode) => disk.open(path, mode),
    create: (path) => disk.create(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    lock: (path) => disk.lock(path),
  };
}

function withoutSync(file: DiskFile): DiskFile {
  return {
    size: () => file.size(),
    read: (buffer, position) => file.read(buffer, position),
    write: (buffer, position) => file.write(buffer, position),
    truncate: (length) => file.truncate(length),
    sync: () => Promise.resolve(),
    close: () => file.close(),
  };
}
