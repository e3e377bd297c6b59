/**
 * Measures what memory an engine gives back after deletes, and how much it wastes after overwrites. A share of 1 would
 * be all that the keys took; a ratio of 1 after overwrites is that of a fresh load. The rows of the process include
 * what V8 and the C library keep, those of the engine's own count do not.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { Engine } from '../../src/engine/engine.ts';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { Values } from '../load/data.ts';
import { EngineWriter, idle, shuffledPieces } from '../load/engine-writer.ts';
import { FrugalWriter } from '../load/frugal-writer.ts';
import { measureMemory } from '../load/memory.ts';
import { shuffledIndexes } from '../load/random.ts';

const BYTES_PER_MB = 1_000_000;
const WARM_UP_KEYS = 100_000;
/** So few that what they leave to the collector, which may come for it at any time, is next to nothing. */
const WARM_UP_DELETED_KEYS = 20_000;
const WARM_UP_WAIT_MS = 2000;
const PUT_SEED = 1;
const DELETE_SEED = 2;
const DELETED_SHARE = 0.9;
const DELETED_WAIT_MS = 10_000;
const ROUNDS = 10;
const VALUE_BYTES_MIN = 10;
const VALUE_BYTES_MAX = 1000;
const OVERWRITTEN_WAIT_MS = 3000;
const QUICK_WAIT_MS = 100;
const HISTORY_REVISIONS = 1000;

/**
 * Deletes nine keys of ten and looks what memory comes back, once the process has had nothing to do for as long as it had
 * before. No collection is forced at any time: what V8 keeps of its own is part of what a process costs.
 */
export const engineDelete: BenchCase = {
  async run(context) {
    const { keyCount } = context;
    const deletedCount = Math.floor(keyCount * DELETED_SHARE);
    // All that the case itself needs is there before the first look.
    const putOrder = shuffledIndexes(keyCount, PUT_SEED);
    const deleteOrder = shuffledIndexes(keyCount, DELETE_SEED);
    const waitMs = context.isQuick ? QUICK_WAIT_MS : DELETED_WAIT_MS;
    const engine = new MemoryEngine();
    const writer = new FrugalWriter(engine);
    await warmUpDeletes(context);

    const empty = memoryOf(engine);
    for (const index of putOrder) writer.put(index);
    writer.work();
    await idle(engine, waitMs);
    const full = memoryOf(engine);
    for (const index of deleteOrder.subarray(0, deletedCount)) writer.delete(index);
    writer.work();
    await idle(engine, waitMs);
    const after = memoryOf(engine);

    const name = `${DELETED_SHARE * 100} % deleted: memory given back after 10 s`;
    for (const [counted, kind] of [
      ['resident', 'residentBytes'],
      ["by the engine's count", 'countedBytes'],
    ] as const) {
      const takenBytes = full[kind] - empty[kind];
      const share = takenBytes === 0 ? 0 : (full[kind] - after[kind]) / takenBytes;
      context.report({ name: `${name}, ${counted}`, unit: 'ratio', samples: [share] });
      context.report({
        name: `memory of all keys before, ${counted}`,
        unit: 'MB',
        samples: [takenBytes / BYTES_PER_MB],
      });
    }
  },
};

/** Overwrites every key with values of all lengths, and compares the memory with that of a load of the last ones. */
export const engineOverwrite: BenchCase = {
  async prepare(context) {
    const { residentBytes } = await writeRounds(context, 1);
    await writeFile(freshLoadFile(context), String(residentBytes.later));
  },

  async run(context) {
    const freshBytes = Number(await readFile(freshLoadFile(context), 'utf8'));
    const { residentBytes } = await writeRounds(context, ROUNDS + 1);
    const name = `after ${ROUNDS} overwrites, values of ${VALUE_BYTES_MIN} to ${VALUE_BYTES_MAX} bytes`;
    for (const [when, bytes] of [
      ['at once', residentBytes.atOnce],
      ['after 3 s', residentBytes.later],
    ] as const) {
      context.report({
        name: `${name}: memory ${when}, to a fresh load`,
        unit: 'ratio',
        samples: [bytes / freshBytes],
      });
    }
  },
};

async function writeRounds(
  context: CaseContext,
  rounds: number,
): Promise<{ residentBytes: { atOnce: number; later: number } }> {
  warmUp(context);
  const engine = new MemoryEngine();
  const values = new Values(VALUE_BYTES_MIN, VALUE_BYTES_MAX);
  const writer = new EngineWriter(engine, { historyRevisions: HISTORY_REVISIONS, values });
  const { residentBytes: before } = await measureMemory();
  for (let round = 0; round < rounds; round++) {
    for (const keys of shuffledPieces(context.keyCount, round)) for (const key of keys) writer.write(key);
  }
  const { residentBytes: atOnce } = await measureMemory();
  await idle(engine, context.isQuick ? QUICK_WAIT_MS : OVERWRITTEN_WAIT_MS);
  const { residentBytes: later } = await measureMemory();
  return { residentBytes: { atOnce: atOnce - before, later: later - before } };
}

interface EngineMemory {
  /** Of the whole process. */
  readonly residentBytes: number;
  /** What the engine says it has reserved. */
  readonly countedBytes: number;
}

function memoryOf(engine: Engine): EngineMemory {
  return { residentBytes: process.memoryUsage.rss(), countedBytes: engine.memoryBytes };
}

/** Does the same work with few keys: what compiled code, V8 and the C library take for it is not what keys cost. */
async function warmUpDeletes(context: CaseContext): Promise<void> {
  const keyCount = operationCount(context, WARM_UP_DELETED_KEYS);
  const engine = new MemoryEngine();
  const writer = new FrugalWriter(engine);
  for (let index = 0; index < keyCount; index++) writer.put(index);
  for (let index = 0; index < keyCount * DELETED_SHARE; index++) writer.delete(index);
  writer.work();
  await idle(engine, context.isQuick ? QUICK_WAIT_MS : WARM_UP_WAIT_MS);
  warmedUp.push(engine);
}

/** Held to the end: what would be collected in between would count as given back. */
const warmedUp: Engine[] = [];

/** Compiled code and what the C library keeps for itself are what a process costs, not what its keys do. */
function warmUp(context: CaseContext): void {
  new EngineWriter(new MemoryEngine()).fill(operationCount(context, WARM_UP_KEYS));
}

function freshLoadFile(context: CaseContext): string {
  return `${context.directory}/fresh-load`;
}
