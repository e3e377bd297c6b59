/** Keeps the shared log short while this node is its writer, and bounds its length: see `trim-plan.ts` for what may go. */
import type { Clock } from '../../clock.ts';
import { StoreError } from '../../errors.ts';
import { cluster as limits } from '../../limits.ts';
import type { SharedLog } from '../../shared-log/shared-log.ts';
import type { ClusterEvent } from '../cluster-event.ts';
import type { NodeReport } from '../node.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import { pause } from '../waits/pause.ts';
import type { NodeTable } from './node-table.ts';
import { keptFrom } from './trim-plan.ts';

export interface TrimmerParts {
  readonly sharedLog: SharedLog;
  readonly clock: Clock;
  readonly bytesMax: number;
  readonly storedBytes: StoredBytes;
  /** The first position that the log keeps; `undefined`: it keeps all. */
  readonly oldestPosition: (signal: AbortSignal) => Promise<number | undefined>;
  readonly others: NodeTable;
  /** Of this node. */
  readonly ownReport: () => NodeReport;
  /**
   * Says in the shared log who the writer is; resolves with the position of that. A node without a state finds there whom to ask for one,
   * also when the record by which this node has taken over is gone.
   */
  readonly announce: () => Promise<number>;
  /** Records are refused with this from now on; `undefined`: they are not. */
  readonly refuseWith: (error: StoreError | undefined) => void;
  readonly onEvent: (event: ClusterEvent) => void;
}

type Fullness = 'free' | 'nearlyFull' | 'full';

export class Trimmer {
  readonly #parts: TrimmerParts;
  #trimmedBefore = 1;
  #fullness: Fullness = 'free';
  /** Whether what other writers have trimmed is left out of the bytes: a node that follows is not told of that. */
  #isCounted = false;
  /** The tries in a row that have failed. */
  #failureCount = 0;

  constructor(parts: TrimmerParts) {
    this.#parts = parts;
  }

  /** Until the signal is aborted, whose reason it rejects with. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      try {
        if (!this.#isCounted) await this.#count(signal);
        else if (await this.#trim(signal)) this.#trimmed();
      } catch (error) {
        signal.throwIfAborted();
        this.#failed(error as Error);
      }
      this.bound();
      await pause(this.#parts.clock, limits.trimMs, signal);
    }
  }

  async #count(signal: AbortSignal): Promise<void> {
    const { oldestPosition, storedBytes } = this.#parts;
    const oldest = await oldestPosition(signal);
    signal.throwIfAborted();
    if (oldest !== undefined) storedBytes.trimmed(oldest);
    this.#isCounted = true;
  }

  /** Told as that begins. */
  #failed(error: Error): void {
    if (this.#failureCount++ === 0) this.#parts.onEvent({ kind: 'trimFailed', error });
  }

  #trimmed(): void {
    const failureCount = this.#failureCount;
    this.#failureCount = 0;
    this.#parts.onEvent({ kind: 'logTrimmed', before: this.#trimmedBefore, failureCount });
  }

  /** @returns whether something was to go. */
  async #trim(signal: AbortSignal): Promise<boolean> {
    const { sharedLog, clock, storedBytes, others, ownReport, announce } = this.#parts;
    const covering = [ownReport(), ...others.covering];
    const before = keptFrom(covering, this.#reports, this.#isBeyond(limits.sharedLogBytesWarnedShare));
    if (before <= this.#trimmedBefore) return false;
    // A log that takes no records for want of room gets it by a trim alone: then the announcement comes behind that.
    const late = pause(clock, limits.announceMsMax, signal).then(() => ownReport().position);
    const newest = await Promise.race([announce(), late]);
    signal.throwIfAborted();
    await sharedLog.trim(Math.min(before, newest), { signal, timeoutMs: limits.closeMsMax });
    this.#trimmedBefore = before;
    storedBytes.trimmed(before);
    return true;
  }

  /** Looks how long the log has become. */
  bound(): void {
    if (!this.#isCounted) return;
    const { storedBytes, bytesMax, refuseWith, onEvent } = this.#parts;
    const fullness = this.#isBeyond(1)
      ? 'full'
      : this.#isBeyond(limits.sharedLogBytesWarnedShare)
        ? 'nearlyFull'
        : 'free';
    if (fullness === this.#fullness) return;
    this.#fullness = fullness;
    const { bytes } = storedBytes;
    const why = fullness === 'free' ? '' : this.#whyNotTrimmed();
    refuseWith(fullness === 'full' ? fullError(bytes, bytesMax, why) : undefined);
    if (fullness === 'full') onEvent({ kind: 'logFull', bytes, bytesMax, why });
    else if (fullness === 'nearlyFull') onEvent({ kind: 'logNearlyFull', bytes, bytesMax, why });
  }

  #isBeyond(share: number): boolean {
    const { storedBytes, bytesMax } = this.#parts;
    return storedBytes.bytes >= bytesMax * share;
  }

  get #reports(): NodeReport[] {
    return [this.#parts.ownReport(), ...this.#parts.others.live];
  }

  #whyNotTrimmed(): string {
    const missing = this.#parts.others.silent.map(({ address }) => address);
    if (missing.length > 0) return `nothing is heard of the node at ${missing.join(' and ')}`;
    const reports = this.#reports;
    if (reports.length < 2) return 'no other node has reported to this one; start another one';
    const [oldest] = reports.sort((a, b) => a.snapshotPosition - b.snapshotPosition);
    return `the node at ${oldest?.address} has written no snapshot for long`;
  }
}

function fullError(bytes: number, bytesMax: number, why: string): StoreError<'limitReached'> {
  return new StoreError(
    'limitReached',
    `the shared log has ${bytes} bytes, and may have ${bytesMax}; it is trimmed below what the snapshots of two nodes hold, and ${why}`,
  );
}
