/**
 * What the next start would do, and how much of the data is whole: both by the rules of recovery (`store/recovery/recovery.ts`,
 * `store/recovery/base-recovery.ts`, `wal/recovery.ts`), without loading anything.
 */
import { NewerSnapshotError } from '../snapshot/damage.ts';
import type { BaseDamage } from './base-files.ts';
import type { VerifiedLog, VerifiedSegment } from './verify/verify-log.ts';
import type { Forecast } from './verify/verify-report.ts';

/** A snapshot, and why it can't be loaded if so. */
export interface CheckedSnapshot {
  readonly revision: number;
  readonly error: Error | undefined;
}

/** What the files of an engine on disk hold. */
export interface CheckedBase {
  /** 0: nothing yet; then a start begins with the newest snapshot, if there is one, which it loads into them. */
  readonly revision: number;
  readonly damages: readonly BaseDamage[];
}

/**
 * @param snapshots the newest first.
 * @param base `undefined`: the engine is in memory.
 */
export function forecast(
  log: VerifiedLog,
  snapshots: readonly CheckedSnapshot[],
  base: CheckedBase | undefined,
): Forecast {
  const { segments } = log;
  const refusal = log.misnamed[0] ?? damageAt(segments, 'open') ?? log.missingNewest;
  if (refusal !== undefined) return stops(refusal.message);
  const damage = base?.damages.find(({ stopsStart }) => stopsStart);
  if (damage !== undefined) return stops(`${damage.file}, offset ${damage.offset}: ${damage.what}`);
  if (base !== undefined && base.revision > 0) return forecastFromBase(log, base);
  const oldest = segments[0];
  if (oldest === undefined) {
    return snapshots.length === 0
      ? { kind: 'newStore' }
      : stops('the log is missing, but there are snapshots');
  }
  // An engine on disk takes the newest alone: one that is made by a restore has no other.
  const [newest] = snapshots;
  if (base !== undefined && newest?.error !== undefined) return stops(newest.error.message);
  const usable = snapshots.find(({ error }) => error === undefined);
  const skipped = snapshots.slice(0, usable === undefined ? undefined : snapshots.indexOf(usable));
  const firstError = skipped[0]?.error;
  const newer = skipped.find(({ error }) => error instanceof NewerSnapshotError);
  if (newer?.error !== undefined) return stops(newer.error.message);
  if (usable === undefined && firstError !== undefined && oldest.firstRevision > 1)
    return stops(firstError.message);

  const snapshotRevision = usable?.revision ?? 0;
  const end = endOfReplay(log, snapshotRevision, 'snapshot');
  if (typeof end === 'string') return stops(end);
  return {
    kind: 'starts',
    revision: end,
    snapshotRevision,
    baseRevision: 0,
    isBaseDamaged: false,
    cutBytes: log.torn?.bytes ?? 0,
    skippedSnapshots: skipped.map((snapshot) => snapshot.revision),
  };
}

function forecastFromBase(log: VerifiedLog, { revision: baseRevision, damages }: CheckedBase): Forecast {
  if (log.segments.length === 0) return stops('the log is missing, but there are files of the engine');
  const end = endOfReplay(log, baseRevision, 'engine');
  if (typeof end === 'string') return stops(end);
  const cutBytes = log.torn?.bytes ?? 0;
  return {
    kind: 'starts',
    revision: end,
    snapshotRevision: 0,
    baseRevision,
    isBaseDamaged: damages.length > 0,
    cutBytes,
    skippedSnapshots: [],
  };
}

/** @returns the revision that the log leads to from the state at another one, or why it does not. */
function endOfReplay(
  { segments }: VerifiedLog,
  beginRevision: number,
  beginsWith: 'snapshot' | 'engine',
): number | string {
  const needed = segmentsAfter(segments, beginRevision);
  if (needed === undefined)
    return `the log begins at revision ${segments[0]?.firstRevision ?? 0}, but the state to begin with is of revision ${beginRevision}`;
  for (const [index, { damages }] of needed.entries()) {
    const met = damages.find(({ stage }) => stage === 'read' || (stage === 'link' && index > 0));
    if (met !== undefined) return met.error.message;
  }
  const revision = needed.at(-1)?.lastRevision ?? 0;
  if (revision >= beginRevision) return revision;
  return `the log ends at revision ${revision}, but the ${beginsWith} is of revision ${beginRevision}`;
}

/** The newest revision whose state can be had from the whole snapshots, or a whole base, and the whole parts of the log; 0: none. */
export function wholeRevision(
  log: VerifiedLog,
  snapshots: readonly CheckedSnapshot[],
  base: CheckedBase | undefined,
): number {
  const beginnings = snapshots.filter(({ error }) => error === undefined).map(({ revision }) => revision);
  if (base?.damages.length === 0) beginnings.push(base.revision);
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
