/**
 * What a compaction may make superfluous, in the order of revisions: each entry says that at a revision a key got a
 * version that replaces an older one, or that is a deletion.
 *
 * Entries mostly come in the order of their revisions and then cost a store to the end of a row of chunks. Those that
 * do not (a snapshot with history is loaded key by key) go into a binary heap.
 */
const CHUNK_COUNT = 4096;

interface Chunk {
  readonly revisions: Float64Array;
  readonly keyIds: Uint32Array;
}

export class SupersededQueue {
  readonly #chunks: Chunk[] = [newChunk()];
  #head = 0;
  #tail = 0;
  #lastRevision = 0;
  readonly #heapRevisions: number[] = [];
  readonly #heapKeyIds: number[] = [];

  push(revision: number, keyId: number): void {
    if (revision < this.#lastRevision) {
      this.#pushHeap(revision, keyId);
      return;
    }
    this.#lastRevision = revision;
    if (this.#tail === CHUNK_COUNT) {
      this.#chunks.push(newChunk());
      this.#tail = 0;
    }
    const chunk = this.#chunks[this.#chunks.length - 1]!;
    chunk.revisions[this.#tail] = revision;
    chunk.keyIds[this.#tail++] = keyId;
  }

  /** The lowest revision; `Infinity` when there is none. */
  nextRevision(): number {
    return Math.min(this.#nextInRow(), this.#heapRevisions[0] ?? Infinity);
  }

  /** Takes out the entry of `nextRevision` and gives its key. */
  shift(): number {
    if ((this.#heapRevisions[0] ?? Infinity) < this.#nextInRow()) return this.#shiftHeap();
    const keyId = this.#chunks[0]!.keyIds[this.#head++]!;
    if (this.#head === CHUNK_COUNT && this.#chunks.length > 1) {
      this.#chunks.shift();
      this.#head = 0;
    } else if (this.#chunks.length === 1 && this.#head === this.#tail) {
      this.#head = 0;
      this.#tail = 0;
      this.#lastRevision = 0;
    }
    return keyId;
  }

  #nextInRow(): number {
    return this.#chunks.length === 1 && this.#head === this.#tail
      ? Infinity
      : this.#chunks[0]!.revisions[this.#head]!;
  }

  #pushHeap(revision: number, keyId: number): void {
    const revisions = this.#heapRevisions;
    const keyIds = this.#heapKeyIds;
    let index = revisions.length;
    revisions.push(revision);
    keyIds.push(keyId);
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (revisions[parent]! <= revision) break;
      revisions[index] = revisions[parent]!;
      keyIds[index] = keyIds[parent]!;
      index = parent;
    }
    revisions[index] = revision;
    keyIds[index] = keyId;
  }

  #shiftHeap(): number {
    const revisions = this.#heapRevisions;
    const keyIds = this.#heapKeyIds;
    const first = keyIds[0]!;
    const revision = revisions.pop()!;
    const keyId = keyIds.pop()!;
    const count = revisions.length;
    if (count === 0) return first;
    let index = 0;
    for (let child = 1; child < count; child = 2 * index + 1) {
      if (child + 1 < count && revisions[child + 1]! < revisions[child]!) child++;
      if (revisions[child]! >= revision) break;
      revisions[index] = revisions[child]!;
      keyIds[index] = keyIds[child]!;
      index = child;
    }
    revisions[index] = revision;
    keyIds[index] = keyId;
    return first;
  }
}

function newChunk(): Chunk {
  return { revisions: new Float64Array(CHUNK_COUNT), keyIds: new Uint32Array(CHUNK_COUNT) };
}
