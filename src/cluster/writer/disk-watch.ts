/**
 * A writer whose own disk takes nothing any more, without an error, is of no use: what it stores in the shared log does not become visible
 * here, and is answered to no client. So it gives up its role, and another node takes over.
 */
import type { Clock } from '../../clock.ts';
import { cluster as limits } from '../../limits.ts';
import type { ReplicatedJournal } from '../journal/replicated-journal.ts';
import { pause } from '../waits/pause.ts';

export interface DiskWatchParts {
  readonly clock: Clock;
  readonly journal: Pick<ReplicatedJournal, 'isAwaitingDisk' | 'place'>;
  /** The journal has awaited its disk for so long, and none of what it waits for has come. */
  readonly onStalled: (stalledMs: number) => void;
}

/**
 * Never resolves; rejects with the signal's reason. Only the time between two looks counts, each of which found the journal waiting: what the
 * process has slept through says nothing of the disk.
 */
export async function watchDisk(
  { clock, journal, onStalled }: DiskWatchParts,
  signal: AbortSignal,
): Promise<never> {
  let { place } = journal;
  let wasAwaiting = false;
  let stalledMs = 0;
  for (;;) {
    await pause(clock, limits.heartbeatMs, signal);
    const isAwaiting = journal.isAwaitingDisk;
    const isStuck = wasAwaiting && isAwaiting && journal.place === place;
    ({ place } = journal);
    wasAwaiting = isAwaiting;
    stalledMs = isStuck ? stalledMs + limits.heartbeatMs : 0;
    if (stalledMs >= limits.diskStallMs) onStalled(stalledMs);
  }
}
