/**
 * A walk over the state at one revision while writes go on.
 *
 * It goes over the blocks that were there when it began, in the order of memory; new ones go behind them or into other slabs.
 * What is written meanwhile is no matter, since each block leads to its version of then. A block that moves away before the
 * walk has come to it is noted by its key, and shown after the blocks. The undo ring comes last.
 */
import { assert } from '../../errors.ts';
import { addBareKey } from './block-keys.ts';
import { BARE_KEY, NONE, isVersion, kindOf } from './layout.ts';
import type { Keyspace, OpenWalk } from './keyspace.ts';
import { Slabs, type SlabCursor } from './slabs.ts';
import { showPlaced } from './version-codec.ts';
import type { Walk, WalkVisit } from '../engine.ts';
import { PlacedChange } from '../version.ts';

export class SlabWalk implements Walk, OpenWalk {
  readonly oldest: number;
  readonly #newest: number;
  readonly #keyspace: Keyspace;
  /** The keys of blocks that moved away before the walk had come to them. */
  readonly #moved = new Slabs(() => assert(false, 'nothing is moved where nothing is freed'));
  /** What the cursor goes over: the blocks, then the keys of those that moved. */
  #slabs: Slabs;
  #cursor: SlabCursor;
  readonly #placed = new PlacedChange();
  /** The entry of the undo ring that is next, unless it was dropped. */
  #place: number;

  constructor(keyspace: Keyspace, oldest: number, newest: number) {
    const { blocks, walks } = keyspace;
    this.oldest = oldest;
    this.#newest = newest;
    this.#keyspace = keyspace;
    this.#slabs = blocks;
    this.#cursor = blocks.openCursor();
    this.#place = keyspace.undo.tail;
    walks.add(this);
  }

  next(visitsMax: number, visit: WalkVisit): boolean {
    for (let left = visitsMax; left > 0;) {
      const place = this.#slabs.advance(this.#cursor);
      if (place !== NONE) {
        left--;
        const reference = this.#blockAt(place);
        if (reference !== NONE && this.#show(reference, visit) === false) left = 0;
      } else if (this.#slabs === this.#moved) return this.#nextOlder(left, visit);
      else {
        // Nothing that moves from here on has still to come.
        this.#slabs.closeCursor(this.#cursor);
        this.#slabs = this.#moved;
        this.#cursor = this.#moved.openCursor();
      }
    }
    return true;
  }

  get memoryBytes(): number {
    return this.#moved.memoryBytes;
  }

  close(): void {
    this.#slabs.closeCursor(this.#cursor);
    this.#keyspace.walks.delete(this);
  }

  noteMove(reference: number): void {
    const { blocks, probe } = this.#keyspace;
    if (this.#slabs === blocks && blocks.isAhead(this.#cursor, reference)) addBareKey(this.#moved, probe);
  }

  /** The block of a key to which the cursor has come; `NONE`: it was none, or the key is gone. */
  #blockAt(place: number): number {
    const { blocks, probe } = this.#keyspace;
    const words = this.#slabs.wordsAt(place);
    const at = Slabs.wordOf(place);
    if (this.#slabs === blocks) return isVersion(words[at]!) ? place : NONE;
    // The rest of a slab that had no room for the next key is a hole.
    if (kindOf(words[at]!) !== BARE_KEY) return NONE;
    probe.setFrom(words, at);
    return this.#keyspace.find();
  }

  #show(reference: number, visit: WalkVisit): unknown {
    const keyspace = this.#keyspace;
    if (!keyspace.seek(reference, this.#newest)) return undefined;
    const placed = keyspace.show(this.#placed);
    return placed.deleted && placed.revision <= this.oldest ? undefined : visit(placed);
  }

  #nextOlder(visitsMax: number, visit: WalkVisit): boolean {
    const { undo, longValues, compressed } = this.#keyspace;
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
      const placed = showPlaced(undo.memory, undo.at, longValues, compressed, this.#placed);
      if (!undo.hasVersion || (placed.deleted && placed.revision <= this.oldest)) {
        // No read needs to know that the key was not there; but the deletion that came next must be brought out again.
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
