/**
 * `importFrom`: writes the entries of a file or stream to a store, batch by batch (`batches/batch-writer.ts`).
 *
 * - The form is recognised by the content: JSON Lines, one JSON document, or a snapshot file.
 * - Input of any length takes the memory of its longest entry and a batch.
 * - Entries are written in the order of the input, and what ends an import early says how many of them are done. It can be
 *   run again: with `replace` everything is written again, to the same effect; with `skip` what is there stays; with `fail` and
 *   `resumeAfter` it goes on behind what was done.
 * - A time to live ends at the instant that the input says. What has ended by then is left out, and so is what belongs to a
 *   lease. Both are counted.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { callback, flag, instanceOf, named, oneOf } from '../arguments/check.ts';
import { count } from '../arguments/count.ts';
import { noOptions, optionsOf } from '../arguments/shape.ts';
import { type Clock, systemClock } from '../clock.ts';
import { isStoreError, systemReason } from '../errors.ts';
import type { OnProgress } from '../progress.ts';
import { BatchWriter } from './batches/batch-writer.ts';
import { pathOr, withMethods } from './contract/checks.ts';
import type { ImportTarget } from './contract/stores.ts';
import { type ImportProgress, TransferError, messageOf } from './contract/transfer-error.ts';
import { type OnConflict, type TransferFormat, conflictRules, transferFormats } from './contract/words.ts';
import type { InputPieces } from './input/byte-steps.ts';
import { Input } from './input/input.ts';
import { BadInputError } from './json/json-reader.ts';

export interface ImportOptions {
  /** The form that the input must have; left out: any. */
  readonly format?: TransferFormat;
  /** What becomes of an entry whose key is there already. Default: `fail`. */
  readonly onConflict?: OnConflict;
  /** The entries at the beginning of the input that are passed over, since they are done. Default: 0. */
  readonly resumeAfter?: number;
  /** Reads and checks everything, and writes nothing. */
  readonly dryRun?: boolean;
  /** Aborting it ends the import when the batch under way is written. */
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface ImportSummary extends ImportProgress {
  readonly format: TransferFormat;
  readonly bytes: number;
  /** Of the last batch; 0 when nothing was written. */
  readonly revision: number;
}

const importOptions = optionsOf<ImportOptions>('importFrom', {
  format: oneOf(transferFormats),
  onConflict: oneOf(conflictRules),
  resumeAfter: count,
  dryRun: flag,
  signal: instanceOf(AbortSignal),
  onProgress: callback<OnProgress>(),
});

const importTarget = withMethods(['txn', 'exists'], 'a store or a client');
const importSource = pathOr(
  withMethods([Symbol.asyncIterator], 'the path of a file, or a stream of bytes or text to read from'),
);

/**
 * @param store the store in process, or a client.
 * @param source the path of a file; or bytes or text in pieces, such as a stream of Node.
 * @param clock for tests: the time by which times to live are counted.
 * @throws TransferError whose `done` says what was done.
 */
export async function importFrom(
  store: ImportTarget,
  source: string | InputPieces,
  options: ImportOptions = noOptions,
  clock: Clock = systemClock,
): Promise<ImportSummary> {
  const wrong =
    named('store', importTarget(store)) ?? named('source', importSource(source)) ?? importOptions(options);
  if (wrong !== undefined) throw new TransferError('invalidArgument', wrong);
  const { format, onConflict = 'fail', resumeAfter = 0, dryRun: isDryRun = false, signal } = options;
  // A file would be opened, and a stream that nothing was read of is not closed by ending its iteration.
  if (signal?.aborted) throw brokenOff(signal);
  const name = typeof source === 'string' ? source : 'the input';
  const totalBytes = typeof source === 'string' ? await sizeOfFile(source) : 0;
  const pieces = typeof source === 'string' ? createReadStream(source) : source;
  const input = new Input(pieces, { name, format, nowMs: () => clock.nowMs(), signal });
  const writer = new BatchWriter(store, { onConflict, isDryRun, clock }, resumeAfter);
  const work = `${isDryRun ? 'checking' : 'importing'} ${name}`;
  try {
    await writeAll(input, writer, resumeAfter, signal, () =>
      options.onProgress?.({ work, doneBytes: input.bytesRead, totalBytes }),
    );
  } catch (error) {
    throw failureOf(error, writer, signal);
  }
  return {
    format: input.format ?? 'jsonl',
    bytes: input.bytesRead,
    ...writer.done,
    revision: writer.revision,
  };
}

async function writeAll(
  input: Input,
  writer: BatchWriter,
  resumeAfter: number,
  signal: AbortSignal | undefined,
  onProgress: () => void,
): Promise<void> {
  let passedOver = 0;
  try {
    for await (const entries of input.entries()) {
      for (const entry of entries) {
        signal?.throwIfAborted();
        if (passedOver < resumeAfter) passedOver++;
        else await writer.add(entry);
      }
      onProgress();
    }
  } catch (error) {
    // What stands before what is wrong is done, so that it does not depend on where batches end.
    if (isBadInput(error)) await writer.flush();
    throw error;
  }
  if (passedOver < resumeAfter) {
    throw new TransferError(
      'invalidArgument',
      `the input has ${passedOver} entries; there is nothing behind the first ${resumeAfter}`,
    );
  }
  signal?.throwIfAborted();
  await writer.flush();
}

async function sizeOfFile(path: string): Promise<number> {
  try {
    const file = await stat(path);
    if (file.isDirectory()) throw new Error('it is a folder');
    return file.size;
  } catch (error) {
    throw new TransferError('invalidArgument', `can't read ${path}: ${systemReason(error)}`, {
      cause: error,
    });
  }
}

function isBadInput(error: unknown): error is Error {
  return error instanceof BadInputError || isStoreError(error, 'damaged');
}

function failureOf(error: unknown, writer: BatchWriter, signal: AbortSignal | undefined): TransferError {
  const done = { ...writer.done };
  const cause = { cause: error, done };
  if (signal?.aborted) return brokenOff(signal, done);
  if (isBadInput(error)) return new TransferError('badInput', error.message, cause);
  if (error instanceof TransferError) return new TransferError(error.code, error.message, cause);
  const { first, last } = writer.pending;
  const isUnknown =
    error instanceof Error && 'mayHaveTakenEffect' in error && error.mayHaveTakenEffect === true;
  const unknown =
    isUnknown && last >= first ? `; entries ${first} to ${last} may have been written all the same` : '';
  return new TransferError('failed', messageOf(error) + unknown, cause);
}

function brokenOff({ reason }: AbortSignal, done?: ImportProgress): TransferError {
  const options = { cause: reason as unknown, ...(done && { done }) };
  return new TransferError('interrupted', 'the import was broken off', options);
}
