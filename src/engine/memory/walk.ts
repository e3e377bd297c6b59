/**
 * A walk over the state at one revision while writes go on.
 *
 * It goes over the slabs that were there when it began, in the order of memory; new blocks go into others. What is written
 * meanwhile is no matter, since each block leads to its version of then. A block that moves away before the walk has come
 * to it is noted by its key, and shown after the blocks. The undo ring comes last.
 */
import {
  KEY,
  KEY_BYTES_MASK,
  NONE,
  SLAB_COUNT_MAX,
  UNDO,
  UNIT_BITS,
  isVersion,
  revisionAt,
  unitsAt,
} from './layout.ts';
import type { Keyspace } from './keyspace.ts';
import { Slabs, type SlabCursor } from './slabs.ts';
import { isDeletedAt, showPlaced } from './version-codec.ts';
import type { Walk, WalkVisit } from '../engine.ts';
import { PlacedChange } from '../version.ts';

export class SlabWalk implements Walk {
  readonly oldest: number;
  readonly #newest: number;
  readonly #keyspace: Keyspace;
  /** Slabs that are younger belong to new blocks. */
  readonly #birth: number;
  readonly #cursor: SlabCursor;
  readonly #moved: Uint8Array[] = [];
  readonly #placed = new PlacedChange();
  /** The entry of the undo ring that is next, unless it was dropped. */
  #place: number;

  constructor(keyspace: Keyspace, oldest: number, newest: number) {
    const { blocks, walks } = keyspace;
    this.oldest = oldest;
    this.#newest = newest;
    this.#keyspace = keyspace;
    blocks.sealAll();
    this.#birth = blocks.nextBirth - 1;
    this.#cursor = blocks.openCursor();
    this.#place = keyspace.undo.tail;
    walks.add(this);
  }

  next(visitsMax: number, visit: WalkVisit): boolean {
    const { blocks } = this.#keyspace;
    const cursor = this.#cursor;
    let left = visitsMax;
    while (cursor.slab < blocks.words.length) {
      if (!blocks.isOlder(cursor.slab, this.#birth) || cursor.unit >= blocks.endOf(cursor.slab)) {
        cursor.slab++;
        cursor.unit = 0;
        continue;
      }
      if (left-- <= 0) return true;
      const words = blocks.words[cursor.slab]!;
      const at = cursor.unit << 1;
      const reference = (cursor.slab << UNIT_BITS) | cursor.unit;
      cursor.unit += unitsAt(words, at);
      if (isVersion(words[at]!) && this.#show(reference, visit) === false) left = 0;
    }
    // From here on nothing that moves has still to come.
    cursor.slab = SLAB_COUNT_MAX;
    while (this.#moved.length > 0) {
      if (left-- <= 0) return true;
      this.#keyspace.probe.set(this.#moved.pop()!);
      const reference = this.#keyspace.find();
      if (reference !== NONE && this.#show(reference, visit) === false) left = 0;
    }
    return this.#nextOlder(left, visit);
  }

  close(): void {
    this.#keyspace.blocks.closeCursor(this.#cursor);
    this.#keyspace.walks.delete(this);
  }

  /** A version is about to leave its place. */
  noteMove(reference: number): void {
    const { blocks } = this.#keyspace;
    // References are in the order of memory.
    const next = this.#cursor.slab * 2 ** UNIT_BITS + this.#cursor.unit;
    if (reference >>> 0 < next || !blocks.isOlder(reference >>> UNIT_BITS, this.#birth)) return;
    const { bytes, words } = blocks.memoryAt(reference);
    const at = Slabs.wordOf(reference);
    const start = (at + KEY) << 2;
    this.#moved.push(bytes.slice(start, start + (words[at]! & KEY_BYTES_MASK)));
  }

  #show(reference: number, visit: WalkVisit): unknown {
    const { blocks, undo, longValues } = this.#keyspace;
    let memory = blocks.memoryAt(reference);
    let at = Slabs.wordOf(reference);
    if (revisionAt(memory.words, at) > this.#newest) {
      if (!undo.seek(memory.words[at + UNDO]!, this.#newest)) return undefined;
      memory = undo.memory;
      at = undo.at;
    }
    if (isDeletedAt(memory.words, at) && revisionAt(memory.words, at) <= this.oldest) return undefined;
    return visit(showPlaced(memory, at, longValues, this.#placed));
  }

  #nextOlder(visitsMax: number, visit: WalkVisit): boolean {
    const { undo, longValues } = this.#keyspace;
    let left = visitsMax;
    let place = undo.isDropped(this.#place) ? undo.tail : this.#place;
    for (; place !== undo.head; place = undo.after(place)) {
      undo.goTo(place);
      const { replacedBy } = undo;
      if (replacedBy > this.#newest) break;
      if (left-- <= 0) {
        this.#place = place;
        return true;
      }
      if (replacedBy <= this.oldest || this.#keyspace.isForgotten(place)) continue;
      const placed = showPlaced(undo.memory, undo.at, longValues, this.#placed);
      if (!undo.hasVersion || (placed.deleted && placed.revision <= this.oldest)) {
        // Nobody reads that the key was not there; but the deletion that came next must be brought out again.
        if (!undo.isReplacedByDeletion) continue;
        placed.revision = 0;
      }
      placed.replacedBy = replacedBy;
      if (visit(placed) === false) left = 0;
    }
    this.#place = undo.head;
    return false;
  }
}
