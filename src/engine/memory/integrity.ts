/** The check of all structures of a `MemoryEngine` against each other. */
import { assert } from '../../errors.ts';
import type { EngineStats } from '../engine.ts';
import type { CutTail } from './cut-tail.ts';
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
import type { LongChains } from './long-chains.ts';
import type { Probe } from './probe.ts';
import type { Shard } from './shard.ts';
import type { SupersededQueue } from './superseded-queue.ts';
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
  readonly idsWithRow: Set<number>;
  /** By revision, the keys of which it may have made something superfluous. */
  readonly queuedIds: Map<number, Set<number>>;
}

/** What is walked through. */
export interface MemoryParts {
  readonly shards: readonly Shard[];
  readonly shardMask: number;
  readonly probe: Probe;
  readonly keys: KeyTree;
  readonly deadlines: KeyTree;
  readonly superseded: SupersededQueue;
  readonly longChains: LongChains;
  readonly cutTails: readonly CutTail[];
}

/** Walks every structure; throws when one does not hold together. @returns the counts, for comparison. */
export function verifyMemory(parts: MemoryParts): EngineStats {
  const findings: Findings = {
    keyCount: 0,
    versionCount: 0,
    dataBytes: 0,
    keyIds: new Set(),
    borderIds: new Set(),
    idsWithDeadline: new Set(),
    idsWithRow: new Set(),
    queuedIds: new Map(),
  };
  for (const [id, revision] of parts.superseded.entries()) {
    const ids = findings.queuedIds.get(revision);
    if (ids === undefined) findings.queuedIds.set(revision, new Set([id]));
    else ids.add(id);
  }
  for (const shard of parts.shards) verifyShard(shard, parts, findings);
  parts.longChains.verifyIntegrity(findings.idsWithRow);
  const inKeys = parts.keys.verifyIntegrity();
  const inDeadlines = parts.deadlines.verifyIntegrity();
  assertSame(inKeys.ids, findings.keyIds, 'the ordered index has exactly the keys');
  assertSame(
    inDeadlines.ids,
    findings.idsWithDeadline,
    'the index of deadlines has exactly the keys with one',
  );
  assertSame([...inKeys.borders, ...inDeadlines.borders], findings.borderIds, 'each border is in one index');
  return findings;
}

function verifyShard(shard: Shard, { shardMask, probe, cutTails }: MemoryParts, findings: Findings): void {
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
  for (const { shard: owner, reference } of cutTails) {
    if (owner !== shard) continue;
    for (let each = reference; each !== 0; each = shard.previousOf(each)) {
      countVersion(shard, each, unitsByPage, findings);
    }
  }
  shard.slots.verifyIntegrity();
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
  const id = keyIdOf(shard, localId);
  if (row !== undefined) findings.idsWithRow.add(id);
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
    const isQueued = findings.queuedIds.get(revision)?.has(id) === true;
    const isSuperseding = shard.previousOf(each) !== 0 || (words[offset + VERSION_FLAGS]! & IS_DELETED) !== 0;
    assert(isQueued || !isSuperseding, 'what makes a version superfluous is in the queue');
    countVersion(shard, each, unitsByPage, findings);
  }
  assert(rowIndex === 0, 'the row of a chain names nothing else');
}

function countVersion(
  shard: Shard,
  reference: number,
  unitsByPage: Map<number, number>,
  findings: Findings,
): void {
  const words = shard.wordsOf(reference);
  const offset = wordOffsetOf(reference);
  findings.versionCount++;
  findings.dataBytes += keyByteCount(words, offset) + words[offset + VERSION_VALUE_BYTES]!;
  addUnits(unitsByPage, reference, versionUnits(words, offset));
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
