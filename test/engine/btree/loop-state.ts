/** What the process of `flush-loop.ts` writes at each revision. */
import { type Change } from '../../../src/engine/version.ts';
import { deletion, put } from '../contract/changes.ts';

const KEYS = 2000;
/** Longer than one page of the database, for some. */
const LONG_VALUE_BYTES = 6000;

export const NOTES_OF = (revision: number): Uint8Array => Buffer.from(`notes of ${revision}`);

/** In the order of the keys. */
export function changesOf(revision: number): Change[] {
  const changes: Change[] = [];
  for (let index = 0; index < KEYS; index++) {
    const key = `key ${100_000 + index}`;
    if ((index + revision) % 7 === 0) changes.push(deletion(key, revision));
    else if ((index + revision) % 2 === 0) {
      const text = `${revision} `;
      const value = index % 50 === 0 ? text.repeat(LONG_VALUE_BYTES / text.length) : text;
      const deadline = index % 5 === 0 ? { expireTimeMs: revision * 10 } : {};
      changes.push(put(key, revision, value, { ...deadline, leaseId: index % 9 }));
    }
  }
  return changes;
}

/** The rows at a revision, as all revisions up to it leave them. */
export function rowsAt(revision: number): Map<string, Change> {
  const rows = new Map<string, Change>();
  // A key's newest change is at most so many revisions old.
  for (let each = Math.max(1, revision - 14); each <= revision; each++) {
    for (const change of changesOf(each)) {
      const name = Buffer.from(change.key).toString('latin1');
      if (change.deleted) rows.delete(name);
      else rows.set(name, change);
    }
  }
  return rows;
}
