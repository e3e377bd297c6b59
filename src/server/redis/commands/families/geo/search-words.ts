/**
 * The words of searches by place. GEORADIUS and GEORADIUSBYMEMBER have the centre and the radius in fixed places; GEOSEARCH and
 * GEOSEARCHSTORE say all by words in any order. As in Redis a centre is looked up while words are read, and words that name a member
 * of a set that is not there are read all the same.
 */
import type { ReadView } from '../../../../../store/views/view.ts';
import type { Area, Extent } from '../../../../../types/geo/area.ts';
import { type Position, positionOfScore } from '../../../../../types/geo/geohash.ts';
import type { FoundLimit, FoundOrder } from '../../../../../types/geo/search.ts';
import type { SortedSet } from '../../../../../types/sorted-set/sorted-set.ts';
import {
  geoCenterMissing,
  geoExtentMissing,
  geoTexts,
  ReplyError,
  syntaxError,
} from '../../../replies/errors.ts';
import type { Arguments } from '../../command.ts';
import { lengthAt, positionAt, unitAt } from './words.ts';

/** How a command says what it is about; `hasStore`: it may have STORE and STOREDIST. */
export type SearchForm =
  | { readonly by: 'position' | 'member'; readonly hasStore: boolean }
  | { readonly by: 'words'; readonly hasDestination: boolean };

export interface SearchWords {
  /** `undefined`: the centre is a member of a set that is not there. */
  readonly area: Area | undefined;
  readonly order: FoundOrder;
  readonly limit: FoundLimit;
  readonly withDistance: boolean;
  readonly withHash: boolean;
  readonly withCoordinates: boolean;
  /** The index of the key to store at; 0: none. */
  readonly storeAt: number;
  /** The scores that are stored are distances, in the unit of the search. */
  readonly storesDistances: boolean;
}

/** @param set `undefined`: there is none. */
export function searchWords(
  view: ReadView,
  args: Arguments,
  form: SearchForm,
  set: SortedSet | undefined,
): SearchWords {
  const reader = new SearchReader(view, args, form, set);
  reader.readPlaces();
  while (!reader.isAtEnd) reader.readWord();
  return reader.finish();
}

class SearchReader {
  readonly #view: ReadView;
  readonly #args: Arguments;
  readonly #form: SearchForm;
  readonly #set: SortedSet | undefined;
  #at = 2;
  #center: Position | undefined;
  #extent: Extent | undefined;
  #unitM = 1;
  #isFromMember = false;
  #isFromPosition = false;
  #order: FoundOrder = 'asFound';
  #count = 0;
  #isAny = false;
  #withDistance = false;
  #withHash = false;
  #withCoordinates = false;
  #storeAt = 0;
  #storesDistances = false;

  constructor(view: ReadView, args: Arguments, form: SearchForm, set: SortedSet | undefined) {
    this.#view = view;
    this.#args = args;
    this.#form = form;
    this.#set = set;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#args.count;
  }

  /** What stands in fixed places. */
  readPlaces(): void {
    const { by } = this.#form;
    if (by === 'position') {
      this.#center = positionAt(this.#args, 2);
      this.#readRadius(4);
      this.#at = 6;
    } else if (by === 'member') {
      this.#center = this.#memberAt(2);
      if (this.#set !== undefined) this.#readRadius(3);
      this.#at = 5;
    } else if (this.#form.by === 'words' && this.#form.hasDestination) {
      this.#storeAt = 1;
      this.#at = 3;
    }
  }

  readWord(): void {
    const args = this.#args;
    const at = this.#at++;
    const left = args.count - this.#at;
    if (args.is(at, 'WITHDIST')) this.#withDistance = true;
    else if (args.is(at, 'WITHHASH')) this.#withHash = true;
    else if (args.is(at, 'WITHCOORD')) this.#withCoordinates = true;
    else if (args.is(at, 'ANY')) this.#isAny = true;
    else if (args.is(at, 'ASC')) this.#order = 'nearestFirst';
    else if (args.is(at, 'DESC')) this.#order = 'farthestFirst';
    else if (args.is(at, 'COUNT') && left >= 1) {
      this.#count = args.integer(this.#at++);
      if (this.#count <= 0) throw new ReplyError(geoTexts.count);
    } else if (!this.#readStore(at, left) && !this.#readArea(at, left)) throw syntaxError();
  }

  finish(): SearchWords {
    const told = this.#withDistance || this.#withHash || this.#withCoordinates;
    const isByWords = this.#form.by === 'words';
    if (this.#storeAt > 0 && told) throw new ReplyError(isByWords ? geoTexts.toldInStore : geoTexts.told);
    if (isByWords && !this.#isFromMember && !this.#isFromPosition) throw geoCenterMissing(this.#args.text(0));
    if (isByWords && this.#extent === undefined) throw geoExtentMissing(this.#args.text(0));
    if (this.#isAny && this.#count === 0) throw new ReplyError(geoTexts.any);
    const center = this.#center;
    const extent = this.#extent;
    // The first ones alone are of use only if they are the nearest.
    const isNearest = this.#count > 0 && !this.#isAny && this.#order === 'asFound';
    return {
      area: center && extent && { center, extent, unitM: this.#unitM },
      order: isNearest ? 'nearestFirst' : this.#order,
      limit: { count: this.#count, isAny: this.#isAny },
      withDistance: this.#withDistance,
      withHash: this.#withHash,
      withCoordinates: this.#withCoordinates,
      storeAt: this.#storeAt,
      storesDistances: this.#storesDistances,
    };
  }

  /** @param at the index of a word that is read; `left`: how many stand behind it. @returns whether it is about storing. */
  #readStore(at: number, left: number): boolean {
    const args = this.#args;
    const isDistance = args.is(at, 'STOREDIST');
    if (!isDistance && !args.is(at, 'STORE')) return false;
    if (this.#form.by === 'words') {
      if (!isDistance || !this.#form.hasDestination) return false;
      this.#storesDistances = true;
      return true;
    }
    if (!this.#form.hasStore || left < 1) return false;
    this.#storeAt = this.#at++;
    this.#storesDistances = isDistance;
    return true;
  }

  #readArea(at: number, left: number): boolean {
    const args = this.#args;
    if (this.#form.by !== 'words') return false;
    if (args.is(at, 'FROMMEMBER') && left >= 1 && !this.#isFromPosition) {
      this.#center = this.#memberAt(at + 1);
      this.#isFromMember = true;
      this.#at += 1;
      return true;
    }
    if (args.is(at, 'FROMLONLAT') && left >= 2 && !this.#isFromMember) {
      this.#center = positionAt(args, at + 1);
      this.#isFromPosition = true;
      this.#at += 2;
      return true;
    }
    if (args.is(at, 'BYRADIUS') && left >= 2 && this.#extent?.by !== 'box') {
      this.#readRadius(at + 1);
      this.#at += 2;
      return true;
    }
    if (args.is(at, 'BYBOX') && left >= 3 && this.#extent?.by !== 'radius') {
      this.#readBox(at + 1);
      this.#at += 3;
      return true;
    }
    return false;
  }

  #memberAt(index: number): Position | undefined {
    if (this.#set === undefined) return undefined;
    const score = this.#set.score(this.#view, this.#args.bytes(index));
    if (score === undefined) throw new ReplyError(geoTexts.member);
    return positionOfScore(score);
  }

  #readRadius(index: number): void {
    const radius = lengthAt(this.#args, index, geoTexts.radius);
    if (radius < 0) throw new ReplyError(geoTexts.negativeRadius);
    this.#unitM = unitAt(this.#args, index + 1);
    this.#extent = { by: 'radius', radius };
  }

  #readBox(index: number): void {
    const width = lengthAt(this.#args, index, geoTexts.width);
    const height = lengthAt(this.#args, index + 1, geoTexts.height);
    if (width < 0 || height < 0) throw new ReplyError(geoTexts.negativeBox);
    this.#unitM = unitAt(this.#args, index + 2);
    this.#extent = { by: 'box', width, height };
  }
}
