/**
 * A list that is read page by page, as far as its reader goes. All its pages show the same revision.
 *
 * ```ts
 * for await (const entry of client.scan({ prefix: 'user/' })) console.log(entry.key, entry.text());
 * const keys = await client.keys('user/*').toArray();
 * ```
 *
 * Each loop begins anew. Leaving a loop early costs nothing: nothing is read ahead. Each page is a call of its own, with
 * its own deadline, that is tried again as any read; its token says where it begins, so that failures between and within
 * pages neither skip nor repeat an item.
 */
import { fixed } from '../limits.ts';
import { invalidArgument } from './arguments.ts';
import type { ListOptions } from './messages/types.ts';

export interface Page<Item> {
  readonly items: Item[];
  /** The revision at which this and all pages of the list were read; 0 where the list has none. */
  readonly revision: number;
  /** The incarnation that wrote it: with it a watch goes on from here. Empty where there is none. */
  readonly incarnation: string;
}

/** Reads the page that begins at `pageToken`, an empty one meaning the first. */
export type ReadPage<Item> = (
  pageToken: string,
  limit: number,
) => Promise<Page<Item> & { readonly nextPageToken: string }>;

export class PagedList<Item> implements AsyncIterable<Item> {
  readonly #readPage: ReadPage<Item>;
  readonly #limit: number;
  readonly #pageSize: number;

  constructor({ limit = Number.POSITIVE_INFINITY, pageSize = 0 }: ListOptions, readPage: ReadPage<Item>) {
    this.#readPage = readPage;
    this.#limit = Math.floor(limit);
    this.#pageSize = Math.floor(Math.min(pageSize || fixed.pageLimitDefault, fixed.pageLimitMax));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.pages()) yield* page.items;
  }

  /** The pages as the server cuts them; some may be empty. */
  async *pages(): AsyncGenerator<Page<Item>, void, undefined> {
    let pageToken = '';
    let remaining = this.#limit;
    while (remaining > 0) {
      const page = await this.#readPage(pageToken, Math.min(remaining, this.#pageSize));
      const { items, revision, incarnation } = page;
      yield { items, revision, incarnation };
      if (page.nextPageToken === '') return;
      pageToken = page.nextPageToken;
      remaining -= page.items.length;
    }
  }

  /** All items at once; mind their number. */
  async toArray(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const item of this) items.push(item);
    return items;
  }
}

/** The list of a request that a check has found `wrong`: reading it tells why. */
export function refusedList(wrong: string): PagedList<never> {
  return new PagedList<never>({}, () => Promise.reject(invalidArgument(wrong)));
}
