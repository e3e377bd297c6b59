/** Answers to changes are held while these outrun the disk, for a while; nothing else is. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import { Acknowledgements, Answer } from '../../../src/store/commit/acknowledgements.ts';
import { AnswerGate } from '../../../src/store/commit/answer-gate.ts';
import { ManualClock } from '../../support/manual-clock.ts';

class Gated {
  readonly clock = new ManualClock();
  readonly log = { committedSequence: 0, durableSequence: 0 };
  readonly released: number[] = [];
  readonly told: string[] = [];
  isPressed = false;
  readonly gate = new AnswerGate({
    clock: this.clock,
    log: this.log,
    isPressed: () => this.isPressed,
    release: (sequence) => {
      this.released.push(sequence);
      this.acknowledgements.released(sequence);
    },
  });
  readonly acknowledgements = new Acknowledgements(this.log, this.gate);

  add(name: string, hasChanged: boolean): void {
    if (hasChanged) this.log.committedSequence++;
    const answer = new Answer<string>();
    answer.hasChanged = hasChanged;
    void answer.promise.then(() => this.told.push(name));
    this.acknowledgements.add(answer);
  }

  async durable(): Promise<void> {
    this.log.durableSequence = this.log.committedSequence;
    this.gate.durable(this.log.durableSequence);
    this.acknowledgements.durable(this.log.durableSequence);
    await Promise.resolve();
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await Promise.resolve();
  }
}

describe('the gate of answers', () => {
  it('lets out what is durable at once while nothing is pressed', async () => {
    const gated = new Gated();
    gated.add('put', true);
    gated.add('read', false);
    await gated.durable();
    expect(gated.told).toEqual(['put', 'read']);
    expect(gated.gate.sequence).toBe(1);
  });

  it('holds the answers to changes, and not to reads, until it is pressed no more', async () => {
    const gated = new Gated();
    gated.isPressed = true;
    gated.add('first', true);
    gated.add('read', false);
    await gated.durable();
    gated.add('second', true);
    await gated.durable();
    expect(gated.told).toEqual(['read']);
    expect(gated.gate.sequence).toBe(0);
    await gated.pass(fixed.heldAnswerMsMax - 1);
    expect(gated.told).toEqual(['read']);
    gated.isPressed = false;
    await gated.pass(fixed.heldAnswerLookMs);
    expect(gated.told).toEqual(['read', 'first', 'second']);
    expect(gated.gate.sequence).toBe(2);
    expect(gated.gate.isHolding).toBe(false);
  });

  it('holds no answer for longer than the limit', async () => {
    const gated = new Gated();
    gated.isPressed = true;
    gated.add('first', true);
    await gated.durable();
    await gated.pass(fixed.heldAnswerMsMax / 2);
    gated.add('second', true);
    await gated.durable();
    await gated.pass(fixed.heldAnswerMsMax / 2 + fixed.heldAnswerLookMs);
    expect(gated.told).toEqual(['first']);
    expect(gated.gate.sequence).toBe(1);
    await gated.pass(fixed.heldAnswerMsMax / 2);
    expect(gated.told).toEqual(['first', 'second']);
  });

  it('does not let a change overtake those that are held', async () => {
    const gated = new Gated();
    gated.isPressed = true;
    gated.add('first', true);
    await gated.durable();
    gated.isPressed = false;
    gated.add('second', true);
    await gated.durable();
    expect(gated.told).toEqual([]);
    await gated.pass(fixed.heldAnswerLookMs);
    expect(gated.told).toEqual(['first', 'second']);
    expect(gated.released).toEqual([2]);
  });

  it('lets all out that is durable when it is opened for good, as before a close or behind a failure', async () => {
    const gated = new Gated();
    gated.isPressed = true;
    gated.add('durable', true);
    await gated.durable();
    gated.add('lost', true);
    gated.gate.open();
    await Promise.resolve();
    expect(gated.told).toEqual(['durable']);
    await gated.durable();
    expect(gated.told).toEqual(['durable', 'lost']);
  });
});
