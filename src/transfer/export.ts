/**
 * `exportTo`: the entries of a store, or of a part of it, at one revision, as JSON Lines, one JSON document, or a snapshot file.
 *
 * - All that is written is of one revision, however long it takes and whatever is written to the store meanwhile.
 * - It is read and written piece by piece, at the pace of what takes it.
 * - A file is there whole or not at all (`offline/whole-file.ts`).
 * - Keys, values and times to live are kept. Of the JSON forms revisions and versions are not. What belongs to a lease is left
 *   out, and counted: its end is that of the lease, whose owner does not come along. So are lists, hashes and other collections.
 *   Only the binary form of the whole store, which is a backup, has leases and collections.
 */
import type { Writable } from 'node:stream';
import type { KeyRange } from '../api.ts';
import { callback, flag, instanceOf, named, oneOf } from '../arguments/check.ts';
import { count } from '../arguments/count.ts';
import { readRange } from '../arguments/requests.ts';
import { noOptions, optionsOf } from '../arguments/shape.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { isStoreError } from '../errors.ts';
import { verifyBackupFile } from '../offline/backup-file.ts';
import { writeWholeFile } from '../offline/whole-file.ts';
import type { OnProgress } from '../progress.ts';
import { pathOr, withMethods } from './contract/checks.ts';
import { formatOfName, knownEndings } from './contract/format.ts';
import { type ExportSource, isClient } from './contract/stores.ts';
import { TransferError, messageOf } from './contract/transfer-error.ts';
import { type TransferFormat, type TtlForm, transferFormats, ttlForms } from './contract/words.ts';
import {
  type ExportCounts,
  type JsonExport,
  isLeftOut,
  jsonDocumentPieces,
  jsonLinesPieces,
} from './output/json-pieces.ts';
import { type EntryPage, pagesOf } from './output/pages.ts';
import { type Sink, whileWritingTo } from './output/sink.ts';
import { SnapshotOfEntries } from './snapshot/write-snapshot.ts';

export interface ExportOptions {
  /** Left out: the one that the name of the file stands for; to a stream JSON Lines. */
  readonly format?: TransferFormat;
  /** Left out: all keys. */
  readonly range?: KeyRange;
  /** The revision to export; 0 (default) is the newest. */
  readonly revision?: number;
  /**
   * How a time to live is written in JSON: `deadline` (default) as the instant of its end, `remaining` as what is left of it
   * when it is written, which begins anew when it is imported.
   */
  readonly ttl?: TtlForm;
  /** Whether a file that is there may be replaced. Default: no. */
  readonly overwrite?: boolean;
  /** Aborting it ends the export, and leaves no file. */
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface ExportSummary {
  readonly format: TransferFormat;
  readonly bytes: number;
  /** `undefined` of a backup that goes to a stream: what is in it was not looked at. */
  readonly revision: number | undefined;
  readonly entryCount: number | undefined;
  /** The keys that were left out, since they belong to a lease. */
  readonly leasedCount: number;
  /** The keys that were left out, since they are lists, hashes or other collections. */
  readonly collectionCount: number;
}

export interface TransferParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
}

export const systemParts: TransferParts = { clock: systemClock, random: systemRandom, disk: nodeDisk };

const exportOptions = optionsOf<ExportOptions>('exportTo', {
  format: oneOf(transferFormats),
  range: readRange,
  revision: count,
  ttl: oneOf(ttlForms),
  overwrite: flag,
  signal: instanceOf(AbortSignal),
  onProgress: callback<OnProgress>(),
});

const exportSource = withMethods(['scan', 'count'], 'a store or a client');
const exportTarget = pathOr(withMethods(['write', 'on'], 'the path of a file, or a stream to write to'));

/**
 * @param store the store in process, or a client.
 * @param target the path of a file, or a stream, which is left open behind the last byte.
 * @param parts for tests: what it runs on.
 * @throws TransferError
 */
export async function exportTo(
  store: ExportSource,
  target: string | Writable,
  options: ExportOptions = noOptions,
  parts: TransferParts = systemParts,
): Promise<ExportSummary> {
  const wrong =
    named('store', exportSource(store)) ?? named('target', exportTarget(target)) ?? exportOptions(options);
  if (wrong !== undefined) throw new TransferError('invalidArgument', wrong);
  const run = new ExportRun(store, options, typeof target === 'string' ? target : undefined, parts);
  return run.guarded(() =>
    typeof target === 'string'
      ? run.toFile(target)
      : whileWritingTo(target, options.signal, (sink) => run.toSink(sink, 'the export')),
  );
}

class ExportRun {
  readonly #store: ExportSource;
  readonly #options: ExportOptions;
  readonly #parts: TransferParts;
  readonly #format: TransferFormat;
  readonly #counts: ExportCounts = { entryCount: 0, leasedCount: 0, collectionCount: 0, revision: 0 };
  #bytes = 0;

  constructor(store: ExportSource, options: ExportOptions, path: string | undefined, parts: TransferParts) {
    this.#store = store;
    this.#options = options;
    this.#parts = parts;
    this.#format = options.format ?? formatFor(path);
    if (this.#format === 'binary' && options.ttl === 'remaining') {
      const wrong = 'ttl: a snapshot file holds the end of a time to live, not what is left of it';
      throw new TransferError('invalidArgument', wrong);
    }
  }

  /** Runs the work, and tells what goes wrong as an error of this layer. */
  async guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    const { signal } = this.#options;
    try {
      signal?.throwIfAborted();
      return await work();
    } catch (error) {
      if (signal?.aborted)
        throw new TransferError('interrupted', 'the export was broken off', { cause: signal.reason });
      if (error instanceof TransferError) throw error;
      if (isStoreError(error, 'invalidArgument')) {
        throw new TransferError('fileExists', error.message, { cause: error });
      }
      throw new TransferError('failed', messageOf(error), { cause: error });
    }
  }

  async toFile(path: string): Promise<ExportSummary> {
    const { disk } = this.#parts;
    const onProgress = this.#options.onProgress ?? (() => undefined);
    const info = await writeWholeFile({
      disk,
      path,
      what: 'export',
      mayReplace: this.#options.overwrite ?? false,
      howToAsk: 'overwrite (kelp export --force)',
      fill: async (append) => void (await this.toSink(append, path)),
      check: (unfinishedPath) =>
        this.#format === 'binary'
          ? verifyBackupFile(unfinishedPath, onProgress, disk)
          : Promise.resolve(undefined),
    });
    const { format, ...summary } = this.#summary();
    if (info === undefined) return { format, ...summary };
    return { format, ...summary, revision: info.revision, entryCount: info.versionCount };
  }

  async toSink(sink: Sink, name: string): Promise<ExportSummary> {
    const { signal, onProgress } = this.#options;
    const totalKeys = onProgress === undefined ? 0 : await this.#countKeys();
    for await (const piece of this.#pieces()) {
      signal?.throwIfAborted();
      await sink(piece);
      this.#bytes += piece.length;
      const keys = this.#isBackup ? undefined : { doneKeys: this.#counts.entryCount, totalKeys };
      onProgress?.({ work: `writing ${name}`, doneBytes: this.#bytes, totalBytes: 0, ...keys });
    }
    return this.#summary();
  }

  #summary(): ExportSummary {
    const { entryCount, leasedCount, collectionCount, revision } = this.#counts;
    const isCounted = !this.#isBackup;
    return {
      format: this.#format,
      bytes: this.#bytes,
      revision: isCounted ? revision : undefined,
      entryCount: isCounted ? entryCount : undefined,
      leasedCount,
      collectionCount,
    };
  }

  /** The whole store at its newest revision has a form of its own, which holds leases, and needs no history. */
  get #isBackup(): boolean {
    const { revision = 0 } = this.#options;
    return this.#format === 'binary' && revision === 0 && isAllKeys(this.#range);
  }

  get #range(): KeyRange {
    return this.#options.range ?? {};
  }

  /** About how many: the newest revision is quick to count, and it is for a line of progress alone. */
  async #countKeys(): Promise<number> {
    return this.#isBackup ? 0 : (await this.#store.count(this.#range)).count;
  }

  #pieces(): AsyncIterable<Uint8Array> {
    if (this.#isBackup) return this.#backup();
    if (this.#format === 'binary') return this.#snapshotPieces();
    const { revision = 0, ttl: ttlForm = 'deadline' } = this.#options;
    const { clock } = this.#parts;
    const read: JsonExport['read'] = (range, at) => this.#pages(range, at);
    const request = { read, range: this.#range, revision, ttlForm, clock, counts: this.#counts };
    return this.#format === 'json' ? jsonDocumentPieces(request) : jsonLinesPieces(request);
  }

  #backup(): AsyncIterable<Uint8Array> {
    const store = this.#store;
    const { signal } = this.#options;
    return isClient(store) ? store.admin.backup(signal === undefined ? {} : { signal }) : store.backup();
  }

  #pages(range: KeyRange, revision: number): AsyncIterable<EntryPage> {
    return pagesOf(this.#store, range, revision, this.#options.signal);
  }

  async *#snapshotPieces(): AsyncGenerator<Uint8Array, void, undefined> {
    const { clock, random } = this.#parts;
    const counts = this.#counts;
    let snapshot: SnapshotOfEntries | undefined;
    try {
      for await (const { entries, revision, incarnation } of this.#pages(
        this.#range,
        this.#options.revision ?? 0,
      )) {
        if (snapshot === undefined) {
          counts.revision = revision;
          snapshot = new SnapshotOfEntries({ revision, incarnation, timeMs: clock.nowMs() }, random);
          yield snapshot.begin();
        }
        for (const entry of entries) {
          if (isLeftOut(entry, counts)) continue;
          counts.entryCount++;
          const block = await snapshot.add(entry);
          if (block !== undefined) yield block;
        }
      }
      if (snapshot !== undefined) yield await snapshot.finish();
    } finally {
      snapshot?.close();
    }
  }
}

function formatFor(path: string | undefined): TransferFormat {
  if (path === undefined) return 'jsonl';
  const format = formatOfName(path);
  if (format !== undefined) return format;
  throw new TransferError(
    'invalidArgument',
    `the name ${path} does not tell the form; give one of ${transferFormats.join(', ')} as the format, or a name that ends in one of ${knownEndings.join(', ')}`,
  );
}

function isAllKeys(range: KeyRange): boolean {
  return Object.values(range).every((bound: KeyRange[keyof KeyRange]) => (bound?.length ?? 0) === 0);
}
