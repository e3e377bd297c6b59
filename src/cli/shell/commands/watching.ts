/** WATCH, UNWATCH. */
import { factsOfWord } from '../../../shell-words/word-facts.ts';
import type { KeyRange } from '../../../api.ts';
import { exitCode } from '../../process/exit-code.ts';
import { type ShellCommand, command } from '../command.ts';
import { reply } from '../reply.ts';
import { type KeyPattern, toKeyPattern } from '../../../shell-words/arguments.ts';
import { quoteWord } from '../../../shell-words/quote.ts';
import { canonicalKey } from '../../../arguments/key.ts';
import type { Word } from '../../../shell-words/split-words.ts';

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
  factsOfWord('WATCH'),
  ([word]) => toWatched(word),
  async ({ name, range }, { watches }, signal) => {
    const revision = await watches.start(name, range, signal);
    return reply(`Watching ${name}`, { watching: name, revision });
  },
);

const unwatch = command(
  factsOfWord('UNWATCH'),
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
