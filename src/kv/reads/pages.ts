/** Reads of one state, and of the same state in several pages, which tokens carry from one call to the next. */
import type { ScanPage } from '../../api.ts';
import { fixed } from '../../limits.ts';
import type { Seam, StateAt } from '../../store/seam.ts';
import type { ReadView } from '../../store/views/view.ts';
import { decodePageToken, encodePageToken } from './page-token.ts';

/** @param revision 0 is the visible one, now. */
export function readWanted<Result>(seam: Seam, revision: number, run: (view: ReadView) => Result): Result {
  return revision === 0 ? seam.readVisible(run) : seam.readAt({ revision, instantMs: 0 }, run);
}

/** A read of several pages. */
export interface PagedRead {
  /** All that must be the same on all pages, as text. */
  readonly request: string;
  /** 0: that which is visible at the first page. */
  readonly wantedRevision: number;
}

/** A page, and the place at which the next one begins, as bytes; `undefined`: it is the last. */
export interface PagePart<Page> {
  readonly page: Page;
  readonly next: Uint8Array | undefined;
}

/** What a page says besides its items. */
export type PageEnd = Pick<ScanPage, 'nextPageToken' | 'revision' | 'incarnation'>;

/** Reads the next page: from the beginning, or from where the token says. @param read is given the place to begin at. */
export function readPage<Page extends object>(
  seam: Seam,
  paged: PagedRead,
  pageToken: string | undefined,
  read: (view: ReadView, place: Uint8Array | undefined) => PagePart<Page>,
): Page & PageEnd {
  const readFrom = (view: ReadView, place?: Uint8Array): Page & PageEnd => {
    view.budget.begin(fixed.pageVisitsMax);
    return endPage(seam, paged, view, read(view, place));
  };
  if (pageToken === undefined || pageToken === '') return readWanted(seam, paged.wantedRevision, readFrom);
  const token = decodePageToken(pageToken, paged.request);
  seam.checkPlace('the page', token);
  const state: StateAt = { revision: token.revision, instantMs: token.instantMs };
  return seam.readAt(state, (view) => readFrom(view, token.nextKey));
}

/** Adds to a page that was read what makes the next one possible. */
export function endPage<Page extends object>(
  seam: Pick<Seam, 'incarnationOf'>,
  { request, wantedRevision }: PagedRead,
  view: ReadView,
  { page, next }: PagePart<Page>,
): Page & PageEnd {
  const { revision } = view;
  const incarnation = seam.incarnationOf(revision);
  if (next === undefined) return { ...page, nextPageToken: '', revision, incarnation };
  const instantMs = wantedRevision === 0 ? view.instantMs : 0;
  const nextPageToken = encodePageToken({ revision, instantMs, incarnation, nextKey: next }, request);
  return { ...page, nextPageToken, revision, incarnation };
}
