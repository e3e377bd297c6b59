/**
 * Eviction: where a memory policy asks for it, keys that have a time to live of their own are deleted before it is over, when memory is
 * scarce and there is no history left to give up. Each is a change as any other: in the log, with a revision and an event.
 *
 * It goes in steps, of which each is a transaction of so many keys, or so many bytes, as have to go. What a step has deleted is in
 * memory until history has let go of it, which it does once the step is durable: the next one waits for that (`isOwed`), and so
 * never deletes for what is being given back already. While something pins history, what is evicted would not help, and one step is all.
 *
 * Which keys: by the engine's order of deadlines, so reads note nothing, and cost what they do without a policy. Elements of
 * collections may have deadlines, too, and stand in the same order: they are passed over. Keys that are overdue are left to expiry.
 */
import type { DeadlinePlaces } from '../../engine/engine.ts';
import type { Version } from '../../engine/version.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { MemoryPolicy } from '../../memory-policies.ts';
import type { Random } from '../../clock.ts';
import { elementsOf } from '../collections/collection-keys.ts';
import { databaseByHead } from '../views/regions.ts';
import type { View } from '../views/view.ts';

export interface EvictionContext {
  readonly places: DeadlinePlaces | undefined;
  /** Whether any key of a user has a deadline. */
  hasVolatileKeys(): boolean;
  readonly random: Random;
  /** How many bytes have to go until memory is not scarce any more. */
  surplusBytes(): number;
  oldestRevision(): number;
  /** Whether this store may write. */
  mayWrite(): boolean;
  /** @returns the revision that it took, and what came of it. */
  decide<Result>(run: (view: View) => Result): { readonly result: Result; readonly revision: number };
}

/** What an entry of the engine takes beside its key and value, by an estimate. */
const ENTRY_BYTES = 51;

export class Eviction {
  policy: MemoryPolicy;
  evictedKeyCount = 0;
  readonly #context: EvictionContext;
  /** That of the last step. */
  #revision = 0;
  /** Where the first key was found, or has been looked for last, in the order of deadlines. */
  #place = 0;
  /** Whether the step that is made has found a key. */
  #hasFound = false;

  constructor(policy: MemoryPolicy, context: EvictionContext) {
    this.policy = policy;
    this.#context = context;
  }

  /** Whether keys can go, so that a write which finds no room may wait for that. */
  get canHelp(): boolean {
    const { places } = this.#context;
    if (this.policy === 'noeviction' || places === undefined || !this.#context.mayWrite()) return false;
    return this.#isOwed || this.#context.hasVolatileKeys();
  }

  /** Whether history has not let go yet of what the last step has deleted. */
  get #isOwed(): boolean {
    return this.#revision > this.#context.oldestRevision();
  }

  /** Makes a step, when the one before has given back what it could. */
  step(): void {
    if (!this.canHelp || this.#isOwed) return;
    const bytes = Math.min(this.#context.surplusBytes(), fixed.evictedBytesMax);
    if (bytes <= 0) return;
    try {
      const { result: count, revision } = this.#context.decide((view) => this.#evict(view, bytes));
      if (count === 0) return;
      this.evictedKeyCount += count;
      this.#revision = revision;
    } catch (error) {
      // A full log, or one that takes no more: who writes is told of that, and the next step is tried when something is durable.
      if (!(error instanceof StoreError)) throw error;
    }
  }

  /** @returns how many keys it has deleted. */
  #evict(view: View, bytesWanted: number): number {
    let count = 0;
    let bytes = 0;
    this.#hasFound = false;
    for (const key of this.#candidates()) {
      const version = view.read(key);
      if (version === undefined) continue;
      this.#hasFound = true;
      bytes += this.#sizeOf(view, key, version);
      view.delete(key, 'evicted');
      if (++count === fixed.evictedKeysMax || bytes >= bytesWanted) break;
    }
    return count;
  }

  /** What a key takes: of a collection by what the first of its elements take. */
  #sizeOf(
    view: View,
    key: Uint8Array,
    { value, collectionId }: Pick<Version, 'value' | 'collectionId'>,
  ): number {
    const own = ENTRY_BYTES + key.length + value.length;
    if (collectionId === 0) return own;
    const elements = elementsOf(collectionId);
    let seenCount = 0;
    let seenBytes = 0;
    view.scan(elements, false, (element) => {
      seenCount++;
      seenBytes += ENTRY_BYTES + element.key.length + element.value.length;
      return seenCount < fixed.evictionElementsMax && seenBytes < fixed.evictionElementBytesMax;
    });
    return own + (seenCount === 0 ? 0 : (view.count(elements) * seenBytes) / seenCount);
  }

  /** Keys of users that have a deadline, each once, in the order in which they are to go; not all of them. */
  *#candidates(): Iterable<Uint8Array> {
    const { places } = this.#context;
    if (places === undefined) return;
    const { count } = places;
    if (this.policy === 'volatile-random') {
      const seen = new Set<number>();
      for (let looks = 0; looks < fixed.evictionLooksMax && seen.size < count; looks++) {
        const place = this.#below(count);
        if (seen.has(place)) continue;
        seen.add(place);
        const key = places.keyAt(place);
        if (isKeyOfUser(key)) yield key;
      }
      if (this.#hasFound) return;
    }
    // Elements may stand before all keys: then it is gone on from where the step before has stopped.
    const begin = count > 0 && !isKeyOfUser(places.keyAt(0)) && this.#place < count ? this.#place : 0;
    for (let looks = 0; looks < Math.min(count, fixed.evictionLooksMax); looks++) {
      const place = (begin + looks) % count;
      if (!this.#hasFound) this.#place = place;
      const key = places.keyAt(place);
      if (isKeyOfUser(key)) yield key;
    }
  }

  /** A whole number by chance. */
  #below(end: number): number {
    return Math.floor((Buffer.from(this.#context.random.bytes(4)).readUInt32LE() / 2 ** 32) * end);
  }
}

function isKeyOfUser(key: Uint8Array): boolean {
  return databaseByHead(key[0] ?? 0, key[1] ?? 0) !== -1;
}
