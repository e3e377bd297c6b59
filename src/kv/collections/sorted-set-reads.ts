/** What sorted sets are asked: scores on any state, ranks and numbers of the newest, ranges page by page. */
import type { ScoredMember, SortedSetRange } from '../../api-collections.ts';
import { bytesOf } from '../../arguments/value.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { Seam } from '../../store/seam.ts';
import { toKeyText } from '../../store/views/keys.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { SortedSet } from '../../types/sorted-set/sorted-set.ts';
import { Span } from '../../types/sorted-set/span.ts';
import { placeOfRank, walk, type WalkedBounds } from '../../types/sorted-set/walk.ts';
import { endPage, type PageEnd, type PagePart, readPage } from '../reads/pages.ts';
import type { ChargeElement } from './reads.ts';
import { selectionOf } from './sorted-set.ts';

export function readScores(
  view: ReadView,
  key: Uint8Array,
  members: readonly Uint8Array[],
): { readonly scores: (number | undefined)[]; readonly count: number } {
  const set = SortedSet.read(view, key);
  return { scores: members.map((member) => set?.score(view, member)), count: set?.count ?? 0 };
}

export function readRank(
  view: View,
  key: Uint8Array,
  member: Uint8Array,
  isReversed: boolean,
): { readonly rank: number | undefined; readonly score: number; readonly count: number } {
  const set = SortedSet.read(view, key);
  const rank = set?.rank(view, member);
  if (set === undefined || rank === undefined) return { rank: undefined, score: 0, count: set?.count ?? 0 };
  const { count } = set;
  return { rank: isReversed ? count - 1 - rank : rank, score: set.score(view, member) ?? 0, count };
}

/** @param range `undefined`: all of it. */
export function countRange(view: View, key: Uint8Array, range: SortedSetRange | undefined): number {
  const set = SortedSet.read(view, key);
  if (set === undefined) return 0;
  return range === undefined ? set.count : Span.of(view, set, selectionOf(range), false).count;
}

export interface RangePage {
  readonly key: Uint8Array;
  /** `undefined`: all of it. */
  readonly range: SortedSetRange | undefined;
  readonly isReversed: boolean;
  readonly limit: number;
  readonly pageToken: string;
  /** 0: the visible one. */
  readonly revision: number;
}

export type Members = { readonly members: ScoredMember[]; readonly count: number };

/** Whether a page is read by `readFirstByRank`. */
export function isFirstByRank({ range, pageToken }: RangePage): boolean {
  return range !== undefined && 'rank' in range && pageToken === '';
}

/** Any page but the first of a range by rank. */
export function readRangePage(seam: Seam, asked: RangePage, charge: ChargeElement): Members & PageEnd {
  const { key, range, revision } = asked;
  const selection = range && selectionOf(range);
  const paged = { request: requestOf(seam, asked), wantedRevision: revision };
  return readPage(seam, paged, asked.pageToken, (view, place) => {
    const set = SortedSet.read(view, key);
    if (selection?.by !== 'index') return readPart(view, set, selection, asked, place, Infinity, charge);
    if (place === undefined || place.length < LEFT_BYTES)
      throw new StoreError('invalidArgument', 'page_token is damaged; begin without a token');
    return readRanked(view, set, asked, place.subarray(LEFT_BYTES), leftIn(place), charge);
  });
}

/** The first page of a range by rank, whose place the newest state alone tells; later ones show the same state. */
export function readFirstByRank(
  seam: Pick<Seam, 'storeId' | 'incarnationOf'>,
  view: View,
  asked: RangePage,
  charge: ChargeElement,
): Members & PageEnd {
  const { key, range, isReversed } = asked;
  const set = SortedSet.read(view, key);
  const { first, count } = placesOf(range, set?.count ?? 0);
  const place = set && placeOfRank(view, set, first, isReversed);
  return readFrom(seam, view, asked, place, place === undefined ? 0 : count, charge);
}

/** The first page of a range by rank. @param place of its first element; `undefined`: that of the set. @param left how many the range has. */
export function readFrom(
  seam: Pick<Seam, 'storeId' | 'incarnationOf'>,
  view: ReadView,
  asked: RangePage,
  place: Uint8Array | undefined,
  left: number,
  charge: ChargeElement,
): Members & PageEnd {
  const set = SortedSet.read(view, asked.key);
  const paged = { request: requestOf(seam, asked), wantedRevision: 0 };
  if (left === 0)
    return endPage(seam, paged, view, { page: { members: [], count: set?.count ?? 0 }, next: undefined });
  return endPage(seam, paged, view, readRanked(view, set, asked, place, left, charge));
}

/** @param left how many elements the rest of the range has. */
function readRanked(
  view: ReadView,
  set: SortedSet | undefined,
  asked: RangePage,
  place: Uint8Array | undefined,
  left: number,
  charge: ChargeElement,
): PagePart<Members> {
  const { page, next } = readPart(view, set, undefined, asked, place, left, charge);
  const rest = left - page.members.length;
  return { page, next: rest > 0 && next !== undefined ? withLeft(rest, next) : undefined };
}

function readPart(
  view: ReadView,
  set: SortedSet | undefined,
  bounds: WalkedBounds,
  { isReversed, limit }: RangePage,
  place: Uint8Array | undefined,
  countMax: number,
  charge: ChargeElement,
): PagePart<Members> {
  const members: ScoredMember[] = [];
  if (set === undefined) return { page: { members, count: 0 }, next: undefined };
  const most = Math.min(limit, countMax);
  let bytes = 0;
  const next = walk(view, set, bounds, isReversed, place, (member, score) => {
    charge(member.length);
    members.push({ member: new Uint8Array(member), score });
    bytes += member.length;
    return members.length < most && bytes < fixed.pageBytesMax;
  });
  return { page: { members, count: set.count }, next };
}

/** How many elements stand before a range by rank, and how many are in it. */
export function placesOf(
  range: SortedSetRange | undefined,
  total: number,
): { readonly first: number; readonly count: number } {
  const selection = range && selectionOf(range);
  if (selection?.by !== 'index') return { first: 0, count: 0 };
  const { start, stop } = selection;
  const first = Math.max(0, start < 0 ? start + total : start);
  const last = Math.min(total - 1, stop < 0 ? stop + total : stop);
  return { first, count: Math.max(0, last - first + 1) };
}

/** A place by rank begins with how many elements are left from there on. */
const LEFT_BYTES = 8;

function withLeft(left: number, place: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(LEFT_BYTES + place.length);
  bytes.writeDoubleBE(left, 0);
  bytes.set(place, LEFT_BYTES);
  return bytes;
}

/** A number that is none, in a token from outside, leaves nothing. */
function leftIn(place: Uint8Array): number {
  const left = Buffer.from(place.buffer, place.byteOffset, place.length).readDoubleBE(0);
  return left >= 1 ? left : 0;
}

function requestOf({ storeId }: Pick<Seam, 'storeId'>, asked: RangePage): string {
  const { key, range, isReversed, revision } = asked;
  return JSON.stringify([
    storeId,
    'sortedSet',
    toKeyText(key),
    range && boundsText(range),
    isReversed,
    revision,
  ]);
}

/** All that a range says, infinities and bytes too. */
function boundsText(range: SortedSetRange): readonly string[] {
  if ('rank' in range) return ['rank', String(range.rank.start), String(range.rank.stop)];
  if ('score' in range) {
    const { min, max, minExclusive, maxExclusive } = range.score;
    return ['score', ...[min, max, minExclusive, maxExclusive].map(String)];
  }
  const { min, max, minExclusive, maxExclusive } = range.member;
  const bounds = [min, max].map((bound) => (bound === undefined ? '' : `=${toKeyText(bytesOf(bound))}`));
  return ['member', ...bounds, String(minExclusive), String(maxExclusive)];
}
