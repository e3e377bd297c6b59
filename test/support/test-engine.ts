/**
 * The engine of stores and servers that a test starts without naming one: `TEST_ENGINE=lsm npx vitest run test/server` tries them
 * all on files. Checkpoints then begin after so little that they happen while tests run (`TEST_CHECKPOINT_BYTES`): else the files
 * would stay empty.
 */
import { DELETED_PER_STEP } from '../../src/engine/layered/base/base.ts';
import { SPLIT_ABOVE } from '../../src/engine/layered/census/census.ts';
import { fixed } from '../../src/limits.ts';
import { type EngineName, ENGINE_NAMES } from '../../src/engine-names.ts';

/** What the first overwritten key takes. */
const CHECKPOINT_BYTES = 64 * 1024;
/** By the log, where less than the least of the option `--checkpoint-bytes` is wanted. */
const PROCESS_LOG_BYTES = 64 * 1024;

/** For stores whose old revisions a test reads: each checkpoint shortens history. */
export const KEPT_HISTORY = { checkpointBytes: 64 * 1024 * 1024 } as const;
/** The same, for servers. */
export const KEPT_HISTORY_FLAGS = { 'checkpoint-bytes': '64MiB' } as const;

/** The one that `TEST_ENGINE` names, when that has files. */
export function engineOfTests(): Exclude<EngineName, 'memory'> | undefined {
  const name = process.env['TEST_ENGINE'];
  const engine = ENGINE_NAMES.find((each) => each === name);
  if (name !== undefined && engine === undefined)
    throw new Error(`TEST_ENGINE is ${name}; it must be one of ${ENGINE_NAMES.join(', ')}`);
  return engine === 'memory' ? undefined : engine;
}

/** What opens the directory of a server of the tests in the process of a test. */
export function optionsOfEngine(): {
  readonly engine?: EngineName;
  readonly limits?: { readonly checkpointBytes?: number };
} {
  const engine = engineOfTests();
  return engine === undefined ? {} : { engine, limits: limitsOfEngine() };
}

/**
 * What makes a process of its own use it, where a test gives other flags; its checkpoints come often. A node of a cluster, and what follows
 * a server, has the engine memory.
 */
export function flagsOfEngine(flags: readonly string[]): readonly string[] {
  const engine = engineOfTests();
  const isFixed = ['engine', 'log', 'follow'].some((name) => isGiven(flags, name));
  if (engine === undefined || isFixed) return flags;
  const often = isGiven(flags, 'snapshot-log-bytes') ? [] : [`--snapshot-log-bytes=${PROCESS_LOG_BYTES}`];
  return [...flags, `--engine=${engine}`, ...often];
}

function isGiven(flags: readonly string[], name: string): boolean {
  return flags.some((flag) => flag === `--${name}` || flag.startsWith(`--${name}=`));
}

/** The reads of files that a call of a few keys may need. */
const READS_PER_CALL = 5;

/** What a call of a few keys may take in visits beyond what it takes in memory: reads of files. */
export function readVisitsOfEngine(): number {
  return engineOfTests() === undefined ? 0 : READS_PER_CALL * fixed.coldReadVisits;
}

/** What finding a place by its number, or the number of a place, may take beyond what it takes in memory: docs/decisions/0034. */
export function placeVisitsOfEngine(): number {
  if (engineOfTests() === undefined) return 0;
  return Math.ceil(SPLIT_ABOVE / fixed.censusStepsPerVisit) + readVisitsOfEngine();
}

/**
 * What such a call may take where keys were deleted: at most two buckets of the census have deletions that hide keys of the files between two live keys, or one
 * step over those that wait for a merge.
 */
export function hiddenVisitsOfEngine(): number {
  return engineOfTests() === undefined ? 0 : 2 * SPLIT_ABOVE + DELETED_PER_STEP + readVisitsOfEngine();
}

/** What a store's limits are for it, where a test does not set them. */
export function limitsOfEngine(): { readonly checkpointBytes?: number } {
  if (engineOfTests() === undefined) return {};
  return { checkpointBytes: Number(process.env['TEST_CHECKPOINT_BYTES'] ?? CHECKPOINT_BYTES) };
}
