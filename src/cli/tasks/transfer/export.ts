/** The work of `export`. */
import { Writable } from 'node:stream';
import { WritableStream } from 'node:stream/web';
import type { TransferFormat, TtlForm } from '../../../transfer/contract/words.ts';
import { type ExportSummary, exportTo } from '../../../transfer/export.ts';
import { escapeUnprintable } from '../../../server/logging/printable.ts';
import { type RangeFlags, rangeOf } from '../../command-line/range-options.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { untilInterrupted } from '../../process/interrupt.ts';
import type { StoreSession } from '../../session/store-session.ts';
import { displayCount, displaySize } from '../../terminal/display.ts';
import type { Output } from '../../terminal/output.ts';
import { progressOn } from '../../terminal/progress.ts';
import { taskErrorOf } from './failure.ts';

export interface ExportFlags extends RangeFlags {
  readonly format?: TransferFormat;
  readonly revision?: number;
  readonly ttl: TtlForm;
  readonly force?: boolean;
}

export async function exportEntries(
  { store, output, isJson, keys }: StoreSession,
  path: string,
  flags: ExportFlags,
): Promise<void> {
  const { format, revision, ttl, force } = flags;
  const isToOutput = path === '-';
  if (isToOutput && format === 'binary' && output.isTerminal) {
    throw new UsageError('a snapshot file is no text; redirect or pipe it, or name a file');
  }
  const onProgress = progressOn(output, isJson);
  const options = {
    range: rangeOf(flags, keys),
    ttl,
    overwrite: force === true,
    onProgress,
    ...(format !== undefined && { format }),
    ...(revision !== undefined && { revision }),
  };
  const summary = await untilInterrupted((signal) =>
    exportTo(store, isToOutput ? streamOf(output) : path, { ...options, signal }),
  ).catch((error: unknown) => {
    throw taskErrorOf(error);
  });
  output.clearStatus();
  if (!isJson) tellLeftOut(output, summary);
  // What goes to standard output is the export alone.
  if (isToOutput) return;
  if (isJson) await output.writeJson(summary);
  else await output.writeLine(summaryText(summary));
}

function summaryText({ revision, entryCount, bytes }: ExportSummary): string {
  return `revision ${revision}, ${displayCount(entryCount ?? 0, 'key')}, ${displaySize(bytes)}`;
}

function tellLeftOut(output: Output, { leasedCount, collectionCount }: ExportSummary): void {
  if (leasedCount > 0) {
    const keys = displayCount(leasedCount, 'key');
    output.note(`${keys} of leases left out; kelp backup holds leases and their keys`);
  }
  if (collectionCount > 0) {
    const keys = displayCount(collectionCount, 'key');
    output.note(`${keys} with lists, hashes or other collections left out; kelp backup holds them`);
  }
}

/** The output as a stream; on a terminal with the characters escaped that could do it harm, which JSON may hold as they are. */
function streamOf(output: Output): Writable {
  const stream = Writable.fromWeb(
    new WritableStream<Buffer>({
      write: (chunk) => output.write(output.isTerminal ? printable(chunk) : chunk),
    }),
  );
  // What is under way when a signal comes may fail when the export has ended already.
  return stream.on('error', () => undefined);
}

/** Line by line: the ends of lines stay. A piece never ends within a character. */
function printable(chunk: Buffer): string {
  return chunk.toString('utf8').split('\n').map(escapeUnprintable).join('\n');
}
