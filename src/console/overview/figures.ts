/** What goes on in a second: made of two answers of `AdminService.Activity`. */
import type { ActivityResponse } from '../../../gen/kelp/v1/admin_pb.ts';

export interface MethodFigures {
  /** `Put`; a command of Redis as `GET (Redis)`. Through whatever door the calls came. */
  readonly name: string;
  readonly callsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly inProgressCount: number;
  /** `undefined` for streams and commands of Redis, and where no call has ended. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

export interface Figures {
  /** The busiest first; those with nothing done or under way are left out. */
  readonly methods: readonly MethodFigures[];
  readonly callsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly receivedBytesPerSecond: number;
  readonly sentBytesPerSecond: number;
  readonly watchEventsPerSecond: number;
  /** The mean of the flushes; `undefined`: there was none. */
  readonly flushMs: number | undefined;
  /** `undefined`: it was not counted in this time. */
  readonly loopDelayP99Ms: number | undefined;
}

const MICROS_PER_MS = 1000;

/** @returns `undefined` where the later one is of another life of the server: its counts began anew. */
export function figuresOf(earlier: ActivityResponse, later: ActivityResponse): Figures | undefined {
  const seconds = uptimeSeconds(later) - uptimeSeconds(earlier);
  const before = talliesOf(earlier);
  const now = talliesOf(later);
  const isSameLife = [...before].every(
    ([name, { callCount }]) => callCount <= (now.get(name)?.callCount ?? 0),
  );
  if (seconds <= 0 || !isSameLife) return undefined;
  const bounds = later.durationBoundsMicros.map(Number);
  const methods = [...now]
    .map(([name, tally]) => methodFigures(name, before.get(name), tally, bounds, seconds))
    .filter(({ callsPerSecond, inProgressCount }) => callsPerSecond > 0 || inProgressCount > 0)
    .sort((one, other) => other.callsPerSecond - one.callsPerSecond);
  const rate = (read: (activity: ActivityResponse) => bigint): number =>
    Number(read(later) - read(earlier)) / seconds;
  const flushCount = Number(later.flushCount - earlier.flushCount);
  const flushMicros = Number(later.flushMicros - earlier.flushMicros);
  const delays = differences(
    later.eventLoopDelayCounts.map(Number),
    earlier.eventLoopDelayCounts.map(Number),
  );
  return {
    methods,
    callsPerSecond: sum(methods.map(({ callsPerSecond }) => callsPerSecond)),
    errorsPerSecond: sum(methods.map(({ errorsPerSecond }) => errorsPerSecond)),
    receivedBytesPerSecond: rate(({ receivedBytes }) => receivedBytes),
    sentBytesPerSecond: rate(({ sentBytes }) => sentBytes),
    watchEventsPerSecond: rate(({ watchEventCount }) => watchEventCount),
    flushMs: flushCount > 0 ? flushMicros / flushCount / MICROS_PER_MS : undefined,
    loopDelayP99Ms: quantileMs(bounds, delays, 0.99),
  };
}

export function uptimeSeconds({ uptime }: Pick<ActivityResponse, 'uptime'>): number {
  return uptime === undefined ? 0 : Number(uptime.seconds) + uptime.nanos / 1e9;
}

/** The counts of one method through all doors. */
interface Tally {
  callCount: number;
  errorCount: number;
  inProgressCount: number;
  durationCounts: number[];
}

function talliesOf({ methods }: ActivityResponse): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  for (const { door, method, callCount, errorCount, inProgressCount, durationCounts } of methods) {
    const name = door === 'redis' ? `${method.toUpperCase()} (Redis)` : method;
    const tally = tallies.get(name) ?? {
      callCount: 0,
      errorCount: 0,
      inProgressCount: 0,
      durationCounts: [],
    };
    tally.callCount += Number(callCount);
    tally.errorCount += Number(errorCount);
    tally.inProgressCount += Number(inProgressCount);
    for (const [index, count] of durationCounts.entries()) {
      tally.durationCounts[index] = (tally.durationCounts[index] ?? 0) + Number(count);
    }
    tallies.set(name, tally);
  }
  return tallies;
}

function methodFigures(
  name: string,
  before: Tally | undefined,
  now: Tally,
  bounds: readonly number[],
  seconds: number,
): MethodFigures {
  const counts = differences(now.durationCounts, before?.durationCounts ?? []);
  return {
    name,
    callsPerSecond: (now.callCount - (before?.callCount ?? 0)) / seconds,
    errorsPerSecond: (now.errorCount - (before?.errorCount ?? 0)) / seconds,
    inProgressCount: now.inProgressCount,
    p50Ms: quantileMs(bounds, counts, 0.5),
    p99Ms: quantileMs(bounds, counts, 0.99),
  };
}

function differences(later: readonly number[], earlier: readonly number[]): number[] {
  return later.map((count, index) => count - (earlier[index] ?? 0));
}

/** By a straight line within its bucket, as Prometheus has it; what lies above all bounds counts as the highest. */
function quantileMs(
  boundsMicros: readonly number[],
  counts: readonly number[],
  share: number,
): number | undefined {
  const total = sum(counts);
  if (total <= 0) return undefined;
  let left = share * total;
  let lower = 0;
  for (const [index, upper] of boundsMicros.entries()) {
    const count = counts[index] ?? 0;
    if (count > 0 && left <= count) return (lower + ((upper - lower) * left) / count) / MICROS_PER_MS;
    left -= count;
    lower = upper;
  }
  return lower / MICROS_PER_MS;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
