/** Makes a census of a base, above which there is nothing. */
import { NO_BYTES } from '../../../wire/bytes.ts';
import { Census, SPLIT_INTO } from './census.ts';
import { BUCKETS_MAX, CensusPart } from './census-part.ts';

/** Of live keys that come in their order. */
export class CensusBuilder {
  readonly #parts: CensusPart[] = [];
  #part = new CensusPart(0);
  #count = 0;
  #fence: Uint8Array = NO_BYTES;

  /** Whether the next bucket begins with the next key: then its fence is asked for. */
  get isBucketFull(): boolean {
    return this.#count === SPLIT_INTO;
  }

  /** Counts a key into the bucket. */
  add(): void {
    this.#count++;
  }

  /** The next bucket begins. */
  begin(fence: Uint8Array): void {
    this.#end();
    this.#fence = fence;
  }

  finish(): Census {
    this.#end();
    this.#parts.push(this.#part);
    return new Census(this.#parts);
  }

  #end(): void {
    if (this.#part.bucketCount === BUCKETS_MAX) {
      this.#parts.push(this.#part);
      this.#part = new CensusPart(0);
    }
    this.#part.insert(this.#part.bucketCount, this.#fence, { live: this.#count, hidden: 0, sealedHidden: 0 });
    this.#count = 0;
  }
}
