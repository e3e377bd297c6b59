/**
 * Measures the longest single call of an engine that grows from nothing: what doubles or moves all at once would stop
 * the event loop for that long. Read the longest call with the one that 9,999 of 10,000 stay below; both are processor
 * time of the thread, so another process on the machine is no part of them.
 */
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { put } from '../load/changes.ts';
import { costsOf } from '../load/cpu.ts';
import { Values } from '../load/data.ts';
import { EngineWriter, randomKeyBytes, shuffledPieces } from '../load/engine-writer.ts';
import { ThreadClock } from '../load/thread-clock.ts';

const WARM_UP_KEYS = 100_000;
const OPERATION_COUNT = 300_000;
const ROW_CHANGES = 256;
/** Longer calls count as this long among the others; the longest of all is kept apart. */
const MICROS_MAX = 1_000_000;
const MICROS_PER_MS = 1000;
const NANOS_PER_MICRO = 1000;

/** Grows an engine from nothing and looks at each call by the processor time of its thread; then reads random keys. */
export const engineGrowth: BenchCase = {
  async run(context) {
    new EngineWriter(new MemoryEngine()).fill(operationCount(context, WARM_UP_KEYS));
    const engine = new MemoryEngine();
    const values = new Values();
    const calls = new CallTimes();
    let revision = 0;
    for (const keys of shuffledPieces(context.keyCount)) {
      for (const key of keys) {
        const change = put(key, values.of(++revision), revision);
        calls.start();
        engine.apply(change);
        calls.end();
        if (revision % ROW_CHANGES !== 0) continue;
        engine.compact(revision);
        for (let isMore = true; isMore;) {
          calls.start();
          isMore = engine.maintain();
          calls.end();
        }
      }
    }
    const name = 'a call while the engine grows';
    context.report({ name: `${name}, 9,999 of 10,000`, unit: 'ms', samples: [calls.quantileMs(0.9999)] });
    context.report({ name: `${name}, the longest`, unit: 'ms', samples: [calls.longestMs] });
    const count = operationCount(context, OPERATION_COUNT);
    const samples = costsOf(context, {
      count,
      setUp: (repetition) => randomKeyBytes(count, context.keyCount, repetition),
      run(keys) {
        let foundCount = 0;
        for (const key of keys) if (engine.read(key, revision) !== undefined) foundCount++;
        if (foundCount !== count) throw new Error(`${foundCount} of ${count} keys were found`);
      },
    });
    context.report({ name: 'read a random key', unit: 'ns', samples });
  },
};

/** Counts calls by how long they took; a list of tens of millions of them would be what is measured. */
class CallTimes {
  readonly #counts = new Uint32Array(MICROS_MAX + 1);
  #callCount = 0;
  readonly #clock = new ThreadClock();
  #startNanos = 0;
  longestMs = 0;

  start(): void {
    this.#startNanos = this.#clock.nanos();
  }

  end(): void {
    const micros = Math.round((this.#clock.nanos() - this.#startNanos) / NANOS_PER_MICRO);
    const place = Math.min(micros, MICROS_MAX);
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#callCount++;
    this.longestMs = Math.max(this.longestMs, micros / MICROS_PER_MS);
  }

  quantileMs(share: number): number {
    let left = share * this.#callCount;
    const micros = this.#counts.findIndex((count) => (left -= count) <= 0);
    return micros / MICROS_PER_MS;
  }
}
