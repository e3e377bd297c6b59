/** SADD, SMEMBERS and their kin. */
import type { SetOperation } from '../../../api-collections.ts';
import { fixed } from '../../../limits.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { type ShellCommand, wordAt } from '../command.ts';
import { reply } from '../reply.ts';
import { toKey, toWholeNumber } from '../../../shell-words/arguments.ts';
import type { Word } from '../../../shell-words/split-words.ts';
import { change, counted, countedOrNone, redisWord, valueOrNone, yesOrNo } from './redis-word.ts';
import { bytesOf, elementList, onePage } from './words.ts';

const MEMBER_NOT_FOUND = 'member not found';
const keyOnly = (words: readonly Word[]) => toKey(wordAt(words, 0));
const keyAndMembers = (words: readonly Word[]) => ({
  key: toKey(wordAt(words, 0)),
  members: words.slice(1).map(bytesOf),
});

const sadd = redisWord('Sets', 'SADD', keyAndMembers, async (request, session) =>
  counted((await change<'setAdd'>(session, { kind: 'setAdd', ...request })).addedCount),
);

const srem = redisWord('Sets', 'SREM', keyAndMembers, async (request, session) =>
  countedOrNone((await change<'setRemove'>(session, { kind: 'setRemove', ...request })).removedCount),
);

const smembers = redisWord('Sets', 'SMEMBERS', keyOnly, async (key, session) =>
  elementList(session.store.elements.members(key)),
);

const scard = redisWord('Sets', 'SCARD', keyOnly, async (key, session) =>
  counted((await session.store.elements.contains(key, [new Uint8Array(0)])).count),
);

const sismember = redisWord('Sets', 'SISMEMBER', keyAndMembers, async ({ key, members }, session) => {
  const { contained } = await session.store.elements.contains(key, members);
  return yesOrNo(contained[0] === true);
});

const smismember = redisWord('Sets', 'SMISMEMBER', keyAndMembers, async ({ key, members }, session) => {
  const { contained } = await session.store.elements.contains(key, members);
  return reply(contained.map((isThere) => (isThere ? 'yes' : 'no')).join('\n'), { contained });
});

const spop = redisWord(
  'Sets',
  'SPOP',
  (words) => {
    if (words.length > 2) throw new UsageError('expected SPOP key [count]');
    const count = words[1];
    return {
      key: toKey(wordAt(words, 0)),
      limit: count === undefined ? undefined : toWholeNumber(count, fixed.integerMax),
    };
  },
  async ({ key, limit }, session) => {
    const { members } = await change<'setPop'>(session, { kind: 'setPop', key, limit: limit ?? 1 });
    if (limit === undefined) return valueOrNone(members[0], session.isTerminal, MEMBER_NOT_FOUND);
    return elementList(onePage(members));
  },
);

function combining(name: string, operation: SetOperation): ShellCommand {
  return redisWord(
    'Sets',
    name,
    (words) => words.map(toKey),
    async (keys, session) => {
      const { members } = await change<'setCombine'>(session, { kind: 'setCombine', operation, keys });
      return elementList(onePage(members));
    },
  );
}

function storing(name: string, operation: SetOperation): ShellCommand {
  return redisWord(
    'Sets',
    name,
    (words) => ({ destination: toKey(wordAt(words, 0)), keys: words.slice(1).map(toKey) }),
    async (request, session) =>
      counted((await change<'setCombine'>(session, { kind: 'setCombine', operation, ...request })).count),
  );
}

export const setWords: readonly ShellCommand[] = [
  sadd,
  srem,
  smembers,
  scard,
  sismember,
  smismember,
  spop,
  combining('SUNION', 'union'),
  combining('SINTER', 'intersection'),
  combining('SDIFF', 'difference'),
  storing('SUNIONSTORE', 'union'),
  storing('SINTERSTORE', 'intersection'),
  storing('SDIFFSTORE', 'difference'),
];
