/**
 * Histories of clients that each begin at another node, while writers are killed, stand still, hand over and are cut off: there is one order
 * of all calls, as with one server.
 */
import { describe, expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { calledThroughClient } from '../../linearizability/called-store.ts';
import { findFault } from '../../linearizability/find-fault.ts';
import { HistoryRecorder } from '../../linearizability/history.ts';
import { CALLS_PER_LIFE, CLIENTS, SMALL_FILES, rounds } from '../../linearizability/lives.ts';
import { makeCall } from '../../linearizability/make-call.ts';
import { Workload } from '../../linearizability/workload.ts';
import { SeededRandom } from '../../support/random.ts';
import { Fronts } from './network/fronts.ts';
import { Loopback, type TestNetwork } from './network/test-network.ts';
import { type RealNode, NodeCluster } from './node-cluster.ts';

const TIMEOUT_MS = 300_000;

/** What is done to a writer. @returns what makes it good again. */
type Harm = (writer: RealNode, cluster: NodeCluster) => Promise<() => Promise<void>>;

const harms: readonly Harm[] = [
  async (writer) => {
    await writer.end('SIGKILL');
    return () => writer.start();
  },
  async (writer) => {
    writer.pause();
    return async () => writer.resume();
  },
  async (writer) => {
    await writer.end('SIGTERM');
    return () => writer.start();
  },
];

/** A writer that clients and other nodes still reach, and that hears nothing of etcd, or is not heard there. */
const cuts: readonly Harm[] = [
  async ({ place }, cluster) => {
    for (const member of cluster.etcd.members) cluster.network.lose(cluster.placeOf(member), place);
    return async () => cluster.network.heal();
  },
  async ({ place }, cluster) => {
    for (const member of cluster.etcd.members) cluster.network.lose(place, cluster.placeOf(member));
    return async () => cluster.network.heal();
  },
];

describe('a cluster is linearizable', () => {
  test.each(rounds)(
    'while its writers are killed, stand still and hand over, seed %i',
    (seed) => checkOrder(harms, seed, new Loopback()),
    TIMEOUT_MS,
  );

  test.each(rounds)(
    'while its writers are cut off from etcd, seed %i',
    (seed) => checkOrder(cuts, seed, new Fronts()),
    TIMEOUT_MS,
  );
});

async function checkOrder(harms: readonly Harm[], seed: number, network: TestNetwork): Promise<void> {
  const cluster = await NodeCluster.start({ flags: SMALL_FILES, network });
  const random = new SeededRandom(seed);
  const workload = new Workload(random);
  const recorder = new HistoryRecorder();
  let answered = 0;
  let wanted = CALLS_PER_LIFE;
  const over = new AbortController();
  const clients = Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const first = client % cluster.addresses.length;
      const addresses = [...cluster.addresses.slice(first), ...cluster.addresses.slice(0, first)];
      await using connected = createClient({ addresses });
      const store = calledThroughClient(connected);
      while (!over.signal.aborted || answered < wanted) {
        if (await makeCall(store, client, workload, recorder)) answered++;
      }
    }),
  );
  for (const harm of harms) {
    await expect.poll(() => answered >= wanted, { timeout: TIMEOUT_MS }).toBe(true);
    const writer = await cluster.writer();
    const repair = await harm(writer, cluster);
    await cluster.writer(writer);
    wanted = answered + CALLS_PER_LIFE;
    await expect.poll(() => answered >= wanted, { timeout: TIMEOUT_MS }).toBe(true);
    await repair();
    wanted = answered + CALLS_PER_LIFE;
  }
  over.abort();
  await clients;
  expect(recorder.calls.length).toBeGreaterThanOrEqual(CALLS_PER_LIFE * (2 * harms.length + 1));
  expect(findFault(recorder.calls)).toBeUndefined();
}
