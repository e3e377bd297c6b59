/**
 * One run of the whole: clients call and watch a server that is stopped, killed and started again, over connections that are
 * late, break and fall silent. What they were answered is held against every order of calls that could explain it, and what
 * watches were told against what the store holds in the end.
 */
import type { KelpClient } from '../../src/client/client.ts';
import { calledThroughClient } from '../linearizability/called-store.ts';
import { type Call, HistoryRecorder } from '../linearizability/history.ts';
import { makeCall } from '../linearizability/make-call.ts';
import { Workload } from '../linearizability/workload.ts';
import { SeededRandom } from '../support/random.ts';
import { makeBurst } from './burst.ts';
import { FollowedWatch, type WatchSubject } from './followed-watch.ts';
import { ServedMachine } from './served-machine.ts';
import { faultIn, LAST_KEY, putLast } from './verdict.ts';

const CALLS_PER_WORKER = 12;
const WORKERS_PER_CLIENT = 2;
/** How many calls a worker makes at once. */
const BURSTS = [1, 1, 1, 2, 4] as const;
const SUBJECTS: readonly WatchSubject[] = [
  {},
  { ranges: [{ key: 'a' }, { key: 'm' }, { key: LAST_KEY }] },
  { includeCurrent: true },
];

/** What happened, so that a test can see that it has tested something. */
export interface ServedRun {
  readonly calls: readonly Call[];
  /** What is wrong; undefined: nothing. */
  readonly fault: string | undefined;
  readonly connections: number;
  readonly steps: number;
  readonly interruptions: number;
  readonly resumptions: number;
}

export function runServed(seed: number): Promise<ServedRun> {
  const draw = new SeededRandom(seed);
  const options = {
    seed,
    limits: { snapshotLogBytes: draw.pick([2000, 1_000_000]) },
    serverLimits: {
      streamsPerConnectionMax: draw.pick([1, 3, 1000]),
      maxConnectionAgeMs: draw.pick([0, 0, 20, 2000]),
    },
  };
  return ServedMachine.run(options, (machine) => new Run(machine).run());
}

class Run {
  readonly #machine: ServedMachine;
  readonly #random: SeededRandom;
  readonly #workload: Workload;
  readonly #recorder = new HistoryRecorder();
  readonly #clients: KelpClient[] = [];
  readonly #lives: number;
  /** How often connections break, and fall silent, in one step. */
  readonly #breaking: number;
  readonly #silencing: number;

  constructor(machine: ServedMachine) {
    const { random } = machine;
    this.#machine = machine;
    this.#random = random;
    this.#workload = new Workload(random);
    this.#lives = random.between(1, 4);
    this.#breaking = random.pick([0, 0.005, 0.03]);
    this.#silencing = random.pick([0, 0, 0.003]);
  }

  async run(): Promise<ServedRun> {
    const machine = this.#machine;
    await machine.start();
    const working = Array.from({ length: 2 }, (_, index) => this.#work(index));
    const watches = SUBJECTS.map(
      (subject) => new FollowedWatch(this.#client(), subject, machine.scheduler, this.#random),
    );
    let isBroken = false;
    const following = Promise.all(watches.map((watch) => watch.follow()));
    following.catch(() => (isBroken = true));

    let isDone = false;
    const worked = Promise.all(working).finally(() => (isDone = true));
    worked.catch(() => undefined);
    for (let life = 1; life < this.#lives; life++) {
      if (isDone) break;
      await this.#steps(this.#random.below(1500), () => isDone);
      await this.#next();
    }
    await this.#steps(Infinity, () => isDone);
    await worked;

    const last = calledThroughClient(this.#client());
    const revision = await machine.until(putLast(last, this.#recorder));
    for (const watch of watches) watch.hurry();
    await machine.stepUntil(() => isBroken || watches.every((watch) => watch.isCaughtUp(revision)));
    for (const client of this.#clients) client.close();
    await machine.until(following);
    await machine.until(machine.stop());
    const fault = await faultIn(machine, this.#recorder, watches);
    await machine.end();
    const total = (name: 'interruptions' | 'resumptions'): number =>
      watches.reduce((sum, watch) => sum + watch[name], 0);
    return {
      calls: this.#recorder.calls,
      fault,
      connections: machine.network.made.length,
      steps: machine.scheduler.stepCount,
      interruptions: total('interruptions'),
      resumptions: total('resumptions'),
    };
  }

  #client(deadlineMs = 60_000): KelpClient {
    const client = this.#machine.client({ deadlineMs });
    this.#clients.push(client);
    return client;
  }

  /** The work of one client, and of its twin that waits for hardly anything. */
  async #work(index: number): Promise<void> {
    const random = this.#random;
    const patient = calledThroughClient(this.#client());
    const impatient = calledThroughClient(this.#client(random.pick([1, 20, 200])));
    const workers = Array.from({ length: WORKERS_PER_CLIENT }, async (_, worker) => {
      const number = index * WORKERS_PER_CLIENT + worker;
      if (random.chance(0.2)) await makeBurst(patient, number, this.#recorder);
      for (let left = CALLS_PER_WORKER; left > 0;) {
        const store = random.chance(0.1) ? impatient : patient;
        const calls = Array.from({ length: Math.min(left, random.pick(BURSTS)) }, () =>
          makeCall(store, number, this.#workload, this.#recorder),
        );
        left -= calls.length;
        await Promise.all(calls);
        if (random.chance(0.5)) await this.#machine.scheduler.pause();
      }
    });
    await Promise.all(workers);
  }

  /** So many steps, unless `isDone` before; connections come to grief meanwhile. */
  #steps(count: number, isDone: () => boolean): Promise<void> {
    const { scheduler, network } = this.#machine;
    const random = this.#random;
    const endsAt = scheduler.stepCount + count;
    return this.#machine.stepUntil(() => {
      if (random.chance(this.#breaking)) network.breakOne();
      if (random.chance(this.#silencing)) network.silenceOne();
      return isDone() || scheduler.stepCount >= endsAt;
    });
  }

  /** Ends the server, and starts the next one. */
  async #next(): Promise<void> {
    const machine = this.#machine;
    const random = this.#random;
    if (random.chance(0.4)) {
      const stopped = machine.stop();
      if (random.chance(0.7)) await machine.until(stopped);
      // It is killed on its way down.
      else await this.#steps(random.below(200), () => false);
    }
    machine.kill(random.pick(['endProcess', 'losePower']));
    if (random.chance(0.5)) await this.#steps(random.below(100), () => false);
    await machine.start();
  }
}
