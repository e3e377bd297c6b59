/** What a base holds at one revision, in the plainest data there is: what real ones are held against. */
import type { EngineRange } from '../../../src/engine/engine.ts';
import type { DeadlinePlace } from '../../../src/engine/layered/base/base.ts';
import type { Change, PlacedChange } from '../../../src/engine/version.ts';

/** A version in data of its own, its bytes as texts of one character for each. */
export interface PlainVersion {
  readonly revision: number;
  readonly value: string;
  readonly kind: number;
  readonly collectionId: number;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly leaseId: number;
  readonly ttlMs: number;
  readonly expireTimeMs: number;
}

export class BaseState {
  readonly #versionByKey: Map<string, PlainVersion>;
  /** `undefined`: not known since the last change. */
  #sortedKeys: string[] | undefined;

  constructor(entries: Iterable<readonly [string, PlainVersion]> = []) {
    this.#versionByKey = new Map(entries);
  }

  get size(): number {
    return this.#versionByKey.size;
  }

  copy(): BaseState {
    return new BaseState(this.#versionByKey);
  }

  entries(): [string, PlainVersion][] {
    return [...this.#versionByKey];
  }

  get(key: Uint8Array): PlainVersion | undefined {
    return this.#versionByKey.get(textOf(key));
  }

  apply(change: Change): void {
    const key = textOf(change.key);
    if (change.deleted) this.#versionByKey.delete(key);
    else this.#versionByKey.set(key, plainOf(change));
    this.#sortedKeys = undefined;
  }

  forget(range: EngineRange): void {
    for (const key of this.keys(range)) this.#versionByKey.delete(key);
    this.#sortedKeys = undefined;
  }

  /** The keys of a range in their order. */
  keys(range: EngineRange): string[] {
    this.#sortedKeys ??= [...this.#versionByKey.keys()].sort((a, b) => (a < b ? -1 : 1));
    const start = textOf(range.start);
    const end = range.end && textOf(range.end);
    return this.#sortedKeys.filter((key) => key >= start && (end === undefined || key < end));
  }

  /** By deadline, then by key. */
  deadlines(after: DeadlinePlace | undefined): DeadlinePlace[] {
    const places = this.entries().flatMap(([key, { expireTimeMs }]) =>
      expireTimeMs === 0 ? [] : [{ deadlineMs: expireTimeMs, key: bytesOf(key) }],
    );
    return places
      .filter((place) => after === undefined || comparePlaces(place, after) > 0)
      .sort(comparePlaces);
  }

  leasedKeys(): [number, string][] {
    return this.entries().flatMap(([key, { leaseId }]) => (leaseId === 0 ? [] : [[leaseId, key]]));
  }
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function plainOf(change: Change): PlainVersion {
  const { revision, kind, collectionId, createRevision, modRevision, version } = change;
  const { leaseId, ttlMs, expireTimeMs } = change;
  const value = textOf(change.value);
  return {
    revision,
    value,
    kind,
    collectionId,
    createRevision,
    modRevision,
    version,
    leaseId,
    ttlMs,
    expireTimeMs,
  };
}

export function changeOf(key: string, version: PlainVersion): Change {
  return { ...version, key: bytesOf(key), value: bytesOf(version.value), deleted: false };
}

/** What a reader may look at: of a version whose value was not asked for, its length alone. */
export function shownOf(placed: PlacedChange, withValue: boolean): string {
  return describeVersion(textOf(placed.key), plainOfPlaced(placed, withValue), withValue);
}

export function describeVersion(key: string, version: PlainVersion, withValue: boolean): string {
  const { value, ...rest } = version;
  const shown = withValue ? value : `${value.length} bytes`;
  return `${JSON.stringify(key)} ${Object.values(rest).join(' ')} ${JSON.stringify(shown)}`;
}

/** A value that was not asked for is so many dots. */
export function plainOfPlaced(placed: PlacedChange, withValue: boolean): PlainVersion {
  if (withValue) return plainOf(placed);
  const length = placed.valueEnd - placed.valueStart;
  const { revision, kind, collectionId, createRevision, modRevision, version } = placed;
  const { leaseId, ttlMs, expireTimeMs } = placed;
  const value = '.'.repeat(length);
  return {
    revision,
    value,
    kind,
    collectionId,
    createRevision,
    modRevision,
    version,
    leaseId,
    ttlMs,
    expireTimeMs,
  };
}

function comparePlaces(a: DeadlinePlace, b: DeadlinePlace): number {
  return a.deadlineMs - b.deadlineMs || Buffer.compare(a.key, b.key);
}
