/**
 * The contract of an engine in its most naive form: the list of all changes, searched from end to end. It never
 * forgets; what a compaction leaves over is worked out when it is asked for.
 */
import type { DeadlineSums, EngineStats } from '../../../src/engine/engine.ts';
import type { Change, Version } from '../../../src/engine/version.ts';

export interface Walked {
  /** In the order of keys. */
  readonly newest: Change[];
  /** In the order in which they were replaced. */
  readonly older: { readonly change: Change; readonly replacedBy: number }[];
}

export class NaiveModel {
  changes: Change[] = [];
  compactRevision = 0;

  get newestRevision(): number {
    return Math.max(0, ...this.changes.map((change) => change.revision));
  }

  /** Takes a key away whose newest version is a deletion that nobody can read. @returns whether it was there. */
  dropDeleted(key: Uint8Array): boolean {
    const newest = this.#versionsOf(key).at(-1);
    if (newest === undefined || !newest.deleted || newest.revision > this.compactRevision) return false;
    this.changes = this.changes.filter((change) => Buffer.compare(change.key, key) !== 0);
    return true;
  }

  read(key: Uint8Array, revision: number): Version | undefined {
    const visible = this.#versionsOf(key).findLast((change) => change.revision <= revision);
    return visible === undefined || visible.deleted ? undefined : versionOf(visible);
  }

  /** All entries of a range in key order. */
  entries(start: Uint8Array, end: Uint8Array | undefined, revision: number): [Uint8Array, Version][] {
    return this.keys().flatMap((key) => {
      if (Buffer.compare(key, start) < 0 || (end !== undefined && Buffer.compare(key, end) >= 0)) return [];
      const version = this.read(key, revision);
      return version === undefined ? [] : [[key, version] as [Uint8Array, Version]];
    });
  }

  /** All versions that reads at a revision from `oldest` to `newest` need. */
  needed(oldest: number, newest: number): Change[] {
    return this.keys().flatMap((key) => {
      const versions = this.#versionsOf(key).filter((change) => change.revision <= newest);
      const base = versions.findLast((change) => change.revision <= oldest);
      return versions.filter((change) => change.revision > oldest || (change === base && !change.deleted));
    });
  }

  /** The same as a walk shows it: those that are the newest of their keys, and the others with what replaced them. */
  walked(oldest: number, newest: number): Walked {
    const all = this.needed(oldest, newest);
    const isLast = (change: Change, next: Change | undefined) =>
      next === undefined || Buffer.compare(change.key, next.key) !== 0;
    const older = all.flatMap((change, index) => {
      const next = all[index + 1];
      return next !== undefined && !isLast(change, next) ? [{ change, replacedBy: next.revision }] : [];
    });
    return {
      newest: all.filter((change, index) => isLast(change, all[index + 1])),
      older: older.sort((a, b) => a.replacedBy - b.replacedBy),
    };
  }

  due(nowMs: number): Uint8Array[] {
    const waiting = this.#newest().filter(({ expireTimeMs }) => expireTimeMs > 0 && expireTimeMs <= nowMs);
    return waiting
      .sort((a, b) => a.expireTimeMs - b.expireTimeMs || Buffer.compare(a.key, b.key))
      .map((change) => change.key);
  }

  nextDeadlineMs(): number | undefined {
    const deadlines = this.#newest().flatMap(({ expireTimeMs }) => (expireTimeMs > 0 ? [expireTimeMs] : []));
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  deadlineSums(): DeadlineSums {
    const deadlines = this.#newest().flatMap(({ expireTimeMs }) => (expireTimeMs > 0 ? [expireTimeMs] : []));
    return { count: deadlines.length, sumMs: deadlines.reduce((sum, ms) => sum + BigInt(ms), 0n) };
  }

  /** As they are once `maintain` has nothing more to do. */
  stats(): EngineStats {
    const kept = this.keys().flatMap((key) => {
      const versions = this.#versionsOf(key);
      return versions.filter(({ deleted, revision }, index) => {
        const next = versions[index + 1];
        return next === undefined
          ? !deleted || revision > this.compactRevision
          : next.revision > this.compactRevision;
      });
    });
    return {
      keyCount: this.#newest().filter((change) => !change.deleted).length,
      versionCount: kept.length,
      dataBytes: kept.reduce((sum, { key, value }) => sum + key.length + value.length, 0),
    };
  }

  keys(): Uint8Array[] {
    const byText = new Map(this.changes.map(({ key }) => [Buffer.from(key).toString('latin1'), key]));
    return [...byText.values()].sort((a, b) => Buffer.compare(a, b));
  }

  #versionsOf(key: Uint8Array): Change[] {
    return this.changes.filter((change) => Buffer.compare(change.key, key) === 0);
  }

  #newest(): Change[] {
    return this.keys().flatMap((key) => this.#versionsOf(key).slice(-1));
  }
}

/** The version in a change, with nothing else. */
export function versionOf(change: Change): Version {
  const { key: _key, deleted: _deleted, ...version } = change;
  return version;
}
