/** The names of snapshot files: the revision in 20 digits, so that names sort as revisions do. */
import { assert } from '../errors.ts';

const pattern = /^(\d{20})\.snapshot$/;
const unfinishedPattern = /^\d{20}\.snapshot\.tmp$/;

function snapshotName(revision: number): string {
  assert(Number.isSafeInteger(revision) && revision >= 0, `a snapshot has a revision, not ${revision}`);
  return `${String(revision).padStart(20, '0')}.snapshot`;
}

export function snapshotPath(directory: string, revision: number): string {
  return `${directory}/${snapshotName(revision)}`;
}

/** Where a snapshot is written before it is whole. */
export function unfinishedPath(directory: string, revision: number): string {
  return `${snapshotPath(directory, revision)}.tmp`;
}

/** The revision in a snapshot's name; `undefined` when it is not one. */
export function revisionOf(name: string): number | undefined {
  const digits = pattern.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const revision = Number(digits);
  return Number.isSafeInteger(revision) ? revision : undefined;
}

export function isUnfinishedName(name: string): boolean {
  return unfinishedPattern.test(name);
}
