/** The work of `import`. */
import type { OnConflict, TransferFormat } from '../../../transfer/contract/words.ts';
import { type ImportSummary, importFrom } from '../../../transfer/import.ts';
import { untilInterrupted } from '../../process/interrupt.ts';
import type { StoreSession } from '../../session/store-session.ts';
import { displayCount, displaySize } from '../../terminal/display.ts';
import { progressOn } from '../../terminal/progress.ts';
import { importErrorOf } from './failure.ts';

export interface ImportFlags {
  readonly onConflict: OnConflict;
  readonly format?: TransferFormat;
  readonly resumeAfter?: number;
  readonly dryRun?: boolean;
}

export async function importEntries(
  { store, output, stdin, isJson }: StoreSession,
  path: string,
  { onConflict, format, resumeAfter, dryRun }: ImportFlags,
): Promise<void> {
  const isDryRun = dryRun === true;
  const options = {
    onConflict,
    dryRun: isDryRun,
    onProgress: progressOn(output, isJson),
    ...(format !== undefined && { format }),
    ...(resumeAfter !== undefined && { resumeAfter }),
  };
  // What the signal makes of a failure says how far it came only when the failure is known.
  let failure: unknown;
  try {
    const summary = await untilInterrupted((signal) =>
      importFrom(store, path === '-' ? stdin : path, { ...options, signal }).catch((error: unknown) => {
        failure = error;
        throw error;
      }),
    );
    output.clearStatus();
    await (isJson ? output.writeJson(summary) : output.writeLine(summaryText(summary, isDryRun)));
  } catch (error) {
    throw importErrorOf(error, failure, isDryRun);
  } finally {
    // Standard input that does not end would keep the process.
    if (path === '-') stdin.destroy();
  }
}

function summaryText(summary: ImportSummary, isDryRun: boolean): string {
  const { writtenCount, skippedCount, expiredCount, leasedCount, collectionCount, bytes } = summary;
  const written = isDryRun
    ? `${displayCount(writtenCount, 'key')} would be written`
    : `${displayCount(writtenCount, 'key')} written`;
  const parts = [
    written,
    ...(skippedCount > 0 ? [`${skippedCount} left as they are`] : []),
    ...(expiredCount > 0 ? [`${expiredCount} left out, whose time is over`] : []),
    ...(leasedCount > 0 ? [`${leasedCount} of leases left out`] : []),
    ...(collectionCount > 0 ? [`${collectionCount} with lists, hashes or other collections left out`] : []),
  ];
  return `${parts.join(', ')}; ${displaySize(bytes)} read`;
}
