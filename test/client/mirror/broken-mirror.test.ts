/** Mirrors over connections that break, histories that are compacted, and stores that are exchanged: each state that is shown was one. */
import { expect, onTestFinished, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import type { Mirror } from '../../../src/client/mirror/mirror.ts';
import type { MirrorChange } from '../../../src/client/mirror/types.ts';
import { eventually } from '../../support/eventually.ts';
import { SeededRandom } from '../../support/random.ts';
import { startTestServer } from '../../support/test-server.ts';
import { ClusterFront } from '../support/cluster-front.ts';
import { watching } from '../support/watch-reading.ts';

type State = ReadonlyMap<string, string>;

const stateOf = (mirror: Mirror): State => new Map([...mirror].map((entry) => [entry.key, entry.text()]));

/** What a reader of changes alone knows. */
function fold(state: Map<string, string>, { events }: MirrorChange): void {
  for (const event of events) {
    if (event.type === 'put') {
      expect(event.previous?.text()).toBe(state.get(event.entry.key));
      state.set(event.entry.key, event.entry.text());
    } else {
      expect(event.previous.text()).toBe(state.get(event.key));
      state.delete(event.key);
    }
  }
}

async function behindFront(): Promise<{ front: ClusterFront; writer: KelpClient; reader: KelpClient }> {
  const server = await startTestServer();
  const front = await ClusterFront.before(server.port);
  const [writer, reader] = [
    createClient({ address: server.address }),
    createClient({ address: front.address }),
  ];
  onTestFinished(() => {
    writer.close();
    reader.close();
  });
  return { front, writer, reader };
}

test.each([1, 2, 3, 4])('shows states that were, whatever breaks (seed %i)', async (seed) => {
  const random = new SeededRandom(seed);
  const { front, writer, reader } = await behindFront();
  const states = new Map<number, State>([[0, new Map()]]);
  const model = new Map<string, string>();
  const mirror = await reader.mirror({ prefix: 'k' });
  const shown: { readonly revision: number; readonly state: State }[] = [];
  const folded = new Map<string, string>();
  let resyncs = 0;
  mirror.on('change', (change) => {
    if (change.kind === 'resync') resyncs++;
    fold(folded, change);
    expect(folded).toEqual(stateOf(mirror));
    shown.push({ revision: change.revision, state: stateOf(mirror) });
  });
  let last = 0;
  for (let step = 0; step < 300; step++) {
    const key = `k${random.below(12)}`;
    const chance = random.below(100);
    if (chance < 60) {
      last = (await writer.put(key, String(step))).revision;
      model.set(key, String(step));
    } else if (chance < 90) {
      const { deleted, revision } = await writer.delete(key);
      if (deleted) last = revision;
      model.delete(key);
    } else if (chance < 96) {
      front.cut();
    } else {
      // What it would go on with is gone.
      await front.die();
      last = (await writer.put(key, String(step))).revision;
      model.set(key, String(step));
      states.set(last, new Map(model));
      last = (await writer.put('other', '')).revision;
      await writer.admin.compact(last);
      await front.rise();
    }
    states.set(last, new Map(model));
  }
  last = (await writer.put('k', 'end')).revision;
  model.set('k', 'end');
  states.set(last, new Map(model));
  await mirror.waitFor(last, { deadlineMs: 20_000 });
  expect(stateOf(mirror)).toEqual(model);
  for (const { revision, state } of shown) {
    // A resync may show a revision at which another key was written.
    if (states.has(revision)) expect({ revision, state }).toEqual({ revision, state: states.get(revision) });
  }
  expect(shown.map(({ revision }) => revision)).toEqual(
    shown.map(({ revision }) => revision).toSorted((one, other) => one - other),
  );
  expect(resyncs).toBeGreaterThan(0);
  expect(mirror.failure).toBeUndefined();
});

test('says that it is stale, for how long, and that it is fresh again', async () => {
  const { front, writer, reader } = await behindFront();
  await writer.put('a', '1');
  const mirror = await reader.mirror();
  const told: string[] = [];
  mirror.on('stale', () => told.push('stale')).on('fresh', () => told.push('fresh'));
  await front.die();
  await eventually(() => told).toEqual(['stale']);
  const staleMs = mirror.staleMs;
  expect(staleMs).toBeGreaterThan(0);
  expect(mirror.get('a')?.text()).toBe('1');
  const { revision } = await writer.put('a', '2');
  expect(mirror.staleMs).toBeGreaterThan(staleMs);
  await front.rise();
  await mirror.waitFor(revision);
  await eventually(() => told).toEqual(['stale', 'fresh']);
  expect([mirror.get('a')?.text(), mirror.staleMs]).toEqual(['2', 0]);
});

test('another store takes the place of the one that it showed, in one change', async () => {
  const { server, client } = watching();
  onTestFinished(() => client.close());
  server.commit('a', 'b');
  server.breaks = [4];
  const mirror = await client.mirror();
  const changes = mirror.changes();
  expect(mirror.revision).toBe(1);
  // While it is gathered, the first is shown.
  server.log.splice(0, 1, ['b', 'c']);
  server.storeId = 'b'.repeat(32);
  server.commit();
  const { value } = await changes.next();
  expect(value).toMatchObject({ kind: 'resync', revision: 2 });
  expect(
    (value as MirrorChange).events.map((event) => [event.type, 'key' in event ? event.key : event.entry.key]),
  ).toEqual([
    ['put', 'c'],
    ['delete', 'a'],
  ]);
  expect([...mirror].map(({ key }) => key)).toEqual(['b', 'c']);
  expect(mirror.storeId).toBe('b'.repeat(32));
});
