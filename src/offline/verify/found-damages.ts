/** What was found in the parts of a data directory, as damages: file, offset, and the revisions that are concerned. */
import { SnapshotDamageError } from '../../snapshot/damage.ts';
import type { DataDirectory } from '../../store/directory/data-directory.ts';
import type { CheckedSnapshot } from '../forecast.ts';
import type { VerifiedBase } from './verify-base.ts';
import type { VerifiedLog } from './verify-log.ts';
import type { Damage } from './verify-report.ts';
import type { SnapshotCounts } from './verify-snapshot.ts';

/** A snapshot as verified. */
export interface VerifiedSnapshot extends CheckedSnapshot {
  readonly path: string;
  readonly counts: SnapshotCounts;
}

export function brokenOffRestore({ restoring }: DataDirectory): Damage {
  const what = 'a restore was broken off; remove what is in the directory and restore the backup again';
  return { file: restoring, offset: 0, what, fromRevision: 1, toRevision: undefined };
}

export function logDamages({ misnamed, segments, missingNewest }: VerifiedLog): Damage[] {
  const all = [
    ...misnamed.map((error) => ({ error, fromRevision: 1, toRevision: undefined })),
    ...segments.flatMap(({ damages }) => damages),
    ...(missingNewest === undefined
      ? []
      : [{ error: missingNewest, fromRevision: missingNewest.wholeRevision + 1, toRevision: undefined }]),
  ];
  return all.map(({ error, fromRevision, toRevision }) => {
    const { path: file, offset, what } = error;
    return { file, offset, what, fromRevision, toRevision };
  });
}

export function snapshotDamages({ path, revision, error }: VerifiedSnapshot): Damage[] {
  if (error === undefined) return [];
  const place = error instanceof SnapshotDamageError ? error : { offset: 0, what: error.message };
  const { offset, what } = place;
  return [{ file: path, offset, what, fromRevision: revision, toRevision: revision }];
}

export function baseDamages(base: VerifiedBase | undefined): Damage[] {
  if (base === undefined) return [];
  const { revision } = base;
  // Where not even its revision can be read, all is concerned.
  const revisions =
    revision === 0
      ? { fromRevision: 1, toRevision: undefined }
      : { fromRevision: revision, toRevision: revision };
  return base.damages.map(({ file, offset, what }) => ({ file, offset, what, ...revisions }));
}

/** What lies between the state to begin with and the log. */
export function reachDamages(
  { segments }: VerifiedLog,
  snapshots: readonly VerifiedSnapshot[],
  base: VerifiedBase | undefined,
): Damage[] {
  const [oldest] = segments;
  const begin = beginOf(snapshots, base);
  if (oldest === undefined) {
    if (begin === undefined) return [];
    const fromRevision = begin.revision + 1;
    return [{ file: begin.file, offset: 0, what: 'the log is missing', fromRevision, toRevision: undefined }];
  }
  const beginRevision = begin?.revision ?? 0;
  const end = segments.at(-1)?.lastRevision ?? 0;
  if (oldest.firstRevision > beginRevision + 1) {
    const toRevision = oldest.firstRevision - 1;
    const what = `the log begins at revision ${oldest.firstRevision}: what comes before is missing`;
    return [{ file: oldest.path, offset: 0, what, fromRevision: beginRevision + 1, toRevision }];
  }
  const isRead = segments.every(({ damages }) => damages.length === 0);
  if (begin !== undefined && end < beginRevision && isRead) {
    const what = `the log ends at revision ${end}, before ${begin.what}`;
    return [{ file: begin.file, offset: 0, what, fromRevision: end + 1, toRevision: undefined }];
  }
  return [];
}

interface Begin {
  readonly file: string;
  readonly revision: number;
  readonly what: string;
}

/** The state that a start begins with, whole or not. */
function beginOf([newest]: readonly VerifiedSnapshot[], base: VerifiedBase | undefined): Begin | undefined {
  if (base !== undefined && base.revision > 0)
    return { file: base.notesPlace.file, revision: base.revision, what: 'the state that the engine keeps' };
  return newest && { file: newest.path, revision: newest.revision, what: 'this snapshot' };
}
