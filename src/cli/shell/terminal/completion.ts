/** What a tabulator offers: names of commands and options, and the keys that begin with what is typed, quoted where they need it. */
import { isUtf8 } from 'node:buffer';
import type { Key } from '../../../api.ts';
import { canonicalKey, keyOf } from '../../../arguments/key.ts';
import { systemClock } from '../../../clock.ts';
import { shell as limits } from '../../../limits.ts';
import type { WordKind } from '../../../shell-words/word-facts.ts';
import type { ShellCommand } from '../command.ts';
import type { ShellStore } from '../store/shell-store.ts';
import { untilAborted } from '../until-aborted.ts';
import { quoteWord } from '../../../shell-words/quote.ts';
import { type Word, splitOpenLine } from '../../../shell-words/split-words.ts';

/** Behind the keys that are shown. It also keeps the line editor from adding what only these begin with. */
const MORE = '...';

/** As the line editor of Node takes it: what may stand in place of the end of the line, and that end. */
export type Offer = [offers: string[], typed: string];

export class Completer {
  readonly #commands: readonly ShellCommand[];
  readonly #store: Pick<ShellStore, 'scanPages'>;

  constructor(commands: readonly ShellCommand[], store: Pick<ShellStore, 'scanPages'>) {
    this.#commands = commands;
    this.#store = store;
  }

  /** @param line up to the cursor. Never rejects: what can't be found in time is not offered. */
  async complete(line: string): Promise<Offer> {
    const open = splitOpenLine(line);
    if (open === undefined) return [[], line];
    const { words, last, start } = open;
    const typed = line.slice(start);
    const kind = this.#kindOf(words);
    if (kind === 'key') return [await this.#keys(last), typed];
    return [namesBeginningWith(last.text ?? '', this.#namesOf(kind)), typed];
  }

  /** Of the word behind `words`. */
  #kindOf([first, ...words]: readonly Word[]): WordKind {
    if (first === undefined) return 'command';
    const name = first.text?.toUpperCase() ?? '';
    const command = this.#commands.find(({ names }) => names.includes(name));
    if (command === undefined || words.length >= command.wordsMax) return 'other';
    return command.completes[words.length] ?? command.completes.at(-1) ?? 'other';
  }

  #namesOf(kind: Exclude<WordKind, 'key'>): readonly string[] {
    if (kind === 'other') return [];
    return kind === 'command' ? this.#commands.flatMap(({ names }) => names) : kind.options;
  }

  async #keys(typed: Word): Promise<string[]> {
    const controller = new AbortController();
    const timer = systemClock.setTimer(limits.completionMs, () => controller.abort());
    try {
      return await untilAborted(this.#findKeys(typed), controller.signal);
    } catch {
      return [];
    } finally {
      timer.cancel();
    }
  }

  async #findKeys({ bytes }: Word): Promise<string[]> {
    const found = await this.#scan(bytes, limits.completionKeysMax + 1, false);
    const keys = found.slice(0, limits.completionKeysMax);
    const [first] = keys;
    if (first === undefined) return [];
    if (keys.length === 1) return [`${quoteWord(first)} `];
    // Keys are in order: what the first and the last one have in common all have, also those that were not looked at.
    const isMore = found.length > keys.length;
    const last = isMore ? (await this.#scan(bytes, 1, true))[0] : keys.at(-1);
    const common = commonBytes(Buffer.from(first), Buffer.from(last ?? first));
    if (common.length > bytes.length) return [openWord(canonicalKey(common))];
    return [...keys.map(quoteWord), ...(isMore ? [MORE] : [])];
  }

  async #scan(prefix: Uint8Array, limit: number, reverse: boolean): Promise<Key[]> {
    const keys: Key[] = [];
    const range = prefix.length === 0 ? {} : { prefix };
    for await (const page of this.#store.scanPages(range, { keysOnly: true, limit, reverse })) {
      for (const entry of page) keys.push(keyOf(entry));
    }
    return keys;
  }
}

/** In small letters where these were typed. */
function namesBeginningWith(typed: string, names: readonly string[]): string[] {
  const isSmall = typed !== '' && typed === typed.toLowerCase();
  const found = names.filter((name) => name.startsWith(typed.toUpperCase()));
  const written = isSmall ? found.map((name) => name.toLowerCase()) : found;
  return written.length === 1 ? written.map((name) => `${name} `) : written;
}

function commonBytes(a: Buffer, b: Buffer): Buffer {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  // Not a part of a character.
  for (let end = length; end > length - 4 && end > 0; end--) {
    if (isUtf8(a.subarray(0, end))) return a.subarray(0, end);
  }
  return a.subarray(0, length);
}

/** A word that goes on: its quote, if it has one, is not closed. */
function openWord(key: Key): string {
  return quoteWord(key).replace(/'$/, '');
}
