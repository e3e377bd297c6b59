/** Rates as a person reads them: a line of sums, and tables of methods and prefixes. */
import type { Activity } from '../../client/messages/types.ts';
import { displayCount, displayKey, displaySize } from '../terminal/display.ts';
import { Table } from '../terminal/table.ts';
import type { MethodRate, PrefixRate, Rates } from './rates.ts';

export function rateFacts(rates: Rates): Record<string, string> {
  const { flushMs } = rates;
  const flushes = `${displayRate(rates.flushesPerSecond)} flushes/s`;
  return {
    calls: `${displayRate(rates.callsPerSecond)}/s, ${displayRate(rates.errorsPerSecond)}/s failed`,
    network: `${displaySize(Math.round(rates.receivedBytesPerSecond))}/s in, ${displaySize(Math.round(rates.sentBytesPerSecond))}/s out`,
    writes: `${displayRate(rates.logRecordsPerSecond)}/s, ${displaySize(Math.round(rates.logBytesPerSecond))}/s of log, ${flushes}${flushMs === undefined ? '' : ` of ${displayMs(flushMs)}`}`,
    events: `${displayRate(rates.watchEventsPerSecond)}/s to watches`,
  };
}

/** @returns nothing where no client speaks the protocol of Redis. */
export function redisText({ redisConnectionCount, redisBlockedClientCount }: Activity): string {
  return redisConnectionCount === 0
    ? ''
    : `${redisConnectionCount} of Redis with ${displayCount(redisBlockedClientCount, 'client')} blocked`;
}

export function methodTable(methods: readonly MethodRate[]): Promise<string> {
  const table = new Table([
    { title: 'METHOD' },
    { title: 'DOOR' },
    { title: 'CALLS/S', isNumber: true },
    { title: 'FAILED/S', isNumber: true },
    { title: 'P50', isNumber: true },
    { title: 'P99', isNumber: true },
    { title: 'UNDER WAY', isNumber: true },
  ]);
  return table.format(
    methods.map(({ method, door, callsPerSecond, errorsPerSecond, p50Ms, p99Ms, inProgressCount }) => [
      method,
      door,
      displayRate(callsPerSecond),
      displayRate(errorsPerSecond),
      p50Ms === undefined ? '-' : displayMs(p50Ms),
      p99Ms === undefined ? '-' : displayMs(p99Ms),
      String(inProgressCount),
    ]),
  );
}

export function prefixTable(prefixes: readonly PrefixRate[]): Promise<string> {
  const table = new Table([
    { title: 'KEYS' },
    { title: 'READS/S', isNumber: true },
    { title: 'WRITES/S', isNumber: true },
  ]);
  return table.format(
    prefixes.map(({ prefix, readsPerSecond, writesPerSecond }) => [
      prefix.length === 0 ? '(no prefix)' : `${displayKey(prefix)}*`,
      displayRate(readsPerSecond),
      displayRate(writesPerSecond),
    ]),
  );
}

/** `0`, `0.4`, `12`, `12345`. */
function displayRate(rate: number): string {
  return rate > 0 && rate < 10 ? rate.toFixed(1) : String(Math.round(rate));
}

function displayMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(ms >= 1 ? 1 : 2)} ms`;
}
