/** Writes records to runs of bounded length, one behind the other. */
import { assert } from '../../errors.ts';
import { RunWriter, type RunInfo } from '../runs/table/run-writer.ts';
import type { PlacedChange } from '../version.ts';
import type { StateOptions } from './bitcask-state.ts';

export class RunOutput {
  readonly #options: StateOptions;
  readonly #finished: RunInfo[] = [];
  /** Of the files that were made, but for those that became part of the state. */
  #numbers: number[] = [];
  #writer: RunWriter | undefined;

  /** Before the first `add`. */
  static async open(options: StateOptions): Promise<RunOutput> {
    const output = new RunOutput(options);
    await output.#open();
    return output;
  }

  private constructor(options: StateOptions) {
    this.#options = options;
  }

  add(change: PlacedChange): void {
    this.#current.add(change);
  }

  get isFull(): boolean {
    const writer = this.#current;
    return writer.isFull || writer.bytes >= this.#options.runBytesMax;
  }

  /** To be called when it is full. */
  async drain(): Promise<void> {
    await this.#current.drain();
    if (this.#current.bytes >= this.#options.runBytesMax) await this.roll();
  }

  /** What follows goes to another run; its keys begin anew. */
  async roll(): Promise<void> {
    if (this.#current.recordCount === 0) return;
    await this.#close();
    await this.#open();
  }

  /** Makes the runs durable; not their names. */
  async finish(): Promise<readonly RunInfo[]> {
    if (this.#current.recordCount > 0) await this.#close();
    else await this.#current.abort();
    return this.#finished;
  }

  /** The runs are named by the manifest now. */
  async taken(): Promise<void> {
    const rest = this.#numbers.filter((number) => !this.#finished.some((info) => info.number === number));
    this.#numbers = [];
    // Also what the manifest before named.
    await this.#options.directory.discard(rest);
  }

  /** Removes the files once that is safe. Never rejects. */
  async abort(): Promise<void> {
    await this.#writer?.abort();
    await this.#options.directory.discard(this.#numbers);
  }

  get #current(): RunWriter {
    assert(this.#writer !== undefined, 'there is a run to write to');
    return this.#writer;
  }

  async #open(): Promise<void> {
    const { directory, clock, compressionLevel, compression } = this.#options;
    const number = directory.takeNumber();
    this.#numbers.push(number);
    this.#writer = await RunWriter.create({
      disk: directory.disk,
      clock,
      path: directory.runPath(number),
      number,
      engine: 'bitcask',
      form: 'dense',
      compressionLevel,
      compression,
    });
  }

  async #close(): Promise<void> {
    this.#finished.push(await this.#current.finish());
  }
}
