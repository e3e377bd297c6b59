/**
 * Elements that move along the chunks of a list since one came, or some went, between them: what a chunk lets go of at one side goes
 * on into the chunk beside it, and each chunk keeps its key, its ordinal and its number of elements. So nothing is moved to another
 * key but at the end, where the last chunk has one more, or the last ones are left over:
 *
 *     100 → a b c    103 → d e    105 → f g h          "x" comes before "b"
 *     100 → a x b    103 → c d    105 → e f g h
 *
 * A chunk that gets longer than it may is written as several. Chunks side by side that were short are made one, lest a list of short
 * and long elements comes to have a chunk for each.
 */
import type { View } from '../../store/views/view.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { type Chunk, chunkKey, chunkRange, ordinalOf, putRow } from './chunks.ts';
import { countItems, ROW_BYTES_MAX, startOfItem } from './rows.ts';

/** What reading a chunk, cutting it and writing it costs beside the visits that the view counts. */
const REFILLED_VISITS = 8;
/** Chunks side by side that have no more bytes than these are made one. */
const JOINED_BYTES_MAX = (3 * ROW_BYTES_MAX) / 4;

/** Where elements are missing, or too many, and what moves to make up for it. */
export interface RefilledRange {
  /** The ordinals of the chunks: from (inclusive), to (exclusive). */
  readonly from: number;
  readonly to: number;
  /** Elements move between the end of the range and its start, instead of between its start and its end. */
  readonly reverse: boolean;
}

/** What has a key of its own, and as many elements. */
interface Slot {
  readonly ordinal: number;
  readonly count: number;
  /** Of the row that it had. */
  readonly bytes: number;
}

/** Elements on their way. */
interface Piece {
  readonly row: Uint8Array;
  readonly count: number;
  /** The chunk that it was the whole of. */
  readonly wholeOf: number;
}

const NO_CHUNK = -1;

/**
 * Goes through the chunks of a range, away from where the change is, and writes them anew.
 * @param change gives what is left, or has become, of a chunk's row.
 * Throws `limitReached` before anything is changed.
 */
export function refillChunks(
  view: View,
  id: number,
  { from, to, reverse }: RefilledRange,
  change: (chunk: Chunk) => Uint8Array,
): void {
  const chunks = gatherChunks(view, id, from, to, reverse);
  const refill = new Refill(view, id, reverse);
  for (const chunk of chunks) refill.add(chunk, change(chunk));
  refill.finish();
}

/** All of them, before any is written: a scan over what the transaction has changed itself is a slow one. */
function gatherChunks(view: View, id: number, from: number, to: number, reverse: boolean): readonly Chunk[] {
  const { budget } = view;
  const chunks: Chunk[] = [];
  const next = view.scan(chunkRange(id, from, to), reverse, (shown) => {
    const chunk = { ordinal: ordinalOf(shown), row: shown.copyValue() };
    chunks.push(chunk);
    budget.spendBytes(chunk.row.length);
    budget.spendVisits(REFILLED_VISITS);
    return true;
  });
  if (next !== undefined || budget.isSpent) throw budgetSpent(budget);
  return chunks;
}

class Refill {
  readonly #view: View;
  readonly #id: number;
  readonly #reverse: boolean;
  /** Those that are not written yet, and what there is for them: both in the order in which they were read. */
  readonly #slots: Slot[] = [];
  readonly #pieces: Piece[] = [];
  #count = 0;

  constructor(view: View, id: number, reverse: boolean) {
    this.#view = view;
    this.#id = id;
    this.#reverse = reverse;
  }

  add({ ordinal, row }: Chunk, changed: Uint8Array): void {
    const count = countItems(row);
    this.#slots.push({ ordinal, count, bytes: row.length });
    const changedCount = changed === row ? count : countItems(changed);
    if (changedCount > 0)
      this.#pieces.push({
        row: changed,
        count: changedCount,
        wholeOf: changed === row ? ordinal : NO_CHUNK,
      });
    this.#count += changedCount;
    this.#join();
    this.#fill();
  }

  /** There are no more chunks: the last one takes what is over, and those for which nothing is left go. */
  finish(): void {
    this.#fill();
    const [last, ...left] = this.#slots;
    if (last === undefined) return;
    const ordinal = this.#reverse ? last.ordinal + last.count - this.#count : last.ordinal;
    for (const slot of left) this.#view.delete(chunkKey(this.#id, slot.ordinal));
    if (ordinal !== last.ordinal || this.#count === 0) this.#view.delete(chunkKey(this.#id, last.ordinal));
    if (this.#count > 0) this.#write({ ...last, ordinal, count: this.#count });
  }

  /** Writes the chunks for which all is there; the last one that was read may have to take more. */
  #fill(): void {
    for (let [slot] = this.#slots; slot !== undefined; [slot] = this.#slots) {
      if (this.#slots.length === 1 || this.#count < slot.count) return;
      this.#slots.shift();
      this.#write(slot);
    }
  }

  #write({ ordinal, count }: Slot): void {
    const taken: Uint8Array[] = [];
    const [first] = this.#pieces;
    const isSame = first?.wholeOf === ordinal && first.count === count;
    this.#count -= count;
    for (let left = count; left > 0;) {
      const piece = this.#pieces.shift();
      if (piece === undefined) break;
      const { row } = piece;
      if (piece.count <= left) {
        taken.push(row);
        left -= piece.count;
        continue;
      }
      const restCount = piece.count - left;
      const cut = startOfItem(row, this.#reverse ? restCount : left);
      const [before, behind] = [row.subarray(0, cut), row.subarray(cut)];
      taken.push(this.#reverse ? behind : before);
      this.#pieces.unshift({
        row: this.#reverse ? before : behind,
        count: restCount,
        wholeOf: NO_CHUNK,
      });
      left = 0;
    }
    if (isSame) return;
    if (this.#reverse) taken.reverse();
    const [only] = taken;
    const row = taken.length === 1 && only !== undefined ? only : Buffer.concat(taken);
    putRow(this.#view, this.#id, ordinal, row);
  }

  /** Makes one of the two chunks that were read last, if both are short. */
  #join(): void {
    const [one, other] = this.#slots.slice(-2);
    if (one === undefined || other === undefined || one.bytes + other.bytes > JOINED_BYTES_MAX) return;
    const [lower, upper] = this.#reverse ? [other, one] : [one, other];
    this.#slots.splice(-2, 2, {
      ordinal: lower.ordinal,
      count: lower.count + upper.count,
      bytes: lower.bytes + upper.bytes,
    });
    this.#view.delete(chunkKey(this.#id, upper.ordinal));
  }
}
