/** The metrics of the process, under the names that dashboards for Node know: once for all servers of a process. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { registerEventLoopLag } from './event-loop-lag.ts';

/**
 * Node makes a list of all open sockets for these, and labels it by whatever they are; and their sums have names of counters and
 * are none.
 */
const leftOut = ['resources', 'handles', 'requests'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);

let ofProcess: Registry | undefined;

/** Resident memory, processor time, delays of the event loop, garbage collection. */
export function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
    for (const name of leftOut) ofProcess.removeSingleMetric(name);
    registerEventLoopLag(ofProcess);
  }
  return ofProcess;
}
