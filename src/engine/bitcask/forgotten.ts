/**
 * What is known of ranges whose keys are gone.
 *
 * - A range is **hidden** from the call on that says so: reads pass over its keys. The index and the files know nothing of it, since a
 *   crash now brings its keys back, with the log that tells of their end.
 * - It is **forgotten** once the manifest says so: merges and starts pass over its records, but for those above its `id`, which is
 *   the revision of the base before. The flush that brought this about takes its keys out of the index; then it need not be hidden any
 *   more.
 * - It leaves the manifest when each run has a clean revision (`bitcask-merge.ts`) above its `id`: then all records of the run were live
 *   when the range was forgotten already, and so none is of it.
 */
import type { ForgottenRange } from '../runs/manifest.ts';
import type { PlacedChange } from '../version.ts';
import { RangeSet } from '../range-set.ts';
import { ForgottenRanges } from './forgotten-ranges.ts';

export class Forgotten {
  readonly hidden = new RangeSet();
  readonly #persisted = new ForgottenRanges();
  /** Those whose keys may be in the index. */
  #unswept: readonly ForgottenRange[] = [];

  get persistedCount(): number {
    return this.#persisted.all.length;
  }

  get unswept(): ForgottenRange | undefined {
    return this.#unswept[0];
  }

  /** Whether a record is one of a forgotten range. */
  has(version: PlacedChange): boolean {
    if (this.#persisted.isEmpty) return false;
    const range = this.#persisted.find(version.key);
    return range !== undefined && version.revision <= range.id;
  }

  /** At a start: the manifest tells of these, and the index has no key of them. */
  restore(ranges: readonly ForgottenRange[]): void {
    for (const range of ranges) this.#persisted.add(range);
  }

  /** The manifest has come to tell of some ranges, whose keys are to be taken out of the index. */
  persist(ranges: readonly ForgottenRange[]): void {
    for (const range of ranges) this.#persisted.add(range);
    this.#unswept = [...this.#unswept, ...ranges];
  }

  /** The keys of a range are out of the index. */
  swept(range: ForgottenRange): void {
    if (!this.#unswept.includes(range)) return;
    this.#unswept = this.#unswept.filter((other) => other !== range);
    this.hidden.remove(range);
  }

  /** The manifest does not tell of those any more that have a lower id. */
  keepFrom(id: number): void {
    this.#persisted.keep((range) => range.id >= id);
  }
}
