/**
 * The words of the shell that a browser runs: their syntax and facts are those of `src/shell-words`, and each is a call to the server by
 * the rights of the page's login. An answer is text. Throws a `UsageError` for words that make no sense.
 */
import { ListEnd } from '../../../gen/kelp/v1/list_pb.ts';
import { shown, toDelta, toKey, toKeyPattern, toTtlMs } from '../../shell-words/arguments.ts';
import { quoteWord } from '../../shell-words/quote.ts';
import { parseSet } from '../../shell-words/set-request.ts';
import type { Word } from '../../shell-words/split-words.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { type Key, keyFields, keyOf } from '../bytes/key-name.ts';
import { asText, brief, formatSpan, toHex } from '../bytes/text.ts';
import { failureOf } from '../calls/failure.ts';
import { access, hashes, kv, lists, sets, sortedSets } from '../calls/server.ts';
import { limits } from '../page/limits.ts';

export type RunWord = (words: readonly Word[], signal: AbortSignal) => Promise<string>;

const KEY_NOT_FOUND = 'key not found';

const set: RunWord = async (words, signal) => {
  const { key, value, options } = parseSet(words);
  const { ttlMs, only, returnPrevious = false } = options;
  try {
    const { previous } = await kv.put(
      {
        ...keyFields(key),
        value,
        returnPrevious,
        ...(ttlMs !== undefined && { ttl: durationOf(ttlMs) }),
        ...(only !== undefined && {
          condition: { condition: { case: only === 'new' ? 'mustNotExist' : 'mustExist', value: true } },
        }),
      },
      { signal },
    );
    if (!returnPrevious) return 'OK';
    return previous === undefined ? KEY_NOT_FOUND : valueText(previous.value);
  } catch (error) {
    if (failureOf(error).detail?.info.case !== 'conditionFailed') throw error;
    return `not set: ${only === 'new' ? 'the key exists' : KEY_NOT_FOUND}`;
  }
};

const get: RunWord = async (words, signal) => {
  const { entry } = await kv.get(fieldsOf(words), { signal });
  return entry === undefined ? KEY_NOT_FOUND : valueText(entry.value);
};

/** Several go in one revision. */
const del: RunWord = async (words, signal) => {
  const keys = words.map(toKey);
  const success = keys.map((key) => ({
    operation: { case: 'delete' as const, value: keyFields(key) },
  }));
  const { results } = await kv.txn({ success }, { signal });
  return keys
    .map((key, index) => {
      const { result } = results[index] ?? {};
      const isDeleted = result?.case === 'delete' && result.value.deleted;
      return isDeleted ? `Deleted ${quoteWord(key)}` : `${quoteWord(key)}: ${KEY_NOT_FOUND}`;
    })
    .join('\n');
};

const exists: RunWord = async (words, signal) => {
  const found = await Promise.all(
    words.map(async (word) => {
      const key = toKey(word);
      const range = { range: { ...rangeOfKey(key) }, countOnly: true };
      return `${quoteWord(key)}: ${(await kv.scan(range, { signal })).count > 0n ? 'yes' : 'no'}`;
    }),
  );
  return found.join('\n');
};

function adding(sign: 1n | -1n): RunWord {
  return async ([key, by], signal) => {
    const delta = by === undefined ? 1n : toDelta(by);
    if (sign * delta !== BigInt.asIntN(64, sign * delta))
      throw new UsageError(`${shown(wordOf(by))} is too low`);
    const { value } = await kv.increment({ ...fieldsOf([wordOf(key)]), delta: sign * delta }, { signal });
    return String(value);
  };
}

const keys: RunWord = async ([word], signal) => {
  const pattern = word === undefined ? '*' : word.text;
  if (pattern === undefined) throw new UsageError('a glob is text here');
  const { keys, keysBytes, nextPageToken } = await kv.keys({ pattern, limit: limits.answerKeys }, { signal });
  let bytesTaken = 0;
  const lines = keys.map((key) => quoteWord(key || (keysBytes[bytesTaken++] ?? '')));
  if (nextPageToken !== '') lines.push('and more; the page Keys goes over all of them');
  return lines.length === 0 ? 'no keys' : lines.join('\n');
};

const list: RunWord = async ([word], signal) => {
  const { bytes } = word === undefined ? { bytes: new Uint8Array(0) } : toKeyPattern(word);
  const { entries, nextPageToken } = await kv.scan(
    { range: { prefixBytes: bytes }, limit: limits.answerKeys },
    { signal },
  );
  const lines = entries.map((entry) => `${quoteWord(keyOf(entry))}  ${brief(entry.value)}`);
  if (nextPageToken !== '') lines.push('and more; the page Keys goes over all of them');
  return lines.length === 0 ? 'no keys' : lines.join('\n');
};

const ttl: RunWord = async (words, signal) => {
  const { entry } = await kv.get(fieldsOf(words), { signal });
  if (entry === undefined) return KEY_NOT_FOUND;
  if (entry.expireTime === undefined) return 'lives for ever';
  return formatSpan(Number(entry.expireTime.seconds) * 1000 + entry.expireTime.nanos / 1e6 - Date.now());
};

const touch: RunWord = async ([key, time], signal) => {
  const ttlMs = time === undefined ? 0 : toTtlMs(time);
  await kv.touch({ ...fieldsOf([wordOf(key)]), ttl: durationOf(ttlMs) }, { signal });
  return 'OK';
};

const whoAmI: RunWord = async (_, signal) => {
  const { user, roles } = await access.whoAmI({}, { signal });
  if (user === '') return 'access is open: every client may do everything';
  return `user   ${user}\nroles  ${user === 'root' ? '(may do everything)' : roles.join(', ') || '-'}`;
};

const push = (end: ListEnd): RunWord => {
  return async (words, signal) =>
    String((await lists.push({ ...fieldsOf(words), elements: bytesBehind(words), end }, { signal })).count);
};
const pop = (end: ListEnd): RunWord => {
  return async (words, signal) => {
    const [, count] = words;
    const limit = count === undefined ? 1n : toDelta(count);
    const { elements } = await lists.pop({ ...fieldsOf(words), end, limit }, { signal });
    return elements.length === 0 ? 'no element' : linesOf(elements);
  };
};

/** By name, in capitals. */
export const browserWords: ReadonlyMap<string, RunWord> = new Map<string, RunWord>([
  ['SET', set],
  ['GET', get],
  ['DEL', del],
  ['EXISTS', exists],
  ['INCR', adding(1n)],
  ['DECR', adding(-1n)],
  ['INCRBY', adding(1n)],
  ['DECRBY', adding(-1n)],
  ['KEYS', keys],
  ['LIST', list],
  ['TTL', ttl],
  ['EXPIRE', touch],
  ['PERSIST', touch],
  ['WHOAMI', whoAmI],
  [
    'HSET',
    async (words, signal) => {
      const fields = pairsOf(words, 'a field and its value').map(([name, value]) => ({
        name: name.bytes,
        value: value.bytes,
      }));
      return String((await hashes.set({ ...fieldsOf(words), fields }, { signal })).addedCount);
    },
  ],
  [
    'HGET',
    async (words, signal) => {
      const { fields } = await hashes.get({ ...fieldsOf(words), names: bytesBehind(words) }, { signal });
      return fields[0] === undefined ? 'field not found' : valueText(fields[0].value);
    },
  ],
  [
    'HGETALL',
    async (words, signal) => {
      const { fields, nextPageToken } = await hashes.scan(
        { ...fieldsOf(words), limit: limits.answerKeys },
        { signal },
      );
      const lines = fields.map(({ name, value }) => `${asWord(name)} ${asWord(value)}`);
      return listed(lines, nextPageToken);
    },
  ],
  [
    'HDEL',
    async (words, signal) =>
      String(
        (await hashes.delete({ ...fieldsOf(words), names: bytesBehind(words) }, { signal })).deletedCount,
      ),
  ],
  ['LPUSH', push(ListEnd.HEAD)],
  ['RPUSH', push(ListEnd.TAIL)],
  ['LPOP', pop(ListEnd.HEAD)],
  ['RPOP', pop(ListEnd.TAIL)],
  [
    'LRANGE',
    async (words, signal) => {
      const [start, stop] = [toDelta(wordOf(words[1])), toDelta(wordOf(words[2]))];
      const { elements } = await lists.range({ ...fieldsOf(words), start, stop }, { signal });
      return elements.length === 0 ? 'none' : linesOf(elements);
    },
  ],
  [
    'SADD',
    async (words, signal) =>
      String((await sets.add({ ...fieldsOf(words), members: bytesBehind(words) }, { signal })).addedCount),
  ],
  [
    'SREM',
    async (words, signal) =>
      String(
        (await sets.remove({ ...fieldsOf(words), members: bytesBehind(words) }, { signal })).removedCount,
      ),
  ],
  [
    'SMEMBERS',
    async (words, signal) => {
      const { members, nextPageToken } = await sets.scan(
        { ...fieldsOf(words), limit: limits.answerKeys },
        { signal },
      );
      return listed(members.map(asWord), nextPageToken);
    },
  ],
  [
    'ZADD',
    async (words, signal) => {
      const members = pairsOf(words, 'a score and its member; kelp shell has the options').map(
        ([score, member]) => ({ score: numberOf(score), member: member.bytes }),
      );
      return String((await sortedSets.add({ ...fieldsOf(words), members }, { signal })).addedCount);
    },
  ],
  [
    'ZREM',
    async (words, signal) =>
      String(
        (await sortedSets.remove({ ...fieldsOf(words), members: bytesBehind(words) }, { signal }))
          .removedCount,
      ),
  ],
]);

function wordOf(word: Word | undefined): Word {
  if (word === undefined) throw new UsageError('a word is missing');
  return word;
}

function fieldsOf(words: readonly Word[]): ReturnType<typeof keyFields> {
  return keyFields(toKey(wordOf(words[0])));
}

function bytesBehind(words: readonly Word[]): Uint8Array[] {
  return words.slice(1).map(({ bytes }) => bytes);
}

function pairsOf(words: readonly Word[], what: string): (readonly [Word, Word])[] {
  const rest = words.slice(1);
  if (rest.length % 2 !== 0) throw new UsageError(`expected pairs of ${what}`);
  return Array.from({ length: rest.length / 2 }, (_, place) => [
    wordOf(rest[2 * place]),
    wordOf(rest[2 * place + 1]),
  ]);
}

function numberOf(word: Word): number {
  const text = word.text?.trim() ?? '';
  const number = text === '' ? Number.NaN : Number(text);
  if (Number.isNaN(number)) throw new UsageError(`expected a number, such as 3 or -0.5, not ${shown(word)}`);
  return number;
}

function rangeOfKey(key: Key): { readonly key?: string; readonly keyBytes?: Uint8Array } {
  return keyFields(key);
}

function durationOf(ms: number): { readonly seconds: bigint; readonly nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.round((ms % 1000) * 1e6) };
}

function valueText(value: Uint8Array): string {
  return asText(value) ?? `0x${toHex(value.subarray(0, limits.changeBytes))} (${value.length} bytes)`;
}

function asWord(bytes: Uint8Array): string {
  return quoteWord(asText(bytes) ?? bytes);
}

function linesOf(elements: readonly Uint8Array[]): string {
  return elements.map(asWord).join('\n');
}

function listed(lines: readonly string[], nextPageToken: string): string {
  if (lines.length === 0) return 'none';
  return [...lines, ...(nextPageToken === '' ? [] : ['and more; the page Keys shows them'])].join('\n');
}
