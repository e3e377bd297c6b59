/** PFADD, BF.ADD and their kin. */
import { UsageError } from '../../../shell-words/usage-error.ts';
import { type ShellCommand, wordAt } from '../command.ts';
import { reply } from '../reply.ts';
import { toKey, toWholeNumber } from '../../../shell-words/arguments.ts';
import type { Word } from '../../../shell-words/split-words.ts';
import { change, counted, redisWord, yesOrNo } from './redis-word.ts';
import { bytesOf, toNumber } from './words.ts';
import { fixed } from '../../../limits.ts';

const keyAndElements = (words: readonly Word[]) => ({
  key: toKey(wordAt(words, 0)),
  elements: words.slice(1).map(bytesOf),
});

const pfadd = redisWord('Sketches', 'PFADD', keyAndElements, async (request, session) => {
  const { changed } = await change<'hllAdd'>(session, { kind: 'hllAdd', ...request });
  return reply(changed ? '1' : '0', { changed });
});

const pfcount = redisWord(
  'Sketches',
  'PFCOUNT',
  (words) => words.map(toKey),
  async (keys, session) => counted(await session.store.elements.estimate(keys)),
);

const pfmerge = redisWord(
  'Sketches',
  'PFMERGE',
  (words) => ({ key: toKey(wordAt(words, 0)), sources: words.slice(1).map(toKey) }),
  async (request, session) => {
    await change<'hllMerge'>(session, { kind: 'hllMerge', ...request });
    return reply('OK', { merged: true });
  },
);

const reserve = redisWord(
  'Sketches',
  'BF.RESERVE',
  (words) => {
    if (words.length > 3)
      throw new UsageError('expected BF.RESERVE key error_rate capacity; kelp sketch has the options');
    const errorRate = toNumber(wordAt(words, 1));
    if (!(errorRate > 0 && errorRate < 1)) throw new UsageError('expected an error rate above 0 and below 1');
    return {
      key: toKey(wordAt(words, 0)),
      errorRate,
      capacity: toWholeNumber(wordAt(words, 2), fixed.integerMax),
    };
  },
  async (request, session) => {
    await change<'bloomCreate'>(session, { kind: 'bloomCreate', ...request });
    return reply('OK', { created: true });
  },
);

function adding(name: string): ShellCommand {
  return redisWord('Sketches', name, keyAndElements, async (request, session) => {
    const { added } = await change<'bloomAdd'>(session, { kind: 'bloomAdd', ...request });
    return reply(added.map((isNew) => (isNew ? '1' : '0')).join('\n'), { added });
  });
}

const exists = redisWord('Sketches', 'BF.EXISTS', keyAndElements, async ({ key, elements }, session) => {
  const [isThere] = await session.store.elements.mayContain(key, elements);
  return yesOrNo(isThere === true);
});

const mexists = redisWord('Sketches', 'BF.MEXISTS', keyAndElements, async ({ key, elements }, session) => {
  const contained = await session.store.elements.mayContain(key, elements);
  return reply(contained.map((isThere) => (isThere ? 'yes' : 'no')).join('\n'), { contained });
});

export const sketchWords: readonly ShellCommand[] = [
  pfadd,
  pfcount,
  pfmerge,
  reserve,
  adding('BF.ADD'),
  adding('BF.MADD'),
  exists,
  mexists,
];
