/** Rows of puts over versions of their own length: what is written where it stands, and what must not be. */
import { expect, it } from 'vitest';
import { hashKey } from '../../../src/engine/memory/key-hash.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { CREATED_BEFORE_MAX } from '../../../src/engine/memory/version-codec.ts';
import { PutRow } from '../../../src/engine/put-row.ts';
import { bytes, deletion, put } from '../contract/changes.ts';
import { NEWEST, textOf } from '../contract/forms.ts';
import { verifyIntegrity } from './integrity.ts';

const SEED = [1, 2] as const;

function create(...changes: Parameters<MemoryEngine['apply']>[0][]): MemoryEngine {
  const engine = new MemoryEngine({ hashSeed: SEED });
  for (const change of changes) engine.apply(change);
  return engine;
}

/** Puts a row whose first put has a revision. */
function putRow(
  engine: MemoryEngine,
  firstRevision: number,
  ...puts: [key: string, value: string][]
): PutRow {
  const row = new PutRow();
  row.firstRevision = firstRevision;
  for (const [key, value] of puts) row.add(bytes(key), bytes(value));
  expect(engine.putAll(row)).toBe(puts.length);
  verifyIntegrity(engine);
  return row;
}

/** Two keys of one length with the same hash. */
function collidingKeys(): [string, string] {
  const keyByHash = new Map<number, string>();
  for (let number = 0; ; number++) {
    const key = `k${String(number).padStart(7, '0')}`;
    const words = new Int32Array(bytes(key).buffer);
    const hash = hashKey(words, key.length, ...SEED);
    const other = keyByHash.get(hash);
    if (other !== undefined) return [other, key];
    keyByHash.set(hash, key);
  }
}

it('a key of the same hash and length is another key, which keeps its value', () => {
  const [first, second] = collidingKeys();
  const engine = create(put(first, 1, 'one'));
  putRow(engine, 2, [second, 'two'], [first, '111'], [second, '222']);
  expect([first, second].map((key) => textOf(engine.read(bytes(key), NEWEST)))).toEqual(['111', '222']);
  expect([first, second].map((key) => textOf(engine.read(bytes(key), 2)))).toEqual(['one', 'two']);
  expect(engine.stats()).toMatchObject({ keyCount: 2 });
});

it('a deleted key is created anew, also by a value as long as what the deletion has', () => {
  const engine = create(put('k', 1, 'x'), deletion('k', 2));
  const row = putRow(engine, 3, ['k', '']);
  expect([row.createRevisions[0], row.versions[0]]).toEqual([3, 1]);
  expect(engine.read(bytes('k'), NEWEST)).toMatchObject({ createRevision: 3, version: 1 });
  expect(engine.read(bytes('k'), 2)).toBeUndefined();
  expect(engine.stats()).toMatchObject({ keyCount: 1 });
});

it('every version that was written over is read at its revision, until it is compacted', () => {
  const engine = create(put('k', 1, 'v1'), put('other', 2, 'o2'));
  const puts = Array.from({ length: 9 }, (_, index): [string, string] => ['k', `v${index + 3}`.slice(0, 2)]);
  const row = putRow(engine, 3, ...puts);
  expect(row.versions.slice(0, 9)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const values = [undefined, 'v1', 'v1', ...puts.map(([, value]) => value)];
  for (const [revision, value] of values.entries())
    expect(textOf(engine.read(bytes('k'), revision)), `at ${revision}`).toBe(value);
  engine.compact(6);
  for (let revision = 6; revision < values.length; revision++)
    expect(textOf(engine.read(bytes('k'), revision)), `at ${revision}`).toBe(values[revision]);
  putRow(engine, 12, ['k', 'aa'], ['k', 'bb']);
  expect([11, 12, 13].map((revision) => textOf(engine.read(bytes('k'), revision)))).toEqual([
    'v1',
    'aa',
    'bb',
  ]);
});

it('each version that is written over counts, with its bytes', () => {
  const engine = create(put('k', 1, 'v1'));
  const { dataBytes } = engine.stats();
  putRow(engine, 2, ['k', 'v2'], ['k', 'v3']);
  const one = create(put('k', 1, 'v1'), put('k', 2, 'v2', { version: 2, createRevision: 1 }));
  const perVersion = one.stats().dataBytes - dataBytes;
  expect(engine.stats()).toMatchObject({ versionCount: 3, dataBytes: dataBytes + 2 * perVersion });
});

it('a key that was created longer ago than a short version can tell keeps its first revision', () => {
  const engine = create(put('k', 1, 'old'), put('k', 2, 'new', { version: 2, createRevision: 1 }));
  const revision = 2 + CREATED_BEFORE_MAX;
  const row = putRow(engine, revision, ['k', 'far'], ['k', 'far']);
  expect(row.createRevisions.slice(0, 2)).toEqual([1, 1]);
  expect(engine.read(bytes('k'), NEWEST)).toMatchObject({ createRevision: 1, version: 4 });
});

it('a key that the row itself has created, moved or found another place for is written where it is by then', () => {
  const long = 'x'.repeat(400);
  const engine = create(put('moves', 1, 'short'), put('behind it', 2, 'y'), put('last', 3, 'z'));
  putRow(
    engine,
    4,
    ['moves', long],
    ['new', 'abc'],
    ['in its old place', 'some'],
    ['moves', 'X'.repeat(400)],
    ['new', 'ABC'],
    ['moves', 'again'],
    ['in its old place', 'SOME'],
    ['moves', 'AGAIN'],
  );
  const valuesAt = (revision: number) =>
    ['moves', 'new', 'in its old place', 'behind it', 'last'].map((key) =>
      textOf(engine.read(bytes(key), revision)),
    );
  expect(valuesAt(3)).toEqual(['short', undefined, undefined, 'y', 'z']);
  expect(valuesAt(8)).toEqual(['X'.repeat(400), 'ABC', 'some', 'y', 'z']);
  expect(valuesAt(NEWEST)).toEqual(['AGAIN', 'ABC', 'SOME', 'y', 'z']);
});
