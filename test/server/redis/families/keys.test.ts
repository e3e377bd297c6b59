/** Commands about keys of any type, next to Redis and by themselves. */
import { describe, expect, it } from 'vitest';
import { fixed, serverFixed } from '../../../../src/limits.ts';
import { hashCommands } from '../../../../src/server/redis/commands/families/hash.ts';
import { keysCommands } from '../../../../src/server/redis/commands/families/keys.ts';
import { setCommands } from '../../../../src/server/redis/commands/families/set.ts';
import { stringCommands } from '../../../../src/server/redis/commands/families/strings.ts';
import type { SeededRandom } from '../../../support/random.ts';
import { SimpleReply, type DecodedReply, ErrorReply } from '../support/decoded-reply.ts';
import { type DrawnCommand, differential } from '../support/differential.ts';
import { hasRealRedis, RealRedis } from '../support/real-redis.ts';
import { RedisHarness } from '../support/redis-harness.ts';
import { toBytes, type Word } from '../support/words.ts';

const rows = [...stringCommands, ...hashCommands, ...setCommands, ...keysCommands];

const keys: readonly Word[] = [
  'a',
  'b',
  'user:1',
  'user:2',
  'user:11',
  'x*y',
  Uint8Array.of(0xff, 0, 1),
  Uint8Array.of(0xf8),
  Uint8Array.of(0xf9, 1, 0x61),
  Buffer.from('line\r\nend'),
];
const values: readonly Word[] = ['5', '-17', '10000', '007', 'text', 'x'.repeat(44), 'x'.repeat(45), ''];
const databases: readonly Word[] = [0, 1, 2, 2, 3, 16, -1, 'x', '3000000000'];
const patterns: readonly Word[] = [
  '*',
  'user:*',
  'u*1',
  '?',
  '[ab]',
  '[^ab]*',
  'x\\*y',
  '',
  Uint8Array.of(0xff, 0x2a),
  '**',
  'b',
];

/** What the options are about: far away, past, out of range, or none at all. */
function amount(random: SeededRandom, isPointInTime: boolean, isInSeconds: boolean): Word {
  const base = isPointInTime ? 4_000_000_000 : 1_000_000;
  const near = random.pick([base, base + 100_000, base + 200_000_000]);
  return random.pick<Word>(
    [
      isInSeconds ? near : near * 1000,
      isInSeconds ? near : near * 1000,
      isInSeconds ? near : near * 1000,
      -1,
      0,
      1,
      isInSeconds ? '9223372036854775807' : '9223372036854775808',
      '-9223372036854775808',
      'x',
      '1.5',
    ].slice(0, isPointInTime ? 10 : 5),
  );
}

function draw(random: SeededRandom): DrawnCommand {
  const key = random.pick(keys);
  const other = random.pick(keys);
  const conditions = random.chance(0.5) ? [] : [random.pick(['NX', 'xx', 'GT', 'LT', 'GT', 'ZZ'])];
  if (random.chance(0.1)) conditions.push(random.pick(['XX', 'GT', 'lt']));
  const replaces = random.pick<Word[]>([[], ['REPLACE'], ['replace', 'FOO'], ['DB'], ['DB', 1, 'REPLACE']]);
  const isInSeconds = random.chance(0.5);
  const prefix = isInSeconds ? '' : 'p';
  const draws: (() => DrawnCommand)[] = [
    () => ({ words: ['SELECT', random.below(4)] }),
    () => ({ words: ['SET', key, random.pick(values)] }),
    () => ({ words: ['SET', key, random.pick(values)] }),
    () => ({ words: ['GET', key] }),
    () => ({ words: ['DEL', key, other] }),
    () => ({ words: ['UNLINK', key] }),
    () => ({ words: [random.pick(['EXISTS', 'TOUCH']), key, other, key] }),
    () => ({ words: ['TYPE', key] }),
    () => ({ words: [`${prefix}EXPIRE`, key, amount(random, false, isInSeconds), ...conditions] }),
    () => ({ words: [`${prefix}EXPIREAT`, key, amount(random, true, isInSeconds), ...conditions] }),
    () => ({ words: [`${prefix}ttl`, key], compare: 'near' }),
    () => ({ words: [`${prefix}expiretime`, key], compare: 'near' }),
    () => ({ words: ['PERSIST', key] }),
    () => ({ words: ['RENAME', key, other] }),
    () => ({ words: ['RENAMENX', key, other] }),
    () => ({ words: ['COPY', key, other, ...replaces] }),
    () => ({ words: ['COPY', key, other, 'DB', random.pick(databases)] }),
    () => ({ words: ['MOVE', key, random.pick(databases)] }),
    () => ({ words: ['KEYS', random.pick(patterns)], isUnordered: true }),
    () => ({ words: ['DBSIZE'] }),
    () => ({ words: ['RANDOMKEY'], compare: 'nothing' }),
    () => ({ words: ['OBJECT', random.pick(['ENCODING', 'freq', 'help', 'none']), key] }),
    () => ({ words: ['OBJECT', random.pick(['HELP', 'ENCODING'])] }),
    () => ({ words: ['SCAN', random.pick(['x', ' 1', '0x', '+', '--1', '18446744073709551616'])] }),
    () => ({ words: ['SCAN', random.pick(['', '0', '-0', '+00', '\0x'])], compare: 'nothing' }),
    () => ({
      words: ['SCAN', 0, ...random.pick<Word[]>([['COUNT', 0], ['COUNT', 'x'], ['MATCH'], ['FOO', 1]])],
    }),
    () => ({ words: [random.pick(['FLUSHDB', 'FLUSHALL']), random.pick(['x', 'y', 'ASYNC', 'z'])] }),
    () => ({
      words: [random.pick(keysCommands).name.split('|')[0] ?? ''].concat(
        random.pick([[], ['a'], ['a', 'b']]),
      ),
      compare: 'nothing',
    }),
  ];
  return random.pick(draws)();
}

/** Collections that only grow, or go as a whole: Redis remembers what they have been. */
function drawOfCollections(random: SeededRandom): DrawnCommand {
  const names = ['h', 'i', 's', 't'];
  const key = random.pick(names);
  const other = random.pick(names);
  const count = random.pick([1, 1, 3, 40, 200]);
  const several = (item: (index: number) => Word[]): Word[] =>
    Array.from({ length: count }, () => item(random.below(700))).flat();
  const draws: (() => DrawnCommand)[] = [
    () => ({ words: ['HSET', key, ...several((index) => [`field${index}`, `value${index}`])] }),
    () => ({ words: ['HSET', key, ...several((index) => [`f${index}`, 'x'.repeat(index % 65)])] }),
    () => ({ words: ['HSET', key, 'long', 'x'.repeat(65)] }),
    () => ({ words: ['SADD', key, ...several((index) => [index * 1000])] }),
    () => ({ words: ['SADD', key, ...several((index) => [index])] }),
    () => ({ words: ['SADD', key, 'word'] }),
    () => ({ words: ['SET', key, 'text'] }),
    () => ({ words: ['DEL', key] }),
    () => ({ words: ['TYPE', key] }),
    () => ({ words: ['OBJECT', 'ENCODING', key] }),
    () => ({ words: ['OBJECT', 'ENCODING', key] }),
    () => ({ words: ['HGETALL', key], isUnordered: true }),
    () => ({ words: ['SMEMBERS', key], isUnordered: true }),
    () => ({ words: ['HLEN', key] }),
    () => ({ words: ['SCARD', key] }),
    () => ({ words: ['EXPIRE', key, 100_000] }),
    () => ({ words: ['EXPIRE', key, random.pick([0, 100_000, 100_000])] }),
    () => ({ words: ['TTL', key], compare: 'near' }),
    () => ({ words: ['RENAME', key, other] }),
    () => ({ words: ['COPY', key, other, ...random.pick([[], ['REPLACE']])] }),
    () => ({ words: ['COPY', key, other, 'DB', random.below(2), 'REPLACE'] }),
    () => ({ words: ['MOVE', key, random.below(2)] }),
    () => ({ words: ['SELECT', random.below(2)] }),
    () => ({ words: ['DBSIZE'] }),
    () => ({ words: ['FLUSHDB', random.pick(['ASYNC', 'no', 'no'])] }),
  ];
  return random.pick(draws)();
}

describe.runIf(hasRealRedis)('commands about keys, next to Redis', { timeout: 120_000 }, () => {
  it('reply alike', async () => {
    const seed = Number(process.env['SEED'] ?? 1);
    await differential({ rows, draw, seed, count: 6000 });
    await differential({ rows, draw, seed: seed + 1, count: 2000, version: 3 });
  });

  it('reply alike about collections', async () => {
    const seed = Number(process.env['SEED'] ?? 1);
    await differential({ rows, draw: drawOfCollections, seed, count: 4000 });
  });

  it('are described alike', async () => {
    const redis = await RealRedis.start();
    try {
      for (const row of keysCommands) {
        const [info] = asArray(await redis.run('COMMAND', 'INFO', row.name));
        const [name, arity, flags, first, last, step, categories] = asArray(info);
        const places = Array.isArray(row.keys) ? row.keys : [];
        expect({
          name: row.name,
          arity: row.arity,
          flags: row.flags.toSorted(),
          places: [places[0]?.first ?? 0, places.at(-1)?.last ?? 0, places[0]?.step ?? 0],
          categories: row.categories.map((category) => `@${category}`).toSorted(),
        }).toEqual({
          name,
          arity,
          flags: texts(flags).toSorted(),
          places: [first, last, step],
          categories: texts(categories).toSorted(),
        });
        const docs = asArray(asArray(await redis.run('COMMAND', 'DOCS', row.name))[1]);
        const told = (what: string): DecodedReply | undefined => docs[docs.indexOf(what) + 1];
        expect([row.name, row.since, row.group]).toEqual([row.name, told('since'), told('group')]);
      }
    } finally {
      await redis.stop();
    }
  });
});

function asArray(reply: DecodedReply | undefined): readonly DecodedReply[] {
  if (!Array.isArray(reply)) throw new Error('the reply is no array');
  return reply;
}

function texts(reply: DecodedReply | undefined): string[] {
  return asArray(reply).map(textOf);
}

function textOf(reply: DecodedReply | undefined): string {
  if (reply instanceof SimpleReply) return reply.text;
  if (typeof reply !== 'string') throw new Error('the reply is no text');
  return reply;
}

function scanAll(redis: RedisHarness, ...options: Word[]): { keys: string[]; calls: number } {
  const found: string[] = [];
  let cursor = '0';
  let calls = 0;
  do {
    const [next, page] = asArray(redis.run('SCAN', cursor, ...options));
    cursor = textOf(next);
    found.push(...texts(page));
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
  it('is one revision up to the limit of changes, and several beyond it', async () => {
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
    expect(redis.store.committedSequence).toBe(filled + 2);
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
