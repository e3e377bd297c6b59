/** A thread that reads what the test's thread writes, and checks each read; `reader-workload.ts` says against what. */
import { parentPort, workerData } from 'node:worker_threads';
import { COMPACTED, MemoryReader } from '../../src/engine/memory/memory-reader.ts';
import type { ReaderAttachment } from '../../src/engine/memory/reader-link.ts';
import { bytes } from './changes.ts';
import {
  expectedRevision,
  generationAt,
  IS_STOPPED,
  keyOf,
  KEYS,
  valueOf,
  VISIBLE_REVISION,
} from './reader-workload.ts';

export interface ReaderOrder {
  readonly attachment: ReaderAttachment;
  readonly shared: Int32Array;
  readonly seed: number;
}

export interface ReaderResult {
  readonly readCount: number;
  readonly foundCount: number;
  readonly compactedCount: number;
  readonly fault: string | undefined;
}

const port = parentPort;
if (port === null) throw new Error('this is to be run as a worker');
const { attachment, shared, seed } = workerData as ReaderOrder;
const reader = new MemoryReader(attachment);
const result = { readCount: 0, foundCount: 0, compactedCount: 0, fault: undefined as string | undefined };
port.postMessage('ready');

for (let step = seed; Atomics.load(shared, IS_STOPPED) === 0 && result.fault === undefined; step += 7919) {
  const revision = Atomics.load(shared, VISIBLE_REVISION);
  const number = step % KEYS;
  const generation = Math.max(0, generationAt(revision) - (step % 3 === 0 ? 1 : 0));
  result.fault = readOnce(number, generation, revision);
}
port.postMessage(result satisfies ReaderResult);

function readOnce(number: number, generation: number, revision: number): string | undefined {
  const key = keyOf(number, generation);
  const version = reader.read(bytes(key), revision);
  result.readCount++;
  if (version === COMPACTED) {
    result.compactedCount++;
    return undefined;
  }
  const expected = expectedRevision(number, generation, revision);
  if (expected !== 0) result.foundCount++;
  if ((version?.revision ?? 0) !== expected) {
    return `${key} at ${revision}: read revision ${version?.revision}, expected ${expected}`;
  }
  const value = version === undefined ? '' : Buffer.from(version.value).toString('latin1');
  if (version === undefined || value === valueOf(key, expected)) return undefined;
  return `${key} at ${revision}: read the value ${value.slice(0, 100)}`;
}
