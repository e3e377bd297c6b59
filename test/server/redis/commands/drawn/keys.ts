/** Random commands about keys, of strings and of collections. */
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';
import { oddKeys as keys } from '../families/key-words.ts';

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

export function drawOfKeys(random: SeededRandom): DrawnCommand {
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
    () => ({ words: ['SWAPDB', random.pick(databases), random.below(4)] }),
    () => ({ words: ['SWAPDB', random.below(4), random.pick(databases)] }),
    () => ({ words: ['KEYS', random.pick(patterns)], isUnordered: true }),
    () => ({ words: ['DBSIZE'] }),
    () => ({ words: ['RANDOMKEY'], compare: 'nothing' }),
    () => ({ words: ['OBJECT', random.pick(['ENCODING', 'freq', 'help', 'none']), key] }),
    () => ({ words: ['OBJECT', 'ENCODING'] }),
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
export function drawOfCollections(random: SeededRandom): DrawnCommand {
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
    () => ({ words: ['RPUSH', key, ...several((index) => [`element${index}`])] }),
    () => ({ words: ['ZADD', key, ...several((index) => [index, `member${index % 300}`])] }),
    () => ({ words: ['ZADD', key, 7, 'x'.repeat(random.pick([64, 64, 65]))] }),
    () => ({ words: ['SET', key, 'text'] }),
    () => ({ words: ['DEL', key] }),
    () => ({ words: ['DEL', key, other] }),
    () => ({ words: ['TYPE', key] }),
    () => ({ words: ['LRANGE', key, 0, -1] }),
    () => ({ words: ['ZRANGE', key, 0, -1, 'WITHSCORES'] }),
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
    () => ({ words: ['SWAPDB', random.below(2), random.below(2)] }),
    () => ({ words: ['SELECT', random.below(2)] }),
    () => ({ words: ['DBSIZE'] }),
    () => ({ words: ['FLUSHDB', random.pick(['ASYNC', 'no', 'no'])] }),
  ];
  return random.pick(draws)();
}
