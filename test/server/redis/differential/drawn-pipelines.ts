/**
 * Random pipelines of two clients, of all families: each family has a database of its own, in which another one writes now and then,
 * so that its commands meet other types. What is drawn depends on the seed alone.
 */
import { redisRows } from '../../../../src/server/redis/redis-rows.ts';
import type { SeededRandom } from '../../../support/random.ts';
import { drawOfBitmaps } from '../commands/drawn/bitmaps.ts';
import { drawOfHashes } from '../commands/drawn/hashes.ts';
import { drawOfHyperLogLogs } from '../commands/drawn/hyperloglogs.ts';
import { drawOfCollections, drawOfKeys } from '../commands/drawn/keys.ts';
import { drawOfLists } from '../commands/drawn/lists.ts';
import { inScript } from '../commands/drawn/scripts.ts';
import { drawOfSets } from '../commands/drawn/sets.ts';
import { DrawnSortedSets } from '../commands/drawn/sorted-sets.ts';
import { drawOfSorts } from '../commands/drawn/sorts.ts';
import { drawOfStrings } from '../commands/drawn/strings.ts';
import type { DrawnCommand } from '../support/differential.ts';
import type { Word } from '../support/words.ts';

export interface DrawnPipeline {
  readonly client: 0 | 1;
  readonly commands: readonly DrawnCommand[];
}

type Draw = (random: SeededRandom) => DrawnCommand;

/** Its keys are of all types, some long past their deadline. */
const MIXED_KEYS = ['m', 'n', 'o', 'p', Uint8Array.of(0xf8, 0, 0xff), 'ключ'] as const;

/** The families that take SELECT into other databases keep to the first four. */
const OWN_DATABASES: readonly (readonly [number, Draw])[] = [
  [0, drawOfKeys],
  [1, drawOfCollections],
  [4, drawOfStrings],
  [5, drawOfBitmaps],
  [6, drawOfHyperLogLogs],
  [7, drawOfHashes],
  [8, drawOfSets],
  [9, (random) => new DrawnSortedSets(random, 12).command()],
  [10, (random) => new DrawnSortedSets(random, 200).command()],
  [11, drawOfLists],
  [12, drawOfSorts],
  [13, drawMixed],
  [14, drawHuge],
  [15, drawAny],
];

/** The order of -0 and 0, and texts of numbers out of range, differ from Redis in what these alone avoid. */
const STRICT_DATABASES: ReadonlySet<number> = new Set([9, 10, 12]);

/** Redis 7.0's SORT fails where any command before it has met a number out of range, until one like this has met a good number. */
const FORGETS_RANGE_ERROR: DrawnCommand = { words: ['ZADD', 'none', 'XX', '1', 'm'] };

export function drawPipeline(random: SeededRandom, commandsMax: number): DrawnPipeline {
  const client = random.below(2) === 0 ? 0 : 1;
  const commands: DrawnCommand[] = [];
  while (commands.length < commandsMax && !random.chance(0.05)) commands.push(...drawSection(random));
  return { client, commands };
}

/** Some commands in one database, by themselves or in a transaction, which may go on in the client's next pipeline. */
function drawSection(random: SeededRandom): DrawnCommand[] {
  const [own, draw] = random.pick(OWN_DATABASES);
  const [other] = random.pick(OWN_DATABASES);
  const database = random.chance(0.05) && !STRICT_DATABASES.has(other) ? other : own;
  const count = random.between(1, 25);
  const commands: DrawnCommand[] = [{ words: ['SELECT', database] }];
  for (let left = count; left > 0; left--) {
    const drawn = calm(random, draw(random));
    if (/^sort/i.test(String(drawn.words[0]))) commands.push(FORGETS_RANGE_ERROR);
    commands.push(random.chance(0.05) ? inScript(random, drawn) : drawn);
  }
  if (random.chance(0.03)) commands.push({ words: ['HELLO', random.pick([2, 3, 4])], compare: 'nothing' });
  if (!random.chance(0.2)) return commands;
  const key = random.pick(MIXED_KEYS);
  if (random.chance(0.3)) commands.unshift({ words: ['WATCH', key, 'a', 'list'] });
  commands.splice(1, 0, { words: ['MULTI'] });
  if (random.chance(0.95)) commands.push({ words: [random.chance(0.9) ? 'EXEC' : 'DISCARD'] });
  if (random.chance(0.1)) commands.push({ words: ['UNWATCH'] });
  return commands;
}

/** Deadlines are counted from the present of each server; and what is in all databases stays for most of the time. */
function calm(random: SeededRandom, drawn: DrawnCommand): DrawnCommand {
  const name = String(drawn.words[0]).toLowerCase();
  if (name === 'flushall' && !random.chance(0.05)) return { words: ['FLUSHDB', ...drawn.words.slice(1)] };
  // No deadline comes while the test runs: which server is asked before it, and which behind it, would be left to chance.
  const at = drawn.words.findIndex((word) => String(word).toUpperCase() === 'PX');
  if (name === 'set' && at > 2 && /^\d{4,5}$/.test(String(drawn.words[at + 1])))
    return { ...drawn, words: drawn.words.with(at + 1, 1_000_000) };
  // Redis 7.0 negates this, which is itself again.
  if (name === 'lpos')
    return { words: drawn.words.map((word) => (word === '-9223372036854775808' ? -9 : word)) };
  // Redis counts a key that is past its deadline until it comes across it.
  if (name === 'dbsize') return { words: ['KEYS', '*'], isUnordered: true };
  if (/^p?(?:ttl|expiretime)$/.test(name)) return { ...drawn, compare: 'near' };
  return drawn;
}

/** Whatever the type of a key is. */
function drawMixed(random: SeededRandom): DrawnCommand {
  const key = random.pick(MIXED_KEYS);
  const other = random.pick(MIXED_KEYS);
  const past = random.pick([1, 1000, 1_600_000_000_000]);
  const future = random.pick([4_000_000_000_000, 4_100_000_000_000]);
  const value = random.pick<Word>(['1', '-7', 'text', '', random.bytes(20), 'x'.repeat(100)]);
  const draws: (() => DrawnCommand)[] = [
    () => ({ words: ['SET', key, value] }),
    () => ({ words: ['SET', key, value, 'PXAT', random.pick([past, future])] }),
    () => ({ words: ['GETEX', key, 'PXAT', random.pick([past, future])] }),
    () => ({ words: ['APPEND', key, value] }),
    () => ({ words: ['INCR', key] }),
    () => ({ words: ['HSET', key, value, '1', 'f', '2'] }),
    () => ({ words: ['HINCRBY', key, 'f', '3'] }),
    () => ({ words: ['SADD', key, value, '1', '2'] }),
    () => ({ words: ['ZADD', key, '1', value, '2', 'f'] }),
    () => ({ words: ['GEOADD', key, '13.4', '52.5', value] }),
    () => ({ words: ['GEOSEARCH', key, 'FROMLONLAT', '13', '52', 'BYRADIUS', '100', 'km', 'WITHDIST'] }),
    () => ({ words: ['RPUSH', key, value, '1'] }),
    () => ({ words: ['PFADD', key, value] }),
    () => ({ words: ['SETBIT', key, '9', '1'] }),
    () => ({ words: [random.pick(['LPOP', 'HLEN', 'SCARD', 'ZCARD', 'STRLEN', 'GET', 'LLEN']), key] }),
    () => ({ words: [random.pick(['ZPOPMIN', 'PERSIST', 'TYPE', 'DEL', 'EXISTS', 'GETDEL']), key] }),
    () => ({ words: [random.pick(['HDEL', 'SREM', 'ZREM', 'SISMEMBER', 'ZSCORE', 'HGET']), key, 'f'] }),
    () => ({ words: ['HGETALL', key], isUnordered: true }),
    () => ({ words: ['SMEMBERS', key], isUnordered: true }),
    () => ({ words: ['LRANGE', key, '0', '-1'] }),
    () => ({ words: ['ZRANGE', key, '0', '-1', 'WITHSCORES'] }),
    () => ({ words: ['PEXPIREAT', key, random.pick([past, future, future])] }),
    () => ({ words: ['EXPIRE', key, random.pick([-1, 0, 100_000])] }),
    () => ({ words: [random.pick(['PEXPIRETIME', 'PTTL']), key] }),
    () => ({ words: ['EXPIRETIME', key] }),
    () => ({ words: [random.pick(['RENAME', 'RENAMENX', 'COPY']), key, other] }),
    () => ({ words: [random.pick(['SUNION', 'SINTER', 'SDIFF']), key, other], isUnordered: true }),
    () => ({ words: [random.pick(['ZUNIONSTORE', 'ZINTERSTORE']), key, '2', key, other] }),
    () => ({ words: ['SUNIONSTORE', key, key, other] }),
    () => ({ words: ['LMOVE', key, other, 'LEFT', 'RIGHT'] }),
    () => ({ words: ['BITOP', 'OR', key, key, other] }),
    () => ({ words: ['MGET', key, other, 'none'] }),
    () => ({ words: ['KEYS', '*'], isUnordered: true }),
  ];
  return random.pick(draws)();
}

/** Long values, and many arguments. */
function drawHuge(random: SeededRandom): DrawnCommand {
  const key = random.pick(['h', 'l', 's', 'z', 't']);
  const long = random.bytes(random.pick([10, 5000, 70_000, 200_000]));
  const member = 'm'.repeat(random.pick([1, 64, 65, 1000, 4096]));
  const many = Array.from({ length: random.pick([3, 130, 600, 2500]) }, (_, index) => `e${index}`);
  const draws: (() => DrawnCommand)[] = [
    () => ({ words: ['SET', 't', long] }),
    () => ({ words: ['APPEND', 't', long] }),
    () => ({ words: ['GETRANGE', 't', random.below(300_000), -random.below(100_000)] }),
    () => ({ words: ['SETRANGE', 't', random.below(400_000), long] }),
    () => ({ words: ['STRLEN', 't'] }),
    () => ({ words: ['GET', 't'] }),
    () => ({ words: ['HSET', 'h', member, long] }),
    () => ({ words: ['HSET', 'h', ...many.flatMap((field) => [field, 'v'])] }),
    () => ({ words: ['HGET', 'h', member] }),
    () => ({ words: ['HGETALL', 'h'], isUnordered: true }),
    () => ({ words: ['HDEL', 'h', ...many] }),
    () => ({ words: ['RPUSH', 'l', long, member] }),
    () => ({ words: ['LPUSH', 'l', ...many] }),
    () => ({ words: ['LRANGE', 'l', -random.below(500), -1] }),
    () => ({ words: ['LTRIM', 'l', 0, random.below(3000)] }),
    () => ({ words: ['SADD', 's', member, ...many] }),
    () => ({ words: ['SREM', 's', ...many] }),
    () => ({ words: ['SMISMEMBER', 's', member, ...many] }),
    () => ({ words: ['ZADD', 'z', ...many.flatMap((name, index) => [index % 7, name])] }),
    () => ({ words: ['ZRANGE', 'z', 0, -1, 'WITHSCORES'] }),
    () => ({ words: ['ZREMRANGEBYRANK', 'z', random.below(50), -random.below(50) - 1] }),
    () => ({ words: ['DEL', ...many, 't'] }),
    () => ({ words: ['MSET', ...many.flatMap((name) => [name, 'v'])] }),
    () => ({ words: ['MGET', ...many] }),
    () => ({ words: ['EXISTS', ...many] }),
    () => ({ words: ['UNLINK', ...many, key] }),
    () => ({ words: ['ECHO', long] }),
    () => ({ words: ['PING', member] }),
  ];
  return random.pick(draws)();
}

/** Whose replies are about the server itself, or by chance or the clock, or in an order or a form of their own, or come when somebody else does something. */
const OTHER_COMMANDS =
  /^(?:auth|hello|reset|quit|client|select|multi|exec|discard|watch|unwatch|spop|.*rand.*|.*scan|object|sort|sort_ro|bf\..*|b[lrz].*|wait|dump|swapdb|xadd|keys|flushall|hgetall|hkeys|hvals|smembers|sinter|sunion|sdiff)$/;
/** Commands of later versions are none of the Redis that is compared with. */
const VERSION = 7;
const ANY_NAMES = redisRows
  .filter(
    ({ name, since }) => !name.includes('|') && !OTHER_COMMANDS.test(name) && parseFloat(since) <= VERSION,
  )
  .map(({ name }) => name);
const ANY_WORDS = [
  'a',
  'b',
  'c',
  '1',
  '0',
  '-1',
  '2',
  'x',
  '1.5',
  'COUNT',
  'NX',
  'LEFT',
  '*',
  '(1',
  '[a',
  '-',
];

/** Any command with any arguments. */
function drawAny(random: SeededRandom): DrawnCommand {
  const count = random.pick([0, 1, 1, 2, 2, 3, 3, 4, 5, 6]);
  const words = Array.from({ length: count }, () => random.pick(ANY_WORDS));
  const name = random.pick(ANY_NAMES);
  // As in `calm`: no deadline comes while the test runs.
  if (/^p?(?:setex|expire)$/.test(name) && (words[1] === '1' || words[1] === '2')) words[1] = '1000000';
  return { words: [random.chance(0.5) ? name : name.toUpperCase(), ...words] };
}
