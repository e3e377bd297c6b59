/**
 * The monitor of frames that bring nothing: PING, SETTINGS, GOAWAY, PRIORITY, WINDOW_UPDATE, empty DATA, resets and heads of
 * streams that are closed, informational responses, unknown frames. Each costs a peer little, and some of them an answer or a look at every stream. A peer that is
 * being sent something has reason for some, in proportion: it opens windows, measures the way by pings, sets priorities. Windows
 * it has to open for what it is sent; of the others it may send no more than so many a second, whatever it is sent.
 */
import type { Clock } from '../../clock.ts';
import { http2 } from '../../limits.ts';
import { Budget } from './budget.ts';
import { errorCode } from '../contract/error-code.ts';
import type { Sender } from '../output/sender.ts';
import { Violation } from '../frames/violation.ts';

export class IdleFrames {
  readonly #clock: Clock;
  readonly #sender: Sender;
  /** Made when a connection has had more that nothing was sent for than each has at its beginning. */
  #budget: Budget | undefined;
  /** Those before. */
  #beginningCount = 0;
  /** Made when the first one comes that something was sent for, and is no WINDOW_UPDATE. */
  #earnedBudget: Budget | undefined;
  #countedFrames = 0;
  #allowed = 0;

  constructor(clock: Clock, sender: Sender) {
    this.#clock = clock;
    this.#sender = sender;
  }

  /** One that what was sent may have been the reason for. */
  count(): void {
    if (!this.#isEarned()) return this.countUnearned();
    const { earnedFramesBurst, earnedFramesPerSecond } = http2;
    this.#earnedBudget ??= new Budget(this.#clock, earnedFramesBurst, earnedFramesPerSecond);
    if (!this.#earnedBudget.take()) throw tooMany();
  }

  /** A WINDOW_UPDATE. */
  countUpdate(): void {
    if (!this.#isEarned()) this.countUnearned();
  }

  /** SETTINGS, which may change the windows of so many streams. */
  countSettings(windowCount: number): void {
    this.countUnearned(1 + Math.floor(windowCount / http2.windowsForIdleFrame));
  }

  /** One that has no such reason, as GOAWAY. */
  countUnearned(cost = 1): void {
    if (cost === 1 && this.#beginningCount < http2.beginningFrames) {
      this.#beginningCount++;
      return;
    }
    const burst = http2.idleFramesBurst - http2.beginningFrames;
    this.#budget ??= new Budget(this.#clock, burst, http2.idleFramesPerSecond);
    if (!this.#budget.take(cost)) throw tooMany();
  }

  #isEarned(): boolean {
    const sentFrames = this.#sender.streamFrames - this.#countedFrames;
    this.#countedFrames = this.#sender.streamFrames;
    this.#allowed = Math.min(
      http2.idleFramesBurst,
      this.#allowed + sentFrames * http2.idleFramesPerFrameSent,
    );
    if (this.#allowed === 0) return false;
    this.#allowed--;
    return true;
  }
}

function tooMany(): Violation {
  return new Violation(
    errorCode.ENHANCE_YOUR_CALM,
    'too many frames that bring nothing (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown ones)',
  );
}
