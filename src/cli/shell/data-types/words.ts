/** What the words of the data types' commands mean, and how elements are listed. */
import { assert } from '../../../errors.ts';
import { listedKeyJson, valueJson } from '../../../api-json.ts';
import { canonicalKey } from '../../../arguments/key.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { type ListReply, type ListedPage, list } from '../reply.ts';
import { shown } from '../../../shell-words/arguments.ts';
import { quoteWord } from '../../../shell-words/quote.ts';
import type { Word } from '../../../shell-words/split-words.ts';

export function bytesOf({ bytes }: Word): Uint8Array {
  return bytes;
}

export function pairsOf(words: readonly Word[], what: string): (readonly [Word, Word])[] {
  if (words.length % 2 !== 0) throw new UsageError(`expected pairs of ${what}`);
  return Array.from({ length: words.length / 2 }, (_, place) => {
    const [first, second] = [words[2 * place], words[2 * place + 1]];
    assert(first !== undefined && second !== undefined, 'pairs have two words');
    return [first, second] as const;
  });
}

export function toIndex(word: Word): number {
  const value = /^[+-]?\d{1,16}$/.test(word.text ?? '') ? Number(word.text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new UsageError(`expected a whole number, not ${shown(word)}`);
  return value + 0;
}

export function toNumber(word: Word): number {
  const { text = '' } = word;
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  const value = infinite ? Number(`${infinite[1]}Infinity`) : text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value))
    throw new UsageError(`expected a number, such as 3, -0.5 or inf, not ${shown(word)}`);
  return value;
}

/** As it can be typed. */
export function numberText(value: number): string {
  return Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf';
}

export function numberJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** Elements as words, one in a line. */
export function elementList(pages: AsyncIterable<readonly Uint8Array[]>): ListReply {
  return list('elements', 'none', elementPages(pages));
}

async function* elementPages(pages: AsyncIterable<readonly Uint8Array[]>): AsyncIterable<ListedPage> {
  for await (const page of pages) {
    yield { text: page.map((each) => `${asWord(each)}\n`).join(''), items: page.map(valueJson) };
  }
}

/** Names with what goes with them, a pair in a line. */
export function pairList<Item>(
  pages: AsyncIterable<readonly (readonly [name: Uint8Array, item: Item])[]>,
  kind: { readonly name: string; readonly item: string },
  text: (item: Item) => string,
  json: (item: Item) => unknown,
): ListReply {
  const listed = (async function* (): AsyncIterable<ListedPage> {
    for await (const page of pages) {
      yield {
        text: page.map(([name, item]) => `${asWord(name)} ${text(item)}\n`).join(''),
        items: page.map(([name, item]) => ({
          [kind.name]: listedKeyJson(canonicalKey(name)),
          [kind.item]: json(item),
        })),
      };
    }
  })();
  return list(`${kind.name}s`, 'none', listed);
}

/** As it can be typed. */
export function asWord(bytes: Uint8Array): string {
  return quoteWord(canonicalKey(bytes));
}

export async function* onePage<Item>(items: readonly Item[]): AsyncIterable<readonly Item[]> {
  yield items;
}
