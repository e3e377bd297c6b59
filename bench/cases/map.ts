/**
 * Measures a bare `Map` from texts to bytes: no log, no order, no old versions. Its rates are the ceiling of what
 * JavaScript gives, its memory what the engine is to be better than.
 */
import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { keyOf, randomKeys, Values } from '../load/data.ts';
import { measureMemory, reportMemory } from '../load/memory.ts';
import { shuffledIndexes } from '../load/random.ts';
import { ratesOf } from '../load/repeat.ts';

const FILL_SEED = 1;

export const map: BenchCase = {
  async run(context) {
    const { keyCount } = context;
    const values = new Values();
    const before = await measureMemory();
    const valueByKey = new Map<string, Uint8Array>();
    for (const index of shuffledIndexes(keyCount, FILL_SEED)) {
      valueByKey.set(keyOf(index), Uint8Array.from(values.of(index)));
    }
    const after = await measureMemory();
    reportMemory(context, before, after);

    const count = operationCount(context, 300_000);
    // New texts each time: one that was looked up before knows its hash, and a key from a client never does.
    const setUp = (repetition: number): string[] => randomKeys(count, keyCount, repetition);
    const gets = await ratesOf(context, {
      count,
      setUp,
      run: async (keys) => {
        let foundCount = 0;
        for (const key of keys) if (valueByKey.get(key) !== undefined) foundCount++;
        if (foundCount !== count) throw new Error(`${foundCount} of ${count} keys were found`);
      },
    });
    context.report({ name: 'get by random key', unit: 'operations/s', samples: gets });
    const sets = await ratesOf(context, {
      count,
      setUp,
      run: async (keys) => {
        for (const [index, key] of keys.entries()) valueByKey.set(key, Uint8Array.from(values.of(index)));
      },
    });
    context.report({
      name: 'set by random key, with a copy of the value',
      unit: 'operations/s',
      samples: sets,
    });
  },
};
