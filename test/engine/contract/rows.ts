/** Puts that go together. */
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { PutRow } from '../../../src/engine/put-row.ts';
import { bytes, deletion, put } from './changes.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import { type EngineForm, NEWEST, drain, textOf, plain } from './forms.ts';

export function testRows(create: () => Engine, form: EngineForm): void {
  it('puts a row as if each of it came by itself', () => {
    const engine = create();
    for (const change of [
      put('there', 1, 'long ago', { version: 7 }),
      put('often', 2, 'x', { version: 255 }),
      put('of a kind', 3, 'x', { kind: 3, createRevision: 1 }),
      put('long', 4, 'x'.repeat(5000)),
      deletion('there no more', 5),
      put('touched', 6, 'x', { modRevision: 4, version: 2, createRevision: 2 }),
      put('k'.repeat(200), 7, 'x'),
    ])
      engine.apply(change);
    const row = new PutRow();
    row.firstRevision = 8;
    const keys = ['there', 'new', 'often', 'of a kind', 'long', 'there no more', 'touched', 'k'.repeat(200)];
    const repeated = [...keys, ...keys.toReversed(), 'new'];
    for (const [index, key] of repeated.entries()) row.add(bytes(key), bytes(`${index}`.repeat(index * 5)));
    expect(engine.putAll(row)).toBe(17);
    expect(row.versions).toEqual([8, 1, 256, 2, 2, 1, 3, 2, 3, 4, 2, 3, 3, 257, 2, 9, 3]);
    expect(row.createRevisions).toEqual([1, 9, 2, 1, 4, 13, 2, 7, 7, 2, 13, 4, 1, 2, 9, 1, 9]);
    for (const [index, key] of repeated.entries()) {
      const revision = 8 + index;
      expect(plain(engine.read(bytes(key), revision))).toEqual(
        plain({
          revision,
          value: bytes(`${index}`.repeat(index * 5)),
          kind: 0,
          collectionId: 0,
          createRevision: row.createRevisions[index] ?? 0,
          modRevision: revision,
          version: row.versions[index] ?? 0,
          leaseId: 0,
          ttlMs: 0,
          expireTimeMs: 0,
        }),
      );
    }
    expect(textOf(engine.read(bytes('there'), 7))).toBe('long ago');
    verifyIntegrity(engine);
  });

  it.each([{ leaseId: 7 }, { expireTimeMs: 5000 }, { collectionId: 9 }])(
    'ends a row before a key with %j',
    (fields) => {
      const engine = create();
      engine.apply(put('b', 1, 'x', fields));
      const row = new PutRow();
      row.firstRevision = 2;
      for (const key of ['a', 'b', 'c']) row.add(bytes(key), bytes(key));
      expect(engine.putAll(row)).toBe(1);
      expect(['a', 'b', 'c'].map((key) => textOf(engine.read(bytes(key), NEWEST)))).toEqual([
        'a',
        'x',
        undefined,
      ]);
      expect(engine.stats()).toMatchObject({
        keyCount: 2,
        ...(form.countsOwnVersions === true ? {} : { versionCount: 2 }),
      });
    },
  );

  it.each(['short', 'a key that is longer than most others are'])(
    'reads the key that was read last where it lies after any change (%s)',
    (key) => {
      const engine = create();
      let revision = 0;
      const read = (wanted = NEWEST) => textOf(engine.read(bytes(key), wanted));
      const write = (value: string) => engine.apply(put(key, ++revision, value));
      const others = (value: string) => {
        for (let number = 0; number < 2000; number++) engine.apply(put(`other ${number}`, ++revision, value));
      };
      expect(read()).toBeUndefined();
      write('new');
      expect(read()).toBe('new');
      // What lies behind it keeps it from growing where it stands.
      others('');
      expect(read()).toBe('new');
      write('longer'.repeat(100));
      expect(read()).toBe('longer'.repeat(100));
      others('to be moved'.repeat(20));
      expect(read()).toBe('longer'.repeat(100));
      engine.compact(revision);
      while (engine.maintain(true)) expect(read()).toBe('longer'.repeat(100));
      // Of as many bytes, and not the same.
      expect(engine.read(bytes(key.toUpperCase()), NEWEST)).toBeUndefined();
      expect(read()).toBe('longer'.repeat(100));
      engine.apply(deletion(key, ++revision));
      expect(read()).toBeUndefined();
      expect(read(revision - 1)).toBe('longer'.repeat(100));
      engine.compact(revision);
      drain(engine);
      expect(read()).toBeUndefined();
      write('again');
      expect(read()).toBe('again');
      expect(engine.forget({ start: bytes(key), end: bytes(`${key}\0`) }, 1)).toBe(1);
      expect(read()).toBeUndefined();
      write('last');
      expect(read()).toBe('last');
      verifyIntegrity(engine);
    },
  );
}
