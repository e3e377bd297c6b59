import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/disk/memory-disk.ts';
import { testDiskContract } from './disk-contract.ts';

testDiskContract('the disk in memory', async () => {
  const disk = new MemoryDisk();
  await disk.makeDirectory('/data');
  return { disk, directory: '/data', removeAll: () => Promise.resolve() };
});

testDiskContract('the disk in memory, with relative paths,', async () => {
  const disk = new MemoryDisk();
  await disk.makeDirectory('store');
  return { disk, directory: 'store', removeAll: () => Promise.resolve() };
});

describe('the disk in memory', () => {
  it('keeps parts that lie over the borders of blocks', async () => {
    const file = await new MemoryDisk().create('file');
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31) % 251));
    for (let start = 0; start < bytes.length; start += 70_001) {
      await file.write(bytes.subarray(start, start + 70_001), start);
    }
    const read = Buffer.alloc(bytes.length + 10);
    expect(await file.read(read, 0)).toBe(bytes.length);
    expect(read.subarray(0, bytes.length).equals(bytes)).toBe(true);
    expect(await file.read(read.subarray(0, 1000), 65_000)).toBe(1000);
    expect(read.subarray(0, 1000).equals(bytes.subarray(65_000, 66_000))).toBe(true);
  });

  it('takes no memory for zeros, and writes zeros over what was there', async () => {
    const disk = new MemoryDisk();
    const file = await disk.create('file');
    const before = process.memoryUsage().arrayBuffers;
    const zeros = Buffer.alloc(1 << 20);
    for (let index = 0; index < 256; index++) await file.write(zeros, index * zeros.length);
    expect(await file.size()).toBe(256 << 20);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20);
    await file.write(Buffer.from('word'), 100);
    await file.write(Buffer.alloc(2), 101);
    const read = Buffer.alloc(6);
    await file.read(read, 99);
    expect(read.toString('latin1')).toBe('\0w\0\0d\0');
  });
});
