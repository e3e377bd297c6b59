/**
 * Tells calls that are on their way to a writer, or wait for a connection to it, who the writer is: every so often while there are such,
 * and the cluster has one. A writer that stands still says nothing itself.
 */
import type { Clock, Timer } from '../../clock.ts';
import { forwarding as limits } from '../../limits.ts';

export interface CallOfWriter {
  writerIs(address: string): void;
}

export class WriterWatch {
  readonly #clock: Clock;
  readonly #writerAddress: () => string;
  readonly #calls = new Set<CallOfWriter>();
  #timer: Timer | undefined;

  /** @param writerAddress '': there is none now, or it is not known. */
  constructor(clock: Clock, writerAddress: () => string) {
    this.#clock = clock;
    this.#writerAddress = writerAddress;
  }

  add(call: CallOfWriter): void {
    this.#calls.add(call);
    this.#timer ??= this.#clock.setTimer(limits.writerLookMs, () => this.#look());
  }

  remove(call: CallOfWriter): void {
    this.#calls.delete(call);
  }

  close(): void {
    this.#calls.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#calls.size === 0) return;
    this.#timer = this.#clock.setTimer(limits.writerLookMs, () => this.#look());
    const address = this.#writerAddress();
    if (address === '') return;
    for (const call of this.#calls) call.writerIs(address);
  }
}
