/**
 * Measures what an operation itself costs an engine, and what it leaves to the collector, with all keys in the caches;
 * a `Map` with copies of its values is the measure. Nanoseconds are processor time, bytes are of the JavaScript heap:
 * an operation that leaves none never causes a collection.
 */
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { costsOf } from '../load/cpu.ts';
import { keyOf, Values } from '../load/data.ts';
import { EngineWriter, keyBytesOf } from '../load/engine-writer.ts';
import { makeRandom } from '../load/random.ts';

const KEY_COUNT = 1000;
const OPERATION_COUNT = 500_000;
const SEED = 1;
/** So few that no collection comes between: then the heap has grown by what they took. */
const ALLOCATING_OPERATIONS = 2000;
const NO_BYTES = new Uint8Array(0);

/** What is measured; keys are numbers from 0. */
interface Target {
  readonly name: string;
  set(key: number): void;
  /** @returns whether it is there. */
  get(key: number): boolean;
  delete(key: number): void;
}

interface Operation {
  readonly name: string;
  run(target: Target, key: number, die: number): void;
}

/** A delete is measured with a set behind it, so that each finds its key there. */
const OPERATIONS: readonly Operation[] = [
  { name: 'set', run: (target, key) => target.set(key) },
  { name: 'get', run: (target, key) => void target.get(key) },
  {
    name: 'delete and set again',
    run(target, key) {
      target.delete(key);
      target.set(key);
    },
  },
  {
    name: '50 % get, 40 % set, 10 % delete',
    run(target, key, die) {
      if (die < 5) target.get(key);
      else if (die < 9) target.set(key);
      else target.delete(key);
    },
  },
];

export const engineCost: BenchCase = {
  async run(context) {
    for (const makeTarget of [makeEngineTarget, makeMapTarget]) {
      for (const operation of OPERATIONS) measure(context, makeTarget, operation);
    }
  },
};

function measure(context: CaseContext, makeTarget: () => Target, operation: Operation): void {
  const count = operationCount(context, OPERATION_COUNT);
  const keys = randomNumbers(count, KEY_COUNT, SEED);
  const dice = randomNumbers(count, 10, SEED + 1);
  const target = makeTarget();
  for (let key = 0; key < KEY_COUNT; key++) target.set(key);
  const run = (runCount: number): void => {
    for (let index = 0; index < runCount; index++) operation.run(target, keys[index] ?? 0, dice[index] ?? 0);
  };
  const name = `${target.name}: ${operation.name}`;
  const samples = costsOf(context, { count, setUp: () => undefined, run: () => run(count) });
  context.report({ name, unit: 'ns', samples });
  const allocatingCount = Math.min(ALLOCATING_OPERATIONS, count);
  const heaps = Array.from({ length: context.repetitions }, () => {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    run(allocatingCount);
    return (process.memoryUsage().heapUsed - before) / allocatingCount;
  });
  context.report({ name: `${name}, heap`, unit: 'bytes', samples: heaps });
}

function makeEngineTarget(): Target {
  const engine = new MemoryEngine();
  const writer = new EngineWriter(engine);
  const keys = Array.from({ length: KEY_COUNT }, (_, key) => keyBytesOf(key));
  return {
    name: 'engine',
    set: (key) => writer.write(keys[key] ?? NO_BYTES),
    get: (key) => engine.read(keys[key] ?? NO_BYTES, writer.revision) !== undefined,
    delete: (key) => writer.delete(keys[key] ?? NO_BYTES),
  };
}

/** With a copy of each value, as an engine makes one. */
function makeMapTarget(): Target {
  const values = new Values();
  const keys = Array.from({ length: KEY_COUNT }, (_, key) => keyOf(key));
  const valueByKey = new Map<string, Uint8Array>();
  return {
    name: 'Map',
    set: (key) => void valueByKey.set(keys[key] ?? '', Uint8Array.from(values.of(key))),
    get: (key) => valueByKey.get(keys[key] ?? '') !== undefined,
    delete: (key) => void valueByKey.delete(keys[key] ?? ''),
  };
}

function randomNumbers(count: number, limit: number, seed: number): Uint16Array {
  const random = makeRandom(seed);
  return Uint16Array.from({ length: count }, () => random.below(limit));
}
