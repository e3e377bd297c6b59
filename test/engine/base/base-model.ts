/** A model of a base: a map of what was committed, and the ranges that are hidden. */
import { crc32 } from 'node:zlib';
import type { EngineRange } from '../../../src/engine/engine.ts';
import type { DeadlinePlace } from '../../../src/engine/layered/base/base.ts';
import { deletionOf } from '../../../src/engine/version.ts';
import type { Change } from '../../../src/engine/version.ts';
import type { SeededRandom } from '../../support/random.ts';

const KEYS = 250;

export class BaseModel {
  revision = 0;
  notes: Uint8Array = new Uint8Array(0);
  /** Hidden, and not forgotten by a commit yet. */
  pendingHides: EngineRange[] = [];
  readonly #versions = new Map<string, Change>();
  /** As a start finds it: with what is hidden, and not forgotten. */
  #kept = new Map<string, Change>();
  /** Keys that never come again. */
  readonly #gone: EngineRange[] = [];

  get(key: Uint8Array): Change | undefined {
    return this.#versions.get(hex(key));
  }

  someKey(random: SeededRandom): Uint8Array {
    return keyOf(random.below(KEYS + 20));
  }

  someRange(random: SeededRandom): EngineRange {
    return {
      start: keyOf(random.below(KEYS)),
      end: random.chance(0.2) ? undefined : keyOf(random.below(KEYS)),
    };
  }

  /** Changes in key order, none of a key that is gone; and of hidden ranges those that are forgotten with them. */
  nextFlush(random: SeededRandom): {
    readonly revision: number;
    readonly changes: Change[];
    readonly forgotten: EngineRange[];
  } {
    const revision = this.revision + random.between(1, 5);
    const changes: Change[] = [];
    const share = random.pick([0, 0.02, 0.2, 0.7]);
    for (let index = 0; index < KEYS; index++) {
      const key = keyOf(index);
      if (!random.chance(share) || this.#gone.some((range) => isIn(key, range))) continue;
      changes.push(this.#someChange(random, key, random.between(this.revision + 1, revision)));
    }
    const forgotten = random.chance(0.7) ? this.pendingHides : [];
    if (forgotten.length > 0) this.pendingHides = [];
    changes.sort((a, b) => Buffer.compare(a.key, b.key));
    return { revision, changes, forgotten };
  }

  commit(
    revision: number,
    notes: Uint8Array,
    changes: readonly Change[],
    forgotten: readonly EngineRange[],
  ): void {
    this.revision = revision;
    this.notes = notes;
    this.#kept = new Map(this.#kept);
    for (const [text, { key }] of this.#kept)
      if (forgotten.some((range) => isIn(key, range))) this.#kept.delete(text);
    for (const change of changes) {
      for (const versions of [this.#versions, this.#kept]) {
        if (change.deleted) versions.delete(hex(change.key));
        else versions.set(hex(change.key), change);
      }
    }
  }

  /** What is durable, in key order. */
  kept(): Change[] {
    return [...this.#kept.values()].sort((a, b) => Buffer.compare(a.key, b.key));
  }

  /** The flush that was to forget them was given up. */
  giveUp(forgotten: readonly EngineRange[]): void {
    this.pendingHides.push(...forgotten);
  }

  /** Hides a short range. */
  hideSome(random: SeededRandom): EngineRange {
    const start = random.below(KEYS);
    const range = { start: keyOf(start), end: keyOf(start + random.below(12)) };
    if (Buffer.compare(range.start, range.end) > 0) return this.hideSome(random);
    this.pendingHides.push(range);
    this.#gone.push(range);
    for (const [text, { key }] of this.#versions) if (isIn(key, range)) this.#versions.delete(text);
    return range;
  }

  inRange(range: EngineRange, reverse: boolean): Change[] {
    const found = [...this.#versions.values()].filter(({ key }) => isIn(key, range));
    return found.sort((a, b) => Buffer.compare(a.key, b.key) * (reverse ? -1 : 1));
  }

  leased(): string[] {
    return [...this.#versions.values()]
      .filter(({ leaseId }) => leaseId !== 0)
      .map(({ key, leaseId }) => `${hex(key)} ${leaseId}`)
      .sort();
  }

  places(): DeadlinePlace[] {
    return [...this.#versions.values()]
      .filter(({ expireTimeMs }) => expireTimeMs !== 0)
      .map(({ key, expireTimeMs }) => ({ key, deadlineMs: expireTimeMs }))
      .sort((a, b) => a.deadlineMs - b.deadlineMs || Buffer.compare(a.key, b.key));
  }

  #someChange(random: SeededRandom, key: Uint8Array, revision: number): Change {
    if (random.chance(0.3)) return deletionOf(key, revision);
    const before = this.get(key);
    return {
      key,
      revision,
      deleted: false,
      value: random.bytes(random.pick([0, 3, 50, 50, 50, 1500, 20_000])),
      kind: random.pick([0, 0, 3]),
      collectionId: random.pick([0, 0, 2 ** 40]),
      createRevision: before?.createRevision ?? revision,
      modRevision: random.chance(0.8) ? revision : (before?.modRevision ?? revision),
      version: (before?.version ?? 0) + 1,
      leaseId: random.pick([0, 0, 0, 5, 2 ** 50]),
      ttlMs: random.pick([0, 0, 60_000]),
      expireTimeMs: random.pick([0, 0, 1_700_000_000_000, random.between(1_700_000, 1_700_100) * 1_000_000]),
    };
  }
}

/** Keys of different lengths, some with bytes that have the highest bit. */
function keyOf(index: number): Uint8Array {
  const text = String(index).padStart(4, '0');
  return Buffer.concat([
    Buffer.from([index % 256 < 128 ? 0x20 : 0xe0]),
    Buffer.from(text),
    Buffer.alloc(index % 7 === 0 ? 200 : 0, 1),
  ]);
}

function isIn(key: Uint8Array, { start, end }: EngineRange): boolean {
  return Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** All that is told of a change, to be compared. */
export function toldOf(change: Change): Record<string, unknown> {
  const { key, value, revision, deleted, kind, collectionId } = change;
  const { createRevision, modRevision, version, leaseId, ttlMs, expireTimeMs } = change;
  const metadata = { createRevision, modRevision, version, leaseId, ttlMs, expireTimeMs };
  const told = `${value.length} bytes, ${crc32(value).toString(16)}`;
  return { key: hex(key), value: told, revision, deleted, kind, collectionId, ...metadata };
}
