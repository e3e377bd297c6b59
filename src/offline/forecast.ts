/**
 * What the next start would do, and how much of the data is whole: both by the rules of recovery (`store/recovery/recovery.ts`,
 * `wal/recovery.ts`), without loading anything.
 */
import { NewerSnapshotError } from '../snapshot/damage.ts';
import type { VerifiedLog, VerifiedSegment } from './verify-log.ts';
import type { Forecast } from './verify-report.ts';

/** A snapshot, and why it can't be loaded if so. */
export interface CheckedSnapshot {
  readonly revision: number;
  readonly error: Error | undefined;
}

/** @param snapshots the newest first. */
export function forecast(log: VerifiedLog, snapshots: readonly CheckedSnapshot[]): Forecast {
  const { segments } = log;
  const refusal = log.misnamed[0] ?? damageAt(segments, 'open') ?? log.missingNewest;
  if (refusal !== undefined) return stops(refusal.message);
  const oldest = segments[0];
  if (oldest === undefined) {
    return snapshots.length === 0
      ? { kind: 'newStore' }
      : stops('the log is missing, but there are snapshots');
  }
  const usable = snapshots.find(({ error }) => error === undefined);
  const skipped = snapshots.slice(0, usable === undefined ? undefined : snapshots.indexOf(usable));
  const firstError = skipped[0]?.error;
  const newer = skipped.find(({ error }) => error instanceof NewerSnapshotError);
  if (newer?.error !== undefined) return stops(newer.error.message);
  if (usable === undefined && firstError !== undefined && oldest.firstRevision > 1)
    return stops(firstError.message);

  const snapshotRevision = usable?.revision ?? 0;
  const needed = segmentsAfter(segments, snapshotRevision);
  if (needed === undefined) {
    return stops(
      `the log begins at revision ${oldest.firstRevision}, but the state to begin with is of revision ${snapshotRevision}`,
    );
  }
  for (const [index, { damages }] of needed.entries()) {
    const met = damages.find(({ stage }) => stage === 'read' || (stage === 'link' && index > 0));
    if (met !== undefined) return stops(met.error.message);
  }
  const revision = needed.at(-1)?.lastRevision ?? 0;
  if (revision < snapshotRevision) {
    return stops(`the log ends at revision ${revision}, but the snapshot is of revision ${snapshotRevision}`);
  }
  return {
    kind: 'starts',
    revision,
    snapshotRevision,
    cutBytes: log.torn?.bytes ?? 0,
    skippedSnapshots: skipped.map((snapshot) => snapshot.revision),
  };
}

/** The newest revision whose state can be had from the whole snapshots and the whole parts of the log; 0: none. */
export function wholeRevision(log: VerifiedLog, snapshots: readonly CheckedSnapshot[]): number {
  const beginnings = snapshots.filter(({ error }) => error === undefined).map(({ revision }) => revision);
  return Math.max(...[0, ...beginnings].map((revision) => reach(log.segments, revision)));
}

/** The segments that a start from the state at `revision` reads; `undefined` when the log begins too late for it. */
function segmentsAfter(
  segments: readonly VerifiedSegment[],
  revision: number,
): readonly VerifiedSegment[] | undefined {
  const holder = segments.findLastIndex(({ firstRevision }) => firstRevision <= revision);
  if (holder >= 0) return segments.slice(holder);
  return segments[0]?.firstRevision === revision + 1 ? segments : undefined;
}

/** How far the log leads on from the state at `revision`. */
function reach(segments: readonly VerifiedSegment[], revision: number): number {
  let reached = revision;
  const next = segments.findLastIndex(({ firstRevision }) => firstRevision <= revision + 1);
  if (next === -1) return reached;
  for (const [index, { damages, firstRevision, lastRevision }] of segments.slice(next).entries()) {
    const isLinked = index === 0 || !damages.some(({ stage }) => stage !== 'read');
    if (!isLinked || firstRevision > reached + 1) return reached;
    reached = Math.max(reached, lastRevision);
    if (damages.some(({ stage }) => stage === 'read')) return reached;
  }
  return reached;
}

function damageAt(segments: readonly VerifiedSegment[], stage: 'open'): Error | undefined {
  for (const { damages } of segments) {
    const damage = damages.find((each) => each.stage === stage);
    if (damage !== undefined) return damage.error;
  }
  return undefined;
}

function stops(why: string): Forecast {
  return { kind: 'stops', why };
}
