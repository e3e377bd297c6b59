/**
 * Looks keys up in a base, and remembers the last one: a change mostly comes right behind the read that it was decided by, and a put
 * of a row behind the look at what it replaces. So the disk is asked once for both.
 */
import { KEY_BYTES_MAX } from '../../engine.ts';
import { PlacedChange } from '../../version.ts';
import type { BaseReads } from './base-reads.ts';

/** A longer key is not remembered. */
const KEY_BYTES_REMEMBERED_MAX = 256;

export class BaseLookup {
  /** What was found; its value may not be looked at. */
  readonly placed = new PlacedChange();
  readonly #base: BaseReads;
  readonly #key = new Uint8Array(KEY_BYTES_REMEMBERED_MAX);
  /** Above all keys: nothing is remembered. */
  #keyBytes = KEY_BYTES_MAX + 1;
  #isThere = false;

  constructor(base: BaseReads) {
    this.#base = base;
  }

  /** @returns whether the key is there, as `placed` then. */
  find(key: Uint8Array): boolean {
    if (this.#isLast(key)) return this.#isThere;
    this.forget();
    const isThere = this.#base.mayHave(key) && this.#base.find(key, this.placed, false);
    this.#remember(key, isThere);
    return isThere;
  }

  /** Like `Base.find` with the value, into a place of the caller's. */
  read(key: Uint8Array, placed: PlacedChange): boolean {
    if (this.#isLast(key) && !this.#isThere) return false;
    this.forget();
    const isThere = this.#base.mayHave(key) && this.#base.find(key, placed, true);
    if (isThere) this.#takeMeta(placed);
    this.#remember(key, isThere);
    return isThere;
  }

  /** The base has changed. */
  forget(): void {
    this.#keyBytes = KEY_BYTES_MAX + 1;
  }

  #isLast(key: Uint8Array): boolean {
    if (key.length !== this.#keyBytes) return false;
    const last = this.#key;
    for (let index = 0; index < key.length; index++) if (key[index] !== last[index]) return false;
    return true;
  }

  #remember(key: Uint8Array, isThere: boolean): void {
    if (key.length > KEY_BYTES_REMEMBERED_MAX) return;
    for (let index = 0; index < key.length; index++) this.#key[index] = key[index]!;
    this.#keyBytes = key.length;
    this.#isThere = isThere;
  }

  #takeMeta(from: PlacedChange): void {
    const { placed } = this;
    placed.revision = from.revision;
    placed.kind = from.kind;
    placed.collectionId = from.collectionId;
    placed.createRevision = from.createRevision;
    placed.modRevision = from.modRevision;
    placed.version = from.version;
    placed.leaseId = from.leaseId;
    placed.ttlMs = from.ttlMs;
    placed.expireTimeMs = from.expireTimeMs;
    placed.valueStart = 0;
    placed.valueEnd = from.valueEnd - from.valueStart;
  }
}
