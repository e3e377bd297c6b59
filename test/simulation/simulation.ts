/**
 * A whole store on a simulated machine, in one thread, from one seed: clients that write, read and watch at random, and
 * crashes, at any moment, also of the recovery. After every crash the store must hold exactly the transactions up to
 * some revision, no lower than the newest one that anybody was told of.
 */
import type { Store } from '../../src/api.ts';
import { SeededRandom } from '../support/random.ts';
import type { DiskCall } from '../support/simulated-fault.ts';
import { Clients } from './clients.ts';
import { Machine, type MachineOptions, onMachine } from './machine.ts';
import { SWEPT_KEYS } from '../../src/store/collections/collection-keys.ts';
import { checkNothingLeft } from './collections/collection-checks.ts';
import { CollectionWorkload } from './collections/collection-workload.ts';
import { drawPlan, type Plan, withCheckpoints, withFailedReads } from './plan.ts';
import { checkOldRevisions } from './recovered.ts';
import { WatchClient } from './watch-client.ts';
import { Workload } from './workload.ts';

export interface SimulationResult {
  readonly seed: number;
  readonly hash: number;
  readonly stepCount: number;
  readonly trace: readonly string[];
  /** Why the schedule failed; `undefined` when all was as it must be. */
  readonly failure: Error | undefined;
}

/** Runs one schedule. One at a time in a thread. */
export async function simulate(seed: number, options: MachineOptions): Promise<SimulationResult> {
  const simulation = new Simulation(seed, options);
  const { machine } = simulation;
  const { stackTraceLimit } = Error;
  // Errors are the daily bread of a simulation; who asks for the trace gets their stacks too.
  if (options.isTraced !== true) Error.stackTraceLimit = 0;
  let failure: Error | undefined;
  try {
    await onMachine(machine, () => simulation.run());
  } catch (error) {
    failure = error as Error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const { trace, scheduler } = machine;
  return { seed, hash: trace.hash, stepCount: scheduler.stepCount, trace: trace.lines, failure };
}

const FAULTY_CALLS: readonly DiskCall[] = [
  'write',
  'write',
  'sync',
  'sync',
  'syncDirectory',
  'create',
  'rename',
  'remove',
  'open',
  'read',
  'list',
  'size',
  'close',
  'makeDirectory',
  'lock',
];
/** How long everything that is due may take to happen once nothing disturbs it. */
const SETTLED_MS = 12_000;
const OVERDUE_MS = 3000;
/** How long a watch may take to tell what is visible. */
const CATCH_UP_MS = 5000;
/** Within this all that can be swept is. Keys may go meanwhile that have a deadline. */
const SWEPT_MS = 2000;
const SWEEP_ROUNDS_MAX = 20;
/** Sets the seeds of what happens to collections apart. */
const COLLECTIONS = 0x5eed;
/** ... and checkpoints of an engine on disk. */
const CHECKPOINTS = 0xd15c;
/** ... and reads that fail. */
const FAILED_READS = 0xfa11;

class Simulation {
  readonly machine: Machine;
  readonly #random: SeededRandom;
  readonly #readFaults: SeededRandom;
  readonly #plan: Plan;
  readonly #workload: Workload;
  readonly #collections: CollectionWorkload;
  readonly #clients: Clients;
  readonly #watchers: WatchClient[];

  constructor(seed: number, options: MachineOptions) {
    const random = new SeededRandom(seed);
    this.#random = random;
    const plan = drawPlan(random);
    const isOnDisk = options.engine.setting !== 'memory';
    const onDisk = isOnDisk ? withCheckpoints(plan, new SeededRandom(seed ^ CHECKPOINTS)) : plan;
    this.#readFaults = new SeededRandom(seed ^ FAILED_READS);
    const hasFailedReads = options.engine.hasReads === true && this.#readFaults.chance(0.3);
    this.#plan = hasFailedReads ? withFailedReads(onDisk) : onDisk;
    this.machine = new Machine(random, this.#plan, options);
    const { model } = this.machine.ledger;
    const hasLeases = !this.#plan.isTight;
    this.#collections = new CollectionWorkload(new SeededRandom(seed ^ COLLECTIONS), model, hasLeases);
    this.#workload = new Workload(random, model, hasLeases, this.#collections);
    this.#clients = new Clients(this.machine, random, this.#workload, this.#collections);
    const names = Array.from({ length: this.#plan.watchers }, (_, index) => `watch ${index}`);
    this.#watchers = names.map((name) => new WatchClient(name, random));
  }

  async run(): Promise<void> {
    this.machine.trace.add(() => `plan ${JSON.stringify(this.#plan)}`);
    while (this.machine.generation < this.#plan.generations) {
      await this.#live();
      // It takes a while until somebody starts it again, and the wall clock may have been set.
      this.machine.scheduler.jump(this.#random.between(-10_000, 10_000));
    }
    await this.#lastLife();
  }

  /** One life of the store, up to its end of whatever kind. */
  async #live(): Promise<void> {
    const random = this.#random;
    const { machine } = this;
    this.#drawFaults();
    const endsAt = machine.scheduler.stepCount + random.below(random.pick([60, 300, 2000]));
    // Some lives end right behind a write that was made at once, when nothing has flushed it.
    const endsAtWrite = random.chance(0.3) ? random.between(1, 40) : Infinity;
    const isOver = (): boolean =>
      machine.scheduler.stepCount >= endsAt || machine.disk.nowWriteCount >= endsAtWrite;
    const store = await machine.open(isOver);
    if (store !== undefined) {
      await this.#serve(store, random.below(this.#plan.operationsMax) + 1, this.#plan.hasFailedReads);
      await machine.runUntil(() => isOver() || this.#areClientsDone(this.#plan.hasDiskFaults));
      if (random.chance(0.2) && (await machine.close(store, () => false))) return machine.rest();
      if (random.chance(0.2)) await machine.close(store, () => random.chance(0.05));
    } else if (!isOver() && random.chance(0.5)) {
      // It did not open, and is tried again by the same process.
      return machine.rest();
    }
    machine.crash(random.pick(['endProcess', 'losePower']));
  }

  /** Everything goes well: all that was begun comes to its end. */
  async #lastLife(): Promise<void> {
    const { machine } = this;
    machine.isDiskFaulty = machine.areReadsFaulty = false;
    const store = await this.#reopen();
    await this.#serve(store, 5);
    await machine.runUntil(() => this.#areClientsDone(true));
    const settledRevision = await this.#settleDeadlines(store);
    await this.#pass(CATCH_UP_MS);
    for (const watcher of this.#watchers) watcher.expectCaughtUp(settledRevision);
    if (this.#collections.isUsed) await this.#allSwept(store);
    if (!(await machine.close(store, () => false))) throw new Error('the store can not be closed');
    machine.rest();
    await this.#reopen();
  }

  /** Once history has passed what was deleted no element is left without a key. */
  async #allSwept(store: Store): Promise<void> {
    const { machine } = this;
    for (let round = 0; round < SWEEP_ROUNDS_MAX; round++) {
      machine.ledger.settle();
      const { revision } = machine.ledger.model;
      if (revision === 0) return;
      await this.#untilVisible(store, revision);
      machine.compactedRevision = revision;
      const compaction = { isDone: false };
      store.compact(revision).then(() => (compaction.isDone = true), machine.fail);
      await machine.runUntil(() => compaction.isDone);
      machine.ledger.compacted(revision);
      await this.#pass(SWEPT_MS);
      if (machine.engine.count(SWEPT_KEYS) > 0) continue;
      checkNothingLeft(store, machine.engine);
      return;
    }
    throw new Error('collections are never swept');
  }

  async #reopen(): Promise<Store> {
    const store = await this.machine.open(() => false);
    if (store === undefined) throw new Error('the store can not be opened');
    return store;
  }

  #drawFaults(): void {
    const random = this.#random;
    this.machine.isDiskFaulty = this.#plan.hasDiskFaults && random.chance(0.7);
    if (!this.machine.isDiskFaulty) return;
    for (let count = random.between(1, 2); count > 0; count--) {
      const fault = {
        call: random.pick(FAULTY_CALLS),
        at: random.between(1, random.pick([5, 100])),
        code: random.pick(['failed', 'noSpace'] as const),
        effect: random.pick(['part', 'part', 'none', 'whole'] as const),
        isPermanent: random.chance(0.3),
        exceptNow: true,
      };
      this.machine.trace.add(() => `fault ${JSON.stringify(fault)}`);
      this.machine.disk.injectFault(fault);
    }
  }

  #drawFailedReads(): void {
    const random = this.#readFaults;
    this.machine.areReadsFaulty = true;
    for (let count = random.between(1, 20); count > 0; count--) {
      const at = random.between(1, random.pick([3, 20, 100]));
      const fault = { call: 'read', onlyNow: true, at, isPermanent: random.chance(0.1) } as const;
      this.machine.trace.add(() => `fault ${JSON.stringify(fault)}`);
      this.machine.disk.injectFault(fault);
    }
  }

  /** Lets clients and watches loose on a store that was just opened. */
  async #serve(store: Store, callCount: number, hasFailedReads = false): Promise<void> {
    const { machine } = this;
    const { ledger } = machine;
    for (const watcher of this.#watchers) watcher.recovered(ledger.model.revision);
    await checkOldRevisions(store, ledger, this.#random);
    if (hasFailedReads) this.#drawFailedReads();
    this.#clients.attachKeys(store);
    this.#clients.start(store, this.#plan.clients, callCount);
    const context = { store, machine, random: this.#random, workload: this.#workload };
    for (const watcher of this.#watchers) watcher.follow(context).catch(machine.fail);
  }

  #areClientsDone(areAnswered: boolean): boolean {
    return this.#clients.areDone && (!areAnswered || this.machine.ledger.openCallCount === 0);
  }

  /** Lets every deadline that has come be dealt with. @returns the revision that came of it. */
  async #settleDeadlines(store: Store): Promise<number> {
    const { ledger } = this.machine;
    for (const watcher of this.#watchers) watcher.hurry();
    await this.#pass(SETTLED_MS);
    // Time may have passed in one step over the timer of a deadline.
    await this.machine.runUntil(() => this.machine.scheduler.isIdle);
    const { nowMs, monotonicMs } = this.machine.instant();
    ledger.settle();
    const { model } = ledger;
    const { revision } = model;
    await this.#untilVisible(store, revision);
    for (const { key, expireTimeMs } of model.entriesAt(model.revision)) {
      if (expireTimeMs !== 0 && expireTimeMs < nowMs - OVERDUE_MS)
        throw new Error(`${key} expired ${nowMs - expireTimeMs} ms ago and was not removed`);
    }
    for (const { leaseId, deadlineMs } of model.leaseById.values()) {
      if (deadlineMs < monotonicMs - OVERDUE_MS) throw new Error(`lease ${leaseId} was not ended in time`);
    }
    return revision;
  }

  async #pass(ms: number): Promise<void> {
    const { scheduler } = this.machine;
    const endMs = scheduler.monotonicMs() + ms;
    await this.machine.runUntil(() => scheduler.monotonicMs() >= endMs);
  }

  /** What was taken becomes visible without anybody asking for more. */
  async #untilVisible(store: Store, revision: number): Promise<void> {
    let visible = 0;
    await this.machine.runUntil(() => {
      store.status().then((status) => (visible = status.revision), this.machine.fail);
      return visible >= revision;
    });
  }
}
