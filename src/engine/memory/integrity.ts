/** The check of all structures of a `MemoryEngine` against each other. */
import { assert } from '../../errors.ts';
import type { EngineStats } from '../engine.ts';
import { keyIdOf } from './key-order.ts';
import type { KeyTree } from './key-tree.ts';
import {
  IS_BORDER,
  IS_DELETED,
  IS_DROPPED,
  LOCAL_ID_BITS,
  LOCAL_ID_MASK,
  UNIT_BITS,
  VERSION_FLAGS,
  VERSION_KEY,
  VERSION_VALUE_BYTES,
  keyByteCount,
  keyWordOffset,
  revisionAt,
  versionUnits,
} from './layout.ts';
import type { Probe } from './probe.ts';
import type { Shard } from './shard.ts';
import { wordOffsetOf } from './version-arena.ts';
import { readDeadline } from './version-codec.ts';

/** What was found in the shards. */
interface Findings {
  keyCount: number;
  versionCount: number;
  dataBytes: number;
  readonly keyIds: Set<number>;
  readonly borderIds: Set<number>;
  readonly idsWithDeadline: Set<number>;
}

/** Walks every structure; throws when one does not hold together. @returns the counts, for comparison. */
export function verifyMemory(
  shards: readonly Shard[],
  shardMask: number,
  probe: Probe,
  keys: KeyTree,
  deadlines: KeyTree,
): EngineStats {
  const findings: Findings = {
    keyCount: 0,
    versionCount: 0,
    dataBytes: 0,
    keyIds: new Set(),
    borderIds: new Set(),
    idsWithDeadline: new Set(),
  };
  for (const shard of shards) verifyShard(shard, shardMask, probe, findings);
  const inKeys = keys.verifyIntegrity();
  const inDeadlines = deadlines.verifyIntegrity();
  assertSame(inKeys.ids, findings.keyIds, 'the ordered index has exactly the keys');
  assertSame(
    inDeadlines.ids,
    findings.idsWithDeadline,
    'the index of deadlines has exactly the keys with one',
  );
  assertSame([...inKeys.borders, ...inDeadlines.borders], findings.borderIds, 'each border is in one index');
  return findings;
}

function verifyShard(shard: Shard, shardMask: number, probe: Probe, findings: Findings): void {
  const unitsByPage = new Map<number, number>();
  let keyCount = 0;
  for (let localId = 1; localId < shard.slots.end; localId++) {
    const newest = shard.slots.newest(localId);
    if (newest === 0) continue;
    const id = keyIdOf(shard, localId);
    const words = shard.wordsOf(newest);
    const offset = wordOffsetOf(newest);
    const flags = words[offset + VERSION_FLAGS]!;
    if ((flags & IS_BORDER) !== 0) {
      findings.borderIds.add(id);
      addUnits(unitsByPage, newest, versionUnits(words, offset));
      continue;
    }
    keyCount++;
    findings.keyIds.add(id);
    if ((flags & IS_DELETED) === 0) findings.keyCount++;
    if (readDeadline(words, offset) > 0) findings.idsWithDeadline.add(id);
    const keyOffset = offset + keyWordOffset(words[offset + VERSION_KEY]!, flags);
    probe.setFrom(words, keyOffset, keyByteCount(words, offset));
    probe.hash = probe.computeHash();
    assert(probe.hash === shard.slots.hash(localId), 'a slot has the hash of its key');
    assert((probe.hash & shardMask) === shard.number, 'a key is in the shard of its hash');
    assert(shard.find(probe) === localId, 'a key is found by its hash');
    verifyChain(shard, localId, newest, unitsByPage, findings);
  }
  shard.index.verifyIntegrity(keyCount);
  shard.versions.verifyIntegrity(unitsByPage);
}

function verifyChain(
  shard: Shard,
  localId: number,
  newest: number,
  unitsByPage: Map<number, number>,
  findings: Findings,
): void {
  let revision = Infinity;
  const row = shard.existingRowOf(localId);
  let rowIndex = row?.count ?? 0;
  for (let each = newest; each !== 0; each = shard.previousOf(each)) {
    const words = shard.wordsOf(each);
    const offset = wordOffsetOf(each);
    assert(revisionAt(words, offset) < revision, 'the revisions of a key ascend');
    revision = revisionAt(words, offset);
    assert(
      row === undefined || (row.referenceAt(--rowIndex) === each && row.revisionAt(rowIndex) === revision),
      'the row of a chain names its versions',
    );
    assert((words[offset + VERSION_KEY]! & LOCAL_ID_MASK) === localId, 'a version says whose it is');
    assert(
      (words[offset + VERSION_FLAGS]! & (IS_DROPPED | IS_BORDER)) === 0,
      'what is in a chain was not dropped',
    );
    findings.versionCount++;
    findings.dataBytes += keyByteCount(words, offset) + words[offset + VERSION_VALUE_BYTES]!;
    addUnits(unitsByPage, each, versionUnits(words, offset));
  }
  assert(rowIndex === 0, 'the row of a chain names nothing else');
}

function addUnits(unitsByPage: Map<number, number>, reference: number, units: number): void {
  const page = reference >>> UNIT_BITS;
  unitsByPage.set(page, (unitsByPage.get(page) ?? 0) + units);
}

function assertSame(ids: readonly number[], expected: ReadonlySet<number>, message: string): void {
  const isSame = ids.length === expected.size && ids.every((id) => expected.has(id));
  const shard = ids.find((id) => !expected.has(id));
  assert(isSame, shard === undefined ? message : `${message} (shard ${shard >>> LOCAL_ID_BITS})`);
}
