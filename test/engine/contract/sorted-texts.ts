/**
 * A sorted set of texts: the ordered index of `HeapEngine`.
 *
 * The texts lie in order in a row of chunks of at most `CHUNK_COUNT_MAX`, so that an insert or a delete moves only the
 * rest of one chunk. No chunk is empty, but for the only one of an empty set.
 */
const CHUNK_COUNT_MAX = 512;

export class SortedTexts {
  readonly #chunks: string[][] = [[]];

  /** Adds a text that is not in the set yet. */
  add(text: string): void {
    const chunkIndex = this.#chunkIndexOf(text);
    const chunk = this.#chunk(chunkIndex);
    chunk.splice(lowerBound(chunk, text), 0, text);
    if (chunk.length > CHUNK_COUNT_MAX) {
      this.#chunks.splice(chunkIndex + 1, 0, chunk.splice(CHUNK_COUNT_MAX / 2));
    }
  }

  /** Takes a text out; one that is not in the set changes nothing. */
  delete(text: string): void {
    const chunkIndex = this.#chunkIndexOf(text);
    const chunk = this.#chunk(chunkIndex);
    const index = lowerBound(chunk, text);
    if (chunk[index] !== text) return;
    chunk.splice(index, 1);
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(chunkIndex, 1);
  }

  /** The texts from `start` (inclusive) upwards. The set must not be changed meanwhile. */
  *upFrom(start: string): Generator<string, undefined> {
    let chunkIndex = this.#chunkIndexOf(start);
    let index = lowerBound(this.#chunk(chunkIndex), start);
    for (; chunkIndex < this.#chunks.length; chunkIndex++, index = 0) {
      const chunk = this.#chunk(chunkIndex);
      for (; index < chunk.length; index++) yield chunk[index] ?? '';
    }
  }

  /** The texts from `end` (exclusive; `undefined`: beyond the last) downwards. The set must not be changed meanwhile. */
  *downFrom(end: string | undefined): Generator<string, undefined> {
    let chunkIndex = end === undefined ? this.#chunks.length - 1 : this.#chunkIndexOf(end);
    let chunk = this.#chunk(chunkIndex);
    let index = end === undefined ? chunk.length : lowerBound(chunk, end);
    for (;;) {
      while (index > 0) yield chunk[--index] ?? '';
      if (--chunkIndex < 0) return;
      chunk = this.#chunk(chunkIndex);
      index = chunk.length;
    }
  }

  /** Throws when the order or the size of the chunks does not hold. */
  verifyIntegrity(): void {
    let previous: string | undefined;
    for (const chunk of this.#chunks) {
      if (chunk.length > CHUNK_COUNT_MAX) throw new Error('broken invariant: a chunk is too long');
      if (chunk.length === 0 && this.#chunks.length > 1)
        throw new Error('broken invariant: a chunk is empty');
      for (const text of chunk) {
        if (previous !== undefined && previous >= text)
          throw new Error('broken invariant: texts out of order');
        previous = text;
      }
    }
  }

  #chunk(index: number): string[] {
    const chunk = this.#chunks[index];
    if (chunk === undefined) throw new Error('broken invariant: no such chunk');
    return chunk;
  }

  /** The last chunk whose first text is at or before `text`, else the first. */
  #chunkIndexOf(text: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#chunks[middle]?.[0] ?? '') <= text) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The first index whose text is at or after `text`. */
function lowerBound(chunk: readonly string[], text: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
