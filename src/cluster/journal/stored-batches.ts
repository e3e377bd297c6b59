/** Gives batches to the shared log, one at a time, each until it is certain that it lies there, or never will. */
import type { Clock } from '../../clock.ts';
import { cluster as limits } from '../../limits.ts';
import type { LogHead, SharedLog } from '../../shared-log/shared-log.ts';
import { SharedLogError } from '../../shared-log/shared-log-error.ts';
import { pause } from '../waits/pause.ts';
import { OvertakenError } from '../../wal/segments/overtaken.ts';

export interface StoredBatchesParts {
  readonly sharedLog: SharedLog;
  readonly clock: Clock;
  /** A try has failed, and there will be another one. */
  readonly onDelayed: (error: SharedLogError) => void;
}

export class StoredBatches {
  readonly #parts: StoredBatchesParts;
  /** Behind it the next batch is put. */
  #head: LogHead;

  /** @param head that was won. */
  constructor(parts: StoredBatchesParts, head: LogHead) {
    this.#parts = parts;
    this.#head = head;
  }

  /** Of the newest batch that is stored. */
  get head(): LogHead {
    return this.#head;
  }

  /**
   * Rejects with an `OvertakenError` when another node is the writer, and with the signal's reason: then the batch may be stored all
   * the same.
   */
  async store(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { sharedLog, clock, onDelayed } = this.#parts;
    for (;;) {
      try {
        const stored = await sharedLog.append(this.#head, bytes, { signal });
        if (stored === 'fenced') throw new OvertakenError('');
        this.#head = stored;
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof SharedLogError) || !error.mayPass) throw error;
        onDelayed(error);
      }
      await pause(clock, limits.retryMs, signal);
    }
  }
}
