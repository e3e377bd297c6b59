/** Reads the shared log behind what the journal has, and has the journal accept it record by record: none is read ahead of that. */
import type { Clock } from '../../clock.ts';
import { cluster as limits } from '../../limits.ts';
import type { LogRecord, SharedLog } from '../../shared-log/shared-log.ts';
import { SharedLogError } from '../../shared-log/shared-log-error.ts';
import type { ReplicatedJournal } from '../journal/replicated-journal.ts';
import { pause } from '../waits/pause.ts';

export interface LogFollowerParts {
  readonly sharedLog: SharedLog;
  readonly clock: Clock;
  readonly journal: ReplicatedJournal;
  /** It was accepted. */
  readonly onRecord: (record: LogRecord) => void;
  /** The log does not give what it holds; it is asked again. */
  readonly onSilent: (error: SharedLogError) => void;
}

export class LogFollower {
  readonly #parts: LogFollowerParts;

  constructor(parts: LogFollowerParts) {
    this.#parts = parts;
  }

  /**
   * Never resolves. Rejects with the signal's reason once nothing is being accepted any more, and with what says that this node can't
   * go on from here: the records are trimmed, are damaged, or do not follow upon its state.
   */
  async run(signal: AbortSignal): Promise<never> {
    const { sharedLog, clock, journal, onRecord, onSilent } = this.#parts;
    for (;;) {
      try {
        for await (const record of sharedLog.read(journal.newestPlace.position + 1, signal)) {
          await journal.accept(record);
          onRecord(record);
        }
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof SharedLogError) || !error.mayPass) throw error;
        onSilent(error);
      }
      await pause(clock, limits.retryMs, signal);
    }
  }
}
