/** The work of `import --from-etcd`. */
import type { FollowState } from '../../../transfer/etcd/follow.ts';
import type { OnConflict } from '../../../transfer/contract/words.ts';
import { type EtcdCopy, type EtcdImport, importFromEtcd } from '../../../transfer/import-etcd.ts';
import { TransferError } from '../../../transfer/contract/transfer-error.ts';
import type { EtcdFlags } from '../../command-line/etcd-options.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { failureText } from '../../process/failure.ts';
import { InterruptedError, untilInterrupted } from '../../process/interrupt.ts';
import type { StoreSession } from '../../session/store-session.ts';
import { displayCount } from '../../terminal/display.ts';
import type { Output } from '../../terminal/output.ts';
import { progressOn } from '../../terminal/progress.ts';
import { openEtcd } from './etcd-source.ts';
import { taskErrorOf } from './failure.ts';

export interface EtcdImportFlags extends EtcdFlags {
  readonly onConflict: OnConflict;
  readonly dryRun?: boolean;
  readonly allowPlaintextLogin?: boolean;
}

/** Between two states on a terminal, and in a file or pipe. */
const TERMINAL_INTERVAL_MS = 250;
const LINE_INTERVAL_MS = 10_000;

export async function importEtcd(
  { store, output, isJson, keys }: StoreSession,
  endpoints: string,
  flags: EtcdImportFlags,
): Promise<void> {
  const { onConflict, follow, fromRevision, dryRun: isDryRun = false, prefix } = flags;
  if (onConflict === 'skip' && follow && !isDryRun) {
    throw new UsageError("what is skipped can't be followed; take --on-conflict replace, or --no-follow");
  }
  if (fromRevision === 0) throw new UsageError('--from-revision is 0; the revisions of etcd begin with 1');
  const note = (line: string): void => (isJson ? undefined : output.note(line));
  const source = await openEtcd(endpoints, flags, flags.allowPlaintextLogin === true, keys);
  let failure: unknown;
  try {
    const done = await untilInterrupted((signal) =>
      importFromEtcd(store, source, {
        signal,
        onConflict,
        isDryRun,
        follows: follow,
        fromRevision,
        onProgress: progressOn(output, isJson),
        onCopied: async (copied) => {
          output.clearStatus();
          if (!isJson) await output.writeLine(copiedText(copied, isDryRun));
          else await output.writeJson({ kind: 'copied', ...copied });
          if (follow && !isDryRun) note('following etcd; interrupt (Ctrl-C) to end');
        },
        onState: stateOn(output, isJson, prefix !== undefined),
        onInterrupted: (error) => note(`${failureText(error)}; trying again ...`),
        onResumed: () => note('etcd is there again'),
        onStoreInterrupted: (error) => note(`${failureText(error)}; trying again ...`),
      }).catch((error: unknown) => {
        failure = error;
        throw error;
      }),
    );
    output.clearStatus();
    if (isJson) await output.writeJson({ kind: 'end', ...done });
    else if (follow && !isDryRun) await tellEnd(output, done, endpoints);
  } catch (error) {
    if (error instanceof InterruptedError && failure instanceof TransferError) {
      throw error.saying(failure.message.replace(/^the import was broken off/, ''));
    }
    throw taskErrorOf(error);
  } finally {
    source.close();
  }
}

function copiedText(
  { revision, writtenCount, skippedCount, expiredCount }: EtcdCopy,
  isDryRun: boolean,
): string {
  const parts = [
    isDryRun
      ? `${displayCount(writtenCount, 'key')} would be written`
      : `${displayCount(writtenCount, 'key')} written`,
    ...(skippedCount > 0 ? [`${skippedCount} left as they are`] : []),
    ...(expiredCount > 0 ? [`${expiredCount} left out, whose leases are over`] : []),
  ];
  return `revision ${revision} of etcd: ${parts.join(', ')}`;
}

async function tellEnd(
  output: Output,
  { revision, etcdRevision, ...done }: EtcdImport,
  endpoints: string,
): Promise<void> {
  const followed = `${displayCount(done.changeCount, 'change')} followed in ${displayCount(done.revisionCount, 'revision')}`;
  const behind = etcdRevision > revision ? `; etcd is at ${etcdRevision}` : '';
  await output.writeLine(`revision ${revision} of etcd is all in, ${followed}${behind}`);
  output.note(`to go on: kelp import --from-etcd ${endpoints} --from-revision ${revision + 1}`);
}

/** Shows how far etcd is followed, now and then; with `--json` on standard output, for scripts that wait for it to come close. */
function stateOn(output: Output, isJson: boolean, isPart: boolean): (state: FollowState) => void {
  const intervalMs = output.isErrorTerminal && !isJson ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS;
  let shownMs = Number.NEGATIVE_INFINITY;
  return (state) => {
    const nowMs = performance.now();
    if (nowMs - shownMs < intervalMs) return;
    shownMs = nowMs;
    if (isJson) output.writeSoon(`${JSON.stringify({ kind: 'following', ...state })}\n`);
    else if (output.isErrorTerminal) output.showStatus(stateText(state, isPart));
    else output.note(stateText(state, isPart));
  };
}

/** Of a part of the keys not every revision is heard of, so it is not known how many are missing. */
function stateText({ revision, etcdRevision, changeCount }: FollowState, isPart: boolean): string {
  const behind = isPart ? '' : `, ${etcdRevision - revision} behind`;
  return `revision ${revision} of etcd is in, etcd is at ${etcdRevision}${behind}; ${displayCount(changeCount, 'change')} followed`;
}
