/** `kelp log`: the records of a log, in order. */
import type { RecordShape } from '../../gen/kelp/storage/v1/log_codec.ts';
import { isAccessKey, isHoldKey, parseAccessKey, wordOf } from '../access/records/access-keys.ts';
import type { Disk } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { StoreError } from '../errors.ts';
import { fixed } from '../limits.ts';
import { toUserKey } from '../store/views/regions.ts';
import type { TornTail } from '../wal/segments/segment-end.ts';
import { filesFrom, openRow, segmentFilesAt } from './segment-files.ts';
import { readRow, recordsOf } from './segment-reader.ts';
import { type StoredState, storedStateOf } from './stored-state.ts';
import { whileLogsUnused } from './unused-directory.ts';

export interface LogRequest {
  /** A data directory, a folder of segments or one segment. */
  readonly path: string;
  /** Both inclusive; left out: from the first one, to the last one. */
  readonly fromRevision?: number;
  readonly toRevision?: number;
  readonly disk?: Disk;
}

/** Called with each record; the bytes in it are valid until its promise resolves. */
export type OnLogRecord = (record: RecordShape) => Promise<void> | undefined;

/** Where the log ended. */
export interface LogEnd {
  /** What a crash left of a write under way behind the last record; it is no part of the log. */
  readonly torn: TornTail | undefined;
  /** The first revision that there is in the log. */
  readonly firstRevision: number;
  /** The last one; `undefined`: it was not read so far. */
  readonly lastRevision: number | undefined;
  /** Of a data directory with an engine on disk: what is in its files need not be in the log. */
  readonly stored: StoredState | undefined;
}

/**
 * Hands on the records of a range of revisions, and the notes that follow each. Changes nothing.
 * @throws StoreError `damaged` when it comes to damage, `locked`, `invalidArgument`.
 */
export async function readLog(request: LogRequest, onRecord: OnLogRecord): Promise<LogEnd> {
  const { path, disk = nodeDisk } = request;
  return whileLogsUnused(disk, [path], () => read(disk, request, onRecord));
}

/** The key of a user that stands in a record as the engine has it. */
export function userKeyOf(key: Uint8Array): Uint8Array {
  return toUserKey(key);
}

/** What of access a record is of. */
export interface AccessName {
  readonly kind: 'user' | 'role' | 'token' | 'hold';
  /** Empty for what holds access open. */
  readonly name: string;
}

/** Of one of the store's own keys for access, whose values are not for reading: they hold hashes. `undefined`: it is none. */
export function accessNameOf(key: Uint8Array): AccessName | undefined {
  if (!isAccessKey(key)) return undefined;
  if (isHoldKey(key)) return { kind: 'hold', name: '' };
  const parsed = parseAccessKey(key);
  return parsed && { kind: wordOf(parsed.kind), name: parsed.name };
}

async function read(
  disk: Disk,
  { path, fromRevision = 0, toRevision = fixed.integerMax }: LogRequest,
  onRecord: OnLogRecord,
): Promise<LogEnd> {
  const files = await segmentFilesAt(disk, path);
  const row = await openRow(disk, filesFrom(files, fromRevision));
  if (row === undefined) throw new StoreError('invalidArgument', `${path} holds no segment of a log`);
  const place = {
    firstRevision: files[0]?.name.firstRevision ?? 0,
    stored: await storedStateOf(disk, path),
  };
  const batches = readRow(row.segments, row.seed);
  for (;;) {
    const next = await batches.next();
    if (next.done === true) return { ...place, torn: next.value.torn, lastRevision: next.value.revision };
    if (next.value.revision < fromRevision) continue;
    let revision = next.value.revisionBefore;
    for (const { record } of recordsOf(next.value)) {
      if (record.revision !== 0) revision = record.revision;
      if (revision < fromRevision) continue;
      if (revision > toRevision) {
        await batches.return({ checksum: 0, revision, torn: undefined });
        return { ...place, torn: undefined, lastRevision: undefined };
      }
      await onRecord(record);
    }
  }
}
