/** Versions as they are put and read. */
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { KEY_BYTES_MAX } from '../../../src/engine/engine.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { bytes, deletion, put } from './changes.ts';
import { versionOf } from './naive-model.ts';
import { wholeWalk } from './whole-walk.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import {
  NEWEST,
  ALL_KEYS,
  drain,
  type EngineForm,
  engineMaker,
  expectStats,
  scanKeys,
  forward,
  asText,
  textOf,
  plain,
  plainWalk,
} from './forms.ts';

export function testReads(create: () => Engine, form: EngineForm): void {
  const engineWith = engineMaker(create);

  it('reads the newest version at a revision', () => {
    const engine = engineWith(put('k', 2, 'two'), put('k', 5, 'five'), deletion('k', 7), put('k', 9, 'nine'));
    const read = (revision: number) => textOf(engine.read(bytes('k'), revision));
    expect([1, 2, 4, 5, 6, 7, 8, 9, NEWEST].map(read)).toEqual([
      undefined,
      'two',
      'two',
      'five',
      'five',
      undefined,
      undefined,
      'nine',
      'nine',
    ]);
    expect(engine.read(bytes('kk'), NEWEST)).toBeUndefined();
  });

  it('keeps every field up to its largest number', () => {
    const fields = {
      kind: 255,
      createRevision: NEWEST - 2,
      modRevision: NEWEST - 1,
      version: NEWEST - 3,
      leaseId: NEWEST - 4,
      ttlMs: NEWEST - 5,
      expireTimeMs: NEWEST - 6,
    };
    const change = put('k', NEWEST, 'v', fields);
    const engine = engineWith(change);
    expect(plain(engine.read(bytes('k'), NEWEST))).toEqual(plain(versionOf(change)));
    expect(engine.nextDeadlineMs()).toBe(fields.expireTimeMs);
    expect(plainWalk(wholeWalk(engine, form.walksOneRevision === true ? NEWEST : 0, NEWEST, 10))).toEqual(
      plainWalk({ newest: [change], older: [] }),
    );
  });

  it('keeps fields that differ from what is usual', () => {
    const engine = engineWith(
      put('touched', 9, 'v', {
        createRevision: 3,
        modRevision: 7,
        version: 4,
        ttlMs: 1000,
        expireTimeMs: 5000,
      }),
      put('leased', 10, 'v', { leaseId: 77, kind: 3 }),
      put('frequent', 2 ** 40, 'v', { createRevision: 1, version: 2 ** 33 }),
      put('zeroed', 11, '', { createRevision: 0, modRevision: 0, version: 0 }),
    );
    const read = (key: string) => plain(engine.read(bytes(key), NEWEST));
    expect(read('touched')).toMatchObject({
      createRevision: 3,
      modRevision: 7,
      version: 4,
      expireTimeMs: 5000,
    });
    expect(read('leased')).toMatchObject({ leaseId: 77, kind: 3, ttlMs: 0, createRevision: 10 });
    expect(read('frequent')).toMatchObject({ createRevision: 1, version: 2 ** 33, modRevision: 2 ** 40 });
    expect(read('zeroed')).toMatchObject({ createRevision: 0, modRevision: 0, version: 0, revision: 11 });
  });

  it('reads meta data without the value', () => {
    const engine = engineWith(put('k', 3, 'value', { version: 7 }), deletion('gone', 4));
    expect(engine.readMeta(bytes('k'), NEWEST)).toMatchObject({ revision: 3, version: 7 });
    expect(engine.readMeta(bytes('k'), NEWEST)?.value).toHaveLength(0);
    expect(engine.readMeta(bytes('gone'), NEWEST)).toBeUndefined();
    expect(engine.readMeta(bytes('k'), 2)).toBeUndefined();
  });

  it('copies what it is given', () => {
    const engine = create();
    const change = put('key', 1, 'value');
    engine.apply(change);
    change.key.fill(0);
    change.value.fill(0);
    expect(textOf(engine.read(bytes('key'), 1))).toBe('value');
  });

  it('leaves what it handed out as it is', () => {
    const engine = engineWith(put('k', 1, 'before'));
    const version = engine.read(bytes('k'), 1);
    engine.apply(put('k', 2, 'after!'));
    engine.compact(2);
    drain(engine);
    for (let revision = 3; revision < 100; revision++) engine.apply(put('k', revision, 'other!'));
    expect(textOf(version)).toBe('before');
  });

  it('keeps values of any size', () => {
    const engine = create();
    const sizes = [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 255, 256, 4095, 65_535, 65_536, 1_048_576, 3_000_001];
    const valueOf = (size: number) =>
      Uint8Array.from({ length: size }, (_, index) => (index * 7 + size) & 255);
    sizes.forEach((size, index) => engine.apply({ ...put(`k${size}`, index + 1), value: valueOf(size) }));
    for (const size of sizes) {
      const value = engine.read(bytes(`k${size}`), NEWEST)?.value ?? bytes('none');
      expect(Buffer.compare(value, valueOf(size))).toBe(0);
    }
    verifyIntegrity(engine);
    sizes.forEach((size, index) => engine.apply(deletion(`k${size}`, 100 + index)));
    engine.compact(1000);
    drain(engine);
    verifyIntegrity(engine);
    expectStats(engine, form, { keyCount: 0, versionCount: 0, dataBytes: 0 });
  });

  it('keeps keys of any bytes, in the order of their bytes', () => {
    const keys = [
      '\x00',
      '\x00\x00',
      '\x00\xff',
      'a',
      'a\x00',
      'ab',
      'b',
      '\x7f',
      '\x80',
      '\xff',
      '\xff\xff',
    ];
    keys.push('\xff'.repeat(KEY_BYTES_MAX - 1), '\xff'.repeat(KEY_BYTES_MAX));
    const engine = create();
    keys.toReversed().forEach((key, index) => engine.apply(put(key, index + 1, key.slice(0, 3))));
    expect(scanKeys(engine, {}).map(([key]) => key)).toEqual(keys);
    expect(scanKeys(engine, { reverse: true }).map(([key]) => key)).toEqual(keys.toReversed());
    for (const key of keys) expect(textOf(engine.read(bytes(key), NEWEST))).toBe(key.slice(0, 3));
    verifyIntegrity(engine);
  });

  it('refuses keys that are empty or too long, and revisions that do not ascend', () => {
    const engine = engineWith(put('k', 5));
    expect(() => engine.apply(put('', 6))).toThrow(/broken invariant/);
    expect(() => engine.apply(put('x'.repeat(KEY_BYTES_MAX + 1), 6))).toThrow(/broken invariant/);
    expect(() => engine.apply(put('k', 5))).toThrow(/broken invariant/);
    expect(() => engine.apply(put('other', 4))).toThrow(/broken invariant/);
    if (form.countsOwnVersions !== true) expect(engine.stats().versionCount).toBe(1);
    verifyIntegrity(engine);
  });

  it('refuses reads below the compaction', () => {
    const engine = engineWith(put('k', 5));
    engine.compact(5);
    engine.compact(3);
    expect(() => engine.read(bytes('k'), 4)).toThrow(/broken invariant/);
    expect(() => engine.scan(ALL_KEYS, 4, forward(), () => true)).toThrow(/broken invariant/);
    expect(() => engine.readPlaced(bytes('k'), 4, () => {})).toThrow(/broken invariant/);
    expect(() => engine.readAll([bytes('k')], 1, 4, () => true)).toThrow(/broken invariant/);
    expect(() => engine.openWalk(4, 5)).toThrow(/broken invariant/);
  });

  it('shows where versions lie, and that a key is not there', () => {
    const engine = engineWith(put('a', 1, 'one'), put('b', 2, 'two'), put('a', 3, 'three'), deletion('b', 4));
    const read = (revision: number, ...keys: string[]) => {
      const found: (string | undefined)[] = [];
      for (const key of keys) {
        engine.readPlaced(bytes(key), revision, (version) => {
          expect(version === undefined || asText(version.key) === key).toBe(true);
          found.push(textOf(version));
        });
      }
      return found;
    };
    expect(read(2, 'a', 'b', 'c', 'a')).toEqual(['one', 'two', undefined, 'one']);
    expect(read(4, 'b', 'a')).toEqual([undefined, 'three']);
    const many = Array.from({ length: 300 }, (_, index) => (index % 3 === 0 ? 'a' : `none ${index}`));
    expect(read(NEWEST, ...many)).toEqual(many.map((key) => (key === 'a' ? 'three' : undefined)));
  });

  it('shows the versions of a row of keys until the visitor has enough', () => {
    const engine = engineWith(put('a', 1, 'one'), put('b', 2, 'two'), put('a', 3, 'three'), deletion('b', 4));
    const read = (revision: number, count: number, enough: number, ...keys: string[]) => {
      const found: (string | undefined)[] = [];
      engine.readAll(keys.map(bytes), count, revision, (version) => {
        expect(version === undefined || asText(version.key) === keys[found.length]).toBe(true);
        // What a visitor fetches changes nothing for those behind.
        if (found.length % 50 === 0) engine.fetch([bytes('none'), bytes('b'), bytes('none')], 0, 3);
        return found.push(textOf(version)) < enough;
      });
      return found;
    };
    expect(read(2, 4, 9, 'a', 'b', 'c', 'a')).toEqual(['one', 'two', undefined, 'one']);
    expect(read(4, 1, 9, 'b', 'a')).toEqual([undefined]);
    expect(read(4, 0, 9, 'b', 'a')).toEqual([]);
    expect(read(4, 3, 2, 'b', 'a', 'a')).toEqual([undefined, 'three']);
    const many = Array.from({ length: 300 }, (_, index) => (index % 3 === 0 ? 'a' : `none ${index}`));
    const texts = many.map((key) => (key === 'a' ? 'three' : undefined));
    expect(read(NEWEST, 300, 999, ...many)).toEqual(texts);
    expect(read(NEWEST, 300, 100, ...many)).toEqual(texts.slice(0, 100));
  });

  it('lets a visitor read and scan', () => {
    const engine = engineWith(put('a', 1, '1'), put('b', 2, '2'), put('c', 3, '3'));
    const seen: string[] = [];
    engine.scan(ALL_KEYS, NEWEST, forward(), (outer) => {
      const key = asText(outer.key);
      engine.scan(ALL_KEYS, NEWEST, { reverse: true, budget: new WorkBudget(NEWEST) }, (inner) => {
        seen.push(`${key}${asText(inner.key)}`);
        return true;
      });
      engine.readPlaced(bytes('c'), NEWEST, (version) => {
        engine.readPlaced(bytes('a'), NEWEST, (other) => {
          seen.push(textOf(version) ?? '', textOf(other) ?? '');
        });
      });
      seen.push(asText(outer.key), asText(outer.value));
      return true;
    });
    expect(seen.join(' ')).toBe('ac ab aa 3 1 a 1 bc bb ba 3 1 b 2 cc cb ca 3 1 c 3');
  });

  it('fetches keys, those that repeat and those that are not there among them, and answers as before', () => {
    const engine = create();
    const keys = Array.from({ length: 300 }, (_, index) => bytes(`key ${index % 250}`));
    engine.fetch(keys, 0, 300);
    for (const [index, key] of keys.slice(0, 200).entries())
      engine.apply(put(asText(key), index + 1, `${index}`));
    engine.apply(deletion('key 7', 201));
    const read = () => keys.map((key) => [engine.read(key, 200), engine.read(key, NEWEST)].map(textOf));
    const before = read();
    for (const [start, end] of [
      [0, 300],
      [190, 260],
      [7, 8],
      [300, 300],
    ] as const)
      engine.fetch(keys, start, end);
    expect(read()).toEqual(before);
    expect(before[7]).toEqual(['7', undefined]);
    verifyIntegrity(engine);
  });
}
