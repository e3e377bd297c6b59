import type { Engine } from '../../src/engine/engine.ts';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { put } from '../load/changes.ts';
import { keyOf, randomKeys, Values } from '../load/data.ts';
import { engineMakers } from '../load/engines.ts';
import { measureMemory, reportMemory } from '../load/memory.ts';
import { shuffledIndexes } from '../load/random.ts';
import { ratesOf } from '../load/repeat.ts';

const FILL_SEED = 1;
/** The engine's own work is done as the store does it: some of it after each row of writes. */
const ROW_CHANGES = 256;
const WARM_UP_KEYS = 100_000;
const OPERATION_COUNT = 500_000;

/** One engine without a store: no log, no promises, no texts. */
export function engineAlone(name: 'heap' | 'memory'): BenchCase {
  return {
    async run(context) {
      const makeEngine = engineMakers[name];
      if (makeEngine === undefined) throw new Error(`there is no engine ${name}`);
      // Compiled code and the young generation of the heap are what a process costs, not what its keys do.
      new Writer(makeEngine()).fill(operationCount(context, WARM_UP_KEYS));
      const engine = makeEngine();
      const writer = new Writer(engine);
      const before = await measureMemory();
      const startMs = performance.now();
      writer.fill(context.keyCount);
      const seconds = (performance.now() - startMs) / 1000;
      context.report({ name: 'apply new keys', unit: 'operations/s', samples: [context.keyCount / seconds] });
      reportMemory(context, before, await measureMemory());
      await measureOverwrites(context, writer);
      await measureReads(context, engine, writer.revision);
    },
  };
}

async function measureOverwrites(context: CaseContext, writer: Writer): Promise<void> {
  const count = operationCount(context, OPERATION_COUNT);
  const samples = await ratesOf(context, {
    count,
    setUp: (repetition) => randomKeyBytes(count, context.keyCount, repetition),
    run: async (keys) => {
      for (const [index, key] of keys.entries()) writer.write(key, index);
    },
  });
  context.report({ name: 'apply to a random key', unit: 'operations/s', samples });
}

async function measureReads(context: CaseContext, engine: Engine, revision: number): Promise<void> {
  const count = operationCount(context, OPERATION_COUNT);
  const samples = await ratesOf(context, {
    count,
    setUp: (repetition) => randomKeyBytes(count, context.keyCount, repetition),
    run: async (keys) => {
      let foundCount = 0;
      for (const key of keys) if (engine.read(key, revision) !== undefined) foundCount++;
      if (foundCount !== count) throw new Error(`${foundCount} of ${count} keys were found`);
    },
  });
  context.report({ name: 'read a random key', unit: 'operations/s', samples });
}

function randomKeyBytes(count: number, keyCount: number, seed: number): Uint8Array[] {
  return randomKeys(count, keyCount, seed).map((key) => Buffer.from(key));
}

/** Applies one version for each revision, and lets no history build up. */
class Writer {
  readonly #engine: Engine;
  readonly #values = new Values();
  revision = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  fill(keyCount: number): void {
    for (const index of shuffledIndexes(keyCount, FILL_SEED)) this.write(Buffer.from(keyOf(index)), index);
  }

  write(key: Uint8Array, valueIndex: number): void {
    this.revision++;
    this.#engine.apply(put(key, this.#values.of(valueIndex), this.revision));
    if (this.revision % ROW_CHANGES !== 0) return;
    this.#engine.compact(this.revision);
    while (this.#engine.maintain());
  }
}
