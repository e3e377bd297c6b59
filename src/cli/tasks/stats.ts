/** The work of `stats`: how the server and its store do, and what goes on. */
import { systemClock, holdProcess } from '../../clock.ts';
import { isKelpError } from '../../client/errors/error.ts';
import type { Activity, Status } from '../../client/messages/types.ts';
import type { Session } from '../session/session.ts';
import { displayCount, displayData, displayDuration, displaySize } from '../terminal/display.ts';
import { formatFacts } from '../terminal/table.ts';
import { methodTable, prefixTable, rateFacts, redisText } from './rate-tables.ts';
import { type Rates, ratesOf } from './rates.ts';
import { clusterFacts } from './cluster-text.ts';
import { storageFacts } from './storage-text.ts';

export interface StatsFlags {
  /** In milliseconds. */
  readonly interval: number;
}

/** Of methods and of prefixes. */
const ROWS_MAX = 5;

export async function stats(session: Session, { interval }: StatsFlags): Promise<void> {
  const { client, output, isJson } = session;
  const earlier = await activityOf(session);
  if (earlier === undefined) return tellStatus(session, await client.admin.status());
  await pause(interval);
  const [status, later] = await Promise.all([client.admin.status(), client.admin.activity()]);
  const rates = ratesOf(earlier, later);
  const { connectionCount, streamCount, redisConnectionCount, redisBlockedClientCount } = later;
  if (isJson) {
    const connections = { connectionCount, streamCount, redisConnectionCount, redisBlockedClientCount };
    return output.writeJson({ ...status, ...connections, rates });
  }
  const facts = {
    ...statusFacts(status),
    connections: [`${connectionCount}`, `${displayCount(streamCount, 'stream')} open`, redisText(later)]
      .filter((text) => text !== '')
      .join(', '),
  };
  await output.write(`${formatFacts(facts)}\nlast ${displayDuration(rates.seconds * 1000)}\n\n`);
  await output.write(formatFacts(rateFacts(rates)));
  await output.write(await busiestTables(rates));
}

/** @returns `undefined` where that is not allowed: what goes on tells of keys, the status does not. */
async function activityOf({ client }: Session): Promise<Activity | undefined> {
  try {
    return await client.admin.activity();
  } catch (error) {
    if (isKelpError(error, 'permissionDenied')) return undefined;
    throw error;
  }
}

async function tellStatus({ output, isJson }: Session, status: Status): Promise<void> {
  if (isJson) return output.writeJson(status);
  await output.write(formatFacts(statusFacts(status)));
  output.note('rates, busiest methods and keys are for users with a role that is admin');
}

/** Waits; a timer alone would not keep the process. Ends early, without an error, when the signal is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  const hold = holdProcess();
  try {
    await new Promise<void>((resolve) => {
      const timer = systemClock.setTimer(ms, resolve);
      signal?.addEventListener('abort', () => {
        timer.cancel();
        resolve();
      });
      if (signal?.aborted === true) resolve();
    });
  } finally {
    hold.cancel();
  }
}

async function busiestTables({ methods, prefixes }: Rates): Promise<string> {
  const ofMethods = methods.length === 0 ? '' : `\n${await methodTable(methods.slice(0, ROWS_MAX))}`;
  const ofPrefixes = prefixes.length === 0 ? '' : `\n${await prefixTable(prefixes.slice(0, ROWS_MAX))}`;
  return ofMethods + ofPrefixes;
}

function statusFacts(status: Status): Record<string, string> {
  const { oldestRevision, oldestWatchRevision, segmentCount, snapshotCount, snapshotRevision } = status;
  const newest = snapshotCount === 0 ? '' : `, newest of revision ${snapshotRevision}`;
  return {
    version: status.version,
    store: status.storeId,
    ...clusterFacts(status),
    uptime: displayDuration(status.uptimeMs),
    revision: String(status.revision),
    ...(status.incarnation !== '' && { life: status.incarnation }),
    readable: oldestRevision === 0 ? 'all revisions' : `from revision ${oldestRevision} on`,
    watchable: `from revision ${oldestWatchRevision} on`,
    keys: String(status.keyCount),
    leases: String(status.leaseCount),
    watchers: String(status.watcherCount),
    data: displayData(status),
    memory: `${displaySize(status.memoryBytes)} of ${displaySize(status.memoryBytesMax)}, resident ${displaySize(status.residentBytes)}`,
    log: `${displaySize(status.logBytes)} in ${displayCount(segmentCount, 'segment')}`,
    segments: `${status.oldestSegmentId} is the oldest, ${status.activeSegmentId} is written`,
    ...(status.storage === undefined && {
      snapshots: `${snapshotCount}, ${displaySize(status.snapshotBytes)}${newest}`,
    }),
    ...storageFacts(status),
  };
}
