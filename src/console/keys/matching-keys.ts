/** The keys that match a glob, forwards alone: what is dropped before them is read again from the first on. */
import { signal } from '@preact/signals';
import { type Failure, failureOf } from '../calls/failure.ts';
import { limits } from '../page/limits.ts';
import type { KeyRow, KeySource } from './key-source.ts';

export interface PageOfMatches {
  /** Perhaps none, also where more follow. */
  readonly rows: readonly KeyRow[];
  /** Empty: this was the last. */
  readonly nextPageToken: string;
}

/** @param pageToken empty: the first page. */
export type ReadMatches = (pageToken: string, signal: AbortSignal) => Promise<PageOfMatches>;

export class MatchingKeys implements KeySource {
  readonly rows = signal<readonly KeyRow[]>([]);
  readonly shift = signal(0);
  readonly hasMore = signal(false);
  readonly isReading = signal(false);
  readonly failure = signal<Failure | undefined>(undefined);
  readonly #read: ReadMatches;
  readonly #closing = new AbortController();
  #nextPageToken = '';

  constructor(read: ReadMatches) {
    this.#read = read;
  }

  async show(end: 'first' | 'last'): Promise<void> {
    if (end === 'last') return this.readAfter();
    this.rows.value = [];
    this.shift.value = 0;
    await this.#readFrom('');
  }

  async readAfter(): Promise<void> {
    if (this.hasMore.peek()) await this.#readFrom(this.#nextPageToken);
  }

  readBefore(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#closing.abort();
  }

  /** A page may be empty although more follow: goes on to the first that is not. */
  async #readFrom(pageToken: string): Promise<void> {
    if (this.isReading.peek()) return;
    this.isReading.value = true;
    try {
      let page = await this.#read(pageToken, this.#closing.signal);
      while (page.rows.length === 0 && page.nextPageToken !== '') {
        page = await this.#read(page.nextPageToken, this.#closing.signal);
      }
      const all = [...this.rows.peek(), ...page.rows];
      const dropped = Math.max(0, all.length - limits.pageKeys * limits.keptPages);
      this.rows.value = all.slice(dropped);
      this.shift.value += dropped;
      this.#nextPageToken = page.nextPageToken;
      this.hasMore.value = page.nextPageToken !== '';
      this.failure.value = undefined;
    } catch (error) {
      if (!this.#closing.signal.aborted) this.failure.value = failureOf(error);
    } finally {
      this.isReading.value = false;
    }
  }
}
