/** What a backup holds, read to its end. */
import { readSnapshotBlock, readSnapshotHeader } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { openSnapshotFile } from '../../../src/snapshot/reader.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

export interface BackupContent {
  readonly revision: number;
  readonly incarnationCount: number;
  /** "key=value", in order. */
  readonly pairs: readonly string[];
  readonly leases: readonly object[];
}

export async function contentOfBackup(backup: AsyncIterable<Uint8Array>): Promise<BackupContent> {
  const pieces: Uint8Array[] = [];
  for await (const piece of backup) pieces.push(piece);
  const disk = new SimulatedDisk({ seed: 1 });
  disk.setContent('/backup', Buffer.concat(pieces));
  const reader = await openSnapshotFile(disk, '/backup');
  const header = Buffer.from(reader.header);
  const { revision, incarnations } = readSnapshotHeader(header, 0, header.length);
  const pairs: string[] = [];
  const leases: object[] = [];
  for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
    const block = readSnapshotBlock(next.block, 0, next.block.length);
    leases.push(...block.leases);
    for (const { key, value } of block.versions)
      pairs.push(`${Buffer.from(key).toString()}=${Buffer.from(value).toString()}`);
  }
  await reader.close();
  return { revision, incarnationCount: incarnations.length, pairs: pairs.sort(), leases };
}
