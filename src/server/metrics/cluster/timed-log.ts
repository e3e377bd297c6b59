/** A shared log whose appends are timed: that is what each write waits for. */
import type { LogBeginning, LogCall, LogHead, LogRecord, SharedLog } from '../../../shared-log/shared-log.ts';
import type { Histogram } from '../histogram.ts';

export class TimedLog implements SharedLog {
  readonly #log: SharedLog;
  readonly #durations: Histogram;

  /** @param durations of appends that were answered, in seconds. */
  constructor(log: SharedLog, durations: Histogram) {
    this.#log = log;
    this.#durations = durations;
  }

  init(storeId: Uint8Array, call?: LogCall): Promise<LogHead | 'exists'> {
    return this.#log.init(storeId, call);
  }

  head(call?: LogCall): Promise<LogHead> {
    return this.#log.head(call);
  }

  async append(after: LogHead, bytes: Uint8Array, call?: LogCall): Promise<LogHead | 'fenced'> {
    const startMs = performance.now();
    const answer = await this.#log.append(after, bytes, call);
    this.#durations.add((performance.now() - startMs) / 1000);
    return answer;
  }

  takeOver(seen: LogHead, address: string, call?: LogCall): Promise<LogHead | 'lost'> {
    return this.#log.takeOver(seen, address, call);
  }

  read(from: number, signal: AbortSignal): AsyncIterable<LogRecord> {
    return this.#log.read(from, signal);
  }

  trim(before: number, call?: LogCall): Promise<void> {
    return this.#log.trim(before, call);
  }

  beginning(call?: LogCall): Promise<LogBeginning> {
    return this.#log.beginning(call);
  }

  close(): void {
    this.#log.close();
  }
}
