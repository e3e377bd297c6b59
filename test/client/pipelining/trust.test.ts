import { expect, test } from 'vitest';
import { Trust } from '../../../src/client/pipelining/trust.ts';
import { client as limits } from '../../../src/limits.ts';

test('trust is given until a failure, and again after a trial, which may begin at once after the first', () => {
  const trust = new Trust();
  expect(trust.isGiven).toBe(true);
  expect(trust.mayBeTried(0)).toBe(false);
  trust.failed(0);
  expect(trust.isGiven).toBe(false);
  expect(trust.mayBeTried(0)).toBe(true);
  trust.proved();
  expect(trust.isGiven).toBe(true);
  expect(trust.mayBeTried(0)).toBe(false);
});

test('the pause before a trial doubles with each failure, up to a limit, whether trials succeed or not', () => {
  const trust = new Trust();
  let nowMs = 1000;
  const pausesMs: number[] = [];
  for (let failure = 0; failure < 10; failure++) {
    trust.failed(nowMs);
    const endsMs = nowMs;
    while (!trust.mayBeTried(nowMs)) nowMs += limits.pipelinePauseMs;
    pausesMs.push(nowMs - endsMs);
    if (failure % 2 === 0) trust.proved();
  }
  expect(pausesMs.map((ms) => ms / limits.pipelinePauseMs)).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test('a failure long after the last is the first again', () => {
  const trust = new Trust();
  for (let failure = 0; failure < 10; failure++) trust.failed(0);
  trust.proved();
  const nowMs = 2 * limits.pipelinePauseMsMax + 1;
  trust.failed(nowMs);
  expect(trust.mayBeTried(nowMs)).toBe(true);
});
