/** Backups that are read while everything else goes on: each must be whole, and hold one revision, exactly. */
import {
  readSnapshotBlock,
  readSnapshotHeader,
  type SnapshotVersionShape,
} from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import { isStoreError } from '../../src/errors.ts';
import { fixed } from '../../src/limits.ts';
import { valueTypeOf } from '../../src/store/collections/kinds.ts';
import { isUserKey } from '../../src/store/views/regions.ts';
import { openSnapshotFile } from '../../src/snapshot/reader.ts';
import type { Store } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { checkBackup } from './collections/backup-contents.ts';
import { expectEqual } from './describe.ts';
import type { Machine } from './machine.ts';
import type { ModelEntry } from './model.ts';

/** What is in a backup. */
interface BackupContent {
  readonly revision: number;
  readonly versions: readonly SnapshotVersionShape[];
  readonly leaseIds: readonly number[];
}

/** That are being read of a store: more are refused. */
const countByStore = new WeakMap<Store, number>();

/** Reads a backup at its own pace and holds it against the model. */
export async function backUp(store: Store, machine: Machine, random: SeededRandom): Promise<void> {
  const count = countByStore.get(store) ?? 0;
  if (count === fixed.backupsMax) return;
  countByStore.set(store, count + 1);
  try {
    await readAndCheck(store, machine, random);
  } finally {
    countByStore.set(store, (countByStore.get(store) ?? 0) - 1);
  }
}

async function readAndCheck(store: Store, machine: Machine, random: SeededRandom): Promise<void> {
  const { ledger, scheduler } = machine;
  while (ledger.hasUnchecked) await Promise.resolve();
  ledger.settle();
  const newest = ledger.model.revision;
  const seen = ledger.seenRevision;
  const leaseIds = [...ledger.model.leaseById.keys()].sort((a, b) => a - b);
  machine.trace.add(() => 'backup');
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of store.backup()) {
      pieces.push(piece);
      if (random.chance(0.5)) await scheduler.pause();
    }
  } catch (error) {
    if (isExcused(error, machine)) return;
    throw error;
  }
  const { revision, ...content } = await readBackup(Buffer.concat(pieces), machine);
  machine.trace.add(() => `backup of ${revision} read`);
  while (ledger.hasUnchecked) await Promise.resolve();
  ledger.settle();
  // One of files is of a checkpoint, which others may have made a little later.
  const isOnDisk = machine.engine.durable !== undefined;
  // Once the disk has failed there is no more than what is visible, flushed or not.
  if (ledger.hasFailed && revision >= seen && revision <= ledger.model.revision) ledger.saw(revision);
  else if (revision === newest || (isOnDisk && revision > newest)) ledger.flushed(revision);
  else throw new Error(`a backup begun at ${newest} is one of ${revision}`);
  const entries = ledger.model.entriesAt(revision);
  const shown = content.versions.filter(({ key }) => isUserKey(key)).map(toEntry);
  expectEqual(() => `the backup of ${revision}`, shown, entries.map(withoutContent));
  checkBackup(content.versions, revision, entries);
  // Which leases there were at an older revision, or are durable once the disk has failed, the model does not tell.
  if (revision === newest && !ledger.hasFailed)
    expectEqual(() => `the backup of ${revision}: leases`, content.leaseIds, leaseIds);
}

function isExcused(error: unknown, { ledger, isDiskFaulty, areReadsFaulty }: Machine): boolean {
  // A file could not be read.
  if (isStoreError(error, 'snapshotFailed') && (isDiskFaulty || areReadsFaulty)) return true;
  return isStoreError(error, 'closed') && ledger.isClosing;
}

async function readBackup(bytes: Uint8Array, machine: Machine): Promise<BackupContent> {
  const elsewhere = new SimulatedDisk({ seed: 1, schedule: machine.scheduler.schedule });
  elsewhere.setContent('/backup', bytes);
  const reader = await openSnapshotFile(elsewhere, '/backup');
  const headerBytes = Buffer.from(reader.header);
  const { revision } = readSnapshotHeader(headerBytes, 0, headerBytes.length);
  const versions: SnapshotVersionShape[] = [];
  const leaseIds: number[] = [];
  for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
    const block = readSnapshotBlock(next.block, 0, next.block.length);
    versions.push(...block.versions);
    for (const { leaseId } of block.leases) leaseIds.push(leaseId);
  }
  await reader.close();
  // A backup has keys in no order.
  versions.sort((a, b) => Buffer.compare(a.key, b.key));
  return { revision, versions, leaseIds };
}

function toEntry(version: SnapshotVersionShape): object {
  if (version.deleted) throw new Error('a backup holds a deleted key');
  const { createRevision, modRevision, leaseId, ttlMs, expireTimeMs } = version;
  const type = valueTypeOf(version.kind);
  const value = type === undefined ? version.value : new Uint8Array(0);
  const key = Buffer.from(version.key).toString('utf8');
  const entry = { key, value, createRevision, modRevision, leaseId, expireTimeMs, ttlMs };
  return { ...entry, version: version.version, type };
}

function withoutContent(entry: ModelEntry): object {
  const { content: _, ...shown } = entry;
  return shown;
}
