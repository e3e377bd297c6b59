/**
 * Holds the answers to what has changed something while the changes outrun the disk: for an engine on disk, whose memory is filled by
 * them until a checkpoint has brought them to its files. Clients that wait for an answer before they send on are slowed down by
 * that to the pace of the disk, where a full memory would refuse them.
 *
 * What is held is durable, and shown: reads see it, and do not wait. Nothing is held for longer than `heldAnswerMsMax`; clients
 * that do not wait for answers come to the memory limit all the same, and wait for room (`room-gate.ts`). Calls that have done so are
 * not held as well.
 *
 * All doors wait through it: promises by `Acknowledgements`, the others by `Seam.durableSequence` and `Seam.onDurable`.
 */
import { type Clock, holdProcess, type Timer } from '../../clock.ts';
import { fixed } from '../../limits.ts';
import { Fifo } from '../fifo.ts';

export interface AnswerGateContext {
  readonly clock: Clock;
  /** Of the log. */
  readonly log: { readonly durableSequence: number };
  /** Whether changes have outrun the disk. */
  isPressed(): boolean;
  /** Answers up to a sequence may go out. */
  release(sequence: number): void;
}

export class AnswerGate {
  readonly #context: AnswerGateContext;
  /** What became durable while answers were held: a sequence, and when that was, in turn. */
  readonly #held = new Fifo<number>();
  #releasedSequence = 0;
  #timer: Timer | undefined;
  /** Callers wait, and the timer alone would not keep the process alive. */
  #process: Timer | undefined;
  /** Nothing is held any more. */
  #isOpen = false;
  #holdCount = 0;

  constructor(context: AnswerGateContext) {
    this.#context = context;
  }

  /** Answers to changes up to this sequence may go out. */
  get sequence(): number {
    return this.#held.length === 0 ? this.#context.log.durableSequence : this.#releasedSequence;
  }

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** How often it has begun to hold answers. */
  get holdCount(): number {
    return this.#holdCount;
  }

  /** How long the oldest answer that is held has waited; 0: none is. */
  get heldMs(): number {
    const heldAtMs = this.#held.at(1);
    return heldAtMs === undefined ? 0 : this.#context.clock.monotonicMs() - heldAtMs;
  }

  /** Everything up to a sequence is durable, and shown. */
  durable(sequence: number): void {
    if (!this.isHolding && (this.#isOpen || !this.#context.isPressed())) {
      this.#releasedSequence = sequence;
      this.#context.release(sequence);
      return;
    }
    if (!this.isHolding) this.#holdCount++;
    this.#held.push(sequence);
    this.#held.push(this.#context.clock.monotonicMs());
    this.#timer ??= this.#lookLater();
    this.#process ??= holdProcess();
  }

  /** Lets out what is held, and holds nothing from now on. */
  open(): void {
    this.#isOpen = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#releaseUntil(Infinity);
  }

  #lookLater(): Timer {
    return this.#context.clock.setTimer(fixed.heldAnswerLookMs, () => {
      this.#timer = undefined;
      const { clock } = this.#context;
      this.#releaseUntil(this.#context.isPressed() ? clock.monotonicMs() - fixed.heldAnswerMsMax : Infinity);
      if (this.isHolding) this.#timer ??= this.#lookLater();
    });
  }

  /** What was durable at an instant. */
  #releaseUntil(untilMs: number): void {
    let sequence = 0;
    for (let next = this.#held.peek(); next !== undefined; next = this.#held.peek()) {
      if ((this.#held.at(1) ?? Infinity) > untilMs) break;
      sequence = next;
      this.#held.shift();
      this.#held.shift();
    }
    if (sequence === 0) return;
    if (!this.isHolding) {
      this.#process?.cancel();
      this.#process = undefined;
    }
    this.#releasedSequence = sequence;
    this.#context.release(sequence);
  }
}
