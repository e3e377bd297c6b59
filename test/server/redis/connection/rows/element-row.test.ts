/** Calls of HSET, SADD, ZADD and XADD to one collection that stand one behind the other run together: nothing but their speed may tell. */
import { expect, it } from 'vitest';
import { hashCommands } from '../../../../../src/server/redis/commands/families/hash.ts';
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import { setCommands } from '../../../../../src/server/redis/commands/families/set.ts';
import { sortedSetPopCommands } from '../../../../../src/server/redis/commands/families/sorted-sets/pops.ts';
import { sortedSetRangeCommands } from '../../../../../src/server/redis/commands/families/sorted-sets/ranges.ts';
import { sortedSetCommands } from '../../../../../src/server/redis/commands/families/sorted-sets/sorted-set.ts';
import { streamCommands } from '../../../../../src/server/redis/commands/families/streams/entries.ts';
import { streamReadCommands } from '../../../../../src/server/redis/commands/families/streams/reads.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { serverFixed } from '../../../../../src/limits.ts';
import { bytesOf } from '../../../../store/seam/seam-harness.ts';
import { SeededRandom } from '../../../../support/random.ts';
import type { Word } from '../../support/words.ts';
import { compareBothWays, openDoor } from './both-ways.ts';

const rows = [
  ...hashCommands,
  ...keysCommands,
  ...sortedSetPopCommands,
  ...sortedSetRangeCommands,
  ...setCommands,
  ...sortedSetCommands,
  ...streamCommands,
  ...streamReadCommands,
  ...stringCommands,
];
const { ELEMENT_ROW_SEED } = process.env;
const SEEDS = ELEMENT_ROW_SEED === undefined ? [1, 2, 3] : [Number(ELEMENT_ROW_SEED)];
const NAMES = ['HSET', 'SADD', 'ZADD', 'XADD'] as const;
const SCORES = [
  '0',
  '-0',
  '1',
  '007',
  '1.5',
  '-2',
  '1e300',
  'inf',
  '-inf',
  '0x10',
  '99999',
  '12345678901234567',
];
const SPREAD_COUNT = 70;

function anyMember(random: SeededRandom): Word {
  if (random.chance(0.03)) return Buffer.alloc(random.between(50, 90), 'm');
  if (random.chance(0.03)) return '';
  return `m${random.below(120)}`;
}

function anyCall(random: SeededRandom, name: (typeof NAMES)[number], key: string): Word[] {
  const member = anyMember(random);
  if (name === 'SADD') return [name, key, member];
  if (name === 'ZADD') return [name, key, random.pick(SCORES), member];
  if (name === 'XADD' && random.chance(0.05)) return [name, key, 'MAXLEN', 20, '*', member, 'v'];
  if (name === 'XADD' && random.chance(0.3)) return [name, key, '*', member, 'v', member];
  const value = random.chance(0.1) ? Buffer.alloc(random.between(60, 5000), 'v') : `v${random.below(1000)}`;
  return [name, key, name === 'XADD' ? '*' : member, ...(name === 'XADD' ? [member] : []), value];
}

/** Calls by one command to one collection, mostly of its type. */
function anyRun(random: SeededRandom): Word[][] {
  const name = random.pick(NAMES);
  const key = `${random.chance(0.03) ? random.pick(NAMES) : name}${random.below(2)}`;
  return Array.from({ length: random.between(1, 90) }, () => anyCall(random, name, key));
}

/** One that makes a collection spread, since rows are for those. */
function anyFill(random: SeededRandom): Word[] {
  const name = random.pick(NAMES);
  if (name === 'XADD') return [name, `XADD${random.below(2)}`, '*', 'f', 'v'];
  const elements = Array.from({ length: SPREAD_COUNT }, (_, index): Word[] =>
    name === 'ZADD' ? [`${index}`, `m${index}`] : name === 'HSET' ? [`m${index}`, 'v'] : [`m${index}`],
  );
  return [name, `${name}${random.below(2)}`, ...elements.flat()];
}

function anyOther(random: SeededRandom): Word[] {
  const name = random.pick(NAMES);
  const key = `${name}${random.below(2)}`;
  const others: Word[][] = [
    ['HGETALL', 'HSET0'],
    ['SMEMBERS', 'SADD1'],
    ['XRANGE', 'XADD0', '-', '+'],
    ['XREVRANGE', 'XADD1', '+', '-', 'COUNT', '5'],
    ['XTRIM', 'XADD0', 'MAXLEN', '50'],
    ['ZRANGE', 'ZADD0', '0', '-1', 'WITHSCORES'],
    ['HDEL', 'HSET1', 'm1', 'm2'],
    ['SREM', 'SADD0', 'm1', 'm2'],
    ['ZREM', 'ZADD1', 'm1', 'm2'],
    ['ZPOPMIN', 'ZADD0'],
    ['ZADD', 'ZADD0', 'NX', '5'],
    ['ZADD', 'ZADD0', 'not a number', 'm'],
    ['ZADD', 'ZADD1', 'nan', 'm'],
    ['ZADD', 'ZADD1', 'CH', '5', 'm5'],
    ['HSET', 'HSET0', 'm'],
    ['SADD', '', 'no key'],
    ['SADD', 'SADD1', 'several', 'members'],
    anyFill(random),
    anyFill(random),
    ['EXPIRE', key, '1000'],
    ['PERSIST', key],
    ['DEL', key],
    ['SET', key, 'plain'],
    ['RENAME', key, `${name}${random.below(2)}`],
    ['SELECT', '1'],
    ['SELECT', '0'],
    ['MULTI'],
    ['EXEC'],
  ];
  // What makes collections new or wrong comes seldom enough for long ones.
  return random.pick(random.chance(0.8) ? others.slice(0, 19) : others);
}

it.each(SEEDS)(
  'leaves the store as each call would by itself, at every revision, for watches and in the log (seed %i)',
  (seed) =>
    compareBothWays(rows, new SeededRandom(seed), { anyRun, anyOther }, (name) =>
      /hset|sadd|zadd|xadd/.test(name),
    ),
);

it.each(['HSET', 'SADD', 'ZADD'] as const)(
  'runs all calls of %s to a spread collection together',
  async (name) => {
    const { harness, client, ran } = await openDoor(rows, false);
    const calls = Array.from({ length: 200 }, (_, index): Word[] =>
      name === 'ZADD'
        ? [name, 'k', `${index}`, `m${index}`]
        : [name, 'k', `m${index}`, ...(name === 'HSET' ? ['v'] : [])],
    );
    client.pipeline(...calls);
    await harness.settled();
    ran.length = 0;
    client.raw();
    client.pipeline(...calls);
    await harness.settled();
    expect(client.raw()).toBe(':0\r\n'.repeat(calls.length));
    const { redisRowCallsMax } = serverFixed;
    const lengths = ran.map(([, length]) => length);
    expect(lengths).toEqual([
      redisRowCallsMax,
      redisRowCallsMax,
      redisRowCallsMax,
      calls.length % redisRowCallsMax,
    ]);
  },
);

it('runs all calls of XADD to a stream together, whose ids rise', async () => {
  const { harness, client, ran } = await openDoor(rows, false);
  client.send('XADD', 's', '5-5', 'f', 'v');
  await harness.settled();
  client.raw();
  const count = 2 * serverFixed.redisRowCallsMax;
  for (let piece = 0; piece < 2; piece++) {
    ran.length = 0;
    client.pipeline(
      ...Array.from({ length: count }, (_, index): Word[] => ['XADD', 's', '*', 'f', `v${index}`]),
    );
    await harness.settled();
  }
  expect(ran).toEqual([
    ['xadd', serverFixed.redisRowCallsMax],
    ['xadd', serverFixed.redisRowCallsMax],
  ]);
  const ids = [...client.raw().matchAll(/(\d+)-(\d+)\r\n/g)].map(
    ([, ms, sequence]) => Number(ms) * 1e6 + Number(sequence),
  );
  expect(ids.length).toBe(2 * count);
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  client.send('XLEN', 's');
  await harness.settled();
  expect(client.raw()).toBe(`:${2 * count + 1}\r\n`);
});

it('takes no revision for what is there already, and one for each of the others', async () => {
  const { harness, client } = await openDoor(rows, false);
  client.send('SADD', 'k', ...Array.from({ length: SPREAD_COUNT }, (_, index) => `m${index}`));
  client.send('ZADD', 'z', ...Array.from({ length: SPREAD_COUNT }, (_, index) => ['1', `m${index}`]).flat());
  await harness.settled();
  const { store } = harness.seam;
  const before = store.visibleRevision;
  client.raw();
  client.pipeline(['SADD', 'k', 'm1'], ['SADD', 'k', 'new'], ['SADD', 'k', 'new'], ['SADD', 'k', 'm2']);
  client.pipeline(
    ['ZADD', 'z', '1', 'm1'],
    ['ZADD', 'z', '2', 'm1'],
    ['ZADD', 'z', '2', 'm1'],
    ['ZADD', 'z', '3', 'n'],
  );
  await harness.settled();
  expect(client.raw()).toBe(':0\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:1\r\n');
  expect(store.visibleRevision).toBe(before + 3);
  expect(store.readVisible((view) => view.readMeta(bytesOf('z'))?.version)).toBe(3);
});

it('shows a watcher of a collection a call of a row, and serves a client that waits for one', async () => {
  const { harness, client, ran } = await openDoor(rows, false);
  client.send('ZADD', 'z', ...Array.from({ length: SPREAD_COUNT }, (_, index) => ['1', `m${index}`]).flat());
  await harness.settled();
  client.pipeline(['ZADD', 'z', '2', 'm1'], ['ZADD', 'z', '2', 'm2']);
  await harness.settled();
  expect(ran.at(-1)).toEqual(['zadd', 2]);
  const watcher = harness.connect();
  watcher.pipeline(['WATCH', 'z'], ['MULTI'], ['SET', 'c', '1']);
  client.pipeline(['ZADD', 'z', '3', 'm1'], ['ZADD', 'z', '3', 'm2']);
  await harness.settled();
  watcher.send('EXEC');
  await harness.settled();
  expect(watcher.replies().at(-1)).toBe(null);
  const waiting = harness.connect();
  waiting.send('BZPOPMIN', 'other', '0');
  client.pipeline(['ZADD', 'z', '3', 'm3'], ['ZADD', 'z', '3', 'm4'], ['ZADD', 'other', '1', 'a']);
  await harness.settled();
  expect(waiting.replies()).toEqual([['other', 'a', '1']]);
});

it('waits for room in the log within a row, and loses nothing', async () => {
  const limits = { unflushedBytesMax: 1024 * 1024, txnBytesMax: 1024 * 1024, valueBytesMax: 512 * 1024 };
  const { harness, client } = await openDoor(rows, false, { limits });
  harness.seam.flushes.hold();
  const count = 8000;
  const value = 'v'.repeat(500);
  client.pipeline(...Array.from({ length: count }, (_, index): Word[] => ['HSET', 'k', `m${index}`, value]));
  for (let turn = 0; turn < 10; turn++) await harness.seam.clock.settled();
  expect(harness.seam.store.committedSequence).toBeLessThan(count);
  harness.seam.flushes.release();
  for (let turn = 0; turn < 100; turn++) await harness.settled();
  expect(client.raw()).toBe(':1\r\n'.repeat(count));
  expect(harness.seam.store.readVisible((view) => view.readMeta(bytesOf('k'))?.version)).toBe(count);
});
