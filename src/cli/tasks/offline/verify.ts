/** The work of `verify`. */
import { stat } from 'node:fs/promises';
import { systemReason } from '../../../errors.ts';
import { verifyBackupFile } from '../../../offline/backup-file.ts';
import { verifyDirectory } from '../../../offline/verify/verify.ts';
import type { Damage, Forecast, VerifyReport } from '../../../offline/verify/verify-report.ts';
import { displayCount, displayHeld, displaySize } from '../../terminal/display.ts';
import { type ExitCode, exitCode } from '../../process/exit-code.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { timeJson } from '../../../api-json.ts';
import type { OfflineTask } from '../../session/offline-task.ts';
import { formatFacts } from '../../terminal/table.ts';

export async function verify(path: string, task: OfflineTask): Promise<ExitCode> {
  if (await isDirectory(path)) return verifyDataDirectory(path, task);
  const info = await verifyBackupFile(path, task.onProgress);
  if (task.isJson) await task.output.writeJson({ isWhole: true, ...info });
  else {
    await task.output.write(
      formatFacts({
        backup: `${displaySize(info.bytes)}, whole`,
        store: info.storeId,
        revision: `${info.revision}, of ${timeJson(info.timeMs)}`,
        keys: String(info.versionCount),
        leases: String(info.leaseCount),
        access: displayCount(info.accessCount, 'record'),
      }),
    );
  }
  return exitCode.ok;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new UsageError(`can't read ${path}: ${systemReason(error)}`, { cause: error });
  }
}

async function verifyDataDirectory(
  path: string,
  { output, isJson, onProgress }: OfflineTask,
): Promise<ExitCode> {
  const report = await verifyDirectory(path, onProgress);
  await (isJson ? output.writeJson(report) : output.write(reportText(report)));
  return report.isWhole ? exitCode.ok : exitCode.no;
}

function reportText(report: VerifyReport): string {
  const { engine } = report;
  const facts: Record<string, string> = {
    ...(engine !== 'memory' && { engine: engine ?? 'not known' }),
    log: logText(report.log),
    ...baseFacts(report.base),
  };
  for (const snapshot of report.snapshots) {
    const { revision, bytes, isWhole } = snapshot;
    const held = isWhole ? `${displayHeld(snapshot, 'version')}, whole` : 'damaged';
    facts[`snapshot ${revision}`] = `${displaySize(bytes)}, ${held}`;
  }
  facts['whole'] = report.wholeRevision === 0 ? 'no revision' : `up to revision ${report.wholeRevision}`;
  facts['next start'] = forecastText(report.recovery);
  const { torn } = report.log;
  const lines = [
    ...report.damages.map(damageText),
    ...(torn === undefined
      ? []
      : [
          `torn: ${torn.file}, offset ${torn.offset}: ${torn.bytes} bytes of a write that was never acknowledged`,
        ]),
    ...report.notes.map((note) => `note: ${note}`),
  ];
  return formatFacts(facts) + lines.map((line) => `${line}\n`).join('');
}

function baseFacts(base: VerifyReport['base']): Record<string, string> {
  if (base === undefined) return {};
  if (base.revision === 0 && base.isWhole) return { files: 'empty: no checkpoint yet' };
  const { revision, bytes, files, leaseCount, isWhole } = base;
  const records = files.reduce((sum, { recordCount }) => sum + recordCount, 0);
  const held = isWhole
    ? `${displayCount(records, 'record')}, ${displayCount(leaseCount, 'lease')}, whole`
    : 'damaged';
  return {
    files: `${displayCount(files.length, 'file')}, ${displaySize(bytes)}, ${held}`,
    ...(revision > 0 && { checkpoint: `revision ${revision}` }),
  };
}

function logText({
  segmentCount,
  bytes,
  firstRevision,
  lastRevision,
  recordCount,
}: VerifyReport['log']): string {
  if (segmentCount === 0) return 'none';
  const segments = `${displayCount(segmentCount, 'segment')}, ${displaySize(bytes)}`;
  const records = displayCount(recordCount, 'record');
  const revisions =
    lastRevision < firstRevision
      ? `from revision ${firstRevision} on`
      : `revisions ${firstRevision} to ${lastRevision}`;
  return `${segments}, ${records}, ${revisions}`;
}

function damageText({ file, offset, what, fromRevision, toRevision }: Damage): string {
  return `damaged: ${file}, offset ${offset}: ${what} (${revisionsText(fromRevision, toRevision)})`;
}

function revisionsText(from: number, to: number | undefined): string {
  if (to === undefined) return `revisions from ${from} on`;
  // Only notes or a mark are concerned.
  if (to < from) return `behind revision ${to}`;
  return to === from ? `revision ${from}` : `revisions ${from} to ${to}`;
}

function forecastText(forecast: Forecast): string {
  switch (forecast.kind) {
    case 'newStore':
      return 'makes a new store';
    case 'stops':
      return `refuses: ${forecast.why}`;
    case 'starts': {
      const { revision, cutBytes, skippedSnapshots, isBaseDamaged } = forecast;
      const skipped = skippedSnapshots.map((each) => `, passing over the damaged one of revision ${each}`);
      const cut = cutBytes === 0 ? '' : `, cutting off ${cutBytes} torn bytes`;
      const refused = isBaseDamaged ? ', refusing what needs a damaged place' : '';
      return `comes up at revision ${revision}, ${beginText(forecast)}${skipped.join('')}${cut}${refused}`;
    }
  }
}

function beginText({ snapshotRevision, baseRevision }: Extract<Forecast, { kind: 'starts' }>): string {
  if (baseRevision > 0) return `from the checkpoint of revision ${baseRevision}`;
  return snapshotRevision === 0 ? 'from the log alone' : `from the snapshot of revision ${snapshotRevision}`;
}
