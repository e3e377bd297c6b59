/**
 * Fills an empty memory engine. The newest versions are put into blocks, one behind the other; their hashes go into the map
 * at once, a table after the other, when all are there. The ordered index is built at the end, of keys that are sorted.
 */
import { assert } from '../../errors.ts';
import type { EngineLoader } from '../engine.ts';
import { REFUSED_LOAD } from '../engine.ts';
import type { PlacedChange } from '../version.ts';
import type { Keyspace } from './keyspace.ts';
import { NONE, UNDO, UNIT_BITS, isVersion, revisionAt, unitsAt } from './layout.ts';
import { buildTree } from './order/building.ts';
import { sortByKey } from './order/key-sorter.ts';
import { Slabs } from './slabs.ts';
import { BY_DELETION, NO_VERSION } from './undo-ring.ts';
import { isDeletedAt, leaseAt } from './version-codec.ts';

const WAITING_MIN = 1024;

export class MemoryLoader implements EngineLoader {
  readonly #keyspace: Keyspace;
  /** What is not in the map yet, as entries of it: a block, the hash of its key. */
  #entries = new Int32Array(2 * WAITING_MIN);
  #entriesEnd = 0;
  /** The keys whose newest version still lacks the one that it replaced. */
  #incomplete = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  newest(change: PlacedChange): number {
    assert(this.#entries.length > 0, 'the newest versions come before all else');
    if (change.revision <= 0) return REFUSED_LOAD;
    const keyspace = this.#keyspace;
    const entries = this.#entries;
    keyspace.newestRevision = Math.max(keyspace.newestRevision, change.revision);
    this.#take(change);
    if (this.#entriesEnd === this.#entries.length) {
      this.#entries = new Int32Array(2 * this.#entriesEnd);
      this.#entries.set(entries);
    }
    // A deletion is dropped with what it replaced.
    if (change.deleted) this.#incomplete++;
    this.#entries[this.#entriesEnd++] = keyspace.writeBlock();
    this.#entries[this.#entriesEnd++] = keyspace.hash();
    keyspace.copyValue(change);
    return 0;
  }

  *finishNewest(): Generator<undefined, boolean> {
    if (this.#entriesEnd === 0) return true;
    const entries = this.#entries.subarray(0, this.#entriesEnd);
    this.#entries = new Int32Array(0);
    if (!(yield* this.#keyspace.map.fill(entries))) return false;
    this.#entriesEnd = 0;
    return true;
  }

  older(change: PlacedChange): number {
    this.#assertFound();
    const { probe, undo, blocks, map, fields } = this.#keyspace;
    const { replacedBy } = change;
    this.#take(change);
    const reference = map.find(probe, this.#keyspace.hash());
    if (reference === NONE || change.revision >= replacedBy || replacedBy < undo.newestRevision)
      return REFUSED_LOAD;
    const words = blocks.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    const older = words[at + UNDO]!;
    if (revisionAt(words, at) < replacedBy) return REFUSED_LOAD;
    if (older !== NONE && undo.replacedByAt(older) !== change.revision) return REFUSED_LOAD;
    const isComplete = revisionAt(words, at) === replacedBy;
    const wasComplete = older === NONE && !isDeletedAt(words, at);
    this.#incomplete += Number(wasComplete) - Number(isComplete);
    const hasVersion = change.revision > 0;
    if (change.deleted && older !== NONE) undo.markReplacedByDeletion(older);
    const isDeletion = isComplete && isDeletedAt(words, at);
    const flags = (isDeletion ? BY_DELETION : 0) | (hasVersion ? 0 : NO_VERSION);
    words[at + UNDO] = undo.reserve(fields.units, replacedBy, flags, older);
    this.#keyspace.writeEntry(older);
    this.#keyspace.copyValue(change);
    if (hasVersion) this.#keyspace.countVersion(1, probe.length + fields.valueBytes);
    return 0;
  }

  next(change: PlacedChange): number {
    this.#assertFound();
    const keyspace = this.#keyspace;
    this.#take(change);
    const hash = keyspace.hash();
    const reference = keyspace.map.find(keyspace.probe, hash);
    let lease = 0;
    if (reference !== NONE) {
      const words = keyspace.blocks.wordsAt(reference);
      const at = Slabs.wordOf(reference);
      if (change.revision <= revisionAt(words, at)) return REFUSED_LOAD;
      lease = leaseAt(words, at);
    }
    if (change.revision <= 0 || change.revision < keyspace.newestRevision) return REFUSED_LOAD;
    keyspace.put(reference, hash);
    keyspace.copyValue(change);
    return lease;
  }

  *finish(): Generator<undefined, boolean> {
    this.#assertFound();
    if (this.#incomplete > 0) return false;
    const { blocks, keys, keyCount } = this.#keyspace;
    const references = yield* this.#newestVersions();
    const isAllLive = keyCount === references.length;
    const deadRevisionOf = (block: number): number => {
      if (isAllLive) return 0;
      const words = blocks.wordsAt(block);
      const at = Slabs.wordOf(block);
      return isDeletedAt(words, at) ? revisionAt(words, at) : 0;
    };
    yield* buildTree(keys, yield* sortByKey(blocks, references), deadRevisionOf);
    this.#keyspace.isOrdered = true;
    return true;
  }

  #assertFound(): void {
    assert(this.#entriesEnd === 0, 'what was loaded as the newest versions is finished first');
  }

  /** Takes over key and fields. */
  #take(change: PlacedChange): void {
    const { probe } = this.#keyspace;
    this.#keyspace.isOrdered = false;
    probe.setPlaced(change.keyMemory.bytes, change.keyStart, change.keyEnd);
    this.#keyspace.take(change, change.valueEnd - change.valueStart);
  }

  /** The blocks of all newest versions, in the order of memory. */
  *#newestVersions(): Generator<undefined, Int32Array> {
    const { blocks, map } = this.#keyspace;
    const references = new Int32Array(map.count);
    let found = 0;
    for (let slab = 0; slab < blocks.words.length; slab++) {
      const words = blocks.words[slab]!;
      const end = blocks.endOf(slab);
      for (let unit = 0; unit < end; unit += unitsAt(words, unit << 1)) {
        if (isVersion(words[unit << 1]!)) references[found++] = (slab << UNIT_BITS) | unit;
      }
      yield;
    }
    assert(found === references.length, 'every version that was loaded is in the map');
    return references;
  }
}
