/**
 * What collections are asked without changing them, by kind, and what they answer, as plain types: the counterpart of the
 * operations in `api-collections.ts`. The store's readers, the server's services and the client's requests are made of these.
 *
 * A key that does not exist counts as an empty collection. A key that holds another type is `wrongType`.
 */
import type { ScoredMember, SortedSetRange } from '../api-collections.ts';
import type { Key, Value } from '../api-value.ts';

/** A field of a hash. */
export interface FieldBytes {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** A read of one key at one revision. */
interface KeyRead {
  readonly key: Key;
  /** 0: the newest. */
  readonly revision: number;
}

/** One that may be a write. */
export interface RefreshingRead extends KeyRead {
  /** The key's own time to live starts anew. Not with a revision. */
  readonly refreshTtl: boolean;
}

/** One page of a list that takes several. */
interface PageRead extends KeyRead {
  /** 0: `fixed.pageLimitDefault`; more than `fixed.pageLimitMax` counts as that. */
  readonly limit: number;
  /** That of the page before; empty: the first page. */
  readonly pageToken: string;
}

/** What each read takes, by its kind. */
export interface CollectionReads {
  /** No names: all fields. */
  readonly hashGet: RefreshingRead & { readonly names: readonly Value[] };
  readonly hashScan: PageRead & { readonly namesOnly: boolean };
  /** Inclusive; negative: from the tail. The answer may end before `stop`, but has an element at least where the range has one. */
  readonly listRange: RefreshingRead & { readonly start: number; readonly stop: number };
  readonly setContains: RefreshingRead & { readonly members: readonly Value[] };
  readonly setScan: PageRead;
  readonly sortedSetScore: RefreshingRead & { readonly members: readonly Value[] };
  /** Of the newest state. */
  readonly sortedSetRank: { readonly key: Key; readonly member: Value; readonly reverse: boolean };
  readonly sortedSetRange: PageRead & {
    /** `undefined`: all of it. By rank not with a revision. */
    readonly range: SortedSetRange | undefined;
    readonly reverse: boolean;
  };
  /** Of the newest state. */
  readonly sortedSetCount: { readonly key: Key; readonly range: SortedSetRange | undefined };
  readonly hllCount: { readonly keys: readonly Key[]; readonly revision: number };
  readonly bloomContains: RefreshingRead & { readonly elements: readonly Value[] };
}

interface Counted {
  /** How many elements there are; 0: there is no such key. */
  readonly count: number;
}

interface PageEnd {
  /** Empty after the last page. */
  readonly nextPageToken: string;
}

/** What each read answers besides the revision. What is asked of several elements is answered at the same places. */
export interface CollectionReadAnswers {
  readonly hashGet: Counted & { readonly fields: FieldBytes[] };
  readonly hashScan: Counted & PageEnd & { readonly fields: FieldBytes[] };
  readonly listRange: Counted & { readonly elements: Uint8Array[] };
  readonly setContains: Counted & { readonly contained: boolean[] };
  readonly setScan: Counted & PageEnd & { readonly members: Uint8Array[] };
  readonly sortedSetScore: Counted & { readonly scores: (number | undefined)[] };
  /** Without a rank, for a member that is not there, the score is 0. */
  readonly sortedSetRank: Counted & { readonly rank: number | undefined; readonly score: number };
  readonly sortedSetRange: Counted & PageEnd & { readonly members: ScoredMember[] };
  readonly sortedSetCount: Counted;
  readonly hllCount: Counted;
  readonly bloomContains: { readonly contained: boolean[] };
}

export type CollectionReadKind = keyof CollectionReads;

/** What a read answers, and the revision at which it was made. */
export type CollectionReadAnswer<Kind extends CollectionReadKind> = CollectionReadAnswers[Kind] & {
  readonly revision: number;
};
