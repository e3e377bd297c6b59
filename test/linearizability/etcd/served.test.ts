/**
 * Histories of clients of etcd's API: of one server that runs on, and of one that is killed with SIGKILL again and again while calls
 * are under way. No call is repeated, so that one without an answer may have been done or not; what was answered is never lost. A
 * watch from the first revision on must tell the same writes, whatever lives the server has had.
 */
import { describe, expect, test } from 'vitest';
import { ServerProcess } from '../../crash/server-process.ts';
import { etcdClient } from '../../server/etcd/support/etcd-client.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { findFault } from '../find-fault.ts';
import { type Call, HistoryRecorder } from '../history.ts';
import { makeCall } from '../make-call.ts';
import { hasWritten, lastWrites } from '../operation.ts';
import { Workload } from '../workload.ts';
import { calledThroughEtcd } from './called-through-etcd.ts';
import { type ToldChange, toldSinceTheFirst } from './told-changes.ts';
import {
  CALLS_PER_LIFE,
  CLIENTS,
  IMPATIENCE,
  IMPATIENT_MS,
  KILLS,
  SMALL_FILES,
  TIMEOUT_MS,
  rounds,
} from '../lives.ts';

interface Recorded {
  readonly calls: readonly Call[];
  readonly told: readonly ToldChange[];
}

describe("a store behind etcd's API is linearizable", () => {
  test.each(rounds)(
    'while the server runs on, seed %i',
    async (seed) => {
      const { calls, told } = await recordHistory(seed, 0);
      expect(calls.length).toBeGreaterThanOrEqual(CALLS_PER_LIFE);
      expect(findFault(calls)).toBeUndefined();
      expectAllTold(calls, told);
    },
    TIMEOUT_MS,
  );

  test.each(rounds)(
    `while the server is killed ${KILLS} times, seed %i`,
    async (seed) => {
      const { calls, told } = await recordHistory(seed, KILLS);
      expect(calls.length).toBeGreaterThanOrEqual(CALLS_PER_LIFE * (KILLS + 1));
      expect(findFault(calls)).toBeUndefined();
      expectAllTold(calls, told);
      expect(calls.some(({ answeredAt }) => answeredAt === undefined)).toBe(true);
    },
    TIMEOUT_MS,
  );
});

/** The calls of all clients to one store, in all lives of its server, and what a watch tells in the end. */
async function recordHistory(seed: number, kills: number): Promise<Recorded> {
  const dataDir = await temporaryDirectory();
  const random = new SeededRandom(seed);
  // etcd has no increments, and refuses two writes of a key in one transaction.
  const workload = new Workload(random, { hasIncrements: false, mayRepeatKeys: false });
  const recorder = new HistoryRecorder();
  let told: readonly ToldChange[] = [];
  for (let life = 0; life <= kills; life++) {
    const server = await ServerProcess.start({ dataDir, flags: SMALL_FILES });
    const isLast = life === kills;
    const enough = Promise.withResolvers<void>();
    let left = CALLS_PER_LIFE;
    let isKilled = false;
    const isOver = (): boolean => isKilled || (isLast && left <= 0);
    const working = Array.from({ length: CLIENTS }, async (_, client) => {
      const etcd = etcdClient(`http://${server.address}`);
      const patient = calledThroughEtcd(etcd, random, {});
      const impatient = calledThroughEtcd(etcd, random, { timeoutMs: IMPATIENT_MS });
      while (!isOver()) {
        const store = random.chance(IMPATIENCE) ? impatient : patient;
        if (await makeCall(store, client, workload, recorder)) left--;
        if (left <= 0) enough.resolve();
      }
    });
    await Promise.race([enough.promise, ...working]);
    if (!isLast) {
      isKilled = true;
      await server.end('SIGKILL');
    }
    await Promise.all(working);
    if (isLast) told = await toldSinceTheFirst(etcdClient(`http://${server.address}`));
    await server.end('SIGKILL');
  }
  return { calls: recorder.calls, told };
}

/** Each write that was answered stands in what the watch tells, at its revision and only there. */
function expectAllTold(calls: readonly Call[], told: readonly ToldChange[]): void {
  const toldByRevision = Map.groupBy(told, ({ revision }) => revision);
  const revisions = told.map(({ revision }) => revision);
  expect(revisions).toEqual(revisions.toSorted((one, other) => one - other));
  for (const { operation, outcome } of calls) {
    if (outcome?.revision === undefined || !hasWritten(operation, outcome)) continue;
    const wanted = lastWrites(operation.writes).flatMap((write): ToldChange[] => {
      const { revision = 0, seen } = outcome;
      const { key } = write;
      if (write.kind === 'put') return [{ revision, key, value: write.value }];
      return seen.get(key) === 'absent' ? [] : [{ revision, key, value: undefined }];
    });
    const given = toldByRevision.get(outcome.revision) ?? [];
    expect(inOrder(given), `revision ${outcome.revision}`).toEqual(inOrder(wanted));
  }
}

function inOrder(changes: readonly ToldChange[]): ToldChange[] {
  return changes.toSorted((one, other) => (one.key < other.key ? -1 : 1));
}
