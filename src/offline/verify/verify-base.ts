/**
 * Verifies what an engine on disk keeps: its files, by the engine's own rules, and that they hold the state of this store at the
 * revision that they say.
 */
import { readBaseNotes } from '../../../gen/kelp/storage/v1/base_codec.ts';
import type { Disk } from '../../disk/disk.ts';
import type { EngineName } from '../../engine-names.ts';
import type { OnProgress } from '../../progress.ts';
import { decodeNotes, type ReadNotes } from '../../store/checkpoints/checkpoint-notes.ts';
import { faultOfSnapshotHeader, SnapshotOrder } from '../../store/recovery/recorded-items.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { BaseDamage, BaseFiles } from '../base-files.ts';
import { verifyDatabase } from './verify-database.ts';
import { verifyRuns } from './verify-runs.ts';

export type DiskEngine = Exclude<EngineName, 'memory'>;

export interface VerifiedBase extends BaseFiles {
  readonly folder: string;
  /** Those of the files, and what of them together does not fit. */
  readonly damages: readonly BaseDamage[];
  readonly leaseCount: number;
}

export interface BaseContext {
  readonly disk: Disk;
  readonly engine: DiskEngine;
  readonly folder: string;
  /** That of the log; `undefined`: there is none that can be read. */
  readonly storeId: Uint8Array | undefined;
  readonly onProgress: OnProgress;
}

/** Changes nothing. @throws DiskError */
export async function verifyBase(context: BaseContext): Promise<VerifiedBase> {
  const { folder } = context;
  const files = await verifyFiles(context);
  const { revision, notes, notesPlace } = files;
  if (revision === 0 || notes === undefined) return { ...files, folder, leaseCount: 0 };
  const { read, what } = readNotes(notes, revision, context.storeId);
  const damages =
    what === undefined ? files.damages : [...files.damages, { ...notesPlace, what, stopsStart: true }];
  return { ...files, folder, damages, leaseCount: read?.leases.length ?? 0 };
}

interface CheckedNotes {
  readonly read?: ReadNotes;
  /** What is wrong with them. */
  readonly what?: string;
}

/** As a start checks them (`store/recovery/base-recovery.ts`). */
function readNotes(notes: Uint8Array, revision: number, storeId: Uint8Array | undefined): CheckedNotes {
  const bytes = Buffer.from(notes);
  let read: ReadNotes | undefined;
  try {
    read = decodeNotes(readBaseNotes(bytes, 0, bytes.length).storeNotes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { what: `the notes of the checkpoint can not be understood (${error.message})` };
  }
  if (read === undefined) return { what: 'the notes of the checkpoint are missing' };
  const { header, leases } = read;
  if (storeId !== undefined && !Buffer.from(storeId).equals(header.storeId))
    return { what: 'it belongs to another store than the log' };
  if (header.revision !== revision)
    return { what: `it is of revision ${revision}, and its notes of ${header.revision}` };
  const order = new SnapshotOrder(revision);
  const faults = [faultOfSnapshotHeader(header), ...leases.map((lease) => order.faultOfLease(lease))];
  const what = faults.find((fault) => fault !== undefined);
  return { read, ...(what !== undefined && { what }) };
}

/** The one place that knows the readers of all engines. */
function verifyFiles({ disk, engine, folder, onProgress }: BaseContext): Promise<BaseFiles> {
  switch (engine) {
    case 'btree':
      return verifyDatabase(disk, folder, onProgress);
    case 'lsm':
    case 'bitcask':
      return verifyRuns(disk, folder, engine, onProgress);
  }
}
