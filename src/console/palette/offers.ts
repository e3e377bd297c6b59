/** What the palette offers while a line is typed: words, pages to go to, and keys by their beginning. */
import { quoteWord } from '../../shell-words/quote.ts';
import { type Word, splitOpenLine } from '../../shell-words/split-words.ts';
import { type Key, idOf, labelOf, prefixRange } from '../bytes/key-name.ts';
import { scanKeys } from '../keys/read-keys.ts';
import { limits } from '../page/limits.ts';
import { addressOf } from '../page/route.ts';
import { knownWord, offeredWords } from './run-line.ts';

export interface Offer {
  readonly label: string;
  readonly detail: string;
  /** What the line becomes, or where it leads. */
  readonly act:
    { readonly kind: 'type'; readonly line: string } | { readonly kind: 'go'; readonly address: string };
}

/** A page by name. */
export interface PageName {
  readonly name: string;
  readonly title: string;
}

/** Those that are known without the server. */
export function offersOf(line: string, pages: readonly PageName[]): readonly Offer[] {
  const open = splitOpenLine(line);
  if (open === undefined || open.words.length > 0) return [];
  const typed = (open.last.text ?? '').toUpperCase();
  const words = offeredWords
    .filter(({ name }) => typed !== '' && name.startsWith(typed))
    .map(({ name, usage, summary }) => ({
      label: `${name} ${usage}`.trimEnd(),
      detail: summary,
      act: { kind: 'type' as const, line: `${name} ` },
    }));
  const found = pages
    .filter(({ title }) => title.toUpperCase().startsWith(typed))
    .map(({ name, title }) => ({
      label: title,
      detail: 'go to this page',
      act: { kind: 'go' as const, address: addressOf(name) },
    }));
  return [...found, ...words].slice(0, limits.offers);
}

/** Keys that begin with the word that is typed: to write into the line where it takes a key, or to go to. */
export async function keyOffers(line: string, signal: AbortSignal): Promise<readonly Offer[]> {
  const open = splitOpenLine(line);
  if (open === undefined) return [];
  const { words, last, start } = open;
  const isFirst = words.length === 0;
  if (isFirst ? last.bytes.length === 0 : !takesKey(words)) return [];
  const { rows } = await scanKeys(prefixRange(last.text ?? last.bytes), { limit: limits.offers, signal });
  return rows.map(({ key }) => ({
    label: labelOf(key),
    detail: isFirst ? 'show this key' : '',
    act: isFirst
      ? { kind: 'go', address: keyAddress(key) }
      : { kind: 'type', line: `${line.slice(0, start)}${quoteWord(key)} ` },
  }));
}

function takesKey([first, ...words]: readonly Word[]): boolean {
  const { keys = 'none' } = knownWord(first?.text ?? '') ?? {};
  return keys === 'all' || (keys === 'first' && words.length === 0);
}

function keyAddress(key: Key): string {
  return addressOf('keys', { key: idOf(key) });
}
