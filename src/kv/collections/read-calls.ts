/**
 * The reads of collections as calls: each of a table's kinds behind the calls made before, of the state that it asks for. What
 * may be long is read in pages, each within the work budget, all at the revision of the first; `reads.ts` and
 * `sorted-set-reads.ts` read them. The server's services and the library's calls are made of these.
 */
import type { CollectionArguments, CollectionAnswers, CollectionResult } from '../../api-collections.ts';
import type { Admit } from '../../api.ts';
import { bytesOf, copyOf } from '../../arguments/value.ts';
import type {
  CollectionReadAnswer,
  CollectionReadKind,
  CollectionReads,
  RefreshingRead,
} from '../../collections/reads.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { Seam } from '../../store/seam.ts';
import { encodeKey } from '../../store/views/keys.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { hashType } from '../../types/hash/hash.ts';
import { countUnion } from '../../types/hyperloglog/hyperloglog.ts';
import { refreshLifetime } from '../../types/keys/expiry.ts';
import { setType } from '../../types/set/set.ts';
import { pageLimitOf } from '../reads/page-limit.ts';
import { readWanted } from '../reads/pages.ts';
import {
  type ChargeElement,
  readAdded,
  readContained,
  readElements,
  readFields,
  readTablePage,
} from './reads.ts';
import { prepareSetCombination } from './set.ts';
import {
  countRange,
  isFirstByRank,
  type RangePage,
  readFirstByRank,
  readRangePage,
  readRank,
  readScores,
} from './sorted-set-reads.ts';
import { prepareSortedSetCombination } from './sorted-set.ts';

/** The calls of a store that reads are made with; see `KvStore`. */
export interface ReadStore {
  readonly seam: Pick<Seam, 'storeId' | 'incarnationOf'>;
  readSeam<Given, Result>(given: Given, read: (seam: Seam, given: Given) => Result): Promise<Result>;
  readNewest<Given, Result>(given: Given, run: (view: View, given: Given) => Result): Promise<Result>;
  decideWith<Given, Result>(given: Given, run: (view: View, given: Given) => Result): Promise<Result>;
}

type Readers = {
  readonly [Kind in CollectionReadKind]: (
    store: ReadStore,
    asked: CollectionReads[Kind],
    charge: ChargeElement,
  ) => Promise<CollectionReadAnswer<Kind>>;
};

/** By their kinds. Each is given what takes memory for an element, before it is made. Throws, or rejects, with a `StoreError`. */
export const collectionReaders: Readers = {
  hashGet: (store, asked, charge) =>
    // Names go out with the answer, when the caller's bytes may be others.
    readKey(store, asked, (view, key, { names }) => readFields(view, key, names.map(copyOf), charge)),

  async hashScan(store, asked, charge) {
    const { elements, ...page } = await store.readSeam(asked, (seam, kept) =>
      readTablePage(seam, hashType, pageOf(kept), charge),
    );
    return { ...page, fields: elements };
  },

  listRange: (store, asked, charge) =>
    readKey(store, asked, (view, key, range) => readElements(view, key, range, charge)),

  setContains(store, asked) {
    checkAsked('members', asked.members);
    return readKey(store, asked, (view, key, { members }) => readContained(view, key, members.map(bytesOf)));
  },

  async setScan(store, asked, charge) {
    const { elements, ...page } = await store.readSeam(asked, (seam, kept) =>
      readTablePage(seam, setType, pageOf({ ...kept, namesOnly: true }), charge),
    );
    return { ...page, members: elements.map(({ name }) => name) };
  },

  sortedSetScore(store, asked) {
    checkAsked('members', asked.members);
    return readKey(store, asked, (view, key, { members }) => readScores(view, key, members.map(bytesOf)));
  },

  sortedSetRank: (store, asked) =>
    store.readNewest(asked, (view, { key, member, reverse }) => ({
      ...readRank(view, encodeKey(key), bytesOf(member), reverse),
      revision: view.revision,
    })),

  async sortedSetRange(store, asked, charge) {
    const { range, revision } = asked;
    if (range !== undefined && 'rank' in range && revision !== 0) {
      throw new StoreError(
        'invalidArgument',
        'a range by rank is of the newest state: it can not be combined with a revision',
      );
    }
    const page = rangePageOf(asked);
    if (!isFirstByRank(page))
      return await store.readSeam(page, (seam, kept) => readRangePage(seam, kept, charge));
    const { seam } = store;
    return await store.readNewest(page, (view, kept) => readFirstByRank(seam, view, kept, charge));
  },

  sortedSetCount: (store, asked) =>
    store.readNewest(asked, (view, { key, range }) => ({
      count: countRange(view, encodeKey(key), range),
      revision: view.revision,
    })),

  hllCount(store, asked) {
    checkAsked('keys', asked.keys, fixed.combinedKeysMax);
    return store.readSeam(asked, (seam, { keys, revision }) => {
      const encoded = keys.map(encodeKey);
      return readWanted(seam, revision, (view) => ({
        count: Number(countUnion(view, encoded)),
        revision: view.revision,
      }));
    });
  },

  bloomContains(store, asked) {
    checkAsked('elements', asked.elements);
    return readKey(store, asked, (view, key, { elements }) => readAdded(view, key, elements.map(bytesOf)));
  },
};

/** Kinds of changes that are reads of the visible state where there is no destination. */
type CombineKind = 'setCombine' | 'sortedSetCombine';

type Combiners = {
  readonly [Kind in CombineKind]: (
    given: CollectionArguments[Kind],
  ) => (view: ReadView) => CollectionAnswers[Kind];
};

const combiners: Combiners = {
  setCombine: prepareSetCombination,
  sortedSetCombine: prepareSortedSetCombination,
};

/** @param admit called with what it answers before that goes out. */
export function readCombination<Kind extends CombineKind>(
  store: ReadStore,
  kind: Kind,
  given: CollectionArguments[Kind],
  admit: Admit<object>,
): Promise<{ readonly result: CollectionResult<Kind>; readonly revision: number }> {
  const prepare: Combiners[Kind] = combiners[kind];
  return store.readSeam(given, (seam, kept) => {
    const run = prepare(kept);
    return seam.readVisible((view) => {
      const result: CollectionResult<Kind> = { kind, ...run(view) };
      admit(result);
      return { result, revision: view.revision };
    });
  });
}

/** Reads a key at the revision that is asked for, or starts its time to live anew. */
function readKey<Asked extends RefreshingRead, Answer extends object>(
  store: ReadStore,
  asked: Asked,
  read: (view: ReadView, key: Uint8Array, asked: Asked) => Answer,
): Promise<Answer & { readonly revision: number }> {
  const { revision, refreshTtl } = asked;
  if (!refreshTtl) {
    return store.readSeam(asked, (seam, kept) =>
      readWanted(seam, revision, (view) => ({
        ...read(view, encodeKey(kept.key), kept),
        revision: view.revision,
      })),
    );
  }
  if (revision !== 0) {
    throw new StoreError('invalidArgument', 'refreshTtl is a write: it can not be combined with a revision');
  }
  return store.decideWith(asked, (view, kept) => {
    const key = encodeKey(kept.key);
    refreshLifetime(view, key);
    return { ...read(view, key, kept), revision: view.replyRevision };
  });
}

function pageOf({ key, ...page }: CollectionReads['hashScan']): Parameters<typeof readTablePage>[2] {
  return { ...page, key: encodeKey(key), limit: pageLimitOf(page) };
}

export function rangePageOf({ key, reverse, ...page }: CollectionReads['sortedSetRange']): RangePage {
  return { ...page, key: encodeKey(key), isReversed: reverse, limit: pageLimitOf(page) };
}

/** The keys, or elements, that a read asks for: 1 to so many. */
function checkAsked(
  name: string,
  asked: readonly unknown[],
  countMax: number = fixed.askedElementsMax,
): void {
  if (asked.length > 0 && asked.length <= countMax) return;
  throw new StoreError('invalidArgument', `${name} has ${asked.length} items; it must have 1 to ${countMax}`);
}
