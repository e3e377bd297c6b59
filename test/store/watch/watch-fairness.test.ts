/** Watches that have much to catch up with must not keep the event loop from everybody else. */
import { onTestFinished, test, expect } from 'vitest';
import { openStore } from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { engineOfStore } from '../model/engine-of-harness.ts';

const WATCHERS = 10;
const PUTS = 30_000;
const VALUE = Buffer.alloc(100, 7);
/** What the four reads of 64 KiB that may be under way at a time hold, if all end in one turn; and a reserve. */
const EVENTS_PER_TURN_MAX = 4 * 600;

test('ten watches that read the log leave the event loop after some events each time', async () => {
  const dataDir = await temporaryDirectory();
  const store = await openStore({ dataDir, fsync: 'never', ...engineOfStore() });
  onTestFinished(() => store.close());
  for (let put = 0; put < PUTS; put += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, index) => store.put(`key ${index}`, VALUE)));
  }
  let eventCount = 0;
  let eventsInTurn = 0;
  let eventsInTurnMost = 0;
  let isOver = false;
  const endTurn = (): void => {
    eventsInTurnMost = Math.max(eventsInTurnMost, eventsInTurn);
    eventsInTurn = 0;
    if (!isOver) setImmediate(endTurn);
  };
  setImmediate(endTurn);
  await Promise.all(
    Array.from({ length: WATCHERS }, async () => {
      for await (const message of store.watch({ startRevision: 1 })) {
        if (message.kind === 'synced') break;
        if (message.kind !== 'events') continue;
        eventCount += message.events.length;
        eventsInTurn += message.events.length;
      }
    }),
  );
  isOver = true;
  expect(eventCount).toBe(WATCHERS * PUTS);
  expect(eventsInTurnMost).toBeLessThanOrEqual(EVENTS_PER_TURN_MAX);
});
