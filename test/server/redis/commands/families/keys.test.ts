/** Commands about keys of any type, by themselves. */
import { describe, expect, it } from 'vitest';
import { fixed, serverFixed } from '../../../../../src/limits.ts';
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { ErrorReply, SimpleReply } from '../../support/decoded-reply.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import { toBytes, type Word } from '../../support/words.ts';
import { asArray, oddKeys as keys, textOf, textsOf } from './key-words.ts';

const rows = [...stringCommands, ...keysCommands];

function scanAll(redis: RedisHarness, ...options: Word[]): { keys: string[]; calls: number } {
  const found: string[] = [];
  let cursor = '0';
  let calls = 0;
  do {
    const [next, page] = asArray(redis.run('SCAN', cursor, ...options));
    cursor = textOf(next);
    found.push(...textsOf(page));
    calls++;
  } while (cursor !== '0');
  return { keys: found, calls };
}

const latin1 = (word: Word): string => Buffer.from(toBytes(word)).toString('latin1');

describe('SCAN', () => {
  it('returns each key of its database once, in as many calls as it takes', async () => {
    const redis = await RedisHarness.open(rows);
    for (const key of keys) redis.run('SET', key, 'v');
    redis.use({ database: 3 });
    redis.run('SET', 'elsewhere', 'v');
    for (const key of keys) redis.run('SET', key, 'v');
    redis.run('DEL', 'elsewhere');
    for (const database of [0, 3]) {
      redis.use({ database });
      const { keys: found, calls } = scanAll(redis, 'COUNT', 3);
      expect(found.toSorted()).toEqual(keys.map(latin1).toSorted());
      expect(calls).toBe(Math.ceil(keys.length / 3));
    }
    expect(scanAll(redis, 'COUNT', 1, 'MATCH', 'user:*').keys).toEqual(['user:1', 'user:11', 'user:2']);
    expect(scanAll(redis, 'COUNT', 1, 'MATCH', 'user:*').calls).toBeLessThan(6);
    expect(scanAll(redis, 'COUNT', 2, 'TYPE', 'STRING').keys).toHaveLength(keys.length);
    expect(scanAll(redis, 'COUNT', 2, 'TYPE', 'hash').keys).toEqual([]);
  });

  it('goes on with what is there when keys come and go, and begins anew with a cursor that is not known', async () => {
    const redis = await RedisHarness.open(rows);
    for (const key of ['a', 'b', 'c', 'd']) redis.run('SET', key, 'v');
    const [cursor] = asArray(redis.run('SCAN', 0, 'COUNT', 2));
    redis.run('DEL', 'c');
    redis.run('SET', 'cc', 'v');
    expect(redis.run('SCAN', textOf(cursor), 'COUNT', 9)).toEqual(['0', ['cc', 'd']]);
    for (const unknown of ['12', '-1', '18446744073709551615'])
      expect(redis.run('SCAN', unknown)).toEqual(['0', ['a', 'b', 'cc', 'd']]);
    expect(redis.run('SCAN', '18446744073709551616')).toEqual(new ErrorReply('ERR invalid cursor'));
    redis.use({ database: 1 });
    redis.run('SET', 'other', 'v');
    expect(redis.run('SCAN', textOf(cursor))).toEqual(['0', ['other']]);
  });

  it('leaves out what is past its deadline, as all others do', async () => {
    const redis = await RedisHarness.open(rows);
    for (const key of ['a', 'b', 'c']) redis.run('SET', key, 'v');
    redis.run('PEXPIRE', 'b', 10);
    redis.clock.jump(10);
    expect(redis.run('SCAN', 0)).toEqual(['0', ['a', 'c']]);
    expect(redis.run('KEYS', '*')).toEqual(['a', 'c']);
    expect(redis.run('DBSIZE')).toBe(2);
    expect(redis.run('TTL', 'b')).toBe(-2);
    expect(redis.run('EXISTS', 'a', 'b', 'c')).toBe(2);
    for (let round = 0; round < 20; round++) expect(['a', 'c']).toContain(redis.run('RANDOMKEY'));
  });
});

describe('KEYS', () => {
  it('replies in pieces when there are many', async () => {
    const redis = await RedisHarness.open(rows);
    const count = 2 * serverFixed.elementsPerSlice + 10;
    const name = (index: number): string => `key:${String(index).padStart(6, '0')}`;
    redis.store.decide((view) => {
      for (let index = 0; index < count; index++) view.put(Buffer.from(name(index)), Buffer.from('v'));
    });
    const all = Array.from({ length: count }, (_, index) => name(index));
    expect(redis.run('KEYS', '*')).toEqual(all);
    expect(redis.run('KEYS', '*7')).toEqual(all.filter((key) => key.endsWith('7')));
    expect(redis.run('KEYS', 'none*')).toEqual([]);
    expect(redis.run('KEYS', '*none')).toEqual([]);
    expect(redis.runTogether(['KEYS', '*'])).toEqual([all]);
  });
});

describe('FLUSHALL', () => {
  it('is one revision up to the keys of a part, and several beyond it, but one within EXEC', async () => {
    const redis = await RedisHarness.open(rows);
    const fill = (database: number, count: number): void => {
      redis.use({ database });
      for (let begun = 0; begun < count; begun += 50_000) {
        redis.store.decide((view) => {
          for (let index = begun; index < Math.min(count, begun + 50_000); index++) {
            const key = Buffer.from(`..${index}`);
            if (database !== 0) key.set([0xf9, database]);
            view.put(key, Buffer.from('v'));
          }
        });
      }
      expect(redis.run('DBSIZE')).toBe(count);
    };
    fill(0, 300);
    fill(4, 300);
    const before = redis.store.committedSequence;
    expect(redis.run('FLUSHALL')).toEqual(new SimpleReply('OK'));
    expect(redis.store.committedSequence).toBe(before + 1);
    expect(redis.run('DBSIZE')).toBe(0);
    fill(0, fixed.txnChangesMax + 5);
    fill(15, 5);
    expect(redis.runTogether(['FLUSHALL'])).toEqual([
      new ErrorReply("ERR 'flushall' has more to do than one transaction may; run it outside of MULTI"),
    ]);
    expect(redis.run('DBSIZE')).toBe(5);
    expect(redis.run('FLUSHDB')).toEqual(new SimpleReply('OK'));
    redis.use({ database: 0 });
    const filled = redis.store.committedSequence;
    expect(redis.run('FLUSHALL', 'ASYNC')).toEqual(new SimpleReply('OK'));
    expect(redis.run('DBSIZE')).toBe(0);
    const partCount = Math.ceil((fixed.txnChangesMax + 5) / fixed.deletePartKeysMax);
    expect(redis.store.committedSequence).toBe(filled + partCount);
    expect(Math.max(...redis.visitsByPiece)).toBeLessThan(2 * fixed.deletePartKeysMax);
    fill(0, 2 * fixed.deletePartKeysMax);
    const inOne = redis.store.committedSequence;
    expect(redis.runTogether(['FLUSHALL'])).toEqual([new SimpleReply('OK')]);
    expect(redis.store.committedSequence).toBe(inOne + 1);
  });
});

describe('OBJECT', () => {
  it('says that small integers are shared, and nothing of keys that are not there', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('SET', 'small', '9999');
    redis.run('SET', 'large', '10000');
    expect(redis.run('OBJECT', 'REFCOUNT', 'small')).toBe(2 ** 31 - 1);
    expect(redis.run('OBJECT', 'REFCOUNT', 'large')).toBe(1);
    expect(redis.run('OBJECT', 'IDLETIME', 'none')).toBe(null);
  });

  it('tells its subcommands with what they do', async () => {
    const redis = await RedisHarness.open(rows);
    const [opening, ...lines] = asArray(redis.run('OBJECT', 'HELP')).map(textOf);
    expect(opening).toBe('OBJECT has these subcommands:');
    const told = keysCommands.filter(({ name }) => name.startsWith('object|'));
    expect(lines).toEqual(
      told.flatMap(({ name, syntax, summary }) => [
        `${name.slice('object|'.length).toUpperCase()} ${syntax}`.trimEnd(),
        `    ${summary}.`,
      ]),
    );
  });
});

describe('keyspace events', () => {
  it('are those of Redis, in its order', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('SET', 'a', 'v');
    redis.events();
    redis.run('EXPIRE', 'a', 100);
    redis.run('PERSIST', 'a');
    redis.run('PERSIST', 'a');
    redis.run('RENAME', 'a', 'b');
    redis.run('RENAME', 'b', 'b');
    redis.run('COPY', 'b', 'c');
    redis.run('MOVE', 'c', 2);
    redis.run('EXPIRE', 'b', -1);
    redis.run('DEL', 'b', 'c');
    expect(redis.events()).toEqual([
      'g expire a',
      'g persist a',
      'n new b',
      'g rename_from a',
      'g rename_to b',
      'n new c',
      'g copy_to c',
      'n new \u00f9\u0002c',
      'g move_from c',
      'g move_to \u00f9\u0002c',
      'g del b',
    ]);
  });
});

describe('RENAME', () => {
  it('carries deadline and collection along', async () => {
    const redis = await RedisHarness.open(rows);
    const id = redis.store.decide((view) => {
      const collectionId = view.newCollectionId();
      view.put(Buffer.from('h'), Uint8Array.of(1, 1), { kind: 1, collectionId, ttlMs: 5000 });
      return collectionId;
    }).result;
    expect(redis.run('RENAME', 'h', 'i')).toEqual(new SimpleReply('OK'));
    expect(redis.run('MOVE', 'i', 7)).toBe(1);
    redis.use({ database: 7 });
    expect(redis.run('TYPE', 'i')).toEqual(new SimpleReply('hash'));
    expect(redis.run('PTTL', 'i')).toBe(5000);
    const moved = redis.store.decide((view) => view.read(Uint8Array.of(0xf9, 7, 0x69))).result;
    expect(moved?.collectionId).toBe(id);
  });
});
