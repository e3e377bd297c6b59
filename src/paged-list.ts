/**
 * A list that is read page by page, as far as its reader goes. All its pages show the same revision.
 *
 * ```ts
 * for await (const entry of client.scan({ prefix: 'user/' })) console.log(entry.key, entry.text());
 * for await (const { name, value } of store.hash.scan('user:1')) console.log(name.text(), value.text());
 * ```
 *
 * Each loop begins anew, and may be left early. Of a client, a deadline holds for each page from when it is asked for, and a page is
 * tried again as any read; its token says where it begins, so that failures between and within pages neither skip nor repeat an
 * item. The client's scan is a stream, of which the server sends a little ahead (`client/paging/scan.ts`); of all other lists each
 * page is a call of its own, made when it is asked for.
 */
import { fixed } from './limits.ts';

/** What every call takes that reads page by page, and asks for pages by itself. */
export interface PagedListOptions {
  /** Stop after this many items; left out: at the end. */
  readonly limit?: number;
  /** The most items that one page holds, 1 to 10000. Default 1000. */
  readonly pageSize?: number;
}

export interface Page<Item> {
  readonly items: Item[];
  /** The revision at which this and all pages of the list were read; 0 where the list has none. */
  readonly revision: number;
  /** The incarnation that wrote it: with it a watch goes on from here. Empty where there is none. */
  readonly incarnation: string;
}

/** Reads pages of at most `pageSize` items until there are `limit` of these, which is above 0, or no more. */
export type ReadPages<Item> = (limit: number, pageSize: number) => AsyncIterable<Page<Item>>;

export class PagedList<Item> implements AsyncIterable<Item> {
  readonly #readPages: ReadPages<Item>;
  readonly #limit: number;
  readonly #pageSize: number;

  /** @internal */
  constructor(
    { limit = Number.POSITIVE_INFINITY, pageSize = 0 }: PagedListOptions,
    readPages: ReadPages<Item>,
  ) {
    this.#readPages = readPages;
    this.#limit = Math.floor(limit);
    this.#pageSize = Math.floor(Math.min(pageSize || fixed.pageLimitDefault, fixed.pageLimitMax));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.pages()) yield* page.items;
  }

  /** The pages as the store cuts them; some may be empty. */
  async *pages(): AsyncGenerator<Page<Item>, void, undefined> {
    if (this.#limit > 0) yield* this.#readPages(this.#limit, this.#pageSize);
  }

  /** @internal The same list with other items. */
  map<Other>(change: (item: Item) => Other): PagedList<Other> {
    const readPages = this.#readPages;
    const { limit, pageSize } = { limit: this.#limit, pageSize: this.#pageSize };
    return new PagedList({ limit, pageSize }, async function* (...bounds) {
      for await (const page of readPages(...bounds)) yield { ...page, items: page.items.map(change) };
    });
  }

  /** All items at once; mind their number. */
  async toArray(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const item of this) items.push(item);
    return items;
  }
}

/** Makes a call for the page that begins at `pageToken`, an empty one meaning the first. @param shownAt the revision of those before, or 0. */
type ReadPage<Item> = (
  pageToken: string,
  limit: number,
  shownAt: number,
) => Promise<Page<Item> & { readonly nextPageToken: string }>;

export function callsForPages<Item>(readPage: ReadPage<Item>): ReadPages<Item> {
  return async function* (limit, pageSize) {
    let pageToken = '';
    let remaining = limit;
    let shownAt = 0;
    while (remaining > 0) {
      const page = await readPage(pageToken, Math.min(remaining, pageSize), shownAt);
      const { items, revision, incarnation } = page;
      yield { items, revision, incarnation };
      if (page.nextPageToken === '') return;
      pageToken = page.nextPageToken;
      shownAt = revision;
      remaining -= page.items.length;
    }
  };
}

/** What keeps the states that a list is read at, until it is released. */
export interface Held {
  release(): void;
}

/** The same pages, read while something is held: from when the first is asked for until the last is there, or the loop is left. */
export function whileHeld<Item>(hold: () => Held | undefined, readPages: ReadPages<Item>): ReadPages<Item> {
  return async function* (...bounds) {
    const held = hold();
    try {
      yield* readPages(...bounds);
    } finally {
      held?.release();
    }
  };
}

/** The list of a request that was refused: reading it tells why. */
export function refusedList(reason: Error): PagedList<never> {
  return new PagedList<never>(
    {},
    callsForPages(() => Promise.reject(reason)),
  );
}
