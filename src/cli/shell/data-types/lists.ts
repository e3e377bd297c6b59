/** LPUSH, LRANGE and their kin. */
import type { ListEnd } from '../../../api-collections.ts';
import { exitCode } from '../../process/exit-code.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { type ShellCommand, type ShellSession, wordAt } from '../command.ts';
import { type Reply, reply } from '../reply.ts';
import { shown, toKey, toOption, toWholeNumber } from '../../../shell-words/arguments.ts';
import { fixed } from '../../../limits.ts';
import type { Key } from '../../../api.ts';
import type { Word } from '../../../shell-words/split-words.ts';
import { change, counted, countedOrNone, redisWord, valueOrNone } from './redis-word.ts';
import { bytesOf, elementList, onePage, toIndex } from './words.ts';

const ELEMENT_NOT_FOUND = 'element not found';
const keyOnly = (words: readonly Word[]) => toKey(wordAt(words, 0));

/** LPUSH, RPUSH, and with X those that create no list. */
function pushing(name: string, end: ListEnd, onlyIfExists: boolean): ShellCommand {
  return redisWord(
    'Lists',
    name,
    (words) => ({ key: toKey(wordAt(words, 0)), elements: words.slice(1).map(bytesOf) }),
    async (request, session) =>
      counted((await change<'listPush'>(session, { kind: 'listPush', ...request, end, onlyIfExists })).count),
  );
}

function popping(name: string, end: ListEnd): ShellCommand {
  return redisWord(
    'Lists',
    name,
    (words) => {
      if (words.length > 2) throw new UsageError(`expected ${name} key [count]`);
      const count = words[1];
      return {
        key: toKey(wordAt(words, 0)),
        limit: count === undefined ? undefined : toWholeNumber(count, fixed.integerMax),
      };
    },
    async ({ key, limit }, session) => {
      const { elements } = await change<'listPop'>(session, { kind: 'listPop', key, end, limit: limit ?? 1 });
      if (limit === undefined) return valueOrNone(elements[0], session.isTerminal, ELEMENT_NOT_FOUND);
      return elementList(onePage(elements));
    },
  );
}

const lrange = redisWord(
  'Lists',
  'LRANGE',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    start: toIndex(wordAt(words, 1)),
    stop: toIndex(wordAt(words, 2)),
  }),
  async ({ key, start, stop }, session) => elementList(session.store.elements.elements(key, start, stop)),
);

const llen = redisWord('Lists', 'LLEN', keyOnly, async (key, session) =>
  counted(await session.store.elements.elementCount(key)),
);

const lindex = redisWord(
  'Lists',
  'LINDEX',
  (words) => ({ key: toKey(wordAt(words, 0)), index: toIndex(wordAt(words, 1)) }),
  async ({ key, index }, session) => {
    let found: Uint8Array | undefined;
    for await (const [element] of session.store.elements.elements(key, index, index)) found ??= element;
    return valueOrNone(found, session.isTerminal, ELEMENT_NOT_FOUND);
  },
);

const lset = redisWord(
  'Lists',
  'LSET',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    index: toIndex(wordAt(words, 1)),
    element: wordAt(words, 2).bytes,
  }),
  async (request, session) => {
    await change<'listSet'>(session, { kind: 'listSet', ...request });
    return reply('OK', { set: true });
  },
);

const linsert = redisWord(
  'Lists',
  'LINSERT',
  (words) => {
    const where = toOption(wordAt(words, 1));
    if (where !== 'BEFORE' && where !== 'AFTER') {
      throw new UsageError(`expected BEFORE or AFTER, not ${shown(wordAt(words, 1))}`);
    }
    return {
      key: toKey(wordAt(words, 0)),
      isBehind: where === 'AFTER',
      pivot: wordAt(words, 2).bytes,
      element: wordAt(words, 3).bytes,
    };
  },
  async (request, session) => {
    const { inserted, count } = await change<'listInsert'>(session, { kind: 'listInsert', ...request });
    return inserted ? counted(count) : reply(ELEMENT_NOT_FOUND, { count }, exitCode.no);
  },
);

const lrem = redisWord(
  'Lists',
  'LREM',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    limit: toIndex(wordAt(words, 1)),
    element: wordAt(words, 2).bytes,
  }),
  async (request, session) =>
    countedOrNone((await change<'listRemove'>(session, { kind: 'listRemove', ...request })).removedCount),
);

const ltrim = redisWord(
  'Lists',
  'LTRIM',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    start: toIndex(wordAt(words, 1)),
    stop: toIndex(wordAt(words, 2)),
  }),
  async (request, session) => {
    await change<'listTrim'>(session, { kind: 'listTrim', ...request });
    return reply('OK', { trimmed: true });
  },
);

interface Move {
  readonly key: Key;
  readonly destination: Key;
  readonly from: ListEnd;
  readonly to: ListEnd;
}

async function move(request: Move, session: ShellSession): Promise<Reply> {
  const { moved, element } = await change<'listMove'>(session, { kind: 'listMove', ...request });
  return valueOrNone(moved ? element : undefined, session.isTerminal, ELEMENT_NOT_FOUND);
}

function toEnd(word: Word): ListEnd {
  const side = toOption(word);
  if (side === 'LEFT') return 'head';
  if (side === 'RIGHT') return 'tail';
  throw new UsageError(`expected LEFT or RIGHT, not ${shown(word)}`);
}

const lmove = redisWord(
  'Lists',
  'LMOVE',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    destination: toKey(wordAt(words, 1)),
    from: toEnd(wordAt(words, 2)),
    to: toEnd(wordAt(words, 3)),
  }),
  move,
);

const rpoplpush = redisWord(
  'Lists',
  'RPOPLPUSH',
  (words): Move => ({
    key: toKey(wordAt(words, 0)),
    destination: toKey(wordAt(words, 1)),
    from: 'tail',
    to: 'head',
  }),
  move,
);

export const listWords: readonly ShellCommand[] = [
  pushing('LPUSH', 'head', false),
  pushing('RPUSH', 'tail', false),
  pushing('LPUSHX', 'head', true),
  pushing('RPUSHX', 'tail', true),
  popping('LPOP', 'head'),
  popping('RPOP', 'tail'),
  lrange,
  llen,
  lindex,
  lset,
  linsert,
  lrem,
  ltrim,
  lmove,
  rpoplpush,
];
