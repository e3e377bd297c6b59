import * as fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { DiskError } from '../../src/disk/disk.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { openSnapshot } from '../../src/snapshot/reader.ts';
import { listSnapshots } from '../../src/snapshot/snapshot-directory.ts';
import { SnapshotWriter } from '../../src/snapshot/writer.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { DIRECTORY, example, readSnapshot, writeSnapshot } from './whole-snapshot.ts';

async function newDisk(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory(DIRECTORY);
  return disk;
}

describe('a snapshot', () => {
  it('gives back what was written, for any blocks', async () => {
    const block = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .record({ byte: fc.nat(255), length: fc.nat(100_000) })
        .map(({ byte, length }) => new Uint8Array(length).fill(byte)),
      fc.nat().map((seed) => new SeededRandom(seed).bytes(seed % 50_000)),
    );
    const snapshots = fc.record({
      header: fc.uint8Array({ maxLength: 300 }),
      blocks: fc.array(fc.record({ block, itemCount: fc.nat(2 ** 31 - 1) }), { maxLength: 8 }),
      revision: fc.maxSafeNat(),
    });
    await fc.assert(
      fc.asyncProperty(snapshots, async ({ header, blocks, revision }) => {
        const disk = await newDisk();
        const info = await writeSnapshot(disk, revision, { header, blocks });
        const read = await readSnapshot(disk, revision);
        expect(read.error).toBeUndefined();
        expect(read.header).toEqual(Buffer.from(header));
        expect(read.blocks).toEqual(
          blocks.map(({ block, itemCount }) => ({ block: Buffer.from(block), itemCount })),
        );
        expect(await listSnapshots(disk, DIRECTORY)).toEqual([info]);
      }),
    );
  });

  it('holds a block of many megabytes, by the disk of Node', async () => {
    const directory = await mkdtemp(`${tmpdir()}/kelp-snapshot-`);
    const block = Buffer.from(new SeededRandom(1).bytes(5_000_001));
    const writer = await SnapshotWriter.create(nodeDisk, directory, 7, Buffer.from('header'));
    await writer.write(block, 1);
    await writer.write(Buffer.from('small'), 2);
    const info = await writer.finish();
    expect(await listSnapshots(nodeDisk, directory)).toEqual([info]);
    const reader = await openSnapshot(nodeDisk, directory, 7);
    const first = await reader.next();
    expect(first?.block.equals(block)).toBe(true);
    expect(await reader.next()).toEqual({ block: Buffer.from('small'), itemCount: 2 });
    expect(await reader.next()).toBeUndefined();
    await reader.close();
    await rm(directory, { recursive: true });
  });

  it('is whole when blocks are written two at a time, and given back as they were read', async () => {
    const disk = await newDisk();
    const random = new SeededRandom(2);
    const blocks = Array.from({ length: 24 }, (_, index) =>
      Buffer.from(random.bytes(100_000 + 30_000 * index)),
    );
    const writer = await SnapshotWriter.create(disk, DIRECTORY, 1, Buffer.from('header'));
    let before: Promise<void> = Promise.resolve();
    for (const block of blocks) {
      const written = writer.write(block, 1);
      await before;
      before = written;
    }
    await before;
    await writer.finish();
    const reader = await openSnapshot(disk, DIRECTORY, 1);
    for (const block of blocks) {
      const next = await reader.next();
      expect(next?.block.equals(block)).toBe(true);
      if (next !== undefined) reader.giveBack(next);
    }
    expect(await reader.next()).toBeUndefined();
    await reader.close();
  });

  it('tells how far it was read', async () => {
    const disk = await newDisk();
    const { bytes } = await writeSnapshot(disk, 1, example);
    const reader = await openSnapshot(disk, DIRECTORY, 1);
    const progress = [reader.bytesRead];
    while ((await reader.next()) !== undefined) progress.push(reader.bytesRead);
    progress.push(reader.bytesRead);
    expect(reader.bytesTotal).toBe(bytes);
    expect(progress).toHaveLength(example.blocks.length + 2);
    expect(progress).toEqual([...new Set(progress)].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(bytes);
    // After the end there is the end.
    expect(await reader.next()).toBeUndefined();
    await reader.close();
  });

  it('may be closed before its end, and while a block is on its way', async () => {
    const disk = await newDisk();
    await writeSnapshot(disk, 1, example);
    const reader = await openSnapshot(disk, DIRECTORY, 1);
    const next = reader.next();
    await reader.close();
    await reader.close();
    expect((await next)?.itemCount).toBe(10);
  });

  it('that does not exist is not found', async () => {
    const disk = await newDisk();
    await expect(openSnapshot(disk, DIRECTORY, 1)).rejects.toMatchObject({ code: 'notFound' });
  });

  it('replaces one of the same revision', async () => {
    const disk = await newDisk();
    await writeSnapshot(disk, 1, example);
    await writeSnapshot(disk, 1, { header: Buffer.from('other'), blocks: [] });
    expect((await readSnapshot(disk, 1)).header?.toString()).toBe('other');
    expect(await disk.list(DIRECTORY)).toHaveLength(1);
  });
});

describe('a snapshot writer', () => {
  it('gives a block back when its write has resolved', async () => {
    const disk = await newDisk();
    const writer = await SnapshotWriter.create(disk, DIRECTORY, 1, Buffer.alloc(0));
    // Long, and hard to compress: a thread is still reading it when it is given back too early.
    const original = Buffer.from(new SeededRandom(1).bytes(2_000_000));
    const block = Buffer.from(original);
    await writer.write(block, 1);
    block.fill(0);
    await writer.finish();
    const { blocks } = await readSnapshot(disk, 1);
    expect(blocks[0]?.block.equals(original)).toBe(true);
  });

  it('keeps the order of overlapping writes, whichever is compressed first', async () => {
    const disk = await newDisk();
    const writer = await SnapshotWriter.create(disk, DIRECTORY, 1, Buffer.alloc(0));
    const random = new SeededRandom(1);
    const slow = random.bytes(2_000_000);
    await Promise.all([
      writer.write(slow, 1),
      writer.write(Buffer.from('a'), 2),
      writer.write(Buffer.from('b'), 3),
    ]);
    await writer.finish();
    const { blocks, error } = await readSnapshot(disk, 1);
    expect(error).toBeUndefined();
    expect(blocks.map(({ itemCount }) => itemCount)).toEqual([1, 2, 3]);
  });

  it('cuts its output at the right places over many blocks, three at a time', async () => {
    const disk = await newDisk();
    const writer = await SnapshotWriter.create(disk, DIRECTORY, 1, Buffer.alloc(0));
    const random = new SeededRandom(1);
    const blocks = Array.from({ length: 40 }, () => Buffer.from(random.bytes(random.between(1, 200_000))));
    const underWay: Promise<void>[] = [];
    for (const block of blocks) {
      underWay.push(writer.write(block, 1));
      if (underWay.length === 3) await underWay.shift();
    }
    await Promise.all(underWay);
    await writer.finish();
    const read = await readSnapshot(disk, 1);
    expect(read.error).toBeUndefined();
    expect(read.blocks.map(({ block }, index) => block.equals(blocks[index] ?? block.subarray(1)))).toEqual(
      blocks.map(() => true),
    );
  });

  it('takes no more blocks than it can write', async () => {
    // Calls of the disk wait here once the gate is closed.
    const waiting: (() => void)[] = [];
    let isClosed = false;
    const disk = new SimulatedDisk({
      seed: 1,
      schedule: (action) => {
        if (isClosed) waiting.push(action);
        else queueMicrotask(action);
      },
    });
    await disk.makeDirectory(DIRECTORY);
    const writer = await SnapshotWriter.create(disk, DIRECTORY, 1, Buffer.alloc(0));
    isClosed = true;
    await writer.write(Buffer.from('compressed, and not written'), 1);
    let isTaken = false;
    const second = writer.write(Buffer.from('has to wait'), 1).then(() => (isTaken = true));
    // Long enough for the second one, if it did not wait.
    const other = new SimulatedDisk({ seed: 1 });
    await other.makeDirectory(DIRECTORY);
    await writeSnapshot(other, 1, example);
    expect(isTaken).toBe(false);
    isClosed = false;
    for (const action of waiting) action();
    await second;
    await writer.finish();
    expect((await readSnapshot(disk, 1)).blocks).toHaveLength(2);
  });

  it('has no name of its own until it is finished, and leaves nothing when it is aborted', async () => {
    const disk = await newDisk();
    const writer = await SnapshotWriter.create(disk, DIRECTORY, 12, Buffer.alloc(0));
    await writer.write(Buffer.from('block'), 1);
    expect(await disk.list(DIRECTORY)).toEqual(['00000000000000000012.snapshot.tmp']);
    expect(await listSnapshots(disk, DIRECTORY)).toEqual([]);
    await writer.abort();
    await writer.abort();
    expect(await disk.list(DIRECTORY)).toEqual([]);
    await expect(writer.write(Buffer.from('block'), 1)).rejects.toThrow('broken invariant');
    await expect(writer.finish()).rejects.toThrow('broken invariant');
  });

  it('tries nothing again when it could not be finished', async () => {
    const disk = await newDisk();
    const writer = await SnapshotWriter.create(disk, DIRECTORY, 12, Buffer.alloc(0));
    disk.injectFault({ call: 'sync' });
    await expect(writer.finish()).rejects.toMatchObject({ code: 'failed' });
    await expect(writer.finish()).rejects.toThrow('broken invariant');
    await expect(writer.write(Buffer.from('block'), 1)).rejects.toThrow('broken invariant');
    await writer.abort();
    expect(await disk.list(DIRECTORY)).toEqual([]);
  });

  it('is not aborted once it has been finished', async () => {
    const disk = await newDisk();
    const writer = await SnapshotWriter.create(disk, DIRECTORY, 12, Buffer.alloc(0));
    await writer.finish();
    await writer.abort();
    expect(await disk.list(DIRECTORY)).toEqual(['00000000000000000012.snapshot']);
  });

  it('begins again over what a killed writer left', async () => {
    const disk = await newDisk();
    const killed = await SnapshotWriter.create(disk, DIRECTORY, 1, Buffer.alloc(0));
    await killed.write(Buffer.from('block'), 1);
    const after = disk.endProcess();
    await writeSnapshot(after, 1, example);
    expect((await readSnapshot(after, 1)).error).toBeUndefined();
    expect(await after.list(DIRECTORY)).toHaveLength(1);
  });

  it('passes on whatever call of the disk fails, and keeps the snapshots before it', async () => {
    const block = { block: Buffer.from(new SeededRandom(1).bytes(3_000_000)), itemCount: 1 };
    const long = { header: example.header, blocks: [...example.blocks, block, block, block] };
    for (const call of ['remove', 'create', 'write', 'sync', 'close', 'rename', 'syncDirectory'] as const) {
      // As often as the call is made at all; at each place it must be noticed.
      for (let at = 1; ; at++) {
        const disk = await newDisk();
        await writeSnapshot(disk, 1, example);
        disk.injectFault({ call, at, code: 'noSpace' });
        const outcome = await writeSnapshot(disk, 2, long).catch((error: unknown) => error);
        disk.clearFaults();
        expect((await readSnapshot(disk, 1)).error).toBeUndefined();
        if (!(outcome instanceof Error)) {
          expect(at).toBeGreaterThan(1);
          expect((await readSnapshot(disk, 2)).error).toBeUndefined();
          break;
        }
        expect(outcome).toBeInstanceOf(DiskError);
        expect(outcome).toMatchObject({ code: 'noSpace' });
      }
    }
  });

  it('flushes now and then, not only at the end', async () => {
    const disk = await newDisk();
    const block = new SeededRandom(1).bytes(3_000_000);
    const writer = await SnapshotWriter.create(disk, DIRECTORY, 1, Buffer.alloc(0));
    for (let index = 0; index < 5; index++) await writer.write(block, 1);
    expect(disk.dump()).toMatch(/\bsync \/data/);
    await writer.abort();
  });
});
