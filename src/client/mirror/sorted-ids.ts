/** Strings in their order, in chunks, so that one that comes or goes moves a few others only. */
const CHUNK_IDS_MAX = 1024;

export class SortedIds {
  /** None is empty. */
  readonly #chunks: string[][] = [];
  /** How often it has changed. */
  #version = 0;

  /** @param id not among them yet. */
  add(id: string): void {
    this.#version++;
    const place = this.#chunkOf(id);
    const chunk = this.#chunks[place];
    if (chunk === undefined) {
      this.#chunks.push([id]);
      return;
    }
    chunk.splice(firstFrom(chunk, id), 0, id);
    if (chunk.length <= CHUNK_IDS_MAX) return;
    // Ids that come in their order leave full chunks behind.
    const isLast = place === this.#chunks.length - 1;
    this.#chunks.splice(place + 1, 0, chunk.splice(isLast ? CHUNK_IDS_MAX : CHUNK_IDS_MAX / 2));
  }

  /** @param id one of them. */
  delete(id: string): void {
    this.#version++;
    const place = this.#chunkOf(id);
    const chunk = this.#chunks[place];
    if (chunk === undefined) return;
    chunk.splice(firstFrom(chunk, id), 1);
    if (chunk.length === 0) this.#chunks.splice(place, 1);
  }

  /** @param end exclusive; `undefined`: to the last. When ids come or go meanwhile it goes on behind the one that it gave last. */
  *between(start: string, end: string | undefined): Generator<string, void, undefined> {
    let place = this.#chunkOf(start);
    let index = firstFrom(this.#chunks[place] ?? [], start);
    let version = this.#version;
    for (;;) {
      const chunk = this.#chunks[place];
      if (chunk === undefined) return;
      const id = chunk[index];
      if (id === undefined) {
        place++;
        index = 0;
        continue;
      }
      if (end !== undefined && id >= end) return;
      yield id;
      if (version === this.#version) {
        index++;
        continue;
      }
      version = this.#version;
      place = this.#chunkOf(id);
      const moved = this.#chunks[place] ?? [];
      index = firstFrom(moved, id);
      if (moved[index] === id) index++;
    }
  }

  /** @returns the place of the chunk where it is or would be: the last that begins at or before it. */
  #chunkOf(id: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#chunks[middle]?.[0] ?? '') <= id) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function firstFrom(chunk: readonly string[], id: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] ?? '') < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
