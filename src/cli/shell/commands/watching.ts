/** WATCH, UNWATCH. */
import type { KeyRange } from '../../../api.ts';
import { shell as limits } from '../../../limits.ts';
import { exitCode } from '../../process/exit-code.ts';
import { type ShellCommand, command } from '../command.ts';
import { reply } from '../reply.ts';
import { type KeyPattern, toKeyPattern } from '../words/arguments.ts';
import { quoteWord } from '../words/quote.ts';
import { canonicalKey } from '../../../arguments/key.ts';
import type { Word } from '../words/words.ts';

/** What a watch is called, and told by to UNWATCH. */
interface Watched {
  readonly name: string;
  readonly range: KeyRange;
}

const ALL_KEYS: Watched = { name: '*', range: {} };

function toWatched(word: Word | undefined): Watched {
  if (word === undefined) return ALL_KEYS;
  const pattern = toKeyPattern(word);
  if (pattern.bytes.length === 0) return ALL_KEYS;
  return { name: quoteWord(canonicalKey(word.bytes)), range: rangeOf(pattern) };
}

function rangeOf({ bytes, isPrefix }: KeyPattern): KeyRange {
  return isPrefix ? { prefix: bytes } : { key: bytes };
}

const watch = command(
  {
    names: ['WATCH'],
    usage: '[key | prefix*]',
    summary: 'print changes of a key, of a prefix or of all keys as they come, until UNWATCH',
    details: `Goes on in the background while commands are typed, over broken connections too. When it can't go on it says up to
which revision it has told everything. A shell has up to ${limits.watchesMax} watches.
`,
    group: 'Watching',
    wordsMin: 0,
    wordsMax: 1,
    completes: ['key'],
    inTransaction: 'beside',
  },
  ([word]) => toWatched(word),
  async ({ name, range }, { watches }, signal) => {
    const revision = await watches.start(name, range, signal);
    return reply(`Watching ${name}`, { watching: name, revision });
  },
);

const unwatch = command(
  {
    names: ['UNWATCH'],
    usage: '[key | prefix*]',
    summary: 'end a watch, or all',
    group: 'Watching',
    wordsMin: 0,
    wordsMax: 1,
    completes: ['key'],
    inTransaction: 'beside',
  },
  ([word]) => word && toWatched(word),
  async (watched, { watches }) => {
    if (watched === undefined) {
      const ended = watches.names;
      watches.endAll();
      return reply('OK', { ended });
    }
    const { name } = watched;
    if (watches.end(name)) return reply('OK', { ended: [name] });
    const running = watches.names.length === 0 ? 'no watch runs' : `watched: ${watches.names.join(', ')}`;
    return reply(`${name} is not being watched; ${running}`, { ended: [] }, exitCode.no);
  },
);

export const watchingCommands: readonly ShellCommand[] = [watch, unwatch];
