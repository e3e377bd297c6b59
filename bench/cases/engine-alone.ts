/**
 * Measures the engine without a store: no log, no promises, no texts. Nanoseconds are processor time for an operation,
 * with the collector's share, so they hold on a machine that has other work; compare rows of the same number of keys,
 * since what is not in the caches is what costs.
 */
import type { Engine, EngineRange } from '../../src/engine/engine.ts';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { PlacedChange } from '../../src/engine/version.ts';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { costsOf, cpuNanos } from '../load/cpu.ts';
import { EngineWriter, randomKeyBytes, shuffledPieces } from '../load/engine-writer.ts';
import { measureMemory, reportMemory } from '../load/memory.ts';
import { makeRandom } from '../load/random.ts';
import { WorkBudget } from '../../src/work-budget.ts';

const WARM_UP_KEYS = 100_000;
const OPERATION_COUNT = 300_000;
const BATCH_SIZES = [1, 16, 64];
/** The calls of one turn of a store. */
const TURN_KEYS = 256;
const HISTORY_REVISIONS = 100_000;
const VISITS_PER_CALL = 10_000;
const ALL: EngineRange = { start: new Uint8Array(0), end: undefined };

export const engineAlone: BenchCase = {
  async run(context) {
    // Compiled code and the young generation of the heap are what a process costs, not what its keys do.
    new EngineWriter(new MemoryEngine()).fill(operationCount(context, WARM_UP_KEYS));
    for (const batchSize of BATCH_SIZES.slice(1)) measureFill(context, new MemoryEngine(), batchSize);
    const engine = new MemoryEngine();
    const before = await measureMemory();
    const { revision } = measureFill(context, engine, 1);
    reportMemory(context, before, await measureMemory());
    measureReads(context, engine, revision);
    measureScans(context, engine, revision);
    measureRanks(context, engine);
    const writer = measureOverwrites(context, engine, revision);
    measureTurns(context, engine, writer);
  },
};

function measureFill(context: CaseContext, engine: Engine, batchSize: number): EngineWriter {
  const writer = new EngineWriter(engine);
  let nanos = 0;
  for (const keys of shuffledPieces(context.keyCount)) {
    const before = cpuNanos();
    writer.writeAll(keys, batchSize);
    nanos += cpuNanos() - before;
  }
  const name = `apply new keys${inBatches(batchSize)}`;
  context.report({ name, unit: 'ns', samples: [nanos / context.keyCount] });
  return writer;
}

function measureReads(context: CaseContext, engine: Engine, revision: number): void {
  const count = operationCount(context, OPERATION_COUNT);
  for (const batchSize of BATCH_SIZES) {
    const samples = costsOf(context, {
      count,
      setUp: (repetition) => batchesOf(randomKeyBytes(count, context.keyCount, repetition), batchSize),
      run(batches) {
        let foundCount = 0;
        for (const keys of batches) {
          const [first] = keys;
          if (keys.length === 1 && first !== undefined)
            foundCount += Number(engine.read(first, revision) !== undefined);
          else {
            engine.fetch(keys, 0, keys.length);
            for (const key of keys)
              engine.readPlaced(key, revision, (version) => {
                foundCount += Number(version !== undefined && version.copyValue().length > 0);
              });
          }
        }
        if (foundCount !== count) throw new Error(`${foundCount} of ${count} keys were found`);
      },
    });
    context.report({ name: `read a random key${inBatches(batchSize)}`, unit: 'ns', samples });
  }
}

function measureOverwrites(context: CaseContext, engine: Engine, revision: number): EngineWriter {
  const count = operationCount(context, OPERATION_COUNT);
  const historyRevisions = operationCount(context, HISTORY_REVISIONS);
  const writer = new EngineWriter(engine, { historyRevisions });
  writer.revision = revision;
  // From here on each put drops what another one replaced.
  writer.writeAll(randomKeyBytes(historyRevisions, context.keyCount, 0), 1);
  for (const batchSize of BATCH_SIZES) {
    const samples = costsOf(context, {
      count,
      setUp: (repetition) => randomKeyBytes(count, context.keyCount, repetition),
      run: (keys) => writer.writeAll(keys, batchSize),
    });
    context.report({ name: `apply to a random key${inBatches(batchSize)}`, unit: 'ns', samples });
  }
  return writer;
}

/** Each key is looked at and then written, as a store does, with and without having fetched those of a turn. */
function measureTurns(context: CaseContext, engine: Engine, writer: EngineWriter): void {
  const count = operationCount(context, OPERATION_COUNT);
  for (const isFetched of [false, true]) {
    const samples = costsOf(context, {
      count,
      setUp: (repetition) => batchesOf(randomKeyBytes(count, context.keyCount, repetition), TURN_KEYS),
      run(turns) {
        for (const keys of turns) {
          if (isFetched) engine.fetch(keys, 0, keys.length);
          for (const key of keys) {
            if (engine.readMeta(key, writer.revision) === undefined) throw new Error('a key was not found');
            writer.write(key);
          }
        }
      },
    });
    const how = isFetched ? `, ${TURN_KEYS} fetched together` : '';
    context.report({ name: `read and apply to a random key${how}`, unit: 'ns', samples });
  }
}

function measureScans(context: CaseContext, engine: Engine, revision: number): void {
  const variants = [
    { name: 'scan, keys only', copy: (entry: PlacedChange) => entry.copyKey().length },
    {
      name: 'scan with values',
      copy: (entry: PlacedChange) => entry.copyKey().length + entry.copyValue().length,
    },
  ];
  for (const { name, copy } of variants) {
    report(context, name, () => scanAll(engine, revision, copy));
  }
  report(context, 'walk of a snapshot', () => walkAll(engine, revision));
}

function scanAll(engine: Engine, revision: number, copy: (entry: PlacedChange) => number): number {
  let entryCount = 0;
  let byteCount = 0;
  let start: Uint8Array | undefined = ALL.start;
  while (start !== undefined) {
    const options = { reverse: false, budget: new WorkBudget(VISITS_PER_CALL) };
    start = engine.scan({ start, end: undefined }, revision, options, (entry) => {
      entryCount++;
      byteCount += copy(entry);
      return true;
    });
  }
  if (byteCount === 0) throw new Error('keys have bytes');
  return entryCount;
}

function walkAll(engine: Engine, revision: number): number {
  const walk = engine.openWalk(revision, revision);
  let entryCount = 0;
  while (walk.next(VISITS_PER_CALL, () => entryCount++));
  walk.close();
  return entryCount;
}

/** Reports what an entry costs of something that goes over all of them. */
function report(context: CaseContext, name: string, run: () => number): void {
  // A few keys are gone over many times, since one time is too short to be measured.
  const rounds = Math.ceil(operationCount(context, OPERATION_COUNT) / context.keyCount);
  const samples = costsOf(context, {
    count: rounds * context.keyCount,
    setUp: () => undefined,
    run() {
      for (let round = 0; round < rounds; round++) {
        const entryCount = run();
        if (entryCount !== context.keyCount)
          throw new Error(`${entryCount} entries of ${context.keyCount} came`);
      }
    },
  });
  context.report({ name, unit: 'ns', samples });
}

function measureRanks(context: CaseContext, engine: Engine): void {
  const { keyCount } = context;
  const count = operationCount(context, OPERATION_COUNT);
  const ranks = costsOf(context, {
    count,
    setUp: (repetition) => randomKeyBytes(count, keyCount, repetition),
    run(keys) {
      for (const key of keys) if (engine.rank(ALL, key) >= keyCount) throw new Error('a key has a rank');
    },
  });
  context.report({ name: 'rank of a random key', unit: 'ns', samples: ranks });
  const selections = costsOf(context, {
    count,
    setUp: (repetition) => makeRandom(repetition),
    run(random) {
      for (let index = 0; index < count; index++) {
        if (engine.select(ALL, random.below(keyCount)) === undefined) throw new Error('a rank has a key');
      }
    },
  });
  context.report({ name: 'select by a random rank', unit: 'ns', samples: selections });
}

function inBatches(batchSize: number): string {
  return batchSize === 1 ? '' : `, in batches of ${batchSize}`;
}

function batchesOf(keys: readonly Uint8Array[], batchSize: number): Uint8Array[][] {
  const batches: Uint8Array[][] = [];
  for (let first = 0; first < keys.length; first += batchSize)
    batches.push(keys.slice(first, first + batchSize));
  return batches;
}
