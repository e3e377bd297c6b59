/** KEYS, LIST, SCAN: commands on many keys, which print them as they come. */
import { factsOfWord } from '../../../shell-words/word-facts.ts';
import type { Entry, Key, KeyRange } from '../../../api.ts';
import { canonicalKey, keyOf } from '../../../arguments/key.ts';
import { fixed, shell as limits } from '../../../limits.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { displayTimeLeft, displayValue } from '../../terminal/display.ts';
import { entryJson, listedKeyJson } from '../../../api-json.ts';
import { Table } from '../../terminal/table.ts';
import { type ShellCommand, command } from '../command.ts';
import { type ListedPage, list, reply } from '../reply.ts';
import type { ShellStore } from '../store/shell-store.ts';
import { shown, toKey, toKeyPattern, toOption, toWholeNumber } from '../../../shell-words/arguments.ts';
import { quoteWord } from '../../../shell-words/quote.ts';
import type { Word } from '../../../shell-words/split-words.ts';

const keys = command(
  factsOfWord('KEYS'),
  ([pattern]) => {
    if (pattern === undefined) return '*';
    if (pattern.text === undefined) throw new UsageError('a pattern is UTF-8 text');
    return pattern.text;
  },
  async (pattern, { store }) => list('keys', 'no keys', keyPages(store.keyPages(pattern))),
);

async function* keyPages(pages: AsyncIterable<readonly Key[]>): AsyncIterable<ListedPage> {
  for await (const page of pages) {
    yield { text: page.map((key) => `${quoteWord(key)}\n`).join(''), items: page.map(listedKeyJson) };
  }
}

/** `user:` and `user:*` mean the same. */
function toPrefix(word: Word | undefined): Uint8Array | undefined {
  const bytes = word && toKeyPattern(word).bytes;
  return bytes?.length === 0 ? undefined : bytes;
}

const listCommand = command(
  factsOfWord('LIST'),
  ([word]) => toPrefix(word),
  async (prefix, { store }) => list('entries', 'no keys', entryPages(store, prefix ? { prefix } : {})),
);

async function* entryPages(store: ShellStore, range: KeyRange): AsyncIterable<ListedPage> {
  const table = new Table([{ title: 'KEY' }, { title: 'VALUE' }, { title: 'EXPIRES IN' }]);
  for await (const page of store.scanPages(range, { keysOnly: false })) {
    const text = page.length === 0 ? '' : await table.format(page.map(rowOf));
    yield { text, items: page.map((entry) => entryJson(entry)) };
  }
}

function rowOf(entry: Entry): string[] {
  return [quoteWord(keyOf(entry)), displayValue(entry.value), displayTimeLeft(entry.expireTimeMs)];
}

interface ScanRequest {
  readonly prefix: Uint8Array | undefined;
  readonly count: number;
  readonly after: Key | undefined;
}

function parseScan(words: readonly Word[]): ScanRequest {
  let count: number | undefined;
  let after: Key | undefined;
  const rest = [...words];
  // An odd number of words: options come in pairs.
  const prefix = rest.length % 2 === 1 ? toPrefix(rest.shift()) : undefined;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const name = toOption(word);
    const given = rest.shift();
    if (given === undefined || !['COUNT', 'AFTER'].includes(name)) {
      throw new UsageError(`${shown(word)} is no option of SCAN; there are COUNT and AFTER`);
    }
    if (name === 'COUNT') count = toWholeNumber(given, fixed.pageLimitMax);
    else after = toKey(given);
  }
  return { prefix, count: count ?? limits.scanKeysDefault, after };
}

const scan = command(factsOfWord('SCAN'), parseScan, async ({ prefix, count, after }, { store }) => {
  const found: Key[] = [];
  // One more than is shown tells whether there are more.
  for await (const page of store.scanPages(behind(after, prefix), { keysOnly: true, limit: count + 1 })) {
    for (const entry of page) found.push(keyOf(entry));
  }
  const keys = found.filter((key) => hasPrefix(key, prefix));
  const last = keys.length > count ? keys[count - 1] : undefined;
  const printed = keys.slice(0, count);
  const json = {
    keys: printed.map(listedKeyJson),
    ...(last !== undefined && { after: listedKeyJson(last) }),
  };
  const lines = printed.map(quoteWord);
  if (last !== undefined) lines.push(`more: ${nextCommand(prefix, count, last)}`);
  return reply(lines.length === 0 ? 'no keys' : lines.join('\n'), json);
});

function behind(after: Key | undefined, prefix: Uint8Array | undefined): KeyRange {
  const all = prefix === undefined ? {} : { prefix };
  if (after === undefined) return all;
  const bytes = Buffer.from(after);
  if (prefix !== undefined && bytes.compare(prefix) < 0) return all;
  // A key and a byte of 0 is the lowest key behind it.
  return { start: Buffer.concat([bytes, Uint8Array.of(0)]) };
}

/** What follows `after` need not begin with the prefix; in the order of keys, all that do come first. */
function hasPrefix(key: Key, prefix: Uint8Array | undefined): boolean {
  return prefix === undefined || Buffer.from(key).subarray(0, prefix.length).equals(prefix);
}

function nextCommand(prefix: Uint8Array | undefined, count: number, after: Key): string {
  const words = prefix === undefined ? [] : [quotePrefix(prefix)];
  return ['SCAN', ...words, 'COUNT', String(count), 'AFTER', quoteWord(after)].join(' ');
}

/** A star or backslash of the prefix itself is written so that it is read as itself. */
function quotePrefix(prefix: Uint8Array): string {
  const escaped = [...prefix].flatMap((byte) => ([0x2a, 0x5c].includes(byte) ? [0x5c, byte] : [byte]));
  return quoteWord(canonicalKey(Uint8Array.from(escaped)));
}

export const listCommands: readonly ShellCommand[] = [keys, listCommand, scan];
