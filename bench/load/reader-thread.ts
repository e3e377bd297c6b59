/**
 * A thread that reads what another one writes, and checks every read.
 *
 * A value says of which key and revision it is, in its first words and, mixed together, in every byte behind them. The
 * writer publishes the newest revision, and then what it did to the key.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { COMPACTED, MemoryReader } from '../../src/engine/memory/memory-reader.ts';
import type { ReaderAttachment } from '../../src/engine/memory/reader-link.ts';
import { makeRandom } from './random.ts';

/** What the writer and all readers share. */
export interface ReaderOrder {
  readonly keyCount: number;
  /** One word: 1 ends the readers. */
  readonly stopped: SharedArrayBuffer;
  /** One word: the newest revision. */
  readonly visible: SharedArrayBuffer;
  /** By key: twice the revision of its newest version, and one more when that says "deleted"; 0: not known. */
  readonly newest: SharedArrayBuffer;
}

export interface ReaderThreadData extends ReaderOrder {
  readonly attachment: ReaderAttachment;
  /** By number of `tallyNames`: what the reader counted, once it has ended. */
  readonly tally: SharedArrayBuffer;
}

export const tallyNames = [
  'reads',
  'reads that came too late for history',
  'torn reads: bytes that no put wrote, or of another key',
  'stale reads: older than the newest that was visible',
  'early reads: above the revision asked for',
] as const;

type TallyName = (typeof tallyNames)[number];

const READS_PER_TURN = 4096;
const WORD_BYTES = 4;
const HEAD_BYTES = 2 * WORD_BYTES;

const keyBuffer = Buffer.alloc(16, 'k');

/** Valid until the next call. */
export function threadKey(keyIndex: number): Uint8Array {
  keyBuffer.writeUInt32LE(keyIndex, 0);
  return keyBuffer;
}

export function writeThreadValue(value: Buffer, keyIndex: number, revision: number): void {
  value.writeUInt32LE(keyIndex, 0);
  value.writeUInt32LE(revision, WORD_BYTES);
  value.fill(keyIndex ^ revision, HEAD_BYTES);
}

/** What writer and readers share, and how the writer tells of a write once the engine has it. */
export function sharedState(keyCount: number): {
  readonly order: ReaderOrder;
  publish(keyIndex: number, revision: number, isDeleted: boolean): void;
} {
  const order = {
    keyCount,
    stopped: new SharedArrayBuffer(WORD_BYTES),
    visible: new SharedArrayBuffer(WORD_BYTES),
    newest: new SharedArrayBuffer(WORD_BYTES * keyCount),
  };
  const visible = new Uint32Array(order.visible);
  const newest = new Uint32Array(order.newest);
  return {
    order,
    publish(keyIndex, revision, isDeleted) {
      // Between the two stores below a reader may see what happened, so nothing is known of the key for that time.
      Atomics.store(newest, keyIndex, 0);
      Atomics.store(visible, 0, revision);
      Atomics.store(newest, keyIndex, revision * 2 + (isDeleted ? 1 : 0));
    },
  };
}

if (!isMainThread) readUntilStopped(workerData as ReaderThreadData);

function readUntilStopped({ attachment, tally, keyCount, stopped, visible, newest }: ReaderThreadData): void {
  const reader = new MemoryReader(attachment);
  const stoppedWord = new Int32Array(stopped);
  const visibleRevision = new Uint32Array(visible);
  const newestByKey = new Uint32Array(newest);
  const random = makeRandom(attachment.seat + 1);
  const counts = new Float64Array(tally);
  parentPort?.postMessage('ready', []);
  while (Atomics.load(stoppedWord, 0) === 0) {
    for (let read = 0; read < READS_PER_TURN; read++) check();
  }
  attachment.port.close();

  function check(): void {
    const keyIndex = random.below(keyCount);
    const before = Atomics.load(newestByKey, keyIndex);
    const revision = Atomics.load(visibleRevision, 0);
    const version = reader.read(threadKey(keyIndex), revision);
    count('reads');
    if (version === COMPACTED) return count('reads that came too late for history');
    if (version === undefined) {
      // Right if the key was deleted or not there; what came since the first look can't be told from a loss.
      const isThere = before !== 0 && before % 2 === 0;
      if (isThere && Atomics.load(newestByKey, keyIndex) === before) {
        count('stale reads: older than the newest that was visible');
      }
      return;
    }
    if (version.revision > revision) count('early reads: above the revision asked for');
    if (version.revision < Math.floor(before / 2))
      count('stale reads: older than the newest that was visible');
    if (!isWhole(version.value, keyIndex, version.revision)) {
      count('torn reads: bytes that no put wrote, or of another key');
    }
  }

  function count(name: TallyName): void {
    const index = tallyNames.indexOf(name);
    counts[index] = (counts[index] ?? 0) + 1;
  }
}

function isWhole(value: Uint8Array, keyIndex: number, revision: number): boolean {
  const words = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (words.getUint32(0, true) !== keyIndex || words.getUint32(WORD_BYTES, true) !== revision) return false;
  const filler = (keyIndex ^ revision) & 0xff;
  return value.subarray(HEAD_BYTES).every((byte) => byte === filler);
}
