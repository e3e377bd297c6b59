import { describe, expect, test } from 'vitest';
import { type TurnTaker, Turns, turnsOf } from '../../../src/http2/output/turns.ts';
import { http2 } from '../../../src/limits.ts';
import { StepClock } from '../support/step-clock.ts';

function taker(endTurn: () => void = () => undefined): TurnTaker & { early: number; ended: number } {
  return {
    early: 0,
    ended: 0,
    endTurn() {
      this.ended++;
      endTurn();
    },
    endEarly() {
      this.early++;
    },
  };
}

describe('the end of a turn', () => {
  test('is one for all that asked, in their order', () => {
    const clock = new StepClock();
    const turns = new Turns(clock);
    const order: number[] = [];
    for (const number of [1, 2, 3]) turns.ask(taker(() => order.push(number)));
    expect(order).toEqual([]);
    expect(clock.turn()).toBe(true);
    expect(order).toEqual([1, 2, 3]);
    expect(clock.turn()).toBe(false);
  });

  test('one that asks during it has the next one', () => {
    const clock = new StepClock();
    const turns = new Turns(clock);
    const again: TurnTaker & { ended: number } = taker(() => {
      if (again.ended < 3) turns.ask(again);
    });
    turns.ask(again);
    clock.turn();
    expect(again.ended).toBe(1);
    clock.settle();
    expect(again.ended).toBe(3);
  });

  test('what one of them throws goes on, and costs no other its turn', () => {
    const clock = new StepClock();
    const turns = new Turns(clock);
    const fault = new Error('a fault');
    const others = [taker(), taker()];
    turns.ask(others[0] as TurnTaker);
    turns.ask(
      taker(() => {
        throw fault;
      }),
    );
    turns.ask(others[1] as TurnTaker);
    expect(() => clock.turn()).toThrow(fault);
    clock.settle();
    expect(others.map(({ ended }) => ended)).toEqual([1, 1]);
  });

  test('when many have asked, the first of them send early, so that buffers for output are bounded', () => {
    const clock = new StepClock();
    const turns = new Turns(clock);
    const takers = Array.from({ length: http2.outputsKept + 5 }, () => taker());
    for (const each of takers) turns.ask(each);
    expect(takers.map(({ early }) => early)).toEqual([1, 1, 1, 1, 1, ...takers.slice(5).map(() => 0)]);
    clock.settle();
    expect(takers.every(({ ended }) => ended === 1)).toBe(true);
  });

  test('is shared by all connections with one clock', () => {
    const [one, other] = [new StepClock(), new StepClock()];
    expect(turnsOf(one)).toBe(turnsOf(one));
    expect(turnsOf(one)).not.toBe(turnsOf(other));
  });
});
