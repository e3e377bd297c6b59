/** One suite for every implementation of the `Engine` contract. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { KEY_BYTES_MAX } from '../../src/engine/engine.ts';
import type { Change, PlacedChange, Version } from '../../src/engine/version.ts';
import { PutRow } from '../../src/engine/put-row.ts';
import { bytes, deletion, put } from './changes.ts';
import { NaiveModel, versionOf, type Walked } from './naive-model.ts';
import { randomFrom } from './random.ts';
import { wholeWalk } from './whole-walk.ts';
import { WorkBudget } from '../../src/work-budget.ts';
import { verifyIntegrity } from './integrity.ts';

const NEWEST = Number.MAX_SAFE_INTEGER;
const ALL_KEYS = { start: bytes(''), end: undefined };

export function testEngineContract(name: string, create: () => Engine): void {
  describe(`${name} keeps the engine contract`, () => {
    it('reads the newest version at a revision', () => {
      const engine = engineWith(
        put('k', 2, 'two'),
        put('k', 5, 'five'),
        deletion('k', 7),
        put('k', 9, 'nine'),
      );
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
      expect(plainWalk(wholeWalk(engine, 0, NEWEST, 10))).toEqual(plainWalk({ newest: [change], older: [] }));
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
      const sizes = [
        0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 255, 256, 4095, 65_535, 65_536, 1_048_576, 3_000_001,
      ];
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
      expect(engine.stats()).toEqual({ keyCount: 0, versionCount: 0, dataBytes: 0 });
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
      expect(engine.stats().versionCount).toBe(1);
      verifyIntegrity(engine);
    });

    it('refuses reads below the compaction', () => {
      const engine = engineWith(put('k', 5));
      engine.compact(5);
      engine.compact(3);
      expect(() => engine.read(bytes('k'), 4)).toThrow(/broken invariant/);
      expect(() => engine.scan(ALL_KEYS, 4, forward(), () => true)).toThrow(/broken invariant/);
      expect(() => engine.readPlaced(bytes('k'), 4, () => {})).toThrow(/broken invariant/);
      expect(() => engine.openWalk(4, 5)).toThrow(/broken invariant/);
    });

    it('scans a range in both directions, its end excluded', () => {
      const engine = engineWith(
        ...['a', 'b', 'c', 'd'].map((key, index) => put(key, index + 1)),
        deletion('c', 5),
      );
      const keys = (start: string, end: string | undefined, revision: number, reverse: boolean) =>
        scanKeys(engine, { start, end, revision, reverse }).map(([key]) => key);
      expect(keys('', undefined, 5, false)).toEqual(['a', 'b', 'd']);
      expect(keys('', undefined, 4, true)).toEqual(['d', 'c', 'b', 'a']);
      expect(keys('b', 'd', 4, false)).toEqual(['b', 'c']);
      expect(keys('b', 'd', 4, true)).toEqual(['c', 'b']);
      expect(keys('aa', 'bb', 4, false)).toEqual(['b']);
      expect(keys('aa', 'bb', 4, true)).toEqual(['b']);
      expect(keys('d', 'b', 4, false)).toEqual([]);
      expect(keys('d', 'b', 4, true)).toEqual([]);
      expect(keys('', undefined, 1, false)).toEqual(['a']);
    });

    it('says where a scan goes on after its visits are used up or the visitor stops', () => {
      const engine = engineWith(put('a', 1), put('b', 2), put('c', 3), deletion('b', 4));
      const scan = (visitsMax: number, start: string, stopAt?: string) => {
        const seen: string[] = [];
        const next = engine.scan(
          { start: bytes(start), end: bytes('d') },
          4,
          forward(visitsMax),
          ({ key }) => {
            seen.push(asText(key));
            return asText(key) !== stopAt;
          },
        );
        return [seen.join(''), next && asText(next)];
      };
      // The deleted key between costs nothing.
      expect(scan(1, '')).toEqual(['a', 'c']);
      expect(scan(2, '')).toEqual(['ac', undefined]);
      expect(scan(1, 'b')).toEqual(['c', undefined]);
      expect(scan(9, '', 'c')).toEqual(['ac', undefined]);
      expect(scan(9, 'c')).toEqual(['c', undefined]);
      expect(scan(9, '', 'a')).toEqual(['a', 'c']);
      expect(scan(0, '')).toEqual(['', 'a']);
    });

    it('says where a scan backwards goes on', () => {
      const engine = engineWith(put('a', 1), put('b', 2), put('c', 3));
      const nextOf = (start: string) => {
        const options = { reverse: true, budget: new WorkBudget(1) };
        return engine.scan({ start: bytes(start), end: undefined }, 3, options, () => true);
      };
      expect(asText(nextOf(''))).toBe('b');
      expect(asText(nextOf('b'))).toBe('b');
      expect(nextOf('c')).toBeUndefined();
    });

    it('pays a visit for each key that it looks at, and leaves the rest of the budget to the next scan', () => {
      const engine = engineWith(put('a', 1), put('b', 2), put('c', 3), deletion('b', 4), put('d', 5));
      const budget = new WorkBudget(10);
      const read = (revision: number) => {
        const seen: string[] = [];
        engine.scan(ALL_KEYS, revision, { reverse: false, budget }, ({ key }) => seen.push(asText(key)) > 0);
        return [seen.join(''), budget.visitsLeft];
      };
      expect(read(5)).toEqual(['acd', 7]);
      // At an older revision a key is looked at that was not there yet, and what was deleted since.
      expect(read(3)).toEqual(['abc', 3]);
      expect(read(5)).toEqual(['acd', 0]);
      expect(read(5)).toEqual(['', 0]);
    });

    it('shows where versions lie, and that a key is not there', () => {
      const engine = engineWith(
        put('a', 1, 'one'),
        put('b', 2, 'two'),
        put('a', 3, 'three'),
        deletion('b', 4),
      );
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
      const keys = [
        'there',
        'new',
        'often',
        'of a kind',
        'long',
        'there no more',
        'touched',
        'k'.repeat(200),
      ];
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

    it.each([{ leaseId: 7 }, { expireTimeMs: 5000 }])('ends a row before a key with %j', (fields) => {
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
      expect(engine.stats()).toMatchObject({ keyCount: 2, versionCount: 2 });
    });

    it.each(['short', 'a key that is longer than most others are'])(
      'reads the key that was read last where it lies after any change (%s)',
      (key) => {
        const engine = create();
        let revision = 0;
        const read = (wanted = NEWEST) => textOf(engine.read(bytes(key), wanted));
        const write = (value: string) => engine.apply(put(key, ++revision, value));
        const others = (value: string) => {
          for (let number = 0; number < 2000; number++)
            engine.apply(put(`other ${number}`, ++revision, value));
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

    it('counts, ranks and selects what exists in the newest state', () => {
      const engine = engineWith(put('a', 1), put('b', 2), put('c', 3), put('d', 4), deletion('b', 5));
      const range = (start: string, end?: string) => ({
        start: bytes(start),
        end: end === undefined ? undefined : bytes(end),
      });
      expect(
        [range(''), range('b'), range('b', 'd'), range('x'), range('d', 'b')].map((each) =>
          engine.count(each),
        ),
      ).toEqual([3, 2, 1, 0, 0]);
      expect(['', 'a', 'b', 'c', 'cc', 'd', 'z'].map((key) => engine.rank(range(''), bytes(key)))).toEqual([
        0, 0, 1, 1, 2, 2, 3,
      ]);
      expect(['a', 'c', 'cc', 'z'].map((key) => engine.rank(range('b', 'd'), bytes(key)))).toEqual([
        0, 0, 1, 1,
      ]);
      expect([0, 1, 2, 3].map((index) => asText(engine.select(range(''), index)))).toEqual([
        'a',
        'c',
        'd',
        '',
      ]);
      expect([0, 1].map((index) => asText(engine.select(range('b', 'd'), index)))).toEqual(['c', '']);
      engine.apply(put('b', 6));
      expect(asText(engine.select(range(''), 1))).toBe('b');
    });

    it('forgets keys without a trace, some at a time', () => {
      const engine = engineWith(
        ...['a', 'b', 'c', 'd'].map((key, index) => put(key, index + 1, 'v', { expireTimeMs: 9 })),
        put('b', 5, 'again'),
        deletion('c', 6),
      );
      const range = { start: bytes('b'), end: bytes('d') };
      expect(engine.forget(range, 1)).toBe(1);
      expect(engine.read(bytes('b'), NEWEST)).toBeUndefined();
      expect(engine.forget(range, 5)).toBe(1);
      expect(engine.forget(range, 5)).toBe(0);
      verifyIntegrity(engine);
      expect(scanKeys(engine, {}).map(([key]) => key)).toEqual(['a', 'd']);
      expect(engine.stats().keyCount).toBe(2);
      expect(engine.due(NEWEST, 9).map(asText)).toEqual(['a', 'd']);
      // A key of the same name begins anew.
      engine.apply(put('b', 7, 'new'));
      expect(textOf(engine.read(bytes('b'), 7))).toBe('new');
      expect(engine.read(bytes('b'), 6)).toBeUndefined();
      engine.compact(7);
      drain(engine);
      verifyIntegrity(engine);
      expect(engine.stats()).toEqual({ keyCount: 3, versionCount: 3, dataBytes: 8 });
    });

    it('walks over no version of a key that was forgotten, though it came anew', () => {
      const engine = engineWith(put('a', 1), put('a', 2), put('b', 3), put('b', 4), deletion('c', 5));
      engine.forget({ start: bytes(''), end: undefined }, 9);
      engine.apply(put('b', 6));
      engine.apply(put('b', 7));
      engine.apply(put('c', 8));
      const seen: string[] = [];
      const walk = engine.openWalk(0, 9);
      const visit = ({ key, revision, replacedBy }: PlacedChange): void => {
        seen.push(`${asText(key)}${revision}>${replacedBy}`);
      };
      while (walk.next(1, visit));
      walk.close();
      expect(seen.sort()).toEqual(['b6>7', 'b7>0', 'c8>0']);
    });

    it('gives the keys that are due in the order of deadline, then of key', () => {
      const engine = engineWith(
        put('b', 1, '', { expireTimeMs: 10 }),
        put('a', 2, '', { expireTimeMs: 10 }),
        put('z', 3, '', { expireTimeMs: 5 }),
        put('m', 4, '', { expireTimeMs: 20 }),
        put('never', 5),
      );
      const due = (nowMs: number, limit: number) => engine.due(nowMs, limit).map(asText).join('');
      expect(engine.nextDeadlineMs()).toBe(5);
      expect([due(4, 9), due(5, 9), due(10, 9), due(19, 9), due(20, 9)]).toEqual([
        '',
        'z',
        'zab',
        'zab',
        'zabm',
      ]);
      expect([due(20, 0), due(20, 2)]).toEqual(['', 'za']);
      engine.apply(deletion('z', 6));
      engine.apply(put('a', 7, '', { expireTimeMs: 30 }));
      engine.apply(put('b', 8));
      expect(due(100, 9)).toBe('ma');
      engine.apply(put('b', 9, '', { expireTimeMs: 10 }));
      expect(due(100, 9)).toBe('bma');
      expect(engine.nextDeadlineMs()).toBe(10);
      for (const key of ['a', 'b', 'm']) engine.apply(deletion(key, 10));
      expect(engine.nextDeadlineMs()).toBeUndefined();
      verifyIntegrity(engine);
    });

    it('hands out many keys of one deadline in key order, some at a time', () => {
      const engine = create();
      const count = 3000;
      const keys = Array.from({ length: count }, (_, index) => `k${(index * 1009) % count}`.padEnd(6, '.'));
      keys.forEach((key, index) => engine.apply(put(key, index + 1, '', { expireTimeMs: 1000 })));
      const removed: string[] = [];
      for (let revision = count + 1; engine.nextDeadlineMs() !== undefined; revision++) {
        for (const key of engine.due(1000, 100)) {
          removed.push(asText(key));
          engine.apply(deletion(asText(key), revision));
        }
      }
      expect(removed).toEqual(keys.toSorted());
      verifyIntegrity(engine);
    });

    it('walks every version that a window of revisions needs', () => {
      const engine = engineWith(
        put('a', 1, '1'),
        put('a', 3, '3'),
        put('a', 6, '6'),
        put('b', 2, '2'),
        deletion('b', 4),
        put('c', 2, '2'),
        deletion('c', 5),
        put('d', 7, '7'),
      );
      const walk = (oldest: number, newest: number) => {
        const texts = [1, 2, 99].map((visitsMax) => {
          const { newest: last, older } = wholeWalk(engine, oldest, newest, visitsMax);
          const label = (change: Change) =>
            `${asText(change.key)}${change.revision}${change.deleted ? '-' : asText(change.value)}`;
          return [
            ...last.map(label),
            ...older.map(({ change, replacedBy }) => `${label(change)}>${replacedBy}`),
          ].join(' ');
        });
        expect(new Set(texts).size).toBe(1);
        return texts[0];
      };
      expect(walk(0, 9)).toBe('a66 b4- c5- d77 a11>3 b22>4 c22>5 a33>6');
      expect(walk(4, 6)).toBe('a66 c5- c22>5 a33>6');
      expect(walk(5, 5)).toBe('a33');
      expect(walk(9, 9)).toBe('a66 d77');
    });

    it('stops a walk behind the version whose visitor has had enough, and goes on there', () => {
      const engine = engineWith(put('a', 1), put('a', 2), put('b', 3), put('c', 4));
      const walked: number[] = [];
      const walk = engine.openWalk(0, 9);
      for (let isMore = true; isMore;) {
        const before = walked.length;
        isMore = walk.next(99, ({ revision }) => walked.push(revision) < 0);
        expect(walked.length - before).toBeLessThanOrEqual(1);
      }
      walk.close();
      expect(walked.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    });

    it('walks over the state of its revision while keys are written, moved and dropped', () => {
      fc.assert(
        fc.property(fc.integer(), fc.integer({ min: 1, max: 50 }), (seed, visitsMax) => {
          const random = randomFrom(seed);
          const engine = create();
          const model = new NaiveModel();
          const write = (revision: number): void => {
            const key = `k${random(60)}`;
            const change =
              random(4) === 0 ? deletion(key, revision) : put(key, revision, 'v'.repeat(random(30) ** 2 * 8));
            model.changes.push(change);
            engine.apply(change);
          };
          let revision = 0;
          while (revision < 300) write(++revision);
          engine.compact(200);
          const expected = plainWalk(model.walked(200, 300));
          const walked = wholeWalk(engine, 200, 300, visitsMax, () => {
            for (let count = random(20); count > 0; count--) write(++revision);
            engine.maintain(random(2) === 0);
          });
          expect(plainWalk(walked)).toEqual(expected);
          verifyIntegrity(engine);
        }),
        { numRuns: 60 },
      );
    });

    it('walks over each key once, whatever the lengths and bytes of keys that move away meanwhile', () => {
      const engine = create();
      const zeros = Array.from({ length: 100 }, (_, index) => '\0'.repeat(index + 1));
      const others = Array.from({ length: 4000 }, (_, index) => `${index}${'x'.repeat(index % 41)}`);
      const keys = [...zeros, ...others];
      for (const key of keys) engine.apply(put(key, 1));
      let hasMoved = false;
      const walked = wholeWalk(engine, 1, 1, 1, () => {
        if (hasMoved) return;
        hasMoved = true;
        for (const key of keys.toReversed()) engine.apply(put(key, 2, 'longer than there is room for'));
      });
      const shown = walked.newest.map(({ key }) => Buffer.from(key).toString('latin1'));
      expect(shown.sort()).toEqual(keys.sort());
    });

    it('drops what no reader can see after a compaction, and nothing else', () => {
      const engine = engineWith(
        put('a', 1, 'x'),
        put('a', 2, 'y'),
        put('a', 3, 'z'),
        put('b', 1),
        deletion('b', 2),
      );
      engine.compact(1);
      drain(engine);
      expect(engine.stats()).toEqual({ keyCount: 1, versionCount: 5, dataBytes: 8 });
      engine.compact(2);
      expect(textOf(engine.read(bytes('a'), 2))).toBe('y');
      drain(engine);
      expect(engine.stats()).toEqual({ keyCount: 1, versionCount: 2, dataBytes: 4 });
      expect(textOf(engine.read(bytes('a'), 2))).toBe('y');
      engine.apply(put('b', 4, 'again'));
      expect(textOf(engine.read(bytes('b'), 4))).toBe('again');
      expect(engine.read(bytes('b'), 3)).toBeUndefined();
      verifyIntegrity(engine);
    });

    it.each([0, 1, 100, 4095, 4096, 100_000])(
      'hands out values of %i bytes that belong to the caller',
      (count) => {
        const engine = engineWith(
          put('a', 1, 'v'.repeat(count)),
          put('a', 2, 'w'.repeat(count), { version: 2 }),
        );
        const all = { start: bytes(''), end: undefined };
        for (const [revision, letter] of [
          [1, 'v'],
          [2, 'w'],
        ] as const) {
          engine.read(bytes('a'), revision)!.value.fill(0);
          engine.scan(
            all,
            revision,
            { reverse: false, budget: new WorkBudget(9) },
            (version) => version.copyValue().fill(0).length >= 0,
          );
          expect(textOf(engine.read(bytes('a'), revision))).toBe(letter.repeat(count));
        }
      },
    );

    it('answers like the list of all changes, whatever is done in whatever order', () => {
      fc.assert(
        fc.property(fc.array(stepArbitrary, { maxLength: 60 }), (steps) => {
          const engine = create();
          const model = new NaiveModel();
          for (const step of steps) runStep(engine, model, step);
          verifyIntegrity(engine);
          drain(engine);
          verifyIntegrity(engine);
          expect(engine.stats()).toEqual(model.stats());
        }),
        { numRuns: 400 },
      );
    });

    it('answers like a plain map with thousands of keys that come and go', () => {
      fc.assert(
        fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), (seed, keyLength) => {
          runManyKeys(create(), seed, keyLength);
        }),
        { numRuns: 6 },
      );
    }, 120_000);
  });

  /** Applies changes in the order of their revisions. */
  function engineWith(...changes: Change[]): Engine {
    const engine = create();
    for (const change of changes.toSorted((a, b) => a.revision - b.revision)) engine.apply(change);
    return engine;
  }
}

export function drain(engine: Engine): void {
  while (engine.maintain());
}

type Step =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly deadlineMs: number }
  | { readonly kind: 'delete' | 'read'; readonly key: string }
  | { readonly kind: 'compact'; readonly back: number }
  | { readonly kind: 'maintain' }
  | { readonly kind: 'row'; readonly puts: readonly { readonly key: string; readonly value: string }[] }
  | {
      readonly kind: 'scan';
      readonly start: string;
      readonly end: string | undefined;
      readonly reverse: boolean;
    }
  | { readonly kind: 'walk'; readonly back: number }
  | { readonly kind: 'due'; readonly nowMs: number; readonly limit: number };

const keyArbitrary = fc
  .array(fc.constantFrom(0, 1, 97, 98, 255), { minLength: 1, maxLength: 3 })
  .map((codes) => String.fromCharCode(...codes));
const boundArbitrary = fc.oneof(keyArbitrary, fc.constant(''));

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key: keyArbitrary,
      value: fc.string({ maxLength: 40 }),
      deadlineMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('delete', 'read'), key: keyArbitrary }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), back: fc.nat(10) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('maintain' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('row' as const),
      puts: fc.array(fc.record({ key: keyArbitrary, value: fc.string({ maxLength: 40 }) }), { maxLength: 8 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('scan' as const),
      start: boundArbitrary,
      end: fc.option(boundArbitrary, { nil: undefined }),
      reverse: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('walk' as const), back: fc.nat(10) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('due' as const), nowMs: fc.nat(6), limit: fc.nat(5) }),
  },
);

/** Does one step to engine and model; what is read is compared at the newest revision and at one further back. */
function runStep(engine: Engine, model: NaiveModel, step: Step): void {
  const revision = model.newestRevision + 1;
  const apply = (change: Change): void => {
    // Whether the deletion of a key that comes back is dropped before, or counted as a version until it is, is open.
    if (model.dropDeleted(change.key)) drain(engine);
    model.changes.push(change);
    engine.apply(change);
  };
  const backTo = (back: number) => Math.max(model.compactRevision, revision - 1 - back);
  switch (step.kind) {
    case 'put':
      apply(
        put(step.key, revision, step.value, { expireTimeMs: step.deadlineMs, ttlMs: step.deadlineMs * 2 }),
      );
      break;
    case 'delete':
      apply(deletion(step.key, revision));
      break;
    case 'compact':
      model.compactRevision = backTo(step.back);
      engine.compact(model.compactRevision);
      break;
    case 'maintain':
      engine.maintain();
      break;
    case 'row':
      putRow(engine, model, step.puts, revision);
      break;
    case 'read':
      for (const at of [revision, backTo(4)]) {
        expect(plain(engine.read(bytes(step.key), at))).toEqual(plain(model.read(bytes(step.key), at)));
      }
      break;
    case 'scan':
      for (const at of [revision, backTo(4)]) compareScans(engine, model, step, at);
      break;
    case 'walk':
      compareWalks(engine, model, backTo(step.back), revision);
      compareWalks(engine, model, backTo(step.back), backTo(Math.floor(step.back / 2)));
      break;
    case 'due':
      expect(engine.due(step.nowMs, step.limit).map(asText)).toEqual(
        model.due(step.nowMs).slice(0, step.limit).map(asText),
      );
      expect(engine.nextDeadlineMs()).toBe(model.nextDeadlineMs());
      expect(engine.stats().keyCount).toBe(model.stats().keyCount);
      break;
  }
}

function putRow(
  engine: Engine,
  model: NaiveModel,
  puts: readonly { readonly key: string; readonly value: string }[],
  firstRevision: number,
): void {
  const row = new PutRow();
  row.firstRevision = firstRevision;
  let count = 0;
  let isOver = false;
  for (const { key, value } of puts) {
    row.add(bytes(key), bytes(value));
    const before = model.read(bytes(key), NEWEST);
    isOver ||= before !== undefined && before.expireTimeMs !== 0;
    if (isOver) continue;
    if (model.dropDeleted(bytes(key))) drain(engine);
    const revision = firstRevision + count++;
    const createRevision = before?.createRevision ?? revision;
    model.changes.push(put(key, revision, value, { createRevision, version: (before?.version ?? 0) + 1 }));
  }
  expect(engine.putAll(row)).toBe(count);
}

function compareScans(
  engine: Engine,
  model: NaiveModel,
  step: Step & { kind: 'scan' },
  revision: number,
): void {
  const end = step.end === undefined ? undefined : bytes(step.end);
  const entries = model.entries(bytes(step.start), end, revision);
  const expected = entries.map(([key, version]) => [asText(key), plain(version)]);
  if (step.reverse) expected.reverse();
  const { start, reverse } = step;
  for (const visitsMax of [1, 3, 1000]) {
    expect(scanKeys(engine, { start, end: step.end, reverse, revision, visitsMax })).toEqual(expected);
  }
  const existing = model.entries(bytes(step.start), end, NEWEST).map(([key]) => asText(key));
  const range = { start: bytes(start), end };
  expect(engine.count(range)).toBe(existing.length);
  expect(existing.map((_, index) => asText(engine.select(range, index)))).toEqual(existing);
  expect(engine.select(range, existing.length)).toBeUndefined();
  for (const key of ['', 'a', 'b\xff', '\xff\xff\xff']) {
    expect(engine.rank(range, bytes(key))).toBe(existing.filter((each) => each < key).length);
  }
}

function compareWalks(engine: Engine, model: NaiveModel, oldest: number, newest: number): void {
  const expected = plainWalk(model.walked(oldest, newest));
  for (const visitsMax of [1, 4, 1000]) {
    expect(plainWalk(wholeWalk(engine, oldest, newest, visitsMax))).toEqual(expected);
  }
}

/** Thousands of keys, so that every structure grows, splits, shrinks and merges; compared with a plain map. */
function runManyKeys(engine: Engine, seed: number, keyLength: number): void {
  const random = randomFrom(seed);
  const valueByKey = new Map<string, string>();
  const keys = Array.from({ length: 4000 }, (_, index) => `${index * 7919}`.padStart(keyLength, '0'));
  let revision = 0;
  // Grow, stay, shrink: the share of deletions among the changes.
  for (const deleteShare of [0, 0.3, 0.9]) {
    for (let index = 0; index < 6000; index++) {
      const key = keys[random(keys.length)] ?? '';
      revision++;
      if (random(100) < deleteShare * 100) {
        if (!valueByKey.delete(key)) continue;
        engine.apply(deletion(key, revision));
      } else {
        const value = 'v'.repeat(random(4) === 0 ? random(2000) : random(50));
        valueByKey.set(key, value);
        engine.apply(put(key, revision, value, { expireTimeMs: random(3) * random(1000) }));
      }
      if (index % 50 === 0) engine.compact(revision - 20);
      if (index % 10 === 0) engine.maintain();
    }
    verifyIntegrity(engine);
    const expected = [...valueByKey].sort(([a], [b]) => (a < b ? -1 : 1));
    const visitsMax = 1 + random(500);
    for (const reverse of [false, true]) {
      const scanned = scanKeys(engine, { revision, visitsMax, reverse });
      expect(scanned.map(([key, version]) => [key, version?.value])).toEqual(
        reverse ? expected.toReversed() : expected,
      );
    }
    for (const key of keys) expect(textOf(engine.read(bytes(key), revision))).toBe(valueByKey.get(key));
    const deadlines = engine.due(NEWEST, NEWEST).map((key) => engine.read(key, revision)?.expireTimeMs ?? 0);
    expect(deadlines).toEqual(deadlines.toSorted((a, b) => a - b));
  }
  for (const key of valueByKey.keys()) engine.apply(deletion(key, ++revision));
  engine.compact(revision);
  drain(engine);
  verifyIntegrity(engine);
  expect(engine.stats()).toEqual({ keyCount: 0, versionCount: 0, dataBytes: 0 });
}

interface ScanRequest {
  readonly start?: string;
  readonly end?: string | undefined;
  readonly revision?: number;
  readonly reverse?: boolean;
  readonly visitsMax?: number;
}

/** All pages of a scan: the keys and their versions. */
function scanKeys(engine: Engine, request: ScanRequest): [string, ReturnType<typeof plain>][] {
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

function forward(visitsMax = NEWEST) {
  return { reverse: false, budget: new WorkBudget(visitsMax) };
}

function asText(key: Uint8Array | undefined): string {
  return Buffer.from(key ?? []).toString('latin1');
}

function textOf(version: Version | undefined): string | undefined {
  return version && asText(version.value);
}

/** A version with its value as text and its fields in one order, whatever else its object carries. */
function plain(version: Version | undefined) {
  if (version === undefined) return undefined;
  const { revision, value, kind, createRevision, modRevision, leaseId, ttlMs, expireTimeMs } = version;
  return {
    revision,
    value: asText(value),
    kind,
    createRevision,
    modRevision,
    version: version.version,
    leaseId,
    ttlMs,
    expireTimeMs,
  };
}

function plainChange(change: Change) {
  const { deleted, revision } = change;
  const key = asText(change.key);
  return deleted ? { key, deleted, revision } : { key, deleted, ...plain(change) };
}

function plainWalk({ newest, older }: Walked) {
  return {
    newest: newest.map(plainChange),
    older: older.map(({ change, replacedBy }) => [replacedBy, plainChange(change)]),
  };
}
