/**
 * The state of a base in runs as a manifest tells of it, in the order of keys, however the base goes on: of each key the record of the
 * highest revision, in whatever run that is, unless it is a deletion or the manifest has it forgotten. So it is what a start would find;
 * what is hidden in memory alone is there.
 *
 * The runs are read from their beginnings to their ends, ahead of what is looked at, and past all caches: a view reads everything once. All
 * of it is verified, so that a view that comes to its end was one of whole files. They stay open, and are not removed, until it is closed.
 */
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { copyBytes, wholeBuffer } from '../../wire/memory.ts';
import type { PlacedChange } from '../version.ts';
import type { BaseDirectory } from './base-directory.ts';
import { MergeInputs } from './table/merge-inputs.ts';
import type { RunFile } from './table/run-file.ts';
import { RunScan } from './table/run-scan.ts';

const KEY_BYTES_FIRST = 1024;
/** A step passes over so many records that are not shown, and then lets its caller look at the time. */
const PASSED_PER_STEP = 256;

export interface RunsViewOptions {
  readonly directory: BaseDirectory;
  /** The open file of a run that the manifest names. */
  fileOf(number: number): RunFile;
  /** Whether the manifest has forgotten a record of a run. */
  isForgotten(record: PlacedChange, run: RunFile): boolean;
  /** Called once, when the files are closed, and removed if need be: until then the base is not closed. */
  closed(view: RunsView): void;
}

export class RunsView {
  readonly revision: number;
  readonly notes: Uint8Array;
  /** Of what is read ahead; of long values a whole one may come on top for each run. */
  readonly memoryBytes: number;
  readonly #options: RunsViewOptions;
  readonly #runs: readonly RunFile[];
  readonly #numbers: readonly number[];
  readonly #chunkBytes: number;
  /** `undefined`: nothing was read yet. */
  #records: MergeInputs<RunFile> | undefined;
  /** The key that was looked at last, in memory of its own. */
  #last = wholeBuffer(KEY_BYTES_FIRST);
  #lastBytes = 0;
  /** Whether the first record of the inputs was looked at. */
  #isPassed = false;
  /** Whether the last step ended at `PASSED_PER_STEP`: there may be more without a read. */
  #isPaused = false;
  /** What is being read. Never rejects. */
  #reading: Promise<unknown> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RunsViewOptions) {
    this.#options = options;
    const { directory } = options;
    const { revision, runs } = directory.manifest;
    this.revision = revision;
    this.notes = directory.notes;
    this.#runs = runs.map(({ number }) => options.fileOf(number));
    this.#numbers = runs.map(({ number }) => number);
    const share = Math.floor(fixed.viewReadBytesMax / Math.max(1, runs.length));
    this.#chunkBytes = Math.min(fixed.viewChunkBytesMax, Math.max(fixed.viewChunkBytesMin, share));
    this.memoryBytes = this.#chunkBytes * runs.length;
    directory.hold(this.#numbers);
    for (const run of this.#runs) run.hold();
  }

  /** The next version, which lies where it lies until the next call; `undefined`: `read` is to be called. */
  next(): PlacedChange | undefined {
    this.#checkOpen();
    const records = this.#records;
    if (records === undefined) return undefined;
    for (let passed = 0; passed < PASSED_PER_STEP; passed++) {
      if (this.#isPassed && !records.next()) return undefined;
      this.#isPassed = false;
      const { first } = records;
      if (first === undefined) return undefined;
      this.#isPassed = true;
      const { record, run } = first;
      // An older record of the key before is left out. One that is forgotten may have another beside it, of the same revision, that is not.
      if (this.#isOfLastKey(record) || this.#options.isForgotten(record, run)) continue;
      this.#keepKey(record);
      if (!record.deleted) return record;
    }
    this.#isPaused = true;
    return undefined;
  }

  /** Reads on. Rejects with damage, with what the disk rejects with, and once it is closed. @returns false: there is no more. */
  async read(): Promise<boolean> {
    this.#checkOpen();
    const reading = this.#readOn();
    this.#reading = reading.catch(() => undefined);
    await reading;
    this.#checkOpen();
    return this.#records?.first !== undefined;
  }

  /** What is being read is waited for. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #readOn(): Promise<void> {
    if (this.#isPaused) {
      this.#isPaused = false;
    } else if (this.#records === undefined) {
      this.#records = await MergeInputs.open(this.#runs, (run) => new RunScan(run, this.#chunkBytes));
    } else if (this.#isPassed) {
      this.#isPassed = false;
      await this.#records.read();
    }
  }

  async #close(): Promise<void> {
    await this.#reading;
    for (const run of this.#runs) await run.close().catch(() => undefined);
    this.#records = undefined;
    await this.#options.directory.letGo(this.#numbers);
    this.#options.closed(this);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new StoreError('closed', 'the engine is being closed');
  }

  #isOfLastKey({ keyMemory, keyStart, keyEnd }: PlacedChange): boolean {
    const keyBytes = keyEnd - keyStart;
    if (keyBytes !== this.#lastBytes) return false;
    return this.#last.buffer.compare(keyMemory.bytes, keyStart, keyEnd, 0, keyBytes) === 0;
  }

  #keepKey({ keyMemory, keyStart, keyEnd }: PlacedChange): void {
    const keyBytes = keyEnd - keyStart;
    if (keyBytes > this.#last.buffer.length) this.#last = wholeBuffer(2 * keyBytes);
    copyBytes(this.#last.memory, 0, keyMemory, keyStart, keyBytes);
    this.#lastBytes = keyBytes;
  }
}
