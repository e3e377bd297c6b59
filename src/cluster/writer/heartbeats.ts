/** A writer lets itself be heard while it has nothing to write: by a note with the time. So it learns too that it was overtaken. */
import type { Clock } from '../../clock.ts';
import { StoreError } from '../../errors.ts';
import { cluster as limits } from '../../limits.ts';
import type { ReplicatedJournal } from '../journal/replicated-journal.ts';
import { pause } from '../waits/pause.ts';

export interface HeartbeatsParts {
  readonly clock: Clock;
  readonly journal: ReplicatedJournal;
  /** Has the store commit a note. */
  readonly heartbeat: () => void;
  /** A batch has been on its way for long. */
  readonly onStalled: (error: Error) => void;
}

/** Never resolves; rejects with the signal's reason. */
export async function beat(parts: HeartbeatsParts, signal: AbortSignal): Promise<never> {
  const { clock, journal, heartbeat, onStalled } = parts;
  let position = journal.head?.position;
  let stalledMs = 0;
  for (;;) {
    await pause(clock, limits.heartbeatMs, signal);
    const hasWritten = journal.head?.position !== position;
    position = journal.head?.position;
    stalledMs = hasWritten || journal.isIdle ? 0 : stalledMs + limits.heartbeatMs;
    if (stalledMs > limits.headMsMax)
      onStalled(new Error(`the shared log has not stored a batch for ${stalledMs} ms`));
    if (hasWritten || !journal.isIdle || !journal.isLeading) continue;
    try {
      journal.exempt(heartbeat);
    } catch (error) {
      // What is committed already lets the writer be heard; a journal that has failed has said so.
      if (!(error instanceof StoreError)) throw error;
    }
  }
}
