/** Random commands of sets. */
import { setCommands } from '../../../../../src/server/redis/commands/families/set.ts';
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';

const KEYS = ['small', 'other', 'large', 'larger', '\xf9binary', 'none'];

function draw(random: SeededRandom): DrawnCommand {
  const key = (): string => (random.chance(0.02) ? 'text' : random.pick(KEYS));
  const first = key();
  const members = first.startsWith('large') ? 300 : 20;
  const member = (): Word => {
    if (random.chance(0.03)) return '';
    if (random.chance(0.03)) return random.bytes(random.below(6));
    return String(random.below(members));
  };
  const several = <T>(make: () => T): T[] => Array.from({ length: random.between(1, 6) }, make);
  const one = (words: readonly Word[], more: Partial<DrawnCommand> = {}): DrawnCommand => ({
    words,
    ...more,
  });
  const unordered = { isUnordered: true };
  const noReply = { compare: 'nothing' } as const;
  const combined = random.pick(['SINTER', 'SUNION', 'SDIFF']);
  const commands: (() => DrawnCommand)[] = [
    () => one(['SADD', first, ...several(member)]),
    () => one(['SADD', first, ...several(member)]),
    () => one(['SADD', first, ...Array.from({ length: 60 }, member)]),
    () => one(['SREM', first, ...several(member)]),
    () => one(['SREM', first, ...Array.from({ length: members }, (_, name) => String(name))]),
    () => one(['SISMEMBER', first, member()]),
    () => one(['SMISMEMBER', first, ...several(member)]),
    () => one(['SCARD', first]),
    () => one(['SMEMBERS', first], unordered),
    () => one(['SPOP', first, random.pick(['1000', '0', '-1', 'x'])], unordered),
    () => one(['SPOP', 'never']),
    () => one(['SPOP', 'never', '3']),
    () => one(['SRANDMEMBER', first], noReply),
    () => one(['SRANDMEMBER', first, '1000'], unordered),
    () => one(['SRANDMEMBER', first, random.pick(['0', 'x', '-9223372036854775808', '9223372036854775808'])]),
    () => one(['SMOVE', first, key(), member()]),
    () => one(['SMOVE', first, key(), member()]),
    () => one([combined, first, ...several(key)], unordered),
    () => one([combined, first], unordered),
    () => one([`${combined}STORE`, first, ...several(key).filter((name) => name !== 'none')]),
    () => one([`${combined}STORE`, 'text', key()]),
    () => one(['SET', 'text', 'plain']),
    () => one(['SINTERCARD', '2', first, key()]),
    () => one(['SINTERCARD', '2', first, key(), 'LIMIT', random.pick(['0', '1', '5', '-1', 'x'])]),
    () => one(['SINTERCARD', random.pick(['0', 'x', '-1', '4']), first, key(), key()]),
    () => one(['SINTERCARD', '1', first, ...several(() => random.pick(['LIMIT', '3', 'x']))]),
    () => one(['SSCAN', first, random.pick(['x', ' 1', '18446744073709551616'])]),
    () => one(['SSCAN', first, '0', random.pick(['COUNT', 'MATCH', 'x'])]),
    () => one(['SSCAN', first, '0', 'COUNT', random.pick(['0', 'x', '-3'])]),
    () => one([random.pick(setCommands).name, ...several(member).slice(0, random.below(3))], noReply),
  ];
  return random.pick(commands)();
}

/** A call for `text`, 'none', or with too few words is one of the draws that change nothing in both. */
const CHANGING = new Set(['spop', 'sadd', 'srem', 'smove', 'sinterstore', 'sunionstore', 'sdiffstore']);

/** Without what removes members by chance, which both would choose differently. */
export function drawOfSets(random: SeededRandom): DrawnCommand {
  for (;;) {
    const drawn = draw(random);
    const [name, , count] = drawn.words;
    if (drawn.compare === 'nothing' && CHANGING.has(String(name).toLowerCase())) continue;
    if (name === 'SPOP' && count === undefined && drawn.words[1] !== 'never') continue;
    return drawn;
  }
}
