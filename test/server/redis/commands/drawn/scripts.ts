/** Random commands by way of a script, which returns their replies: so all of them are converted to values of Lua and back. */
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';

/** More than these Lua does not unpack at once. */
const WORDS_MAX = 1000;

const SCRIPTS = [
  'return redis.call(unpack(ARGV))',
  'return redis.pcall(unpack(ARGV))',
  'return {redis.pcall(unpack(ARGV))}',
  "local r = redis.pcall(unpack(ARGV)) return type(r) == 'table' and r.err or r",
  'redis.setresp(3) return redis.call(unpack(ARGV))',
  'redis.call(unpack(ARGV)) return redis.call(unpack(ARGV))',
];

/** Their order, and whether replies may differ, is told of replies that lie deeper. */
const UNORDERED_SCRIPTS = SCRIPTS.slice(0, 2);

export function inScript(random: SeededRandom, drawn: DrawnCommand): DrawnCommand {
  const { words, isUnordered = false, compare = 'all' } = drawn;
  if (words.length > WORDS_MAX) return drawn;
  const script = random.pick(isUnordered || compare === 'near' ? UNORDERED_SCRIPTS : SCRIPTS);
  return { ...drawn, words: ['EVAL', script, 0, ...words] };
}
