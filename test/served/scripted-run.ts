/**
 * One script of calls and a watch, in which one thing goes wrong, at any place that is asked for: a connection breaks behind a
 * byte, or the server is ended at a step of the schedule and started again.
 */
import { calledThroughClient } from '../linearizability/called-store.ts';
import { type Call, HistoryRecorder } from '../linearizability/history.ts';
import { makeCall } from '../linearizability/make-call.ts';
import type { Operation } from '../linearizability/operation.ts';
import { perform } from '../linearizability/perform.ts';
import { Workload } from '../linearizability/workload.ts';
import { SeededRandom } from '../support/random.ts';
import { makeBurst } from './burst.ts';
import { FollowedWatch } from './followed-watch.ts';
import { ServedMachine, type ServerEnd } from './served-machine.ts';
import type { BreakPoint, Direction } from './simulated-network.ts';
import { faultIn, putLast } from './verdict.ts';

const SEED = 11;
const WORKERS = 3;
const CALLS_PER_WORKER = 6;
const CALLS_AT_ONCE = 2;

export interface Mishap {
  readonly breakAt?: BreakPoint;
  /** Counted from when the first server is ready. */
  readonly endAtStep?: number;
  readonly end?: ServerEnd;
}

/** What is there when the watch begins; `valueBytes` at least of each. */
function firstPuts(valueBytes: number): Operation[] {
  return ['a', 'b', 'c'].map((key) => ({
    method: 'put',
    pastRevision: undefined,
    conditions: [],
    reads: [],
    writes: [{ kind: 'put', key, value: `first of ${key}`.padEnd(valueBytes) }],
  }));
}

export interface ScriptedRun {
  readonly calls: readonly Call[];
  /** What is wrong; undefined: nothing. */
  readonly fault: string | undefined;
  readonly stepCount: number;
  /** What arrived over each connection. */
  readonly bytes: readonly Readonly<Record<Direction, number>>[];
  readonly interruptions: number;
}

export function runScript(mishap: Mishap = {}, valueBytes = 0): Promise<ScriptedRun> {
  return ServedMachine.run({ seed: SEED }, async (machine) => {
    const { network, scheduler } = machine;
    network.isSmooth = true;
    network.breakAt = mishap.breakAt;
    const random = new SeededRandom(SEED);
    const recorder = new HistoryRecorder();
    await machine.start();
    const beganAt = scheduler.stepCount;
    const client = machine.client({ deadlineMs: 60_000 });
    const store = calledThroughClient(client);
    const work = async (): Promise<void> => {
      const workload = new Workload(random);
      for (const put of firstPuts(valueBytes)) await recorder.record(0, put, () => perform(store, put));
      const workers = Array.from({ length: WORKERS }, async (_, worker) => {
        for (let count = 0; count < CALLS_PER_WORKER; count += CALLS_AT_ONCE) {
          const calls = Array.from({ length: CALLS_AT_ONCE }, () =>
            makeCall(store, worker, workload, recorder),
          );
          await Promise.all(calls);
        }
      });
      const following = watch.follow();
      following.catch(() => undefined);
      await Promise.all(workers);
      await makeBurst(store, 0, recorder);
      const revision = await putLast(store, recorder);
      watch.hurry();
      while (!watch.isCaughtUp(revision)) await Promise.race([scheduler.pause(), following]);
      client.close();
      await following;
    };
    const watch = new FollowedWatch(client, { includeCurrent: true }, scheduler, random);
    let isDone = false;
    const working = work().finally(() => (isDone = true));
    working.catch(() => undefined);

    if (mishap.endAtStep !== undefined) {
      const endsAt = beganAt + mishap.endAtStep;
      await machine.stepUntil(() => isDone || scheduler.stepCount >= endsAt);
      const { end = 'stop' } = mishap;
      if (end === 'stop') await machine.until(machine.stop());
      machine.kill(end === 'stop' ? 'endProcess' : end);
      await machine.start();
    }
    await machine.until(working);
    const stepCount = scheduler.stepCount - beganAt;
    const bytes = network.made.map(({ toServer, toClient }) => ({
      toServer: toServer.arrivedBytes,
      toClient: toClient.arrivedBytes,
    }));
    await machine.until(machine.stop());
    const fault = await faultIn(machine, recorder, [watch]);
    await machine.end();
    const { interruptions } = watch;
    return { calls: recorder.calls, fault, stepCount, bytes, interruptions };
  });
}
