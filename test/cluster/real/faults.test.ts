/** Some of the faults that a cluster meets; all of them in `faults.long.test.ts`. */
import { expect, test } from 'vitest';
import { TIMEOUT_MS, faults, survive } from './faults.ts';

const some = [
  'the writer is killed',
  'the writer stands still and goes on',
  'the leader of the log is killed',
];

test.each(some)('nothing that was acknowledged is lost when %s', (name) => survive(name, 1), TIMEOUT_MS);

test('these faults are there', () => {
  expect(Object.keys(faults)).toEqual(expect.arrayContaining(some));
});
