/**
 * What clients know of their own writes, kept outside of the server.
 *
 * Each key has one writer, which has one write of it under way at a time. So the ledger knows all that a key may hold:
 * what stands (what was last acknowledged, or shown after a restart), and, while the outcome of its last write is open,
 * what that write would have made of it. A write that failed with the promise that nothing has changed is not open.
 */
import { isDeepStrictEqual } from 'node:util';

/** What one write does to one key. */
export interface Change {
  readonly key: string;
  /** `undefined`: the key is deleted. */
  readonly value: string | undefined;
  readonly leaseId?: number;
}

/** An entry as a read shows it. */
export interface Shown {
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly leaseId: number;
  readonly expireTimeMs: number;
}

/** Whether the lease of a key lives. `ending`: it was there before the keys were read, and not after. */
export type LeaseLife = 'lives' | 'gone' | 'ending';

/** A write whose outcome is open until it is acknowledged, refused or settled. */
export interface Attempt {
  readonly changes: readonly Change[];
}

export interface Acknowledged {
  readonly revision: number;
  readonly changes: readonly Change[];
}

interface Standing {
  readonly value: string | undefined;
  readonly leaseId: number;
  readonly revision: number;
  /** The whole entry, once a read has shown it. */
  readonly shown: Shown | undefined;
}

const NOTHING: Standing = { value: undefined, leaseId: 0, revision: 0, shown: undefined };

type Side = 'before' | 'after' | 'either';

export class Ledger {
  readonly #standing = new Map<string, Standing>();
  readonly #open = new Map<string, Attempt>();
  readonly #revisions = new Set<number>();
  readonly #noted: string[] = [];
  #acknowledged: Acknowledged[] = [];

  get acknowledgedCount(): number {
    return this.#revisions.size;
  }

  /** What the key holds unless a write of it is open. */
  value(key: string): string | undefined {
    return this.#standing.get(key)?.value;
  }

  /** The revision that wrote it; 0 for none. */
  modRevision(key: string): number {
    const standing = this.#standing.get(key);
    return standing?.value === undefined ? 0 : standing.revision;
  }

  isOpen(key: string): boolean {
    return this.#open.has(key);
  }

  begin(changes: readonly Change[]): Attempt {
    const attempt: Attempt = { changes };
    for (const { key } of changes) {
      if (this.#open.has(key)) throw new Error(`a write of ${key} is open already`);
      this.#open.set(key, attempt);
    }
    return attempt;
  }

  acknowledge(attempt: Attempt, revision: number): void {
    if (this.#revisions.has(revision)) this.note(`revision ${revision} was given to two transactions`);
    this.#revisions.add(revision);
    this.#acknowledged.push({ revision, changes: attempt.changes });
    for (const { key, value, leaseId = 0 } of attempt.changes) {
      this.#standing.set(key, { value, leaseId, revision, shown: undefined });
    }
    this.#close(attempt);
  }

  /** The server, or the client, promised that nothing has changed. */
  refuse(attempt: Attempt): void {
    this.#close(attempt);
  }

  /** Something was seen that may not be. */
  note(fault: string): void {
    this.#noted.push(fault);
  }

  /** What was acknowledged since the last call. */
  takeAcknowledged(): Acknowledged[] {
    const acknowledged = this.#acknowledged;
    this.#acknowledged = [];
    return acknowledged;
  }

  /** What is wrong with the entries that the server shows while nobody writes, and what was noted since the last call. */
  faults(entries: ReadonlyMap<string, Shown>, lifeOf: (leaseId: number) => LeaseLife): string[] {
    const faults = this.#noted.splice(0);
    for (const key of entries.keys()) {
      if (!this.#standing.has(key) && !this.#open.has(key)) faults.push(`${key}: was never written`);
    }
    for (const [key, standing] of this.#standing) {
      if (this.#open.has(key)) continue;
      const shown = entries.get(key);
      if (isBefore(standing, shown, lifeOf)) continue;
      faults.push(`${key}: ${describe(standing)} stands, the server shows ${JSON.stringify(shown)}`);
    }
    for (const attempt of new Set(this.#open.values())) {
      const sides = new Set(attempt.changes.map((change) => this.#side(change, entries, lifeOf)));
      const told = (): string =>
        attempt.changes
          .map((change) => `${JSON.stringify(change)} shown as ${JSON.stringify(entries.get(change.key))}`)
          .join(', ');
      if (sides.has(undefined)) faults.push(`neither before nor after an open write: ${told()}`);
      if (sides.has('before') && sides.has('after')) faults.push(`an open write is torn: ${told()}`);
      const revisions = new Set(
        attempt.changes.flatMap(({ key }) => entries.get(key)?.modRevision ?? []).filter((each) => each > 0),
      );
      if (!sides.has('before') && revisions.size > 1) {
        faults.push(`a transaction has several revisions: ${told()}`);
      }
    }
    return faults;
  }

  /** The server was started again, so what it shows now stands, and no write is under way any more. */
  settle(entries: ReadonlyMap<string, Shown>): void {
    for (const key of new Set([...this.#standing.keys(), ...this.#open.keys()])) {
      const shown = entries.get(key);
      if (shown === undefined) this.#standing.set(key, NOTHING);
      else {
        const { value, leaseId, modRevision: revision } = shown;
        this.#standing.set(key, { value, leaseId, revision, shown });
      }
    }
    this.#open.clear();
  }

  #close(attempt: Attempt): void {
    for (const { key } of attempt.changes) this.#open.delete(key);
  }

  #side(
    { key, value, leaseId = 0 }: Change,
    entries: ReadonlyMap<string, Shown>,
    lifeOf: (leaseId: number) => LeaseLife,
  ): Side | undefined {
    const shown = entries.get(key);
    const standing = this.#standing.get(key) ?? NOTHING;
    const before = isBefore(standing, shown, lifeOf);
    const mayEnd = leaseId !== 0 && lifeOf(leaseId) !== 'lives';
    const after =
      value === undefined || (mayEnd && shown === undefined)
        ? shown === undefined
        : shown?.value === value &&
          shown.leaseId === leaseId &&
          shown.modRevision > standing.revision &&
          !this.#revisions.has(shown.modRevision);
    if (before && after) return 'either';
    if (before) return 'before';
    return after ? 'after' : undefined;
  }
}

function isBefore(
  standing: Standing,
  shown: Shown | undefined,
  lifeOf: (leaseId: number) => LeaseLife,
): boolean {
  const life = standing.leaseId === 0 ? 'lives' : lifeOf(standing.leaseId);
  if (standing.value === undefined || life === 'gone') return shown === undefined;
  if (shown === undefined) return life === 'ending';
  if (standing.shown !== undefined) return isDeepStrictEqual(standing.shown, shown);
  return (
    standing.value === shown.value &&
    standing.revision === shown.modRevision &&
    standing.leaseId === shown.leaseId
  );
}

function describe({ value, revision }: Standing): string {
  return value === undefined ? 'nothing' : `"${value}" of revision ${revision}`;
}
