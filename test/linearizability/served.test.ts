/**
 * Histories of clients of a real server: of one that runs on, and of one that is killed with SIGKILL again and again
 * while clients wait for their answers. The clients repeat by themselves what is safe to repeat, as always.
 */
import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { ServerProcess } from '../crash/server-process.ts';
import { SeededRandom } from '../support/random.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { calledThroughClient } from './called-store.ts';
import { findFault } from './find-fault.ts';
import { type Call, HistoryRecorder } from './history.ts';
import { makeCall } from './make-call.ts';
import { Workload } from './workload.ts';
import {
  CALLS_PER_LIFE,
  CLIENTS,
  IMPATIENCE,
  IMPATIENT_MS,
  KILLS,
  SMALL_FILES,
  TIMEOUT_MS,
  rounds,
} from './lives.ts';

describe('a served store is linearizable', () => {
  test.each(rounds)(
    'while the server runs on, seed %i',
    async (seed) => {
      const calls = await recordHistory(seed, 0);
      expect(calls.length).toBeGreaterThanOrEqual(CALLS_PER_LIFE);
      expect(findFault(calls)).toBeUndefined();
    },
    TIMEOUT_MS,
  );

  test.each(rounds)(
    `while the server is killed ${KILLS} times, seed %i`,
    async (seed) => {
      const calls = await recordHistory(seed, KILLS);
      expect(calls.length).toBeGreaterThanOrEqual(CALLS_PER_LIFE * (KILLS + 1));
      expect(findFault(calls)).toBeUndefined();
      expect(calls.some(({ answeredAt }) => answeredAt === undefined)).toBe(true);
    },
    TIMEOUT_MS,
  );
});

/** The calls of all clients to one store, in all lives of its server. */
async function recordHistory(seed: number, kills: number): Promise<Call[]> {
  const dataDir = await temporaryDirectory();
  let server = await ServerProcess.start({ dataDir, flags: SMALL_FILES });
  const { port } = server;
  const random = new SeededRandom(seed);
  const workload = new Workload(random);
  const recorder = new HistoryRecorder();
  const answers = new AnswerCount();
  const clients = Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      await using patient = createClient({ address: `127.0.0.1:${port}` });
      await using impatient = createClient({ address: `127.0.0.1:${port}`, deadlineMs: IMPATIENT_MS });
      while (answers.count < (kills + 1) * CALLS_PER_LIFE) {
        const store = calledThroughClient(random.chance(IMPATIENCE) ? impatient : patient);
        if (await makeCall(store, client, workload, recorder)) answers.add();
      }
    }),
  );
  for (let kill = 1; kill <= kills; kill++) {
    await Promise.race([answers.reached(kill * CALLS_PER_LIFE), clients]);
    await server.end('SIGKILL');
    server = await ServerProcess.start({ dataDir, port, flags: SMALL_FILES });
  }
  await clients;
  await server.end('SIGKILL');
  return recorder.calls;
}

/** Tells when so many calls were answered. */
class AnswerCount {
  count = 0;
  #goal = Infinity;
  #reach: () => void = () => undefined;

  add(): void {
    this.count++;
    if (this.count >= this.#goal) this.#reach();
  }

  async reached(goal: number): Promise<void> {
    if (this.count >= goal) return;
    this.#goal = goal;
    await new Promise<void>((resolve) => (this.#reach = resolve));
  }
}
