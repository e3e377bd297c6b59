/** Words that random commands of strings are made of, good ones and bad ones; and what else such a test needs of other families. */
import type { Command, CommandCall } from '../../../../../src/server/redis/commands/command.ts';
import type { View } from '../../../../../src/store/views/view.ts';
import { expectKind } from '../../../../../src/types/collections/metadata.ts';
import { kinds } from '../../../../../src/store/collections/kinds.ts';
import type { SeededRandom } from '../../../../support/random.ts';
import type { Word } from '../../support/words.ts';

const INTEGERS =
  '0|1|-1|2|7|-7|8|10|100|-100|9223372036854775807|-9223372036854775808|9223372036854775808|4611686018427387904|999999999999999|9007199254740993|01|+1|-0|| 1|1 |1.5|abc|1e3|0x10'.split(
    '|',
  );

export function drawInteger(random: SeededRandom): string {
  return random.below(4) === 0 ? random.pick(INTEGERS) : String(random.below(200) - 60);
}

const FLOATS =
  '0|1.5|-1.5|3.0e3|1e-5|inf|-inf|nan|0x1p4|1e400|-1e320|1e5000||.5|5.|abc|0.1|3|1e17|123456789012345678901234567890|0.00000000000000000049'.split(
    '|',
  );

export function drawFloat(random: SeededRandom): string {
  return random.below(2) === 0 ? random.pick(FLOATS) : String((random.below(20_000) - 10_000) / 64);
}

export function drawBytes(random: SeededRandom, lengthMax = 12): Uint8Array {
  return random.bytes(random.below(40) === 0 ? 300 + random.below(300) : random.below(lengthMax + 1));
}

/** Now and then a word more or less than there should be. */
export function withWrongArity(random: SeededRandom, words: readonly Word[]): readonly Word[] {
  // Those that stand in for other families take fewer words than theirs.
  if (random.below(30) > 0 || words[0] === 'SADD' || words[0] === 'DEL') return words;
  return random.below(2) === 0 ? words.slice(0, -1) : [...words, random.pick(['x', '1', 'NX'])];
}

/** A set of one member, for keys that hold something else. */
function sadd(view: View, { args, reply }: CommandCall): void {
  const key = args.key(1);
  const version = view.readMeta(key);
  if (version === undefined) view.put(key, Uint8Array.of(0), { kind: kinds.set });
  else expectKind(version, kinds.set);
  reply.integer(version === undefined ? 1 : 0);
}

function expiretime(view: View, { args, reply }: CommandCall): void {
  const version = view.readMeta(args.key(1));
  if (version === undefined) reply.integer(-2);
  else reply.integer(version.expireTimeMs === 0 ? -1 : Math.floor((version.expireTimeMs + 500) / 1000));
}

function del(view: View, { args, reply }: CommandCall): void {
  reply.integer(view.delete(args.key(1)) === undefined ? 0 : 1);
}

const facts = {
  flags: [],
  keys: [{ first: 1, last: 1, step: 1, use: 'both' }],
  categories: [],
  group: 'generic',
  summary: 'For tests.',
  since: '1.0.0',
  complexity: 'O(1)',
  syntax: 'key',
} as const;

export const otherCommands: readonly Command[] = [
  { ...facts, name: 'sadd', arity: 3, write: sadd },
  { ...facts, name: 'expiretime', arity: 2, write: expiretime },
  { ...facts, name: 'del', arity: 2, write: del },
];
