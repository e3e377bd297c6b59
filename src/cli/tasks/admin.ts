/** The work of `status`, `snapshot`, `compact`. */
import type { Status } from '../../client/messages/types.ts';
import { displayDuration, displaySize } from '../terminal/display.ts';
import type { Session } from '../session/session.ts';
import { formatFacts } from '../terminal/table.ts';

export async function status({ client, output, isJson }: Session): Promise<void> {
  const status = await client.admin.status();
  await (isJson ? output.writeJson(status) : output.write(formatFacts(statusFacts(status))));
}

function statusFacts(status: Status): Record<string, string> {
  const { oldestRevision, oldestWatchRevision, segmentCount, snapshotCount, snapshotRevision } = status;
  const newest = snapshotCount === 0 ? '' : `, newest of revision ${snapshotRevision}`;
  return {
    version: status.version,
    store: status.storeId,
    uptime: displayDuration(status.uptimeMs),
    revision: String(status.revision),
    ...(status.incarnation !== '' && { life: status.incarnation }),
    readable: oldestRevision === 0 ? 'all revisions' : `from revision ${oldestRevision} on`,
    watchable: `from revision ${oldestWatchRevision} on`,
    keys: String(status.keyCount),
    leases: String(status.leaseCount),
    watchers: String(status.watcherCount),
    data: displaySize(status.dataBytes),
    memory: `${displaySize(status.memoryBytes)} of ${displaySize(status.memoryBytesMax)}, resident ${displaySize(status.residentBytes)}`,
    log: `${displaySize(status.logBytes)} in ${segmentCount} ${segmentCount === 1 ? 'segment' : 'segments'}`,
    segments: `${status.oldestSegmentId} is the oldest, ${status.activeSegmentId} is written`,
    snapshots: `${snapshotCount}, ${displaySize(status.snapshotBytes)}${newest}`,
  };
}

export async function snapshot({ client, output, isJson, askedFor }: Session): Promise<void> {
  const result = await client.admin.snapshot(askedFor);
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`revision ${result.revision}, ${displaySize(result.bytes)}`);
}

export async function compact(
  { client, output, isJson, askedFor }: Session,
  revision: number,
): Promise<void> {
  const result = await client.admin.compact(revision, askedFor);
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`readable from revision ${result.oldestRevision} on`);
}
