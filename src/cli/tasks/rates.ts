/** How much goes on in a second: made of two answers of `Activity`. */
import type { Key } from '../../api.ts';
import type { Activity, MethodActivity } from '../../client/messages/types.ts';

export interface MethodRate {
  readonly door: string;
  readonly method: string;
  readonly callsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly inProgressCount: number;
  /** Left out for streams, and where no call has ended. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

export interface PrefixRate {
  /** Empty: keys without a separator. */
  readonly prefix: Key;
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
}

export interface Rates {
  /** That they are of; those of prefixes are of the server's own window. */
  readonly seconds: number;
  readonly callsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly receivedBytesPerSecond: number;
  readonly sentBytesPerSecond: number;
  readonly watchEventsPerSecond: number;
  readonly logRecordsPerSecond: number;
  readonly logBytesPerSecond: number;
  readonly flushesPerSecond: number;
  /** How long a flush takes on average; left out: there was none. */
  readonly flushMs?: number;
  /** The busiest first; those with nothing done or under way are left out. */
  readonly methods: readonly MethodRate[];
  readonly prefixes: readonly PrefixRate[];
}

const MS_PER_SECOND = 1000;
const MICROS_PER_MS = 1000;

/** @param earlier of the same server; one of a life before counts as none. */
export function ratesOf(earlier: Activity, later: Activity): Rates {
  const before = isOfSameLife(earlier, later) ? earlier : undefined;
  const seconds = Math.max(later.uptimeMs - (before?.uptimeMs ?? 0), 1) / MS_PER_SECOND;
  const rate = (read: (activity: Activity) => number): number =>
    (read(later) - (before === undefined ? 0 : read(before))) / seconds;
  const flushCount = later.flushCount - (before?.flushCount ?? 0);
  const flushMicros = later.flushMicros - (before?.flushMicros ?? 0);
  const methodBefore = new Map(before?.methods.map((each) => [nameOf(each), each]));
  const methods = later.methods
    .map((each) => methodRate(methodBefore.get(nameOf(each)), each, later.durationBoundsMicros, seconds))
    .filter(({ callsPerSecond, inProgressCount }) => callsPerSecond > 0 || inProgressCount > 0)
    .sort((one, other) => other.callsPerSecond - one.callsPerSecond);
  return {
    seconds,
    callsPerSecond: sum(methods.map(({ callsPerSecond }) => callsPerSecond)),
    errorsPerSecond: sum(methods.map(({ errorsPerSecond }) => errorsPerSecond)),
    receivedBytesPerSecond: rate(({ receivedBytes }) => receivedBytes),
    sentBytesPerSecond: rate(({ sentBytes }) => sentBytes),
    watchEventsPerSecond: rate(({ watchEventCount }) => watchEventCount),
    logRecordsPerSecond: rate(({ logRecordCount }) => logRecordCount),
    logBytesPerSecond: rate(({ logWrittenBytes }) => logWrittenBytes),
    flushesPerSecond: flushCount / seconds,
    ...(flushCount > 0 && { flushMs: flushMicros / flushCount / MICROS_PER_MS }),
    methods,
    prefixes: prefixRates(later),
  };
}

/** A server that was away for long may have been up for longer than the one before it; its counts began anew. */
function isOfSameLife(earlier: Activity, later: Activity): boolean {
  const countByName = new Map(later.methods.map((each) => [nameOf(each), each.callCount]));
  return (
    earlier.uptimeMs < later.uptimeMs &&
    earlier.methods.every((each) => each.callCount <= (countByName.get(nameOf(each)) ?? 0))
  );
}

function methodRate(
  before: MethodActivity | undefined,
  later: MethodActivity,
  boundsMicros: readonly number[],
  seconds: number,
): MethodRate {
  const { door, method, inProgressCount } = later;
  const counts = later.durationCounts.map((count, index) => count - (before?.durationCounts[index] ?? 0));
  const hasDurations = counts.some((count) => count > 0);
  return {
    door,
    method,
    callsPerSecond: (later.callCount - (before?.callCount ?? 0)) / seconds,
    errorsPerSecond: (later.errorCount - (before?.errorCount ?? 0)) / seconds,
    inProgressCount,
    ...(hasDurations && {
      p50Ms: quantile(boundsMicros, counts, 0.5) / MICROS_PER_MS,
      p99Ms: quantile(boundsMicros, counts, 0.99) / MICROS_PER_MS,
    }),
  };
}

/** By a straight line within the bucket, as Prometheus has it; what lies above all bounds counts as the highest. */
function quantile(bounds: readonly number[], counts: readonly number[], share: number): number {
  let left = share * sum(counts);
  let lower = 0;
  for (const [index, upper] of bounds.entries()) {
    const count = counts[index] ?? 0;
    if (count > 0 && left <= count) return lower + ((upper - lower) * left) / count;
    left -= count;
    lower = upper;
  }
  return lower;
}

function prefixRates({ prefixes, prefixWindowMs }: Activity): PrefixRate[] {
  const seconds = Math.max(prefixWindowMs, 1) / MS_PER_SECOND;
  return prefixes.map(({ prefix, readCount, writeCount }) => ({
    prefix,
    readsPerSecond: readCount / seconds,
    writesPerSecond: writeCount / seconds,
  }));
}

function nameOf({ door, method }: MethodActivity): string {
  return `${door} ${method}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
