/**
 * What the newest state of a sorted set tells at once, since it has ranks, read of the visible state: element by element, in pieces
 * that leave the event loop free between them. It is for reads that may be old, where the newest state is not durable for long.
 */
import { bytesOf } from '../../arguments/value.ts';
import type { CollectionReadAnswer, CollectionReads } from '../../collections/reads.ts';
import type { Seam } from '../../store/seam.ts';
import { encodeKey } from '../../store/views/keys.ts';
import type { ReadView } from '../../store/views/view.ts';
import { SortedSet } from '../../types/sorted-set/sorted-set.ts';
import { walk, type WalkedBounds } from '../../types/sorted-set/walk.ts';
import type { ChargeElement } from './reads.ts';
import { selectionOf } from './sorted-set.ts';
import { placesOf, type RangePage, readFrom } from './sorted-set-reads.ts';

/** The calls of a store that these are made with; see `KvStore`. */
export interface PieceStore {
  readonly seam: Pick<Seam, 'storeId' | 'incarnationOf'>;
  readInPieces(
    piece: (view: ReadView) => boolean,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
}

export async function walkToRank(
  store: PieceStore,
  asked: CollectionReads['sortedSetRank'],
  signal: AbortSignal,
): Promise<CollectionReadAnswer<'sortedSetRank'>> {
  const key = encodeKey(asked.key);
  const member = Buffer.from(bytesOf(asked.member));
  const steps = new Steps(undefined, asked.reverse);
  let rank = 0;
  let answer = { rank: undefined as number | undefined, score: 0, count: 0, revision: 0 };
  const piece = (view: ReadView): boolean => {
    const set = SortedSet.read(view, key);
    const score = set?.score(view, member);
    answer = { rank: undefined, score: score ?? 0, count: set?.count ?? 0, revision: view.revision };
    if (set === undefined || score === undefined) return false;
    const isMore = steps.go(view, set, (each) => {
      if (member.equals(each)) return false;
      rank++;
      return true;
    });
    answer.rank = rank;
    return isMore;
  };
  await store.readInPieces(piece, { signal });
  return answer;
}

export async function walkAndCount(
  store: PieceStore,
  asked: CollectionReads['sortedSetCount'],
  signal: AbortSignal,
): Promise<CollectionReadAnswer<'sortedSetCount'>> {
  const key = encodeKey(asked.key);
  const selection = asked.range && selectionOf(asked.range);
  const bounds = selection?.by === 'index' ? undefined : selection;
  const steps = new Steps(bounds, false);
  const answer = { count: 0, revision: 0 };
  const piece = (view: ReadView): boolean => {
    const set = SortedSet.read(view, key);
    answer.revision = view.revision;
    if (set === undefined) return false;
    if (bounds === undefined) {
      answer.count = selection === undefined ? set.count : placesOf(asked.range, set.count).count;
      return false;
    }
    return steps.go(view, set, () => {
      answer.count++;
      return true;
    });
  };
  await store.readInPieces(piece, { signal });
  return answer;
}

/** The first page of a range by rank. */
export async function walkToRange(
  store: PieceStore,
  page: RangePage,
  charge: ChargeElement,
  signal: AbortSignal,
): Promise<CollectionReadAnswer<'sortedSetRange'>> {
  const steps = new Steps(undefined, page.isReversed);
  let passedCount = 0;
  let answer: CollectionReadAnswer<'sortedSetRange'> | undefined;
  const piece = (view: ReadView): boolean => {
    const set = SortedSet.read(view, page.key);
    const { first, count } = placesOf(page.range, set?.count ?? 0);
    if (set !== undefined && count > 0 && first > 0 && steps.go(view, set, () => ++passedCount < first))
      return true;
    answer = readFrom(store.seam, view, page, steps.place, count, charge);
    return false;
  };
  await store.readInPieces(piece, { signal });
  if (answer === undefined) throw new Error('the last piece makes the answer');
  return answer;
}

/** A way through a set, piece by piece. */
class Steps {
  readonly #bounds: WalkedBounds;
  readonly #isReversed: boolean;
  #place: Uint8Array | undefined;

  constructor(bounds: WalkedBounds, isReversed: boolean) {
    this.#bounds = bounds;
    this.#isReversed = isReversed;
  }

  /** Behind what was visited; `undefined`: before the first. */
  get place(): Uint8Array | undefined {
    return this.#place;
  }

  /** Visits what comes next, until `visit` returns false. @returns whether there is more, and the budget was spent before that. */
  go(view: ReadView, set: SortedSet, visit: (member: Uint8Array) => boolean): boolean {
    let isStopped = false;
    const next = walk(view, set, this.#bounds, this.#isReversed, this.#place, (member) => {
      isStopped = !visit(member);
      return !isStopped;
    });
    this.#place = next && new Uint8Array(next);
    return next !== undefined && !isStopped;
  }
}
