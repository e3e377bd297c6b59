/** Snapshots of other versions of the program: those before are read, later ones stop the start. */
import { describe, expect, it } from 'vitest';
import {
  readSnapshotHeader,
  sizeOfSnapshotHeader,
  writeSnapshotHeader,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Disk } from '../../../src/disk/disk.ts';
import { verifyDirectory } from '../../../src/offline/verify/verify.ts';
import { snapshotPath } from '../../../src/snapshot/file-names.ts';
import { openSnapshot } from '../../../src/snapshot/reader.ts';
import { SnapshotWriter } from '../../../src/snapshot/writer.ts';
import { NO_PROGRESS } from '../../offline/folders.ts';
import { allPairs } from '../model/readable.ts';
import { DATA_DIR, MemoryHarness, SNAPSHOT_DIR } from '../model/store-harness.ts';

async function formatOf(disk: Disk, revision: number): Promise<number> {
  const reader = await openSnapshot(disk, SNAPSHOT_DIR, revision);
  await reader.close();
  const header = Buffer.from(reader.header);
  return readSnapshotHeader(header, 0, header.length).formatVersion;
}

/** Writes a snapshot again with another number of its form, and all that the store had put into it. */
async function giveFormat(disk: Disk, revision: number, formatVersion: number): Promise<void> {
  const reader = await openSnapshot(disk, SNAPSHOT_DIR, revision);
  const before = Buffer.from(reader.header);
  const header = { ...readSnapshotHeader(before, 0, before.length), formatVersion };
  const bytes = Buffer.alloc(sizeOfSnapshotHeader(header));
  writeSnapshotHeader(header, bytes, 0);
  const writer = await SnapshotWriter.create(disk, SNAPSHOT_DIR, revision, bytes);
  for (let next = await reader.next(); next !== undefined; next = await reader.next())
    await writer.write(next.block, next.itemCount);
  await reader.close();
  await writer.finish();
}

/** Two snapshots, of revisions 10 and 20, and a log that reaches back to the first. */
async function closedStore(): Promise<MemoryHarness> {
  const harness = await MemoryHarness.open();
  for (let index = 1; index <= 20; index++) {
    await harness.store.put(`k${index}`, `${index}`);
    if (index % 10 === 0) await harness.store.snapshot();
  }
  await harness.close();
  return harness;
}

describe('a snapshot', () => {
  it('of the format before is read, and the next one has the present format', async () => {
    const harness = await closedStore();
    expect(await formatOf(harness.disk, 20)).toBe(4);
    await giveFormat(harness.disk, 20, 3);
    await harness.open();
    expect(harness.events.at(-1)).toMatchObject({ kind: 'recovered', snapshotRevision: 20 });
    expect(await allPairs(harness.store)).toHaveLength(20);
    const { revision } = await harness.store.put('k21', '');
    await harness.store.snapshot();
    expect(await formatOf(harness.disk, revision)).toBe(4);
  });

  it('of a later format stops the start, and neither an older one nor the log takes its place', async () => {
    const harness = await closedStore();
    await giveFormat(harness.disk, 20, 5);
    const path = snapshotPath(SNAPSHOT_DIR, 20);
    const before = Buffer.from(harness.disk.contentOf(path));
    const text = `snapshot ${path}: it has format 5, and this version reads 3 to 4: a newer version wrote it, so use that one or a later one. Nothing was changed`;
    await expect(harness.open()).rejects.toThrow(text);
    expect(before.equals(harness.disk.contentOf(path))).toBe(true);
    expect(harness.events.map(({ kind }) => kind)).not.toContain('snapshotDamaged');
    const { recovery } = await verifyDirectory(DATA_DIR, NO_PROGRESS, harness.disk);
    expect(recovery).toEqual({ kind: 'stops', why: text });
    await giveFormat(harness.disk, 20, 4);
    await harness.open();
    expect(await allPairs(harness.store)).toHaveLength(20);
  });

  it('of a format that is too old gives way to the log, and is set aside', async () => {
    const harness = await closedStore();
    await giveFormat(harness.disk, 20, 2);
    await giveFormat(harness.disk, 10, 2);
    await harness.open();
    expect(harness.events.filter(({ kind }) => kind === 'snapshotDamaged')).toHaveLength(2);
    expect(harness.events.at(-1)).toMatchObject({ kind: 'recovered', snapshotRevision: 0, revision: 20 });
    expect(await allPairs(harness.store)).toHaveLength(20);
  });
});
