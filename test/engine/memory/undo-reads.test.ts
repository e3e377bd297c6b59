/** Reads at every revision that can still be read, beside a list of all versions. */
import { describe, expect, it } from 'vitest';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { type Change, placeChange } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';
import { bytes, deletion, put } from '../contract/changes.ts';
import { versionOf } from '../contract/naive-model.ts';
import { verifyIntegrity } from './integrity.ts';

/** Lengths that overwrite in place, grow into the next block, move, and cross the border to values of their own. */
const LENGTHS = [0, 1, 4, 7, 8, 9, 100, 108, 1000, 4094, 4095, 4096, 5000];
const KEYS = ['a', 'key', 'k'.repeat(300), 'z\0', 'z\0\0'];
/** Every field in its usual form and in those that need room of their own. */
const FIELDS: Partial<Change>[] = [
  {},
  { version: 300 },
  { leaseId: 2 ** 52 + 1 },
  { ttlMs: 2 ** 33 },
  { expireTimeMs: 2 ** 41 },
  { kind: 3, leaseId: 1 },
  { version: 256, leaseId: 9, ttlMs: 5, expireTimeMs: 7, kind: 2 ** 31 },
];

describe('what a key was', () => {
  it.each([1, 2, 3])(
    'is read at every revision while it is overwritten, deleted, made anew and touched (seed %i)',
    (seed) => {
      const random = new SeededRandom(seed);
      const engine = new MemoryEngine({ slabBytesMax: 64 * 1024 });
      const versions = new Map<string, Change[]>(KEYS.map((key) => [key, []]));
      let revision = 2 ** 32 - 700;
      let compacted = revision;
      const pins: { readonly revision: number; close(): void }[] = [];
      const compareAll = (): void => {
        for (const [key, changes] of versions) {
          const start = Math.max(compacted, revision - 900);
          let place = changes.findLastIndex((change) => change.revision <= start);
          for (let at = start; at <= revision; at++) {
            while (place + 1 < changes.length && changes[place + 1]!.revision <= at) place++;
            const change = changes[place];
            const expected = change === undefined || change.deleted ? undefined : versionOf(change);
            if (!same(engine.read(bytes(key), at), expected))
              throw new Error(`another version of ${key} at ${at}`);
          }
        }
      };
      for (let round = 1; round <= 1400; round++) {
        const key = random.pick(KEYS);
        const changes = versions.get(key)!;
        const before = changes.at(-1);
        revision++;
        const value = Buffer.from(random.bytes(random.pick(LENGTHS))).toString('latin1');
        let change: Change;
        if (random.chance(0.15)) change = deletion(key, revision);
        else if (before === undefined || before.deleted || random.chance(0.2))
          change = put(key, revision, value, random.pick(FIELDS));
        else if (random.chance(0.25))
          change = { ...before, revision, ttlMs: random.below(99), expireTimeMs: random.below(99) };
        else
          change = put(key, revision, value, {
            createRevision: before.createRevision,
            version: before.version + 1,
            ...random.pick(FIELDS),
          });
        changes.push(change);
        engine.apply(change);
        if (random.chance(0.02)) {
          const at = Math.max(compacted, revision - random.below(300));
          const walk = engine.openWalk(at, revision);
          walk.next(random.below(5), () => true);
          pins.push({ revision: at, close: () => walk.close() });
        }
        if (random.chance(0.03) && pins.length > 0) pins.splice(random.below(pins.length), 1)[0]!.close();
        if (random.chance(0.1)) {
          compacted = Math.max(
            compacted,
            Math.min(revision - random.below(500), ...pins.map((pin) => pin.revision)),
          );
          engine.compact(compacted);
        }
        if (random.chance(0.3)) engine.maintain(random.chance(0.3));
        if (round % 140 === 0) {
          verifyIntegrity(engine);
          compareAll();
        }
      }
      for (const pin of pins) pin.close();
      // Nothing but the newest versions stays, and the bytes of their long values.
      compacted = revision;
      engine.compact(revision);
      while (engine.maintain(true));
      verifyIntegrity(engine);
      compareAll();
      const newest = [...versions.values()]
        .map((changes) => changes.at(-1)!)
        .filter(({ deleted }) => !deleted);
      expect(engine.stats().versionCount).toBe(newest.length);
      expect(engine.memoryBytes).toBeLessThan(400_000);
    },
  );

  it('is the same whether keys were fetched or not', () => {
    const random = new SeededRandom(4);
    const [one, fetched] = [new MemoryEngine(), new MemoryEngine()];
    const texts = Array.from({ length: 40 }, (_, number) => `key ${number}`);
    let revision = 0;
    for (let round = 0; round < 40; round++) {
      const changes = Array.from({ length: random.below(200) }, () => {
        const key = random.pick(texts);
        return random.chance(0.2)
          ? deletion(key, ++revision)
          : put(key, ++revision, 'v'.repeat(random.below(60)));
      });
      fetched.fetch(
        changes.map(({ key }) => key),
        0,
        changes.length,
      );
      for (const engine of [one, fetched]) for (const change of changes) engine.apply(change);
    }
    verifyIntegrity(fetched);
    expect(fetched.stats()).toEqual(one.stats());
    for (let at = 1; at <= revision; at += 53) {
      const seen: (string | undefined)[] = [];
      fetched.fetch(texts.map(bytes), 0, texts.length);
      for (const text of texts) {
        fetched.readPlaced(bytes(text), at, (version) => {
          seen.push(version && `${version.revision} ${placeChange(version).value.length}`);
        });
      }
      expect(seen).toEqual(
        texts.map((text) => {
          const version = one.read(bytes(text), at);
          return version && `${version.revision} ${version.value.length}`;
        }),
      );
    }
  });
});

function same(a: object | undefined, b: object | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const text = (version: object) =>
    JSON.stringify(
      version,
      Object.keys(version)
        .sort()
        .filter((name) => name !== 'value'),
    );
  const valueOf = (version: object) => (version as { readonly value: Uint8Array }).value;
  return text(a) === text(b) && Buffer.compare(valueOf(a), valueOf(b)) === 0;
}
