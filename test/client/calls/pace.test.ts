import { expect, test } from 'vitest';
import { systemPace } from '../../../src/client/calls/pace.ts';

test('a wait that is longer than a timer can be set for is not over at once', async () => {
  const controller = new AbortController();
  let isOver = false;
  const waiting = systemPace.wait(2 ** 31 + 1000, controller.signal).then(() => (isOver = true));
  // A timer that is set for too long fires after a millisecond, before this one.
  await systemPace.wait(5);
  expect(isOver).toBe(false);
  controller.abort();
  await waiting;
});

test('a wait that is aborted already ends at once', async () => {
  await systemPace.wait(2 ** 40, AbortSignal.abort());
});
