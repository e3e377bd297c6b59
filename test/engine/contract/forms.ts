/** Engines to begin with, and what they answer in a form that tests compare. */
import { expect } from 'vitest';
import type { Engine, EngineStats } from '../../../src/engine/engine.ts';
import type { Change, Version } from '../../../src/engine/version.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { bytes } from './changes.ts';
import { type Walked } from './naive-model.ts';

/** What an implementation does in a way of its own. */
export interface EngineForm {
  /** It is durable: a walk goes over one revision alone. */
  readonly walksOneRevision?: boolean;
  /** How many versions there are, and their bytes, depends on checkpoints. */
  readonly countsOwnVersions?: boolean;
  /** A scan may pay for keys that are deleted in the newest state. */
  readonly paysForDeleted?: boolean;
}

/** Expects what `stats` tells in such a form. */
export function expectStats(engine: Engine, form: EngineForm, expected: EngineStats): void {
  const { keyCount } = expected;
  if (form.countsOwnVersions === true) expect(engine.stats().keyCount).toBe(keyCount);
  else expect(engine.stats()).toEqual(expected);
}

export const NEWEST = Number.MAX_SAFE_INTEGER;
export const ALL_KEYS = { start: bytes(''), end: undefined };

/** Makes engines to which changes were applied in the order of their revisions. */
export function engineMaker(create: () => Engine): (...changes: Change[]) => Engine {
  return (...changes) => {
    const engine = create();
    for (const change of changes.toSorted((a, b) => a.revision - b.revision)) engine.apply(change);
    return engine;
  };
}

export function drain(engine: Engine): void {
  while (engine.maintain());
}

interface ScanRequest {
  readonly start?: string;
  readonly end?: string | undefined;
  readonly revision?: number;
  readonly reverse?: boolean;
  readonly visitsMax?: number;
}

/** All pages of a scan: the keys and their versions. */
export function scanKeys(engine: Engine, request: ScanRequest): [string, ReturnType<typeof plain>][] {
  const { start = '', end, revision = NEWEST, reverse = false, visitsMax = NEWEST } = request;
  const found: [string, ReturnType<typeof plain>][] = [];
  let range = { start: bytes(start), end: end === undefined ? undefined : bytes(end) };
  for (;;) {
    const options = { reverse, budget: new WorkBudget(visitsMax) };
    const next = engine.scan(range, revision, options, (version) => {
      found.push([asText(version.key), plain(version)]);
      return true;
    });
    if (next === undefined) return found;
    range = reverse ? { ...range, end: bytes(`${asText(next)}\0`) } : { ...range, start: next };
  }
}

export function forward(visitsMax = NEWEST) {
  return { reverse: false, budget: new WorkBudget(visitsMax) };
}

export function asText(key: Uint8Array | undefined): string {
  return Buffer.from(key ?? []).toString('latin1');
}

export function textOf(version: Version | undefined): string | undefined {
  return version && asText(version.value);
}

/** A version with its value as text and its fields in one order, whatever else its object carries. */
export function plain(version: Version | undefined) {
  if (version === undefined) return undefined;
  const { revision, value, kind, collectionId, createRevision, modRevision, leaseId, ttlMs, expireTimeMs } =
    version;
  return {
    revision,
    value: asText(value),
    kind,
    collectionId,
    createRevision,
    modRevision,
    version: version.version,
    leaseId,
    ttlMs,
    expireTimeMs,
  };
}

export function plainChange(change: Change) {
  const { deleted, revision } = change;
  const key = asText(change.key);
  return deleted ? { key, deleted, revision } : { key, deleted, ...plain(change) };
}

export function plainWalk({ newest, older }: Walked) {
  return {
    newest: newest.map(plainChange),
    older: older.map(({ change, replacedBy }) => [replacedBy, plainChange(change)]),
  };
}
