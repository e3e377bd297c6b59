/** A snapshot in one piece, for tests. */
import type { Disk } from '../../src/disk/disk.ts';
import { openSnapshot } from '../../src/snapshot/reader.ts';
import type { SnapshotInfo } from '../../src/snapshot/snapshot-directory.ts';
import { SnapshotWriter } from '../../src/snapshot/writer.ts';

export const DIRECTORY = '/data/snapshot';

export interface Snapshot {
  readonly header: Uint8Array;
  readonly blocks: readonly { readonly block: Uint8Array; readonly itemCount: number }[];
}

export async function writeSnapshot(disk: Disk, revision: number, snapshot: Snapshot): Promise<SnapshotInfo> {
  const writer = await SnapshotWriter.create(disk, DIRECTORY, revision, snapshot.header);
  try {
    for (const { block, itemCount } of snapshot.blocks) await writer.write(block, itemCount);
    return await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** What was read; `error` when it did not come to a good end. */
export async function readSnapshot(
  disk: Disk,
  revision: number,
): Promise<{ header: Buffer | undefined; blocks: { block: Buffer; itemCount: number }[]; error: unknown }> {
  const blocks = [];
  let header: Buffer | undefined;
  try {
    const reader = await openSnapshot(disk, DIRECTORY, revision);
    header = Buffer.from(reader.header);
    try {
      for (let next = await reader.next(); next !== undefined; next = await reader.next()) blocks.push(next);
    } finally {
      await reader.close();
    }
    return { header, blocks, error: undefined };
  } catch (error) {
    return { header, blocks, error };
  }
}

/** A small snapshot of three blocks that differ in length and in how well they compress. */
export const example: Snapshot = {
  header: Buffer.from('header of the store'),
  blocks: [
    { block: Buffer.from('first block '.repeat(10)), itemCount: 10 },
    { block: Buffer.from('2nd'), itemCount: 1 },
    {
      block: Buffer.from(Uint8Array.from({ length: 60 }, (_, index) => (index * index * 7) % 251)),
      itemCount: 3,
    },
  ],
};
