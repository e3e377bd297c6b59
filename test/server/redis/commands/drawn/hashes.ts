/** Random commands of hashes. */
import { hashCommands } from '../../../../../src/server/redis/commands/families/hash.ts';
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';

const KEYS = ['small', 'large', 'long', '\xf9binary', 'other', 'none'];

export function drawOfHashes(random: SeededRandom): DrawnCommand {
  const key = random.chance(0.02) ? 'text' : random.pick(KEYS);
  const fields = key === 'large' ? 300 : 20;
  const field = (): Word => {
    const name = String(random.below(fields));
    if (random.chance(0.03)) return '';
    if (random.chance(0.03)) return random.bytes(random.below(6));
    return key === 'long' ? name.padStart(60, 'x') : name;
  };
  const value = (): Word => {
    if (random.chance(0.5)) return String(random.between(-100, 100));
    if (random.chance(0.1)) return random.pick(['9223372036854775807', '1.5', '-3e2', ' 1', '01', 'inf', '']);
    return random.bytes(random.chance(0.05) ? 700 : random.below(12));
  };
  const several = <T>(make: () => T): T[] => Array.from({ length: random.between(1, 6) }, make);
  const pairs = (): Word[] => several(() => [field(), value()]).flat();
  const one = (words: readonly Word[], more: Partial<DrawnCommand> = {}): DrawnCommand => ({
    words,
    ...more,
  });
  const unordered = { isUnordered: true };
  const noReply = { compare: 'nothing' } as const;
  const commands: (() => DrawnCommand)[] = [
    () => one(['HSET', key, ...pairs()]),
    () => one(['HSET', key, ...pairs()]),
    () => one(['HSET', key, ...Array.from({ length: 40 }, () => [field(), value()]).flat()]),
    () => one(['HSET', key, ...pairs(), field()]),
    () => one(['HMSET', key, ...pairs()]),
    () => one(['HSETNX', key, field(), value()]),
    () => one(['HGET', key, field()]),
    () => one(['HMGET', key, ...several(field)]),
    () => one(['HGETALL', key], unordered),
    () => one(['HKEYS', key], unordered),
    () => one(['HVALS', key], unordered),
    () => one(['HLEN', key]),
    () => one(['HSTRLEN', key, field()]),
    () => one(['HEXISTS', key, field()]),
    () => one(['HDEL', key, ...several(field)]),
    () => one(['HDEL', key, ...Array.from({ length: fields }, (_, name) => String(name))]),
    () => one(['HINCRBY', key, field(), random.pick(['1', '-5', '9223372036854775807', 'x', ''])]),
    () => one(['HINCRBYFLOAT', key, field(), random.pick(['1', '0.1', '-2.5e3', 'inf', 'nan', 'x', '1e30'])]),
    () => one(['HRANDFIELD', key], noReply),
    () => one(['HRANDFIELD', key, '1000'], unordered),
    () => one(['HRANDFIELD', key, '1000', 'WITHVALUES'], unordered),
    () => one(['HRANDFIELD', key, random.pick(['0', 'x', '-9223372036854775808', '9223372036854775808'])]),
    () =>
      one(['HRANDFIELD', key, random.pick(['0', '5000000000000000000']), random.pick(['WITHVALUES', 'x'])]),
    () => one(['HSCAN', key, random.pick(['x', ' 1', '18446744073709551616'])]),
    () => one(['HSCAN', key, '0', 'COUNT', '1000'], noReply),
    () => one(['HSCAN', 'none', random.pick(['0', '+5', '-1', '']), 'COUNT', '0']),
    () => one([random.pick(hashCommands).name, ...several(field).slice(0, random.below(3))], noReply),
  ];
  const drawn = random.pick(commands)();
  return drawn;
}
