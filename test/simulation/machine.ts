/**
 * A simulated machine with one data directory: processes that hold the store come and go, the disk stays. The ledger
 * keeps the account of what the store did in all its lives.
 */
import type { Disk } from '../../src/disk/disk.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { StoreError } from '../../src/errors.ts';
import { SteadyClock } from '../../src/store/steady-clock.ts';
import type { Store } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';
import { verifyIntegrity } from '../engine/memory/integrity.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { openWithParts } from './collections/opened-store.ts';
import { Ledger } from './ledger.ts';
import type { Instant } from './model.ts';
import type { Plan } from './plan.ts';
import { takeRecovered } from './recovered.ts';
import type { SimulatedEngine } from './engines.ts';
import { recordingEngine } from './recording-engine.ts';
import { Scheduler } from './scheduler.ts';
import { simulateCompression } from './simulated-compression.ts';
import { Trace } from './trace.ts';

export interface MachineOptions {
  readonly engine: SimulatedEngine;
  /** What the store sees of the disk; default: all of it. */
  wrapDisk?(disk: Disk): Disk;
  readonly isTraced?: boolean;
}

/** What of a plan concerns the store itself. */
export type StorePlan = Pick<Plan, 'fsync' | 'limits' | 'isTight' | 'isHistoryKept' | 'isLogKept'>;

export type CrashKind = 'endProcess' | 'losePower';

const DATA_DIR = '/data';
/** Never reached: the default depends on the real machine. */
const MEMORY_BYTES_MAX = 2 ** 40;
/** Enough for anything that has an end. */
const STEPS_MAX = 100_000;

export class Machine {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly ledger: Ledger;
  disk: SimulatedDisk;
  /** Calls of the disk may fail. */
  isDiskFaulty = false;
  /** Reads of files that a call waits for may fail. */
  areReadsFaulty = false;
  /** In this life or in one before. */
  #haveReadsFailed = false;
  /** The highest revision that anybody asked to compact. */
  compactedRevision = 0;
  readonly #random: SeededRandom;
  readonly #plan: StorePlan;
  readonly #options: MachineOptions;
  /** The time that the running store shows, which brings it forward itself: the wall clock may step back, this does not. */
  #clock: SteadyClock;
  /** The latest time that any store has shown. */
  #latestMs = 0;
  #generation = 0;
  #failure: Error | undefined;
  /** That of the newest process; a recovery may make several. */
  #engine: Engine | undefined;
  /** The engine may have closed its files. */
  #isClosed = false;
  /** The engine's versions are taken down: recovery is over. */
  #isRecording = false;

  constructor(random: SeededRandom, plan: StorePlan, options: MachineOptions) {
    this.#random = random;
    this.#plan = plan;
    this.#options = options;
    this.scheduler = new Scheduler(random);
    this.#clock = new SteadyClock(this.scheduler);
    this.trace = new Trace(options.isTraced === true, () => ({
      step: this.scheduler.stepCount,
      generation: this.#generation,
      monotonicMs: this.scheduler.monotonicMs(),
    }));
    this.ledger = new Ledger(this.trace, this.instant);
    this.ledger.isTight = plan.isTight;
    this.disk = new SimulatedDisk({ seed: random.uint32(), schedule: this.scheduler.schedule });
  }

  /** How many processes there were. */
  get generation(): number {
    return this.#generation;
  }

  readonly instant = (): Instant => ({
    nowMs: this.#clock.nowMs(),
    monotonicMs: this.scheduler.monotonicMs(),
  });

  /** Notes what a client, or the store beside its calls, has run into. */
  readonly fail = (reason: unknown): void => {
    this.#failure ??= toError(reason);
  };

  /** The highest that the oldest readable revision may be. */
  readonly oldestRevisionMax = (): number => {
    this.ledger.settle();
    const { revision } = this.ledger.model;
    if (!this.#plan.isHistoryKept) return revision;
    return Math.max(this.compactedRevision, revision - (this.#plan.limits.historyRevisionsMax ?? 0));
  };

  /** The highest revision that a watch may have to say is no longer kept. */
  readonly lostRevisionMax = (): number =>
    this.#plan.isLogKept ? this.compactedRevision : this.ledger.model.revision;

  /** That of the store that is open. */
  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('no store is open');
    return this.#engine;
  }

  /** Steps until `isDone`, or until something has failed. */
  async runUntil(isDone: () => boolean): Promise<void> {
    const stepsMax = this.scheduler.stepCount + STEPS_MAX;
    await this.scheduler.runUntil(() => {
      if (this.scheduler.stepCount > stepsMax) throw new Error('something never comes to its end');
      return this.#failure !== undefined || isDone();
    });
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Starts a process that opens the store, and checks what it has recovered.
   * @returns `undefined` when `isOver` before the store was open, or a fault of the disk kept it from opening.
   */
  async open(isOver: () => boolean): Promise<Store | undefined> {
    this.#generation++;
    this.#haveReadsFailed ||= this.areReadsFaulty;
    this.areReadsFaulty = false;
    this.#clock = new SteadyClock(this.scheduler);
    this.#isRecording = false;
    this.#isClosed = false;
    const opened: { store?: Store; error?: Error } = {};
    this.#openStore().then(
      (store) => (opened.store = store),
      (reason: unknown) => (opened.error = toError(reason)),
    );
    await this.runUntil(() => opened.store !== undefined || opened.error !== undefined || isOver());
    const { store, error } = opened;
    if (store !== undefined) {
      this.#verifyEngine();
      this.#isRecording = true;
      const instant = this.instant();
      if (instant.nowMs > Math.max(this.#latestMs, this.scheduler.nowMs()))
        throw new Error(`time goes on from ${instant.nowMs}, and had come to ${this.#latestMs}`);
      const taken = { isDone: false };
      this.ledger.isRecovering = true;
      // Its reads wait for what the store has noted meanwhile.
      takeRecovered(store, this.ledger, instant, this.oldestRevisionMax).then(
        () => (taken.isDone = true),
        this.fail,
      );
      await this.runUntil(() => taken.isDone);
      this.ledger.isRecovering = false;
      this.trace.add(() => `recovered revision ${this.ledger.model.revision}`);
      return store;
    }
    if (error === undefined) return undefined;
    this.trace.add(() => `the store does not open: ${error.message}`);
    if (this.isDiskFaulty && error instanceof StoreError && error.code === 'storageFailed') return undefined;
    throw error;
  }

  /** @returns whether the store was closed, if only with an error; not when `isOver` before. */
  async close(store: Store, isOver: () => boolean): Promise<boolean> {
    const { ledger } = this;
    ledger.settle();
    ledger.isClosing = true;
    this.trace.add(() => 'close');
    const closed: { isDone?: boolean; error?: Error } = {};
    const { monotonicMs } = this.instant();
    store.close().then(
      () => (closed.isDone = true),
      (reason: unknown) => (closed.error = toError(reason)),
    );
    this.#isClosed = this.#engine?.durable !== undefined;
    await this.runUntil(() => closed.isDone === true || closed.error !== undefined || isOver());
    if (closed.error !== undefined && !this.isDiskFaulty) throw closed.error;
    if (closed.isDone === true && !ledger.hasFailed) ledger.closed(monotonicMs);
    return closed.isDone === true || closed.error !== undefined;
  }

  /** Ends the process, or cuts the power. */
  crash(kind: CrashKind): void {
    this.trace.add(() => kind);
    this.#processEnded();
    if (kind === 'losePower' && this.#plan.fsync !== 'always') this.ledger.unflushedLost();
    this.disk = this.disk[kind]();
    this.scheduler.restart();
  }

  /** The process goes on, or ends, with nothing under way and the disk as it is. */
  rest(): void {
    this.#processEnded();
    this.disk.clearFaults();
    this.scheduler.restart();
  }

  #processEnded(): void {
    // Within a load the parts of an engine need not agree.
    // Nor can what is on disk be read any more when the engine was closed.
    // Nor where the reads of this may fail.
    if (this.#isRecording && !this.#isClosed && !this.areReadsFaulty) this.#verifyEngine();
    this.#engine = undefined;
    this.#latestMs = Math.max(this.#latestMs, this.#clock.nowMs());
    this.ledger.processEnded(this.scheduler.monotonicMs());
  }

  #verifyEngine(): void {
    if (this.#engine !== undefined)
      verifyIntegrity(this.#engine, this.#haveReadsFailed ? Infinity : undefined);
  }

  #openStore(): Promise<Store> {
    const { fsync, limits } = this.#plan;
    return openWithParts(this.ledger.ids, {
      dataDir: DATA_DIR,
      fsync,
      limits,
      disk: this.#options.wrapDisk?.(this.disk) ?? this.disk,
      memoryBytesMax: MEMORY_BYTES_MAX,
      clock: this.#clock,
      random: this.#random,
      engine: this.#options.engine.setting,
      makeEngine: async (place) => {
        this.#engine = await this.#options.engine.make(place);
        return recordingEngine(
          this.#engine,
          (change) => {
            if (this.#isRecording) this.ledger.record(change);
          },
          (revision) => {
            if (this.#isRecording) this.ledger.sealed(revision);
          },
        );
      },
      onEvent: (event) => {
        this.trace.add(() => `event ${event.kind}`);
        if (event.kind === 'storageFailed') this.ledger.failed();
        if (event.kind === 'snapshotDamaged') this.fail(event.error);
      },
    });
  }
}

/** Runs something on a machine: the thread pool takes part in its schedule, and nothing that goes wrong is missed. */
export async function onMachine(machine: Machine, run: () => Promise<void>): Promise<void> {
  process.on('unhandledRejection', machine.fail);
  const restore = simulateCompression(machine.scheduler.schedule);
  try {
    await run();
  } finally {
    restore();
    process.off('unhandledRejection', machine.fail);
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
