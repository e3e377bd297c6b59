import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { BenchCase } from '../bench-case.ts';
import { deletion, put } from '../load/changes.ts';
import { makeRandom } from '../load/random.ts';
import {
  type ReaderOrder,
  type ReaderThreadData,
  sharedState,
  tallyNames,
  threadKey,
  writeThreadValue,
} from '../load/reader-thread.ts';

const READERS = 2;
const RUN_MS = 60_000;
const QUICK_RUN_MS = 300;
/** The writer looks this often at its clock and at what its readers sent. */
const WRITES_PER_TURN = 4096;
const WRITES_PER_COMPACTION = 256;
/** Revisions that stay readable: a reader is never so slow, but for a pause of its thread. */
const HISTORY_REVISIONS = 20_000;
const DELETE_EVERY = 8;
const VALUE_BYTES_MIN = 16;
const VALUE_BYTES_MAX = 200;

/** Readers in threads of their own while the writer writes, deletes and reclaims at full speed; every read is checked. */
export const readerThreads: BenchCase = {
  async run(context) {
    const engine = new MemoryEngine();
    const shared = sharedState(context.keyCount);
    const readers = await Promise.all(
      Array.from({ length: READERS }, () => startReader(engine, shared.order)),
    );
    const startMs = performance.now();
    const endMs = startMs + (context.isQuick ? QUICK_RUN_MS : RUN_MS);
    const writer = new Writer(engine, context.keyCount, shared);
    while (performance.now() < endMs) {
      writer.writeSome();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const seconds = (performance.now() - startMs) / 1000;
    Atomics.store(new Int32Array(shared.order.stopped), 0, 1);
    const tallies = await Promise.all(readers.map((reader) => reader.ended()));
    context.report({ name: 'writes', unit: 'operations/s', samples: [writer.revision / seconds] });
    for (const [index, name] of tallyNames.entries()) {
      const total = tallies.reduce((sum, tally) => sum + (tally[index] ?? 0), 0);
      if (name === 'reads') context.report({ name, unit: 'operations/s', samples: [total / seconds] });
      else context.report({ name, unit: 'count', samples: [total] });
    }
  },
};

class Writer {
  readonly #engine: MemoryEngine;
  readonly #keyCount: number;
  readonly #shared: ReturnType<typeof sharedState>;
  readonly #random = makeRandom(1);
  readonly #value = Buffer.alloc(VALUE_BYTES_MAX);
  revision = 0;

  constructor(engine: MemoryEngine, keyCount: number, shared: ReturnType<typeof sharedState>) {
    this.#engine = engine;
    this.#keyCount = keyCount;
    this.#shared = shared;
  }

  writeSome(): void {
    for (let count = 0; count < WRITES_PER_TURN; count++) this.#write();
  }

  #write(): void {
    const keyIndex = this.#random.below(this.#keyCount);
    const key = threadKey(keyIndex);
    const revision = ++this.revision;
    const isDeleted = revision % DELETE_EVERY === 0;
    if (isDeleted) this.#engine.apply(deletion(key, revision));
    else {
      const byteLength = VALUE_BYTES_MIN + this.#random.below(VALUE_BYTES_MAX - VALUE_BYTES_MIN + 1);
      const value = this.#value.subarray(0, byteLength);
      writeThreadValue(value, keyIndex, revision);
      this.#engine.apply(put(key, value, revision));
    }
    this.#shared.publish(keyIndex, revision, isDeleted);
    if (revision % WRITES_PER_COMPACTION !== 0) return;
    this.#engine.compact(Math.max(0, revision - HISTORY_REVISIONS));
    while (this.#engine.maintain());
  }
}

async function startReader(
  engine: MemoryEngine,
  order: ReaderOrder,
): Promise<{ ended(): Promise<Float64Array> }> {
  const attachment = engine.attachReader();
  const tally = new SharedArrayBuffer(tallyNames.length * Float64Array.BYTES_PER_ELEMENT);
  const worker = new Worker(new URL('../load/reader-thread.ts', import.meta.url), {
    workerData: { ...order, attachment, tally } satisfies ReaderThreadData,
    transferList: [attachment.port],
  });
  const exited = once(worker, 'exit');
  await once(worker, 'message');
  return {
    async ended() {
      await exited;
      engine.detachReader(attachment.seat);
      return new Float64Array(tally);
    },
  };
}
