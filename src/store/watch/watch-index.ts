/**
 * Finds the watches that want a key without asking each of them: watches of one key and of a prefix are found by maps,
 * only those of other ranges are gone through one by one.
 */
import { fromKeyText, toKeyText, type KeyText } from '../views/keys.ts';
import { prefixEnd } from '../views/range.ts';
import { isInTextRange, type TextRange } from './watch-filter.ts';

export class WatchIndex<Watch> {
  readonly #byKey = new Map<string, Set<Watch>>();
  /** By the length of the prefix, then by the prefix. */
  readonly #byPrefix = new Map<number, Map<string, Set<Watch>>>();
  readonly #others = new Map<TextRange, Watch>();

  add(ranges: readonly TextRange[], watch: Watch): void {
    for (const range of ranges) {
      if (isOneKey(range)) {
        addTo(this.#byKey, range.start, watch);
      } else if (isPrefix(range)) {
        let byPrefix = this.#byPrefix.get(range.start.length);
        if (byPrefix === undefined) this.#byPrefix.set(range.start.length, (byPrefix = new Map()));
        addTo(byPrefix, range.start, watch);
      } else {
        this.#others.set(range, watch);
      }
    }
  }

  remove(ranges: readonly TextRange[], watch: Watch): void {
    for (const range of ranges) {
      removeFrom(this.#byKey, range.start, watch);
      const byPrefix = this.#byPrefix.get(range.start.length);
      if (byPrefix !== undefined) {
        removeFrom(byPrefix, range.start, watch);
        if (byPrefix.size === 0) this.#byPrefix.delete(range.start.length);
      }
      this.#others.delete(range);
    }
  }

  /** Calls `visit` with each watch that has `key` in one of its ranges. */
  visit(key: KeyText, visit: (watch: Watch) => void): void {
    this.#byKey.get(key)?.forEach(visit);
    for (const [length, byPrefix] of this.#byPrefix) {
      if (length <= key.length) byPrefix.get(key.slice(0, length))?.forEach(visit);
    }
    for (const [range, watch] of this.#others) {
      if (isInTextRange(range, key)) visit(watch);
    }
  }
}

function isOneKey(range: TextRange): boolean {
  return range.end === `${range.start}\0`;
}

function isPrefix(range: TextRange): boolean {
  const end = prefixEnd(fromKeyText(range.start));
  return range.end === (end === undefined ? undefined : toKeyText(end));
}

function addTo<Watch>(map: Map<string, Set<Watch>>, text: string, watch: Watch): void {
  const watches = map.get(text);
  if (watches === undefined) map.set(text, new Set([watch]));
  else watches.add(watch);
}

function removeFrom<Watch>(map: Map<string, Set<Watch>>, text: string, watch: Watch): void {
  const watches = map.get(text);
  if (watches?.delete(watch) === true && watches.size === 0) map.delete(text);
}
