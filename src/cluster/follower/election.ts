/**
 * When a follower tries to become the writer: it asks the shared log for its head again and again, and
 *
 * - there was no writer yet, or the last one has handed over, to this node or to any: at once;
 * - nothing new has come for long enough while the log answered: then, and a random time later, so that of several one is the first.
 *
 * And only if it has accepted all that lies in the log. Who wins is for the log to say.
 */
import type { Clock, Random } from '../../clock.ts';
import { cluster as limits } from '../../limits.ts';
import type { LogHead, SharedLog } from '../../shared-log/shared-log.ts';
import { SharedLogError } from '../../shared-log/shared-log-error.ts';
import { Silence } from './silence.ts';
import { WakingPause } from '../waits/waking-pause.ts';

export interface ElectionParts {
  readonly sharedLog: SharedLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly failoverAfterMs: number;
  /** Whether all up to this position was accepted here. */
  readonly hasAccepted: (position: number) => boolean;
  /** Whether the newest accepted batch says that there is no writer, and that this node may be the next. */
  readonly isVacant: () => boolean;
  readonly onHead: (head: LogHead) => void;
  /** The log did not answer in time. */
  readonly onSilent: (error: SharedLogError) => void;
}

export class Election {
  readonly #parts: ElectionParts;
  readonly #pause: WakingPause;

  constructor(parts: ElectionParts) {
    this.#parts = parts;
    this.#pause = new WakingPause(parts.clock);
  }

  /** Something has come that may end the waiting. */
  wake(): void {
    this.#pause.wake();
  }

  /**
   * Resolves with the head to take over from. Rejects with the signal's reason, and with what says that the log is not what it was.
   */
  async vacancy(signal: AbortSignal): Promise<LogHead> {
    const { hasAccepted, isVacant, failoverAfterMs, clock } = this.#parts;
    const silence = new Silence(limits.headCheckMs + limits.headMsMax);
    const patienceMs = failoverAfterMs + this.#jitterMs();
    for (;;) {
      const head = await this.#head(signal);
      if (head === undefined) silence.unanswered();
      else {
        silence.answered(head, clock.monotonicMs());
        const isDue = head.epoch === 0 || isVacant() || silence.ms >= patienceMs;
        if (isDue && hasAccepted(head.position)) return head;
      }
      await this.#pause.for(limits.headCheckMs, signal);
    }
  }

  /** @returns `undefined`: there was no answer in time. */
  async #head(signal: AbortSignal): Promise<LogHead | undefined> {
    const { sharedLog, onHead, onSilent } = this.#parts;
    try {
      const head = await sharedLog.head({ signal, timeoutMs: limits.headMsMax });
      onHead(head);
      return head;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SharedLogError) || !error.mayPass) throw error;
      onSilent(error);
      return undefined;
    }
  }

  #jitterMs(): number {
    const [low = 0, high = 0] = this.#parts.random.bytes(2);
    return (limits.failoverJitterMs * (high * 256 + low)) / 65_536;
  }
}
