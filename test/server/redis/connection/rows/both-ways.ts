/** Two stores that take the same calls of clients, one as they come and one each by itself: nothing but their speed may tell them apart. */
import { expect } from 'vitest';
import type { WatchMessage } from '../../../../../src/api.ts';
import type { TableRow } from '../../../../../src/server/redis/commands/table.ts';
import type { View } from '../../../../../src/store/views/view.ts';
import { ALL } from '../../../../store/seam/seam-harness.ts';
import type { SeededRandom } from '../../../../support/random.ts';
import { DoorHarness, type DoorHarnessOptions, type TestClient } from '../../support/door-harness.ts';
import { showWords, type Word } from '../../support/words.ts';
import { KEPT_HISTORY } from '../../../../support/test-engine.ts';

const PIECES = 40;
const OLD_COUNT = 200;

type RanRow = readonly [name: string, count: number];

export interface RowDoor {
  readonly harness: DoorHarness;
  readonly client: TestClient;
  /** The rows that have run. */
  readonly ran: RanRow[];
}

/** @param isEach each call is run by itself, as for MONITOR. */
export async function openDoor(
  rows: readonly TableRow[],
  isEach: boolean,
  options: Partial<DoorHarnessOptions> = {},
): Promise<RowDoor> {
  const harness = await DoorHarness.open({ rows, ...options });
  if (isEach) harness.door.hooks.wantsEach = () => true;
  const ran: RanRow[] = [];
  harness.door.hooks.afterRow = ({ name }, count) => void ran.push([name, count]);
  // The first transaction of a store goes by itself.
  const client = harness.connect();
  client.send('SET', 'begun', '1');
  await harness.settled();
  return { harness, client: harness.connect(), ran };
}

/** Every key with all fields of its version, elements included. */
function dump(view: Pick<View, 'scan'>): string[] {
  const found: string[] = [];
  view.scan(ALL, false, (shown) => {
    const { createRevision, modRevision, version, kind, collectionId, leaseId, ttlMs } = shown;
    const texts = [shown.key, shown.value].map((bytes) => Buffer.from(bytes).toString('latin1'));
    found.push(
      [...texts, createRevision, modRevision, version, kind, collectionId, leaseId, ttlMs].join(' '),
    );
    return true;
  });
  return found;
}

/** The changes of a watch that was opened before all of them, with elements. */
async function watched(watch: AsyncIterableIterator<WatchMessage>, last: number): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const message of watch) {
    if (message.kind !== 'events') continue;
    events.push(message.revision, message.events);
    if (message.revision >= last) return events;
  }
  return events;
}

/** How calls are drawn: those that may make a row, and one that stands between such runs. */
export interface DrawnCalls {
  readonly anyRun: (random: SeededRandom) => Word[][];
  readonly anyOther: (random: SeededRandom) => Word[];
}

function anyPiece(random: SeededRandom, { anyRun, anyOther }: DrawnCalls): Word[][] {
  const calls: Word[][] = [];
  for (let left = random.between(1, 5); left > 0; left--) {
    calls.push(...anyRun(random));
    if (random.chance(0.5)) calls.push(anyOther(random));
  }
  return calls;
}

/**
 * Sends pieces of calls to both, and looks at replies and state after each; then at old revisions, at what watches were shown, and at
 * what recovery makes of the log.
 * @param isOfRow the commands that are to have run together, by name.
 */
export async function compareBothWays(
  rows: readonly TableRow[],
  random: SeededRandom,
  { anyRun, anyOther }: DrawnCalls,
  isOfRow: (name: string) => boolean,
): Promise<void> {
  const options = { limits: KEPT_HISTORY };
  const both = [await openDoor(rows, false, options), await openDoor(rows, true, options)] as const;
  const [together, each] = both;
  const watches = both.map(({ harness }) =>
    harness.seam.store.watch({ startRevision: 1, includeElements: true, returnPrevious: true }),
  );
  for (let piece = 0; piece < PIECES; piece++) {
    const calls = anyPiece(random, { anyRun, anyOther });
    for (const { client } of both) client.pipeline(...calls);
    for (const { harness } of both) await harness.settled();
    const [replies, expected] = both.map(({ client }) => client.raw());
    expect(replies, calls.map(showWords).join('\n')).toBe(expected);
    const [state, expectedState] = both.map(({ harness }) => harness.seam.store.readVisible(dump));
    expect(state, calls.map(showWords).join('\n')).toEqual(expectedState);
  }
  // The last revision is of a key that watches show, whatever database the clients have chosen.
  for (const { harness } of both) harness.connect().send('SET', 'end', '1');
  for (const { harness } of both) await harness.settled();
  const [last, expectedLast] = both.map(({ harness }) => harness.seam.store.visibleRevision);
  expect(last).toBe(expectedLast);
  const revision = last ?? 0;
  for (let count = 0; count < OLD_COUNT; count++) {
    const old = { revision: random.between(1, revision), instantMs: 0 };
    const [state, expected] = both.map(({ harness }) => harness.seam.store.readAt(old, dump));
    expect(state, `at ${old.revision}`).toEqual(expected);
  }
  const [events, expectedEvents] = await Promise.all(watches.map((watch) => watched(watch, revision)));
  expect(events).toEqual(expectedEvents);
  // What recovery makes of the log.
  for (const { harness } of both) await harness.seam.crash();
  const [state, expected] = both.map(({ harness }) => harness.seam.store.readVisible(dump));
  expect(state).toEqual(expected);
  expect([...together.harness.defects, ...each.harness.defects]).toEqual([]);
  const ran = together.ran.filter(([name, count]) => isOfRow(name) && count > 1);
  expect(ran.length).toBeGreaterThan(PIECES);
  expect(each.ran).toEqual([]);
}
