/** Runs a line of the palette, and says of a word that it does not have where that is. */
import { nearestName } from '../../arguments/nearest-name.ts';
import { isLoginName } from '../../shell-words/login-words.ts';
import { quoteWord } from '../../shell-words/quote.ts';
import { splitWords } from '../../shell-words/split-words.ts';
import { tableFacts } from '../../shell-words/table-facts.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { wordFacts } from '../../shell-words/word-facts.ts';
import { browserWords } from './browser-words.ts';

/** What is known of a word, whether the palette runs it or not. */
export interface KnownWord {
  /** In capitals. */
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly wordsMin: number;
  readonly wordsMax: number;
  /** Whether the words behind it are keys: all of them, or the first alone. */
  readonly keys: 'all' | 'first' | 'none';
}

const ownWords: readonly KnownWord[] = wordFacts.flatMap((facts) =>
  facts.names.map((name) => ({
    ...facts,
    name,
    keys: facts.completes[0] !== 'key' ? 'none' : facts.completes.at(-1) === 'key' ? 'all' : 'first',
  })),
);
const ownNames = new Set(ownWords.map(({ name }) => name));
const dataWords: readonly KnownWord[] = tableFacts
  .filter(({ name }) => browserWords.has(name) && !ownNames.has(name))
  .map(({ name, arity, syntax, summary }) => ({
    name,
    usage: syntax,
    summary: summary.charAt(0).toLowerCase() + summary.slice(1),
    wordsMin: Math.abs(arity) - 1,
    wordsMax: arity < 0 ? Number.POSITIVE_INFINITY : arity - 1,
    keys: 'first',
  }));

const knownWords: ReadonlyMap<string, KnownWord> = new Map(
  [...ownWords, ...dataWords].map((word) => [word.name, word]),
);

/** Those that it runs, in the order of their names. */
export const offeredWords: readonly KnownWord[] = [...knownWords.values()]
  .filter(({ name }) => name === 'HELP' || browserWords.has(name))
  .toSorted((one, other) => (one.name < other.name ? -1 : 1));

export function knownWord(name: string): KnownWord | undefined {
  return knownWords.get(name.toUpperCase());
}

/** Why a word of the shell is none of a browser. */
const elsewhere: Readonly<Record<string, string>> = {
  WATCH: 'the page Watch shows changes',
  UNWATCH: 'the page Watch shows changes',
  BEGIN: 'each line is written by itself here; kelp shell has transactions',
  COMMIT: 'each line is written by itself here; kelp shell has transactions',
  ROLLBACK: 'each line is written by itself here; kelp shell has transactions',
  ABORT: 'each line is written by itself here; kelp shell has transactions',
  EXIT: 'Escape closes this',
  QUIT: 'Escape closes this',
  SCAN: 'the page Keys goes over all keys',
  SNAPSHOT: 'a browser writes no files of the server; kelp shell has it',
};

/** @returns the answer; `undefined` for an empty line. Throws a `UsageError`, or what the call failed with. */
export async function runLine(line: string, signal: AbortSignal): Promise<string | undefined> {
  const [first, ...words] = splitWords(line);
  if (first === undefined) return undefined;
  const name = (first.text ?? '').toUpperCase();
  if (name === 'HELP' || name === '?') return helpOf(words[0]?.text?.toUpperCase());
  const word = knownWords.get(name);
  const run = browserWords.get(name === 'DELETE' ? 'DEL' : name);
  if (word === undefined || run === undefined) throw new UsageError(whyNot(name));
  if (words.length < word.wordsMin || words.length > word.wordsMax) {
    throw new UsageError(
      word.usage === ''
        ? `${name} stands alone`
        : `expected ${name} ${word.usage}; a word with blanks stands in quotes`,
    );
  }
  return run(words, signal);
}

function whyNot(name: string): string {
  const place = elsewhere[name];
  if (place !== undefined) return `there is no ${name} in a browser: ${place}`;
  if (isLoginName(name))
    return `there is no ${name}: the page logs in at its top, and Access has users and tokens`;
  if (knownWords.has(name)) return `there is no ${name} in a browser; kelp shell has it`;
  if (tableFacts.some((fact) => fact.name === name)) {
    return `there is no ${name} in a browser; kelp shell has it, or redis-cli against a server with --redis-listen`;
  }
  const nearest = nearestName(
    name,
    offeredWords.map((word) => word.name),
  );
  const typed = quoteWord(name);
  const shownName = typed.length > 60 ? `${typed.slice(0, 60)}...` : typed;
  return `unknown command ${shownName}${nearest === undefined ? '; HELP lists the commands' : ` (did you mean ${nearest}?)`}`;
}

function helpOf(name: string | undefined): string {
  if (name === undefined) {
    const width = Math.max(...offeredWords.map((word) => word.name.length));
    const lines = offeredWords.map((word) => `${word.name.padEnd(width)}  ${word.summary}`);
    return `${lines.join('\n')}\n\nWords stand as in a shell: 'two words', $'tab\\there', $'\\xff' for bytes. HELP SET explains SET.`;
  }
  const word = knownWords.get(name);
  if (word === undefined || !offeredWords.includes(word)) throw new UsageError(whyNot(name));
  return `${`${name} ${word.usage}`.trimEnd()}\n\n${word.summary.charAt(0).toUpperCase()}${word.summary.slice(1)}.`;
}
