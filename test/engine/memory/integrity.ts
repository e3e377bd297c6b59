/** Walks every structure of an engine and breaks where one does not hold together. */
import { assert } from '../../../src/errors.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Keyspace } from '../../../src/engine/memory/keyspace.ts';
import {
  BARE_KEY,
  KEY_BYTES_MASK,
  NONE,
  UNDO,
  UNIT_BYTES,
  isVersion,
  kindOf,
  revisionAt,
} from '../../../src/engine/memory/layout.ts';
import type { LongValues } from '../../../src/engine/memory/long-values.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { Slabs } from '../../../src/engine/memory/slabs.ts';
import type { UndoRing } from '../../../src/engine/memory/undo-ring.ts';
import {
  deadlineAt,
  isDeletedAt,
  isHidingAt,
  longValueAt,
  plainBytesAt,
  storedBytesAt,
} from '../../../src/engine/memory/version-codec.ts';
import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { checkLayers } from '../layered/check-layers.ts';
import { checkKeyMap } from './check-key-map.ts';
import { checkOrder } from './check-order.ts';
import { checkSlabs } from './check-slabs.ts';

/** An engine that can tell of itself whether it holds together. */
export interface Verifiable {
  verifyIntegrity(): void;
}

/** @param bucketKeysMax as for `checkLayers`. */
export function verifyIntegrity(engine: Engine, bucketKeysMax?: number): void {
  if (engine instanceof MemoryEngine) checkKeyspace(engine.keyspace);
  else if (engine instanceof LayeredEngine) checkLayeredEngine(engine, bucketKeysMax);
  else if (isVerifiable(engine)) engine.verifyIntegrity();
  else throw new Error('nothing is known of how this engine holds together');
}

function checkLayeredEngine(engine: LayeredEngine, bucketKeysMax?: number): void {
  checkKeyspace(engine.layers.current.keyspace);
  checkLayers(engine, bucketKeysMax);
}

function isVerifiable(engine: object): engine is Verifiable {
  return 'verifyIntegrity' in engine;
}

/** Shows every entry of an undo ring, the oldest first, gone to. */
export function checkUndoRing(undo: UndoRing, visit: (place: number) => void): void {
  const pageUnits = 2 ** 15;
  const pages = new Set<number>();
  let last = 0;
  for (let place = undo.tail; place !== undo.head; place = undo.after(place)) {
    undo.goTo(place);
    pages.add(Math.floor(place / pageUnits));
    const { replacedBy } = undo;
    assert(replacedBy >= last, 'the undo ring is in the order of replacing');
    last = replacedBy;
    visit(place);
  }
  const pageCount = undo.memoryBytes / (pageUnits * UNIT_BYTES);
  assert(pageCount >= pages.size, 'every page of the undo ring is counted');
  // The page of the head may be empty, and one may be kept for the next entries.
  assert(pageCount <= pages.size + 2, 'every page of the undo ring is in use');
}

function checkKeyspace(keyspace: Keyspace): void {
  const { blocks: slabs, map, keys, deadlines, undo, longValues, probe } = keyspace;
  const blocks = new Map<number, number>();
  checkSlabs(slabs, (reference, words, at) => void blocks.set(reference, kindOf(words[at]!)));
  const take = (reference: number, isRight: (kind: number) => boolean, message: string): void => {
    const kind = blocks.get(reference);
    assert(kind !== undefined && isRight(kind), message);
    blocks.delete(reference);
  };

  let keyCount = 0;
  let versionCount = 0;
  let dataBytes = 0;
  const compressed = { plainBytes: 0, storedBytes: 0 };
  const waiting = new Set<string>();
  const used = new Set<number>();
  /** A key whose newest version is a deletion must be brought out by an entry of the undo ring. */
  const deletions = new Set<number>();
  /** ... unless it hides what lies below a layer. */
  const hiding = new Set<number>();
  const count = (words: Int32Array, at: number): void => {
    versionCount++;
    const storedBytes = storedBytesAt(words, at);
    const plainBytes = plainBytesAt(words, at);
    dataBytes += (words[at]! & KEY_BYTES_MASK) + (plainBytes || storedBytes);
    if (plainBytes > 0) {
      compressed.plainBytes += plainBytes;
      compressed.storedBytes += storedBytes;
    }
    const long = longValueAt(words, at);
    if (long === undefined) return;
    assert(!used.has(long), 'a long value belongs to one version');
    assert(longValues.memoryOf(long).bytes.length === storedBytes, 'a long value is whole');
    used.add(long);
  };
  checkKeyMap(map, slabs, (hash, reference) => {
    const words = slabs.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    assert(isVersion(words[at]!), 'the map leads to versions');
    probe.setFrom(words, at);
    assert(keyspace.hash() === hash, 'an entry of the map has the hash of its key');
    count(words, at);
    if (isHidingAt(words, at)) hiding.add(reference);
    else if (isDeletedAt(words, at)) deletions.add(reference);
    else keyCount++;
    const deadlineMs = deadlineAt(words, at);
    if (deadlineMs === 0) return;
    probe.setDeadline(deadlineMs, words, at);
    waiting.add(textIn(probe.bytes, 0, probe.length));
  });

  checkOrder(keys, (reference, isLive) => {
    take(reference, (kind) => kind < BARE_KEY, 'the order of keys leads to versions');
    assert(isLive === !deletions.has(reference), 'what is live in the order of keys is not deleted');
  });
  checkOrder(deadlines.index, (reference, isLive) => {
    assert(isLive, 'a deadline is live');
    take(reference, (kind) => kind === BARE_KEY, 'a deadline has its block');
    probe.setFrom(slabs.wordsAt(reference), Slabs.wordOf(reference));
    assert(waiting.delete(textIn(probe.bytes, 0, probe.length)), 'a deadline is that of a newest version');
  });
  assert(waiting.size === 0, 'every deadline is in its index');
  assert(blocks.size === 0, 'every block belongs to something');
  assert(keys.count === map.count, 'the map and the order hold the same keys');

  const replacedBy = new Map<number, number>();
  checkUndoRing(undo, (place) => {
    const { words } = undo.memory;
    const { at } = undo;
    replacedBy.set(place | 0, undo.replacedBy);
    if (undo.hasVersion) count(words, at);
    const older = words[at + UNDO]!;
    const isNeeded = older !== NONE && revisionAt(words, at) > keyspace.compactRevision;
    if (isNeeded)
      assert(replacedBy.get(older) === revisionAt(words, at), 'a link leads to the version before');
    const isDeletion = undo.isReplacedByDeletion;
    const revision = undo.replacedBy;
    probe.setFrom(words, at);
    const newest = map.find(probe, keyspace.hash());
    if (isDeletion && deletions.has(newest)) {
      const newestWords = slabs.wordsAt(newest);
      if (revisionAt(newestWords, Slabs.wordOf(newest)) === revision) deletions.delete(newest);
    }
  });
  assert(deletions.size === 0, 'a deletion is dropped with the version that it replaced');
  checkKeyMap(map, slabs, (_hash, reference) => {
    const words = slabs.wordsAt(reference);
    const at = Slabs.wordOf(reference);
    const older = words[at + UNDO]!;
    if (older === NONE || revisionAt(words, at) <= keyspace.compactRevision) return;
    assert(
      replacedBy.get(older) === revisionAt(words, at),
      'the link of a block leads to the version before',
    );
  });
  checkLongValues(longValues, used);
  const { plainBytes, storedBytes } = keyspace.compressed ?? { plainBytes: 0, storedBytes: 0 };
  assert(
    compressed.plainBytes === plainBytes && compressed.storedBytes === storedBytes,
    'what is compressed is counted',
  );
  assert(
    keyCount === keyspace.keyCount &&
      versionCount === keyspace.versionCount &&
      dataBytes === keyspace.dataBytes,
    'the counts are true',
  );
}

/** @param used the numbers of all versions that there are. */
function checkLongValues(longValues: LongValues, used: ReadonlySet<number>): void {
  let byteCount = 0;
  for (const number of used) byteCount += longValues.memoryOf(number).bytes.length;
  assert(byteCount === longValues.memoryBytes, 'there are no long values but those of versions');
}

function textIn(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1');
}
