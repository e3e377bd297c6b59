/**
 * Finds the watches that want a key without asking each of them: watches of one key and of a prefix are found by maps,
 * only those of other ranges are gone through one by one.
 */
import type { KeyText } from '../../views/keys.ts';
import { isInRanges, type WatchedRange } from './watch-filter.ts';

/** A prefix of a key is cut off and hashed: so many bytes take as long as another look. */
const PREFIX_BYTES_OF_A_VISIT = 128;

/** Nearly all keys have one watch: a set takes 200 bytes. */
type WatchesByText<Watch> = Map<string, Watch | Set<Watch>>;

export class WatchIndex<Watch> {
  readonly #byKey: WatchesByText<Watch> = new Map();
  /** By the length of the prefix, then by the prefix. */
  readonly #byPrefix = new Map<number, WatchesByText<Watch>>();
  /** The ranges of each watch that are neither. */
  readonly #others = new Map<Watch, readonly WatchedRange[]>();

  add(ranges: readonly WatchedRange[], watch: Watch): void {
    let otherCount = 0;
    for (const { kind, start } of ranges) {
      if (kind === 'key') {
        addTo(this.#byKey, start, watch);
      } else if (kind === 'prefix') {
        let byPrefix = this.#byPrefix.get(start.length);
        if (byPrefix === undefined) this.#byPrefix.set(start.length, (byPrefix = new Map()));
        addTo(byPrefix, start, watch);
      } else {
        otherCount++;
      }
    }
    if (otherCount > 0) {
      this.#others.set(
        watch,
        ranges.filter(({ kind }) => kind === 'other'),
      );
    }
  }

  remove(ranges: readonly WatchedRange[], watch: Watch): void {
    for (const { kind, start } of ranges) {
      if (kind === 'key') {
        removeFrom(this.#byKey, start, watch);
      } else if (kind === 'prefix') {
        const byPrefix = this.#byPrefix.get(start.length);
        if (byPrefix === undefined) continue;
        removeFrom(byPrefix, start, watch);
        if (byPrefix.size === 0) this.#byPrefix.delete(start.length);
      }
    }
    this.#others.delete(watch);
  }

  /**
   * Calls `visit` with each watch that has `key` in one of its ranges, once, until it returns false. It may remove the
   * watch that it is called with.
   * @returns how many places were looked at; a long prefix, and each range of a kind of its own, counts for several.
   */
  visit(key: KeyText, visit: (watch: Watch) => boolean): number {
    let lookCount = 1;
    for (const watch of watchesAt(this.#byKey, key)) {
      lookCount++;
      if (!visit(watch)) return lookCount;
    }
    for (const [length, byPrefix] of this.#byPrefix) {
      lookCount++;
      if (length > key.length) continue;
      lookCount += Math.floor(length / PREFIX_BYTES_OF_A_VISIT);
      for (const watch of watchesAt(byPrefix, key.slice(0, length))) {
        lookCount++;
        if (!visit(watch)) return lookCount;
      }
    }
    for (const [watch, ranges] of this.#others) {
      lookCount += ranges.length;
      if (isInRanges(ranges, key) && !visit(watch)) return lookCount;
    }
    return lookCount;
  }
}

function watchesAt<Watch>(map: WatchesByText<Watch>, text: string): Iterable<Watch> {
  const found = map.get(text);
  if (found === undefined) return NONE;
  return found instanceof Set ? found : [found];
}

const NONE: readonly never[] = [];

function addTo<Watch>(map: WatchesByText<Watch>, text: string, watch: Watch): void {
  const found = map.get(text);
  if (found === undefined) map.set(text, watch);
  else if (found instanceof Set) found.add(watch);
  else if (found !== watch) map.set(text, new Set([found, watch]));
}

function removeFrom<Watch>(map: WatchesByText<Watch>, text: string, watch: Watch): void {
  const found = map.get(text);
  if (found instanceof Set) {
    found.delete(watch);
    if (found.size === 0) map.delete(text);
  } else if (found === watch) {
    map.delete(text);
  }
}
