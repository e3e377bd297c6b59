/** ZADD, ZRANGE and their kin. */
import type { SortedSetRange } from '../../../api-collections.ts';
import { fixed } from '../../../limits.ts';
import { exitCode } from '../../process/exit-code.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { type ShellCommand, wordAt } from '../command.ts';
import { type Reply, reply } from '../reply.ts';
import { shown, toKey, toOption, toWholeNumber } from '../../../shell-words/arguments.ts';
import type { Word } from '../../../shell-words/split-words.ts';
import { change, counted, countedOrNone, redisWord } from './redis-word.ts';
import {
  bytesOf,
  elementList,
  numberJson,
  numberText,
  onePage,
  pairList,
  pairsOf,
  toIndex,
  toNumber,
} from './words.ts';

const MEMBER_NOT_FOUND = 'member not found';
const keyOnly = (words: readonly Word[]) => toKey(wordAt(words, 0));
const keyAndMembers = (words: readonly Word[]) => ({
  key: toKey(wordAt(words, 0)),
  members: words.slice(1).map(bytesOf),
});

const conditionByWord = {
  NX: { onlyIfAbsent: true },
  XX: { onlyIfExists: true },
  GT: { onlyIfGreater: true },
  LT: { onlyIfLess: true },
} as const;

const zadd = redisWord(
  'Sorted sets',
  'ZADD',
  ([key, ...words]) => {
    let conditions: { [Name in 'onlyIfAbsent' | 'onlyIfExists' | 'onlyIfGreater' | 'onlyIfLess']?: true } =
      {};
    let tellsChanged = false;
    let increment = false;
    for (; words[0] !== undefined; words.shift()) {
      const option = toOption(words[0]);
      if (option === 'CH') tellsChanged = true;
      else if (option === 'INCR') increment = true;
      else if (option in conditionByWord) {
        conditions = { ...conditions, ...conditionByWord[option as keyof typeof conditionByWord] };
      } else break;
    }
    const pairs = pairsOf(words, 'a score and a member');
    if (pairs.length === 0) throw new UsageError('expected a score and a member');
    if (increment && pairs.length > 1) throw new UsageError('INCR takes one score and member');
    const members = pairs.map(([score, { bytes }]) => ({ member: bytes, score: toNumber(score) }));
    return {
      key: toKey(wordAt(key === undefined ? [] : [key], 0)),
      members,
      increment,
      tellsChanged,
      ...conditions,
    };
  },
  async ({ tellsChanged, ...request }, session) => {
    const result = await change<'sortedSetAdd'>(session, { kind: 'sortedSetAdd', ...request });
    if (request.increment) return scoreReply(result.scores[0]);
    return counted(result.addedCount + (tellsChanged ? result.changedCount : 0));
  },
);

function scoreReply(score: number | undefined): Reply {
  if (score === undefined) return reply(MEMBER_NOT_FOUND, {}, exitCode.no);
  return reply(numberText(score), { score: numberJson(score) });
}

const zincrby = redisWord(
  'Sorted sets',
  'ZINCRBY',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    members: [{ score: toNumber(wordAt(words, 1)), member: wordAt(words, 2).bytes }],
  }),
  async (request, session) => {
    const { scores } = await change<'sortedSetAdd'>(session, {
      kind: 'sortedSetAdd',
      ...request,
      increment: true,
    });
    return scoreReply(scores[0]);
  },
);

const zrem = redisWord('Sorted sets', 'ZREM', keyAndMembers, async (request, session) =>
  countedOrNone(
    (await change<'sortedSetRemove'>(session, { kind: 'sortedSetRemove', ...request })).removedCount,
  ),
);

const zscore = redisWord('Sorted sets', 'ZSCORE', keyAndMembers, async ({ key, members }, session) =>
  scoreReply((await session.store.elements.scores(key, members))[0]),
);

const zmscore = redisWord('Sorted sets', 'ZMSCORE', keyAndMembers, async ({ key, members }, session) => {
  const scores = await session.store.elements.scores(key, members);
  const lines = scores.map((score) => (score === undefined ? MEMBER_NOT_FOUND : numberText(score)));
  return reply(lines.join('\n'), {
    scores: scores.map((score) => (score === undefined ? null : numberJson(score))),
  });
});

function ranking(name: string, isReversed: boolean): ShellCommand {
  return redisWord(
    'Sorted sets',
    name,
    (words) => {
      if (words.length > 2) throw new UsageError(`expected ${name} key member`);
      return { key: toKey(wordAt(words, 0)), member: wordAt(words, 1).bytes };
    },
    async ({ key, member }, session) => {
      const rank = await session.store.elements.rank(key, member, isReversed);
      return rank === undefined ? reply(MEMBER_NOT_FOUND, {}, exitCode.no) : reply(String(rank), { rank });
    },
  );
}

const zcard = redisWord('Sorted sets', 'ZCARD', keyOnly, async (key, session) =>
  counted(await session.store.elements.scoredCount(key, undefined)),
);

/** A score, or behind `(` one that is not in the range itself. */
function toBound(word: Word): { readonly score: number; readonly isExclusive: boolean } {
  const { text = '', bytes } = word;
  const isExclusive = text.startsWith('(');
  return { score: toNumber(isExclusive ? { bytes, text: text.slice(1) } : word), isExclusive };
}

function toScoreRange(minWord: Word, maxWord: Word): SortedSetRange {
  const [min, max] = [toBound(minWord), toBound(maxWord)];
  return {
    score: {
      min: min.score,
      max: max.score,
      minExclusive: min.isExclusive,
      maxExclusive: max.isExclusive,
    },
  };
}

const zcount = redisWord(
  'Sorted sets',
  'ZCOUNT',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    range: toScoreRange(wordAt(words, 1), wordAt(words, 2)),
  }),
  async ({ key, range }, session) => counted(await session.store.elements.scoredCount(key, range)),
);

const zrange = redisWord(
  'Sorted sets',
  'ZRANGE',
  (words) => {
    const options = words.slice(3).map((word) => {
      const option = toOption(word);
      if (!['BYSCORE', 'REV', 'WITHSCORES'].includes(option)) {
        throw new UsageError(
          `${shown(word)} is no option of ZRANGE here; there are BYSCORE, REV, WITHSCORES`,
        );
      }
      return option;
    });
    const isReversed = options.includes('REV');
    const [first, second] = [wordAt(words, 1), wordAt(words, 2)];
    // From the highest score down the higher bound stands first.
    const byScore = (): SortedSetRange =>
      isReversed ? toScoreRange(second, first) : toScoreRange(first, second);
    const range: SortedSetRange = options.includes('BYSCORE')
      ? byScore()
      : { rank: { start: toIndex(first), stop: toIndex(second) } };
    return { key: toKey(wordAt(words, 0)), range, isReversed, hasScores: options.includes('WITHSCORES') };
  },
  async ({ key, range, isReversed, hasScores }, session) => {
    const pages = session.store.elements.scored(key, range, isReversed);
    return hasScores ? scoredList(pages) : elementList(membersOf(pages));
  },
);

type ScoredPages = AsyncIterable<readonly (readonly [Uint8Array, number])[]>;

async function* membersOf(pages: ScoredPages): AsyncIterable<readonly Uint8Array[]> {
  for await (const page of pages) yield page.map(([member]) => member);
}

function scoredList(pages: ScoredPages): Reply {
  return pairList(pages, { name: 'member', item: 'score' }, numberText, numberJson);
}

function popping(name: string, highest: boolean): ShellCommand {
  return redisWord(
    'Sorted sets',
    name,
    (words) => {
      if (words.length > 2) throw new UsageError(`expected ${name} key [count]`);
      const count = words[1];
      return {
        key: toKey(wordAt(words, 0)),
        limit: count === undefined ? 1 : toWholeNumber(count, fixed.integerMax),
      };
    },
    async (request, session) => {
      const { members } = await change<'sortedSetPop'>(session, {
        kind: 'sortedSetPop',
        ...request,
        highest,
      });
      return scoredList(onePage(members.map(({ member, score }) => [member, score] as const)));
    },
  );
}

const zremrangebyscore = redisWord(
  'Sorted sets',
  'ZREMRANGEBYSCORE',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    range: toScoreRange(wordAt(words, 1), wordAt(words, 2)),
  }),
  async (request, session) => {
    const result = await change<'sortedSetRemoveRange'>(session, {
      kind: 'sortedSetRemoveRange',
      ...request,
    });
    return countedOrNone(result.removedCount);
  },
);

const zremrangebyrank = redisWord(
  'Sorted sets',
  'ZREMRANGEBYRANK',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    range: { rank: { start: toIndex(wordAt(words, 1)), stop: toIndex(wordAt(words, 2)) } },
  }),
  async (request, session) => {
    const result = await change<'sortedSetRemoveRange'>(session, {
      kind: 'sortedSetRemoveRange',
      ...request,
    });
    return countedOrNone(result.removedCount);
  },
);

export const sortedSetWords: readonly ShellCommand[] = [
  zadd,
  zincrby,
  zrem,
  zscore,
  zmscore,
  ranking('ZRANK', false),
  ranking('ZREVRANK', true),
  zcard,
  zcount,
  zrange,
  popping('ZPOPMIN', false),
  popping('ZPOPMAX', true),
  zremrangebyscore,
  zremrangebyrank,
];
