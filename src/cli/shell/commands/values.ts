/** SET, GET, DEL, EXISTS, INCR and its kin: commands on single keys, which transactions are made of. */
import { factsOfWord } from '../../../shell-words/word-facts.ts';
import type { Key } from '../../../api.ts';
import { namedKey } from '../../../arguments/key.ts';
import { exitCode } from '../../process/exit-code.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { displayCount } from '../../terminal/display.ts';
import { entryJson, keyJson, valueJson } from '../../../api-json.ts';
import { type ShellCommand, command, wordAt } from '../command.ts';
import { parseSet } from '../../../shell-words/set-request.ts';
import { KEY_NOT_FOUND, reply } from '../reply.ts';
import { showValue } from '../values.ts';
import { shown, toDelta, toKey } from '../../../shell-words/arguments.ts';
import { quoteWord } from '../../../shell-words/quote.ts';
import type { Word } from '../../../shell-words/split-words.ts';

const set = command(factsOfWord('SET'), parseSet, async ({ key, value, options }, { keys, isTerminal }) => {
  const outcome = await keys.set(key, value, options);
  if (!outcome.isSet) {
    const why = options.only === 'new' ? 'the key exists' : KEY_NOT_FOUND;
    return reply(`not set: ${why}`, { set: false }, exitCode.no);
  }
  if (options.returnPrevious !== true) return reply('OK', { set: true });
  const { previous } = outcome;
  return previous === undefined
    ? reply(KEY_NOT_FOUND, { set: true })
    : reply(showValue(previous, isTerminal), { set: true, previous: valueJson(previous) });
});

const get = command(
  factsOfWord('GET'),
  (words) => toKey(wordAt(words, 0)),
  async (key, { keys, isTerminal }) => {
    const found = await keys.get(key);
    if (found === undefined) return reply(KEY_NOT_FOUND, {}, exitCode.no);
    const { value, entry } = found;
    const json =
      entry === undefined ? { ...keyJson(namedKey(key)), value: valueJson(value) } : entryJson(entry);
    return reply(showValue(value, isTerminal), { entry: json });
  },
);

function toKeys(words: readonly Word[]): Key[] {
  return words.map(toKey);
}

const del = command(factsOfWord('DEL'), toKeys, async (asked, { keys }) => {
  const deleted = await keys.delete(asked);
  const isOne = asked.length === 1;
  const lines = asked.map((key, index) => {
    if (deleted[index] === true) return `Deleted ${quoteWord(key)}`;
    return isOne ? KEY_NOT_FOUND : `${KEY_NOT_FOUND}: ${quoteWord(key)}`;
  });
  const isAny = deleted.includes(true);
  return reply(
    lines.join('\n'),
    { deletedCount: deleted.filter(Boolean).length },
    isAny ? exitCode.ok : exitCode.no,
  );
});

const exists = command(factsOfWord('EXISTS'), toKeys, async (asked, { keys }) => {
  const exist = await keys.exists(asked);
  const count = exist.filter(Boolean).length;
  const isAll = count === asked.length;
  const oneText = isAll ? 'yes' : 'no';
  const text = asked.length === 1 ? oneText : `${count} of ${displayCount(asked.length, 'key')}`;
  const json = {
    keys: asked.map((key, index) => ({ ...keyJson(namedKey(key)), exists: exist[index] === true })),
  };
  return reply(text, json, isAll ? exitCode.ok : exitCode.no);
});

/** INCR, DECR: `hasDelta` false; INCRBY, DECRBY: true. */
function adding(name: string, sign: 1n | -1n, hasDelta: boolean): ShellCommand {
  return command(
    factsOfWord(name),
    (words) => ({
      key: toKey(wordAt(words, 0)),
      delta: sign * (hasDelta ? toNegatableDelta(wordAt(words, 1)) : 1n),
    }),
    async ({ key, delta }, { keys }) => {
      const value = String(await keys.increment(key, delta));
      return reply(value, { value });
    },
  );
}

/** The lowest number has no counterpart of 64 bits. */
function toNegatableDelta(word: Word): bigint {
  const delta = toDelta(word);
  if (delta === -(2n ** 63n)) throw new UsageError(`${shown(word)} is too low`);
  return delta;
}

export const valueCommands: readonly ShellCommand[] = [
  set,
  get,
  del,
  exists,
  adding('INCR', 1n, false),
  adding('DECR', -1n, false),
  adding('INCRBY', 1n, true),
  adding('DECRBY', -1n, true),
];
