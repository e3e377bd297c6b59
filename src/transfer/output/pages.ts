/** The entries of a range at one revision, page by page, from a store in process or by a client. */
import type { Entry, KeyRange } from '../../api.ts';
import { transfer as limits } from '../../limits.ts';
import { type ExportSource, isClient } from '../contract/stores.ts';
import { TransferError, messageOf, storeCodeOf } from '../contract/transfer-error.ts';

export interface EntryPage {
  readonly entries: readonly Entry[];
  /** At which all pages were read. */
  readonly revision: number;
  /** That wrote it. */
  readonly incarnation: string;
}

/** @param revision 0: the newest when the first page is read. */
export async function* pagesOf(
  store: ExportSource,
  range: KeyRange,
  revision: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<EntryPage, void, undefined> {
  let first: EntryPage | undefined;
  let entryCount = 0;
  try {
    const pages = isClient(store)
      ? clientPages(store.scan(range, { revision, ...(signal && { signal }) }))
      : storePages(store, range, revision);
    for await (const page of pages) {
      signal?.throwIfAborted();
      first ??= page;
      yield page;
      entryCount += page.entries.length;
    }
  } catch (error) {
    throw first !== undefined && isLost(error) ? lost(first.revision, entryCount, error) : error;
  }
}

async function* clientPages(
  list: ReturnType<Extract<ExportSource, { admin: unknown }>['scan']>,
): AsyncGenerator<EntryPage> {
  for await (const { items, revision, incarnation } of list.pages()) {
    yield { entries: items, revision, incarnation };
  }
}

async function* storePages(
  store: Exclude<ExportSource, { admin: unknown }>,
  range: KeyRange,
  revision: number,
): AsyncGenerator<EntryPage> {
  let pageToken = '';
  do {
    const page = await store.scan(range, { revision, limit: limits.pageEntriesMax, pageToken });
    yield page;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

/** Whether the revision of the first page can't be read any more. */
function isLost(error: unknown): boolean {
  return ['revisionCompacted', 'historyDiffers'].includes(storeCodeOf(error));
}

function lost(revision: number, entryCount: number, error: unknown): TransferError {
  const text = `revision ${revision} is not kept any more, with ${entryCount} entries of it exported: the store has moved on too far meanwhile (${messageOf(error)}). Export a part at a time (a prefix, or start and end), write to something faster, take the binary form of the whole store, which needs no history, or let the store keep more (--history-age, --history-revisions-max, --history-bytes-max)`;
  return new TransferError('revisionLost', text, { cause: error });
}
