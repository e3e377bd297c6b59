/**
 * Keeps the shared log short while this node is its writer, and bounds its length: see `trim-plan.ts` for what may go. How long it is, its
 * oldest record and its head tell (`bytesBefore`, `logBytes`), whatever node has written what lies between.
 */
import type { Clock } from '../../clock.ts';
import { StoreError } from '../../errors.ts';
import { cluster as limits, sharedLog as logLimits } from '../../limits.ts';
import type { LogBeginning, LogHead, SharedLog } from '../../shared-log/shared-log.ts';
import type { ClusterEvent } from '../cluster-event.ts';
import type { NodeReport } from '../node.ts';
import { pause } from '../waits/pause.ts';
import type { NodeTable } from './node-table.ts';
import { keptFrom } from './trim-plan.ts';

export interface TrimmerParts {
  readonly sharedLog: SharedLog;
  readonly clock: Clock;
  readonly bytesMax: number;
  /** The newest. */
  readonly head: () => LogHead;
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
  /** Where the log began when it was asked last; `undefined`: it was not yet. */
  #beginning: LogBeginning | undefined;
  /** False: it is to be asked, since this node has begun to write, or has trimmed. */
  #isBeginningKnown = false;
  #bytes = 0;
  /** The tries in a row that have failed. */
  #failureCount = 0;

  constructor(parts: TrimmerParts) {
    this.#parts = parts;
  }

  /** Of the shared log, by what is known of it; 0: nothing is yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Until the signal is aborted, whose reason it rejects with. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      try {
        await this.#findBeginning(signal);
        if (await this.#trim(signal)) {
          this.#trimmed();
          await this.#findBeginning(signal);
        }
      } catch (error) {
        signal.throwIfAborted();
        this.#failed(error as Error);
      }
      await pause(this.#parts.clock, limits.trimMs, signal);
    }
  }

  /** Unless it is known. */
  async #findBeginning(signal: AbortSignal): Promise<void> {
    if (this.#isBeginningKnown) return;
    const timeoutMs = limits.closeMsMax;
    this.#beginning = await this.#parts.sharedLog.beginning({ signal, timeoutMs });
    this.#isBeginningKnown = true;
    this.bound();
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
    const { sharedLog, clock, others, ownReport, announce } = this.#parts;
    const covering = [ownReport(), ...others.covering];
    const before = keptFrom(covering, this.#reports, this.#isBeyond(limits.sharedLogBytesWarnedShare));
    if (before <= this.#trimmedBefore) return false;
    // A log that takes no records for want of room gets it by a trim alone: then the announcement comes behind that.
    const late = pause(clock, limits.announceMsMax, signal).then(() => ownReport().position);
    const newest = await Promise.race([announce(), late]);
    signal.throwIfAborted();
    await sharedLog.trim(Math.min(before, newest), { signal, timeoutMs: limits.closeMsMax });
    this.#trimmedBefore = before;
    this.#isBeginningKnown = false;
    return true;
  }

  /** Looks how long the log has become. */
  bound(): void {
    if (this.#beginning === undefined) return;
    const { head, bytesMax, refuseWith, onEvent } = this.#parts;
    const bytes = bytesBetween(this.#beginning, head());
    this.#bytes = bytes;
    const fullness = this.#isBeyond(1)
      ? 'full'
      : this.#isBeyond(limits.sharedLogBytesWarnedShare)
        ? 'nearlyFull'
        : 'free';
    if (fullness === this.#fullness) return;
    this.#fullness = fullness;
    const why = fullness === 'free' ? '' : this.#whyNotTrimmed();
    refuseWith(fullness === 'full' ? fullError(bytes, bytesMax, why) : undefined);
    if (fullness === 'full') onEvent({ kind: 'logFull', bytes, bytesMax, why });
    else if (fullness === 'nearlyFull') onEvent({ kind: 'logNearlyFull', bytes, bytesMax, why });
  }

  #isBeyond(share: number): boolean {
    return this.#bytes >= this.#parts.bytesMax * share;
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

/** What the log holds, as it counts. */
function bytesBetween({ position, bytesBefore }: LogBeginning, head: LogHead): number {
  const count = head.position + 1 - position;
  return head.logBytes - bytesBefore + count * logLimits.recordOverheadBytes;
}

function fullError(bytes: number, bytesMax: number, why: string): StoreError<'limitReached'> {
  return new StoreError(
    'limitReached',
    `the shared log takes ${bytes} bytes, and may take ${bytesMax}; it is trimmed below what the snapshots of two nodes hold, and ${why}`,
  );
}
