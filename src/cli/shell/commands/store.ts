/** SNAPSHOT, COMPACT, STATS, WHOAMI: what concerns the store as a whole. */
import { factsOfWord } from '../../../shell-words/word-facts.ts';
import { fixed } from '../../../limits.ts';
import type { OnProgress } from '../../../progress.ts';
import { formatOfName } from '../../../transfer/contract/format.ts';
import type { TransferFormat } from '../../../transfer/contract/words.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { interruptedBy } from '../../process/interrupt.ts';
import { whoAmIText } from '../../tasks/access/text.ts';
import { clusterFacts } from '../../tasks/cluster-text.ts';
import { storageFacts } from '../../tasks/storage-text.ts';
import { taskErrorOf } from '../../tasks/transfer/failure.ts';
import { displayCount, displayData, displayDuration, displaySize } from '../../terminal/display.ts';
import { formatFacts } from '../../terminal/table.ts';
import { type ShellCommand, command, nothing } from '../command.ts';
import { type TextReply, reply } from '../reply.ts';
import type { ShellStatus, ShellStore } from '../store/shell-store.ts';
import { shown, toWholeNumber } from '../../../shell-words/arguments.ts';
import { quoteWord } from '../../../shell-words/quote.ts';

const snapshot = command(
  factsOfWord('SNAPSHOT'),
  ([file]) => {
    if (file === undefined) return undefined;
    if (!file.text) throw new UsageError(`${shown(file)} is no name of a file`);
    return file.text;
  },
  async (file, { store, onProgress }, signal) => {
    if (file === undefined) {
      const { revision, bytes } = await store.snapshot();
      const { storage } = await store.status();
      // An engine on disk brings its own files up to the revision.
      const saved = storage === undefined ? 'snapshot' : 'checkpoint';
      return reply(`Saved ${saved} of revision ${revision}, ${displaySize(bytes)}`, { revision, bytes });
    }
    const format = formatOfName(file);
    if (format === 'jsonl' || format === 'json') return exportTo(file, format, store, onProgress, signal);
    // What works with files takes longer to load than most commands to run.
    const { writeBackupFile } = await import('../../../offline/backup-file.ts');
    const info = await writeBackupFile(file, store.backup(signal), interruptedBy(signal, onProgress));
    return reply(`Saved snapshot to ${quoteWord(file)}`, { file, ...info });
  },
);

async function exportTo(
  file: string,
  format: TransferFormat,
  store: ShellStore,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<TextReply> {
  const transfer = await import('../../../transfer/export.ts');
  const options = { format, signal, onProgress };
  const summary = await transfer.exportTo(store.exported, file, options).catch((error: unknown) => {
    signal.throwIfAborted();
    throw taskErrorOf(error);
  });
  const { leasedCount, collectionCount } = summary;
  const leftOut = [
    ...(leasedCount === 0 ? [] : [`${displayCount(leasedCount, 'key')} of leases`]),
    ...(collectionCount === 0 ? [] : [`${displayCount(collectionCount, 'key')} with collections`]),
  ].join(' and ');
  return reply(`Saved snapshot to ${quoteWord(file)}${leftOut && `, without ${leftOut}`}`, {
    file,
    ...summary,
  });
}

const compact = command(
  factsOfWord('COMPACT'),
  ([word]) => word && toWholeNumber(word, fixed.integerMax),
  async (revision, { store }) => {
    if (revision === undefined) return giveBack(store);
    const { oldestRevision } = await store.compact(revision);
    return reply(`Readable from revision ${oldestRevision} on`, { oldestRevision });
  },
);

/**
 * First the history goes: the snapshot is the smaller for that, and the log that only old watches would need may go, too. The
 * store removes it as soon as the snapshot is written. With an engine on disk the snapshot is a checkpoint, which brings what has
 * changed to the files before they are merged.
 */
async function giveBack(store: ShellStore): ReturnType<ReturnType<ShellCommand['prepare']>> {
  const before = await store.status();
  if (before.revision === 0) return reply('Nothing to give back: nothing was written yet', { freed: {} });
  const { oldestRevision } = await store.compact(before.revision);
  const { revision } = await store.snapshot();
  if (before.storage !== undefined) await store.compactStorage();
  const after = await store.status();
  const freed = {
    logBytes: before.logBytes - after.logBytes,
    snapshotBytes: before.snapshotBytes - after.snapshotBytes,
    storageBytes: (before.storage?.diskBytes ?? 0) - (after.storage?.diskBytes ?? 0),
    memoryBytes: before.memoryBytes - after.memoryBytes,
  };
  const parts = [
    ...(freed.logBytes > 0 ? [`${displaySize(freed.logBytes)} of log`] : []),
    ...(freed.snapshotBytes > 0 ? [`${displaySize(freed.snapshotBytes)} of snapshots`] : []),
    ...(freed.storageBytes > 0 ? [`${displaySize(freed.storageBytes)} of the engine's files`] : []),
    ...(freed.memoryBytes > 0 ? [`${displaySize(freed.memoryBytes)} of memory`] : []),
  ];
  const gain = parts.length === 0 ? 'Gave back nothing so far' : `Gave back ${parts.join(', ')}`;
  const kept = before.storage === undefined ? 'snapshot' : 'checkpoint';
  return reply(`${gain}; readable from revision ${oldestRevision} on, ${kept} of revision ${revision}`, {
    oldestRevision,
    snapshotRevision: revision,
    freed,
  });
}

const stats = command(factsOfWord('STATS'), nothing, async (_, { store }) => {
  const status = await store.status();
  return reply(formatFacts(statusFacts(status, store.place)).trimEnd(), status);
});

function statusFacts(status: ShellStatus, place: string): Record<string, string> {
  const { version, uptimeMs, residentBytes, oldestRevision, snapshotCount } = status;
  const resident = residentBytes === undefined ? '' : `, resident ${displaySize(residentBytes)}`;
  const newest = snapshotCount === 0 ? '' : `, newest of revision ${status.snapshotRevision}`;
  return {
    ...(version === undefined || uptimeMs === undefined
      ? { store: `${place}, embedded` }
      : { server: `${place}, version ${version}, up ${displayDuration(uptimeMs)}` }),
    id: status.storeId,
    ...clusterFacts(status),
    keys: String(status.keyCount),
    leases: String(status.leaseCount),
    watchers: String(status.watcherCount),
    revision: `${status.revision}, readable from ${oldestRevision === 0 ? 'the first' : oldestRevision} on, watchable from ${status.oldestWatchRevision} on`,
    data: displayData(status),
    memory: `${displaySize(status.memoryBytes)} of ${displaySize(status.memoryBytesMax)}${resident}`,
    log: `${displaySize(status.logBytes)} in ${displayCount(status.segmentCount, 'segment')}`,
    'active segment': String(status.activeSegmentId),
    'oldest segment': String(status.oldestSegmentId),
    ...(status.storage === undefined && {
      snapshots: `${snapshotCount}, ${displaySize(status.snapshotBytes)}${newest}`,
    }),
    ...storageFacts(status),
  };
}

const whoAmI = command(factsOfWord('WHOAMI'), nothing, async (_, { store }) => {
  const who = await store.whoAmI();
  if (who === undefined)
    return reply('An embedded store asks for no login', { user: '', roles: [], isClosed: false });
  return reply(whoAmIText(who), who);
});

export const storeCommands: readonly ShellCommand[] = [snapshot, compact, stats, whoAmI];
