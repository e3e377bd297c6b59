/** HSET, HGET and their kin. */
import { valueJson } from '../../../api-json.ts';
import { wordAt, type ShellCommand } from '../command.ts';
import { reply } from '../reply.ts';
import { toDelta, toKey } from '../../../shell-words/arguments.ts';
import type { Word } from '../../../shell-words/split-words.ts';
import { change, counted, countedOrNone, redisWord, valueOrNone, yesOrNo } from './redis-word.ts';
import { asWord, bytesOf, elementList, pairList, pairsOf, toNumber } from './words.ts';

const FIELD_NOT_FOUND = 'field not found';

const keyAndNames = (words: readonly Word[]) => ({
  key: toKey(wordAt(words, 0)),
  names: words.slice(1).map(bytesOf),
});
const keyOnly = (words: readonly Word[]) => toKey(wordAt(words, 0));

const hset = redisWord(
  'Hashes',
  'HSET',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    fields: pairsOf(words.slice(1), 'a field and its value').map(([name, value]) => ({
      name: name.bytes,
      value: value.bytes,
    })),
  }),
  async (request, session) =>
    counted((await change<'hashSet'>(session, { kind: 'hashSet', ...request })).addedCount),
);

const hsetnx = redisWord(
  'Hashes',
  'HSETNX',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    fields: [{ name: wordAt(words, 1).bytes, value: wordAt(words, 2).bytes }],
  }),
  async (request, session) => {
    const result = await change<'hashSet'>(session, { kind: 'hashSet', ...request, onlyIfAbsent: true });
    return countedOrNone(result.addedCount);
  },
);

const hget = redisWord('Hashes', 'HGET', keyAndNames, async ({ key, names }, session) => {
  let found: Uint8Array | undefined;
  for await (const [field] of session.store.elements.fields(key, names)) found ??= field?.[1];
  return valueOrNone(found, session.isTerminal, FIELD_NOT_FOUND);
});

const hmget = redisWord('Hashes', 'HMGET', keyAndNames, async ({ key, names }, session) => {
  const valueByName = new Map<string, Uint8Array>();
  for await (const page of session.store.elements.fields(key, names)) {
    for (const [name, value] of page) valueByName.set(Buffer.from(name).toString('latin1'), value);
  }
  const values = names.map((name) => valueByName.get(Buffer.from(name).toString('latin1')));
  const lines = values.map((value) => (value === undefined ? FIELD_NOT_FOUND : asWord(value)));
  return reply(lines.join('\n'), {
    values: values.map((value) => (value === undefined ? null : valueJson(value))),
  });
});

const hgetall = redisWord('Hashes', 'HGETALL', keyOnly, async (key, session) =>
  pairList(session.store.elements.fields(key), { name: 'field', item: 'value' }, asWord, valueJson),
);

async function* column(
  pages: AsyncIterable<readonly (readonly [Uint8Array, Uint8Array])[]>,
  place: 0 | 1,
): AsyncIterable<readonly Uint8Array[]> {
  for await (const page of pages) yield page.map((field) => field[place]);
}

const hkeys = redisWord('Hashes', 'HKEYS', keyOnly, async (key, session) =>
  elementList(column(session.store.elements.fields(key), 0)),
);
const hvals = redisWord('Hashes', 'HVALS', keyOnly, async (key, session) =>
  elementList(column(session.store.elements.fields(key), 1)),
);
const hlen = redisWord('Hashes', 'HLEN', keyOnly, async (key, session) =>
  counted(await session.store.elements.fieldCount(key)),
);

const hexists = redisWord('Hashes', 'HEXISTS', keyAndNames, async ({ key, names }, session) => {
  let isThere = false;
  for await (const page of session.store.elements.fields(key, names)) isThere ||= page.length > 0;
  return yesOrNo(isThere);
});

const hdel = redisWord('Hashes', 'HDEL', keyAndNames, async (request, session) =>
  countedOrNone((await change<'hashDelete'>(session, { kind: 'hashDelete', ...request })).deletedCount),
);

const hincrby = redisWord(
  'Hashes',
  'HINCRBY',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    name: wordAt(words, 1).bytes,
    delta: toDelta(wordAt(words, 2)),
  }),
  async (request, session) => {
    const { value } = await change<'hashIncrement'>(session, { kind: 'hashIncrement', ...request });
    return valueOrNone(value, session.isTerminal, FIELD_NOT_FOUND);
  },
);

const hincrbyfloat = redisWord(
  'Hashes',
  'HINCRBYFLOAT',
  (words) => ({
    key: toKey(wordAt(words, 0)),
    name: wordAt(words, 1).bytes,
    floatDelta: toNumber(wordAt(words, 2)),
  }),
  async (request, session) => {
    const { value } = await change<'hashIncrement'>(session, { kind: 'hashIncrement', ...request });
    return valueOrNone(value, session.isTerminal, FIELD_NOT_FOUND);
  },
);

export const hashWords: readonly ShellCommand[] = [
  hset,
  hsetnx,
  hget,
  hmget,
  hgetall,
  hkeys,
  hvals,
  hlen,
  hexists,
  hdel,
  hincrby,
  hincrbyfloat,
];
