/**
 * The same work over each engine, and over LevelDB: random new keys, gets, scans, a start, then random overwrites. Puts are counted
 * with all that they bring about: the time ends when nothing is left to write or to merge. Nothing waits for the disk. LevelDB
 * writes and merges on threads of its own, the others on the main thread, and `btree` writes on one more. Gets and scans are counted by
 * processor time, as in the cases of the engine alone, and puts both ways.
 */
import { join } from 'node:path';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import type { EngineName } from '../../src/engine-names.ts';
import { level } from '../engines/level-subject.ts';
import { storeOn } from '../engines/store-subject.ts';
import type { Subject, SubjectKind } from '../engines/subject.ts';
import { cpuNanos } from '../load/cpu.ts';
import { Values, writeKey, KEY_BYTES } from '../load/data.ts';
import { dataBytes, measureMemory } from '../load/memory.ts';
import { makeRandom, shuffledIndexes } from '../load/random.ts';
import { longestOwnTurnsMs, longestStallMs } from '../load/stall-meter.ts';

const FILL_SEED = 1;
const OVERWRITE_SEED = 2;
/** Few: to make them takes a turn of the event loop, which is not what is measured. */
const PIECE_KEYS = 4096;
/** So many of all keys are read again and again, each in another block of 4 KiB: 4 MB of blocks are in any cache. */
const WARM_KEYS = 1000;
const GET_COUNT = 200_000;
const GETS_PER_RANK = 20;
/** Each key is written over so often, on average. */
const OVERWRITES = 2;
const BYTES_PER_MB = 1_000_000;
const NANOS_PER_MICRO = 1000;
const NANOS_PER_SECOND = 1e9;

export function engineOfStore(engine: EngineName): BenchCase {
  return { run: (context) => measure(context, storeOn(engine)) };
}

export const levelDatabase: BenchCase = {
  async run(context) {
    const isInstalled = await import('classic-level').then(
      () => true,
      () => false,
    );
    if (isInstalled) await measure(context, level);
    else context.reportMissing('classic-level is not installed, or not built for this machine');
  },
};

async function measure(context: CaseContext, kind: SubjectKind): Promise<void> {
  const directory = join(context.directory, 'data');
  const memoryBytesMax = kind.memoryBytesMax(context.keyCount);
  const before = await measureMemory();
  let subject = await kind.open(context, directory, memoryBytesMax);
  await measurePuts(context, subject);
  const { residentBytes } = await measureMemory();
  const growth = (residentBytes - before.residentBytes) / BYTES_PER_MB;
  context.report({ name: 'growth of resident memory', unit: 'MB', samples: [growth] });
  measureGets(context, subject);
  await measureScans(context, subject);
  await subject.close();
  subject = await measureStart(context, () => kind.open(context, directory, memoryBytesMax));
  await measureOverwrites(context, subject);
  await subject.close();
}

/** Rows of keys with values, made when they are taken: all together would be a heap of their own. */
function* piecesOf(
  order: Iterable<number>,
  values: Values,
): Generator<{ keys: Uint8Array[]; values: Uint8Array[] }, void> {
  let piece: { keys: Uint8Array[]; values: Uint8Array[] } = { keys: [], values: [] };
  let count = 0;
  for (const index of order) {
    const key = new Uint8Array(KEY_BYTES);
    writeKey(key, index);
    piece.keys.push(key);
    piece.values.push(values.of(count++));
    if (piece.keys.length < PIECE_KEYS) continue;
    yield piece;
    piece = { keys: [], values: [] };
  }
  if (piece.keys.length > 0) yield piece;
}

function* randomIndexes(count: number, keyCount: number, seed: number): Generator<number, void> {
  const random = makeRandom(seed);
  for (let index = 0; index < count; index++) yield random.below(keyCount);
}

interface PutCost {
  /** By the clock, keys left out, which are made while it stands. */
  readonly seconds: number;
  /** Of the processor, all threads together, the making of keys included. */
  readonly cpuNanos: number;
}

async function putAll(subject: Subject, order: Iterable<number>): Promise<PutCost> {
  let spentMs = 0;
  const cpuBefore = cpuNanos();
  for (const { keys, values } of piecesOf(order, new Values())) {
    const startMs = performance.now();
    await subject.putAll(keys, values);
    spentMs += performance.now() - startMs;
  }
  const startMs = performance.now();
  await subject.settle();
  return { seconds: (spentMs + performance.now() - startMs) / 1000, cpuNanos: cpuNanos() - cpuBefore };
}

async function measurePuts(context: CaseContext, subject: Subject): Promise<void> {
  const { keyCount } = context;
  // Made before: of millions of keys it takes a turn that is longer than any that is looked for.
  const order = shuffledIndexes(keyCount, FILL_SEED);
  await new Promise((resolve) => setImmediate(resolve));
  await reportPuts(context, 'put new keys in random order', keyCount, () => putAll(subject, order));
}

async function reportPuts(
  context: CaseContext,
  name: string,
  count: number,
  put: () => Promise<PutCost>,
): Promise<void> {
  let cost: PutCost = { seconds: 0, cpuNanos: 0 };
  let ownTurnsMs: number | undefined;
  const stallMs = await longestStallMs(async () => {
    ownTurnsMs = await longestOwnTurnsMs(async () => {
      cost = await put();
    });
  });
  context.report({ name: `${name}, all merged`, unit: 'operations/s', samples: [count / cost.seconds] });
  const micros = cost.cpuNanos / NANOS_PER_MICRO / count;
  context.report({ name: `${name}, processor time`, unit: 'µs', samples: [micros] });
  context.report({ name: `${name}, longest stall`, unit: 'ms', samples: [stallMs] });
  if (ownTurnsMs === undefined)
    context.reportMissing('the system does not tell how long a thread waits for a core');
  else
    context.report({
      name: `${name}, longest two turns less waits for a core`,
      unit: 'ms',
      samples: [ownTurnsMs],
    });
}

function measureGets(context: CaseContext, subject: Subject): void {
  const { keyCount } = context;
  const count = operationCount(context, GET_COUNT);
  const warmCount = Math.min(keyCount, WARM_KEYS);
  const stride = Math.floor(keyCount / warmCount);
  const warm = keysOf(randomIndexes(count, warmCount, OVERWRITE_SEED), (index) => index * stride);
  measureRead(context, 'get of a warm key', warm, () => subject.getAll(warm), warm.length);
  const any = keysOf(randomIndexes(count, keyCount, FILL_SEED));
  measureRead(context, 'get of any key', any, () => subject.getAll(any), any.length);
  const absent = keysOf(randomIndexes(count, keyCount, FILL_SEED));
  const ranked = any.slice(0, Math.ceil(any.length / GETS_PER_RANK));
  if (subject.rankAll(ranked.slice(0, 1)) !== undefined) {
    const rank = (): number => {
      const greatest = subject.rankAll(ranked) ?? 0;
      return greatest > 0 && greatest < keyCount ? ranked.length : 0;
    };
    measureRead(context, 'rank of any key', ranked, rank, ranked.length);
  }
  // Between two keys that are there.
  const absentKeys = absent.map((key) => key.with(KEY_BYTES - 1, 'x'.charCodeAt(0)));
  measureRead(context, 'get of an absent key', absentKeys, () => subject.getAll(absentKeys), 0);
}

function measureRead(
  context: CaseContext,
  name: string,
  keys: readonly Uint8Array[],
  run: () => number,
  expectedCount: number,
): void {
  const samples: number[] = [];
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    const before = cpuNanos();
    const foundCount = run();
    const nanos = cpuNanos() - before;
    if (foundCount !== expectedCount) throw new Error(`${foundCount} of ${keys.length} keys were found`);
    if (repetition > 0) samples.push(nanos / NANOS_PER_MICRO / keys.length);
  }
  context.report({ name, unit: 'µs', samples });
}

function keysOf(indexes: Iterable<number>, place = (index: number) => index): Uint8Array[] {
  return Array.from(indexes, (index) => {
    const key = new Uint8Array(KEY_BYTES);
    writeKey(key, place(index));
    return key;
  });
}

async function measureScans(context: CaseContext, subject: Subject): Promise<void> {
  for (const withValues of [false, true]) {
    const samples: number[] = [];
    for (let repetition = 0; repetition <= context.repetitions; repetition++) {
      const before = cpuNanos();
      const entryCount = await subject.scan(withValues);
      const seconds = (cpuNanos() - before) / NANOS_PER_SECOND;
      if (entryCount !== context.keyCount)
        throw new Error(`a scan has shown ${entryCount} of ${context.keyCount}`);
      if (repetition > 0) samples.push(entryCount / seconds);
    }
    context.report({ name: withValues ? 'scan with values' : 'scan, keys only', unit: 'entries/s', samples });
  }
}

async function measureStart(context: CaseContext, open: () => Promise<Subject>): Promise<Subject> {
  const startMs = performance.now();
  const subject = await open();
  const ms = performance.now() - startMs;
  context.report({ name: 'start', unit: 'ms', samples: [ms] });
  return subject;
}

async function measureOverwrites(context: CaseContext, subject: Subject): Promise<void> {
  const { keyCount } = context;
  const count = OVERWRITES * keyCount;
  const writtenBefore = subject.hasFiles ? await subject.writtenBytes() : 0;
  await reportPuts(context, 'put over random keys', count, () =>
    putAll(subject, randomIndexes(count, keyCount, OVERWRITE_SEED)),
  );
  if (!subject.hasFiles) return;
  const written = (await subject.writtenBytes()) - writtenBefore;
  const writeAmplification = written / (count * (dataBytes(keyCount) / keyCount));
  context.report({ name: 'write amplification', unit: 'ratio', samples: [writeAmplification] });
  const spaceAmplification = (await subject.diskBytes()) / dataBytes(keyCount);
  context.report({ name: 'space amplification', unit: 'ratio', samples: [spaceAmplification] });
}
