/**
 * A reply that is made piece by piece, all of one state, in turns of its own: between them others have theirs, and what is written
 * goes out as far as no array is open whose length is not known. Pieces wait while the client does not read. What they hold meanwhile
 * is charged, until it is over.
 */
import type { Clock } from '../../../clock.ts';
import { StoreError } from '../../../errors.ts';
import { fixed, serverFixed } from '../../../limits.ts';
import type { PinnedState } from '../../../store/seam.ts';
import type { Slice } from '../commands/command.ts';
import { ReplyError, tooMuchHeld } from '../replies/errors.ts';
import type { ReplyWriter } from '../protocol/reply-writer.ts';

export interface LongReplyOptions {
  readonly slice: Slice;
  /** With what is written already; it is this reply's own from now on. */
  readonly reply: ReplyWriter;
  /** Where it begins there. */
  readonly begun: number;
  /** What its first piece holds: it is charged already. */
  readonly heldBytes: number;
  readonly clock: Clock;
  readonly pin: () => PinnedState;
  /** Whether the client has much to read already. */
  readonly isTakingTime: () => boolean;
  /** Charges memory that it holds, or gives it back. @returns false: there is no room. */
  readonly charge: (bytes: number) => boolean;
  readonly send: (bytes: Buffer) => void;
  /** What is written is taken back, and this is the reply; without an error a part of it is sent already. */
  readonly fail: (error: StoreError | ReplyError | undefined) => void;
  /** @param durationMs that its turns took. */
  readonly done: (durationMs: number) => void;
}

export class LongReply {
  readonly #options: LongReplyOptions;
  #slice: Slice | undefined;
  #pin: PinnedState | undefined;
  #isWaiting = false;
  #isOver = false;
  /** Whether a part of it is on its way. */
  #hasSent = false;
  /** Where it begins in what is written and not sent. */
  #begun: number;
  /** What is charged. */
  #heldBytes: number;
  #durationMs = 0;

  constructor(options: LongReplyOptions) {
    this.#options = options;
    this.#slice = options.slice;
    this.#begun = options.begun;
    this.#heldBytes = options.heldBytes;
  }

  /** The state that it is of can be read. */
  begin(): void {
    if (this.#isOver) return;
    try {
      this.#pin = this.#options.pin();
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#later();
  }

  /** The client has read something. */
  goOn(): void {
    if (!this.#isWaiting || this.#options.isTakingTime()) return;
    this.#isWaiting = false;
    this.#later();
  }

  stop(): void {
    this.#isOver = true;
    this.#pin?.release();
    this.#slice = undefined;
    this.#chargeHeld();
  }

  #later(): void {
    this.#options.clock.yieldNow(this.#step);
  }

  readonly #step = (): void => {
    if (this.#isOver) return;
    const { reply, isTakingTime, clock } = this.#options;
    if (isTakingTime()) {
      this.#isWaiting = true;
      return;
    }
    const startMs = clock.monotonicMs();
    try {
      this.#pin?.read((view) => {
        view.budget.begin(fixed.turnVisitsMax, fixed.turnBytesMax);
        this.#slice = this.#slice?.(view, reply);
      });
      this.#chargeHeld();
    } catch (error) {
      this.#failed(error);
      return;
    } finally {
      this.#durationMs += clock.monotonicMs() - startMs;
    }
    if (reply.length > serverFixed.redisUnreadBytesMax) {
      this.#failed(undefined);
      return;
    }
    if (this.#slice === undefined) this.#finish();
    else {
      this.#send();
      this.#later();
    }
  };

  /** Throws a `ReplyError` where there is no room. */
  #chargeHeld(): void {
    const heldBytes = this.#slice?.heldBytes?.() ?? 0;
    if (!this.#options.charge(heldBytes - this.#heldBytes)) throw tooMuchHeld();
    this.#heldBytes = heldBytes;
  }

  #send(): void {
    const { reply, send } = this.#options;
    if (reply.isOpen || reply.length === 0) return;
    // What was written before may go ahead of it.
    if (reply.length > this.#begun) this.#hasSent = true;
    this.#begun = 0;
    send(reply.take());
  }

  #finish(): void {
    this.stop();
    const { reply, send, done } = this.#options;
    send(reply.take());
    done(this.#durationMs);
  }

  #failed(error: unknown): void {
    this.stop();
    const { reply, fail, send, done } = this.#options;
    if (this.#hasSent || !(error instanceof StoreError || error instanceof ReplyError)) {
      fail(undefined);
      return;
    }
    reply.rollBack(this.#begun);
    fail(error);
    send(reply.take());
    done(this.#durationMs);
  }
}
