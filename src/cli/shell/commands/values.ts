/** SET, GET, DEL, EXISTS, INCR and its kin: commands on single keys, which transactions are made of. */
import type { Key } from '../../../api.ts';
import { namedKey } from '../../../arguments/key.ts';
import { fixed } from '../../../limits.ts';
import { UsageError, exitCode } from '../../process/exit-code.ts';
import { displayCount } from '../../terminal/display.ts';
import { entryJson, keyJson, valueJson } from '../../../api-json.ts';
import { type ShellCommand, command, wordAt } from '../command.ts';
import type { SetOptions } from '../keys/key-calls.ts';
import { KEY_NOT_FOUND, reply } from '../reply.ts';
import { showValue } from '../values.ts';
import { shown, toDelta, toKey, toMilliseconds, toOption, toTtlMs } from '../words/arguments.ts';
import { quoteWord } from '../words/quote.ts';
import type { Word } from '../words/words.ts';

interface SetRequest {
  readonly key: Key;
  readonly value: Uint8Array;
  readonly options: SetOptions;
}

/** What Redis has, and why it is not here. */
const refusedOptions: Readonly<Record<string, string>> = {
  KEEPTTL: 'a SET replaces the time to live with the value; give EX',
  EXAT: 'give the time from now on, with EX',
  PXAT: 'give the time from now on, with PX',
};

function parseSet(words: readonly Word[]): SetRequest {
  let options: SetOptions = {};
  const rest = words.slice(2);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    options = withOption(options, word, rest);
  }
  return { key: toKey(wordAt(words, 0)), value: wordAt(words, 1).bytes, options };
}

/** @param rest what follows the option; what belongs to it is taken from there. */
function withOption(options: SetOptions, word: Word, rest: Word[]): SetOptions {
  const name = toOption(word);
  switch (name) {
    case 'EX':
    case 'PX': {
      const time = rest.shift();
      if (time === undefined) throw new UsageError(`${name} lacks its time`);
      if (options.ttlMs !== undefined) throw new UsageError('the time to live is given twice');
      return { ...options, ttlMs: name === 'EX' ? toTtlMs(time) : toMilliseconds(time) };
    }
    case 'NX':
    case 'XX':
      if (options.only !== undefined) throw new UsageError('give NX or XX, once');
      return { ...options, only: name === 'NX' ? 'new' : 'existing' };
    case 'GET':
      return { ...options, returnPrevious: true };
    default: {
      const why = refusedOptions[name];
      throw new UsageError(
        why === undefined
          ? `${shown(word)} is no option of SET; a value with blanks stands in quotes`
          : `there is no ${name} here: ${why}`,
      );
    }
  }
}

const set = command(
  {
    names: ['SET'],
    usage: 'key value [EX seconds | PX milliseconds] [NX | XX] [GET]',
    summary: 'write a key',
    details: `EX and PX give it a time to live, in seconds or milliseconds, or with a unit: EX 1h30m.
NX writes only if there is no such key, XX only if there is one. GET prints the value before.
`,
    group: 'Keys',
    wordsMin: 2,
    wordsMax: 7,
    completes: ['key', 'other', { options: ['EX', 'PX', 'NX', 'XX', 'GET'] }],
    inTransaction: 'part',
  },
  parseSet,
  async ({ key, value, options }, { keys, isTerminal }) => {
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
  },
);

const get = command(
  {
    names: ['GET'],
    usage: 'key',
    summary: 'print the value of a key',
    group: 'Keys',
    wordsMin: 1,
    wordsMax: 1,
    completes: ['key'],
    inTransaction: 'part',
  },
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

const del = command(
  {
    names: ['DEL', 'DELETE'],
    usage: 'key [key ...]',
    summary: 'delete keys, all of them in one revision',
    group: 'Keys',
    wordsMin: 1,
    wordsMax: fixed.txnOperationsMax,
    completes: ['key'],
    inTransaction: 'part',
  },
  toKeys,
  async (asked, { keys }) => {
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
  },
);

const exists = command(
  {
    names: ['EXISTS'],
    usage: 'key [key ...]',
    summary: 'tell whether there are such keys',
    group: 'Keys',
    wordsMin: 1,
    wordsMax: fixed.existsKeysMax,
    completes: ['key'],
    inTransaction: 'part',
  },
  toKeys,
  async (asked, { keys }) => {
    const exist = await keys.exists(asked);
    const count = exist.filter(Boolean).length;
    const isAll = count === asked.length;
    const oneText = isAll ? 'yes' : 'no';
    const text = asked.length === 1 ? oneText : `${count} of ${displayCount(asked.length, 'key')}`;
    const json = {
      keys: asked.map((key, index) => ({ ...keyJson(namedKey(key)), exists: exist[index] === true })),
    };
    return reply(text, json, isAll ? exitCode.ok : exitCode.no);
  },
);

/** INCR, DECR: `hasDelta` false; INCRBY, DECRBY: true. */
function adding(name: string, sign: 1n | -1n, hasDelta: boolean): ShellCommand {
  const verb = sign === 1n ? 'add' : 'subtract';
  const direction = sign === 1n ? 'to' : 'from';
  return command(
    {
      names: [name],
      usage: hasDelta ? 'key number' : 'key',
      summary: hasDelta ? `${verb} a number ${direction} a key` : `${verb} 1 ${direction} a key`,
      details:
        'The value is the decimal text of an integer of 64 bits. A key that is not there counts as 0.\n',
      group: 'Keys',
      wordsMin: hasDelta ? 2 : 1,
      wordsMax: hasDelta ? 2 : 1,
      completes: ['key', 'other'],
      inTransaction: 'part',
    },
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
