/** Rows that are read page by page, forwards alone. Of those that are too many to keep the first are dropped, and read again from the first on. */
import { signal } from '@preact/signals';
import { type Failure, failureOf } from '../calls/failure.ts';

export interface Page<Row> {
  /** Perhaps none, also where more follow. */
  readonly rows: readonly Row[];
  /** Empty: this was the last. */
  readonly nextPageToken: string;
}

/** @param pageToken empty: the first page. */
export type ReadPage<Row> = (pageToken: string, signal: AbortSignal) => Promise<Page<Row>>;

export class ForwardPages<Row> {
  readonly rows = signal<readonly Row[]>([]);
  /** How many rows were dropped before the first one. */
  readonly shift = signal(0);
  readonly hasMore = signal(false);
  readonly isReading = signal(false);
  readonly failure = signal<Failure | undefined>(undefined);
  readonly #read: ReadPage<Row>;
  readonly #rowsMax: number;
  readonly #closing = new AbortController();
  #nextPageToken = '';

  constructor(read: ReadPage<Row>, rowsMax: number) {
    this.#read = read;
    this.#rowsMax = rowsMax;
  }

  /** Begins anew. What was read stays until the first page has come. */
  async show(): Promise<void> {
    await this.#readFrom('', []);
  }

  /** Does nothing while it reads, and where there is nothing more. */
  async readAfter(): Promise<void> {
    if (this.hasMore.peek()) await this.#readFrom(this.#nextPageToken, this.rows.peek());
  }

  /** Reads no more. */
  close(): void {
    this.#closing.abort();
  }

  /** A page may be empty although more follow: goes on to the first that is not. */
  async #readFrom(pageToken: string, before: readonly Row[]): Promise<void> {
    if (this.isReading.peek()) return;
    this.isReading.value = true;
    const { signal } = this.#closing;
    try {
      let page = await this.#read(pageToken, signal);
      while (page.rows.length === 0 && page.nextPageToken !== '') {
        page = await this.#read(page.nextPageToken, signal);
      }
      const all = [...before, ...page.rows];
      const dropped = Math.max(0, all.length - this.#rowsMax);
      this.shift.value = (before.length === 0 ? 0 : this.shift.peek()) + dropped;
      this.rows.value = all.slice(dropped);
      this.#nextPageToken = page.nextPageToken;
      this.hasMore.value = page.nextPageToken !== '';
      this.failure.value = undefined;
    } catch (error) {
      if (!signal.aborted) this.failure.value = failureOf(error);
    } finally {
      this.isReading.value = false;
    }
  }
}
