import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from '../../src/store/fifo.ts';

/** So many items are pushed, then so many taken, again and again. */
const steps = fc.array(fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 45 })), { maxLength: 60 });

test('a queue holds what an array would, in its order', () => {
  const property = fc.property(steps, (steps) => {
    const queue = new Fifo<number>();
    const model: number[] = [];
    let next = 0;
    for (const [pushed, taken] of steps) {
      for (let count = 0; count < pushed; count++) {
        queue.push(next);
        model.push(next++);
      }
      expectAlike(queue, model);
      for (let count = 0; count < taken; count++) expect(queue.shift()).toBe(model.shift());
      expectAlike(queue, model);
    }
  });
  fc.assert(property);
});

test('a queue that was long begins anew', () => {
  const queue = new Fifo<number>();
  for (const length of [5000, 3, 2000]) {
    for (let item = 0; item < length; item++) queue.push(item);
    for (let item = 0; item < length; item++) expect(queue.shift()).toBe(item);
    expectAlike(queue, []);
  }
});

function expectAlike(queue: Fifo<number>, model: readonly number[]): void {
  expect(queue.length).toBe(model.length);
  expect(queue.peek()).toBe(model[0]);
  expect(queue.last()).toBe(model.at(-1));
  const offsets = Array.from({ length: model.length + 4 }, (_, index) => index - 2);
  expect(offsets.map((offset) => queue.at(offset))).toEqual(
    offsets.map((offset) => (offset < 0 ? undefined : model[offset])),
  );
}
