import { readFile, writeFile } from 'node:fs/promises';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { Values } from '../load/data.ts';
import { EngineWriter, idle, shuffledPieces } from '../load/engine-writer.ts';
import { measureMemory } from '../load/memory.ts';

const WARM_UP_KEYS = 100_000;
const SEED = 2;
const DELETED_SHARE = 0.9;
const DELETED_WAIT_MS = 10_000;
const ROUNDS = 10;
const VALUE_BYTES_MIN = 10;
const VALUE_BYTES_MAX = 1000;
const OVERWRITTEN_WAIT_MS = 3000;
const QUICK_WAIT_MS = 100;
const HISTORY_REVISIONS = 1000;

/** Deletes nine keys of ten and looks what memory comes back. No collection is forced before. */
export const engineDelete: BenchCase = {
  async run(context) {
    warmUp(context);
    const engine = new MemoryEngine();
    const writer = new EngineWriter(engine);
    const { residentBytes: empty } = await measureMemory();
    writer.fill(context.keyCount);
    const { residentBytes: full } = await measureMemory();
    let left = Math.floor(context.keyCount * DELETED_SHARE);
    for (const keys of shuffledPieces(context.keyCount, SEED)) {
      for (const key of keys) if (left-- > 0) writer.delete(key);
    }
    writer.work();
    await idle(engine, context.isQuick ? QUICK_WAIT_MS : DELETED_WAIT_MS);
    const after = process.memoryUsage.rss();
    context.report({
      name: `${DELETED_SHARE * 100} % deleted: memory given back after 10 s`,
      unit: 'ratio',
      samples: [(full - after) / (full - empty)],
    });
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

/** Compiled code and what the C library keeps for itself are what a process costs, not what its keys do. */
function warmUp(context: CaseContext): void {
  new EngineWriter(new MemoryEngine()).fill(operationCount(context, WARM_UP_KEYS));
}

function freshLoadFile(context: CaseContext): string {
  return `${context.directory}/fresh-load`;
}
