/**
 * The same load on several servers by turns, so that what else the machine does falls upon all alike: rates by the clock, and what a
 * call takes of the processor time of the processes that serve it.
 */
import { type CaseContext, operationCount } from '../bench-case.ts';
import { type H2Request, type H2Shape, sendByH2load } from './h2load.ts';
import { cpuSecondsOf } from './process-figures.ts';

export interface Target {
  /** Stands before the names of the figures. */
  readonly name: string;
  /** `HOST:PORT`. */
  readonly address: string;
  readonly request: H2Request;
  /** The processes of a server by what they are called in the figures. */
  readonly processIdsByPart: Readonly<Record<string, readonly number[]>>;
}

/** What the rate of one target is divided by that of another for. */
export interface Ratio {
  readonly of: string;
  readonly to: string;
}

export const SHAPES_BY_CALLS: ReadonlyMap<number, H2Shape> = new Map([
  [1, { connections: 1, streams: 1 }],
  [256, { connections: 8, streams: 32 }],
  [2048, { connections: 8, streams: 256 }],
]);

/** Of the first turn, which tells how many calls the others have. */
const FIRST_COUNTS = new Map([
  [1, 100],
  [256, 4000],
  [2048, 10_000],
]);
const TURN_SECONDS = 2;
const MICROS_PER_SECOND = 1e6;

interface Turn {
  readonly perSecond: number;
  /** Of one call. */
  readonly cpuMicrosByPart: ReadonlyMap<string, number>;
}

/** @returns whether `h2load` is installed. */
export async function measureByTurns(
  context: CaseContext,
  targets: readonly Target[],
  callsUnderWay: number,
  ratios: readonly Ratio[],
): Promise<boolean> {
  const turnCount = context.isQuick ? 1 : 2 * context.repetitions - 1;
  const counts = new Map<Target, number>();
  const turns = new Map<Target, Turn[]>(targets.map((target) => [target, []]));
  const firstCount = operationCount(context, FIRST_COUNTS.get(callsUnderWay) ?? 0);
  // Twice before it counts: code is compiled, and the number of calls found.
  for (let turn = -2; turn < turnCount; turn++) {
    for (const target of targets) {
      const count = counts.get(target) ?? firstCount;
      const found = await takeTurn(context, target, count, callsUnderWay);
      if (found === undefined) return false;
      counts.set(target, operationCount(context, Math.ceil(found.perSecond * TURN_SECONDS)));
      if (turn >= 0) turns.get(target)?.push(found);
    }
  }
  report(context, turns, callsUnderWay, ratios);
  return true;
}

async function takeTurn(
  context: CaseContext,
  { address, request, processIdsByPart }: Target,
  count: number,
  callsUnderWay: number,
): Promise<Turn | undefined> {
  const parts = Object.entries(processIdsByPart);
  const before = await Promise.all(parts.map(([, ids]) => cpuSecondsOfAll(ids)));
  const shape = SHAPES_BY_CALLS.get(callsUnderWay);
  const perSecond = await sendByH2load(context, `http://${address}`, request, count, shape);
  if (perSecond === undefined) return undefined;
  const after = await Promise.all(parts.map(([, ids]) => cpuSecondsOfAll(ids)));
  const cpuMicrosByPart = new Map(
    parts.map(([part], index) => {
      const seconds = (after[index] ?? NaN) - (before[index] ?? NaN);
      return [part, (seconds * MICROS_PER_SECOND) / count];
    }),
  );
  return { perSecond, cpuMicrosByPart };
}

async function cpuSecondsOfAll(processIds: readonly number[]): Promise<number> {
  return (await Promise.all(processIds.map(cpuSecondsOf))).reduce((sum, seconds) => sum + seconds, 0);
}

function report(
  context: CaseContext,
  turns: ReadonlyMap<Target, readonly Turn[]>,
  callsUnderWay: number,
  ratios: readonly Ratio[],
): void {
  const rates = new Map<string, readonly number[]>();
  for (const [{ name, request, processIdsByPart }, found] of turns) {
    const load = `${name}: ${request.name}, ${callsUnderWay} under way`;
    const samples = found.map(({ perSecond }) => perSecond);
    rates.set(name, samples);
    context.report({ name: load, unit: 'operations/s', samples });
    if (callsUnderWay === 1)
      context.report({ name: `${load}, one takes`, unit: 'ms', samples: samples.map((rate) => 1000 / rate) });
    for (const part of Object.keys(processIdsByPart)) {
      const micros = found.map(({ cpuMicrosByPart }) => cpuMicrosByPart.get(part) ?? NaN);
      context.report({ name: `${load}, processor time of ${part}`, unit: 'µs', samples: micros });
    }
  }
  for (const { of, to } of ratios) {
    const others = rates.get(to) ?? [];
    const samples = (rates.get(of) ?? []).map((rate, turn) => rate / (others[turn] ?? NaN));
    context.report({ name: `${of} to ${to}, ${callsUnderWay} under way`, unit: 'ratio', samples });
  }
}
