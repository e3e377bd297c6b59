/** The contract of an engine for keys of which many versions are kept: counters, flags, whatever is written all the time. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Change } from '../../../src/engine/version.ts';
import { bytes, deletion, put } from './changes.ts';
import { type EngineForm, drain, expectStats } from './forms.ts';
import { randomFrom } from './random.ts';
import { wholeWalk } from './whole-walk.ts';
import { verifyIntegrity } from '../memory/integrity.ts';

const HOT_KEYS = ['a', 'b', 'counter', 'z'];

/** All versions of some keys, each key's from the oldest to the newest. */
class Histories {
  readonly #changesByKey = new Map<string, Change[]>();
  oldest = 0;
  newest = 0;

  add(key: string, change: Change): void {
    this.newest = change.revision;
    const changes = this.#changesByKey.get(key);
    if (changes === undefined) this.#changesByKey.set(key, [change]);
    else changes.push(change);
  }

  visible(key: string, revision: number): Change | undefined {
    const change = this.#changesByKey.get(key)?.findLast((each) => each.revision <= revision);
    return change?.deleted === true ? undefined : change;
  }

  /** What a walk visits. */
  needed(oldest: number, newest: number): string[] {
    return [...this.#changesByKey.keys()].sort().flatMap((key) => {
      const changes = this.#changesByKey.get(key)!;
      const base = this.visible(key, oldest);
      const needed = changes.filter(
        (change) => change === base || (change.revision > oldest && change.revision <= newest),
      );
      return needed.map(labelOf);
    });
  }
}

export function testEngineHistories(name: string, makeEngine: () => Engine, form: EngineForm = {}): void {
  describe(`${name}, with long histories`, () => {
    it.each([1, 2, 3, 4])('answers at every kept revision while history moves on (seed %i)', (seed) => {
      runHistory(makeEngine(), seed, form);
    });

    it('drops a key of many versions that was deleted, and keeps what comes after', () => {
      const engine = makeEngine();
      for (let revision = 1; revision <= 200; revision++) engine.apply(put('a', revision, `${revision}`));
      engine.apply(deletion('a', 201));
      expect(engine.read(bytes('a'), 100)?.revision).toBe(100);
      engine.compact(201);
      drain(engine);
      verifyIntegrity(engine);
      expectStats(engine, form, { keyCount: 0, versionCount: 0, dataBytes: 0 });
      for (let revision = 202; revision <= 300; revision++) engine.apply(put('a', revision, `${revision}`));
      expect(engine.read(bytes('a'), 250)?.revision).toBe(250);
      expect(engine.read(bytes('a'), 201)).toBeUndefined();
      verifyIntegrity(engine);
    });

    it('drops the versions before a deletion in the middle of many', () => {
      const engine = makeEngine();
      for (let revision = 1; revision <= 100; revision++) engine.apply(put('a', revision, `${revision}`));
      engine.apply(deletion('a', 101));
      for (let revision = 102; revision <= 200; revision++) engine.apply(put('a', revision, `${revision}`));
      engine.compact(101);
      drain(engine);
      verifyIntegrity(engine);
      // The deletion goes once history has passed what replaced it.
      if (form.countsOwnVersions !== true) expect(engine.stats().versionCount).toBe(100);
      expect(engine.read(bytes('a'), 101)).toBeUndefined();
      expect(engine.read(bytes('a'), 102)?.revision).toBe(102);
    });
  });
}

/** Writes few keys often and many keys once; history follows at changing distances. */
function runHistory(engine: Engine, seed: number, form: EngineForm): void {
  const below = randomFrom(seed);
  const histories = new Histories();
  const apply = (key: string, change: Change): void => {
    histories.add(key, change);
    engine.apply(change);
  };
  for (let revision = 1; revision <= 4000; revision++) {
    const key = below(4) === 0 ? `cold ${below(500)}` : HOT_KEYS[below(HOT_KEYS.length)]!;
    if (below(20) === 0) apply(key, deletion(key, revision));
    else apply(key, put(key, revision, 'v'.repeat(below(200))));
    if (below(10) === 0) {
      histories.oldest = Math.max(histories.oldest, revision - below(1500));
      engine.compact(histories.oldest);
    }
    if (below(3) === 0) engine.maintain(below(50) === 0);
    const at = histories.oldest + below(revision - histories.oldest + 1);
    const label = histories.visible(key, at);
    expect(engine.read(bytes(key), at)?.revision, `${key} at ${at}`).toBe(label?.revision);
    if (revision % 400 === 0) {
      verifyIntegrity(engine);
      const newest = form.walksOneRevision === true ? at : revision - below(revision - at + 1);
      compareWalk(engine, histories, at, newest, 1 + below(50));
    }
  }
  engine.compact(histories.newest);
  while (engine.maintain(true));
  verifyIntegrity(engine);
  compareWalk(engine, histories, histories.newest, histories.newest, 10);
}

function compareWalk(
  engine: Engine,
  histories: Histories,
  oldest: number,
  newest: number,
  visitsMax: number,
): void {
  const { newest: last, older } = wholeWalk(engine, oldest, newest, visitsMax);
  const walked = [...last, ...older.map(({ change }) => change)];
  walked.sort((a, b) => Buffer.compare(a.key, b.key) || a.revision - b.revision);
  expect(walked.map(labelOf)).toEqual(histories.needed(oldest, newest));
}

function labelOf({ key, revision, deleted, value }: Change): string {
  return `${Buffer.from(key).toString('latin1')} ${revision} ${deleted ? 'deleted' : value.length}`;
}
