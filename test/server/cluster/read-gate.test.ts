/** The gate of reads by itself. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { LINEARIZABLE, ReadGate } from '../../../src/server/cluster/read-gate.ts';
import { FakeView } from './nodes.ts';

const none = (): number => 0;
const noSignal = (): AbortSignal => expect.unreachable();

test('all reads of a turn wait for one answer, which is asked for behind the last of them', async () => {
  const view = new FakeView('follower');
  const gate = new ReadGate(() => view, systemClock);
  const waiting = Array.from({ length: 100 }, () => gate.pass(LINEARIZABLE, none, noSignal));
  expect(view.barrierCount).toBe(0);
  await Promise.all(waiting.map((each) => each ?? expect.unreachable()));
  expect(view.barrierCount).toBe(1);
  await gate.pass(LINEARIZABLE, none, noSignal);
  expect(view.barrierCount).toBe(2);
});

test('one that comes while an answer is awaited waits for the next one', async () => {
  const view = new FakeView('follower');
  const hold = Promise.withResolvers<void>();
  view.barrier = hold.promise;
  const gate = new ReadGate(() => view, systemClock);
  const first = gate.caughtUp();
  while (view.barrierCount < 1) await new Promise(setImmediate);
  view.barrier = Promise.resolve();
  await gate.caughtUp();
  expect(view.barrierCount).toBe(2);
  hold.resolve();
  await first;
});

test('a local read waits for nothing, unless it is for a revision that the node has not come to', async () => {
  const view = new FakeView('follower');
  const gate = new ReadGate(() => view, systemClock);
  expect(gate.pass({ isLocal: true, minRevision: 0 }, none, noSignal)).toBeUndefined();
  expect(gate.pass({ isLocal: true, minRevision: 3 }, () => 3, noSignal)).toBeUndefined();
  await gate.pass(
    { isLocal: true, minRevision: 4 },
    () => 3,
    () => new AbortController().signal,
  );
  expect([view.barrierCount, view.asked]).toEqual([0, [4]]);
});

test('a writer asks the log before it says of a revision that there is none: another may have written it', async () => {
  const view = new FakeView('writer');
  const overtaken = new Error('another node writes');
  view.barrier = Promise.reject(overtaken);
  view.barrier.catch(() => undefined);
  const gate = new ReadGate(() => view, systemClock);
  const signal = (): AbortSignal => new AbortController().signal;
  await expect(gate.pass({ isLocal: true, minRevision: 4 }, () => 3, signal)).rejects.toBe(overtaken);
  // One that is the writer still lets the method say so.
  view.barrier = Promise.resolve();
  await gate.pass({ isLocal: true, minRevision: 4 }, () => 3, signal);
  expect([view.barrierCount, view.asked]).toEqual([2, []]);
});

test('a node that is being opened is told as such', async () => {
  const gate = new ReadGate(() => undefined, systemClock);
  await expect(gate.caughtUp()).rejects.toMatchObject({ code: 'recovering' });
});
