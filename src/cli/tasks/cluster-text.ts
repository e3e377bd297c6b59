/** What a server is in its cluster, as a person reads it: of `stats`, `top` and the shell. */
import type { ClusterStatus } from '../../client/messages/types.ts';
import { displayDuration } from '../terminal/display.ts';

/** Lines of facts; none of a server that is alone, nor of an embedded store. */
export function clusterFacts(status: Partial<ClusterStatus>): Record<string, string> {
  const line = isWhole(status) ? clusterLine(status) : undefined;
  return line === undefined ? {} : { cluster: line };
}

function isWhole(status: Partial<ClusterStatus>): status is ClusterStatus {
  return status.role !== undefined;
}

/** In one line; `undefined` where the server is alone. */
export function clusterLine({
  role,
  epoch,
  writerAddress,
  lagMs,
  takeoverCount,
}: ClusterStatus): string | undefined {
  if (role === 'single') return undefined;
  const lag = lagMs === 0 ? '' : `, ${displayDuration(lagMs)} behind`;
  const count = takeoverCount === 1 ? 'once' : `${takeoverCount} times`;
  const takeovers = takeoverCount === 0 ? '' : `, has taken over ${count}`;
  if (role === 'writer') return `writer of epoch ${epoch}${takeovers}`;
  const writer =
    writerAddress === '' ? 'of no writer that is known now' : `of ${writerAddress}, epoch ${epoch}`;
  return `follower ${writer}${lag}${takeovers}`;
}
