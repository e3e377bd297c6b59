/**
 * A base on a disk that fails, in one thread, from one seed: checkpoints, merges, ranges that go, and readers all the while; the
 * process ends at any moment, or the power goes. After every start the base must hold exactly the last state whose commit had
 * resolved, or the one whose commit was under way, and nothing between the two.
 */
import type { Disk } from '../../../src/disk/disk.ts';
import { DiskError } from '../../../src/disk/disk.ts';
import type { Base, BaseFlush } from '../../../src/engine/layered/base/base.ts';
import { placeChange } from '../../../src/engine/version.ts';
import { isStoreError } from '../../../src/errors.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import type { DiskCall, Fault } from '../../support/simulated-fault.ts';
import type { CrashKind } from '../machine.ts';
import { Scheduler } from '../scheduler.ts';
import { simulateCompression } from '../simulated-compression.ts';
import { BaseLedger } from './base-ledger.ts';
import { shownOf } from './base-state.ts';
import type { OpenBase } from './base-names.ts';
import { BaseWorkload, type Sealed } from './base-workload.ts';

export interface BaseSimulationOptions {
  readonly openBase: OpenBase;
  /** What the base sees of the disk; default: all of it. */
  wrapDisk?(disk: Disk): Disk;
}

/** What goes wrong in the first of two lives; the second one brings all to its end. */
export interface BaseMishap {
  /** The life is broken off here. */
  readonly endStep?: number;
  readonly fault?: Fault;
  readonly crash: CrashKind;
  /** The start after it is broken off after so many steps, by a loss of power. */
  readonly recoverySteps?: number;
  /** From that start on, which is a life as the others then, and works on. The first one ends as soon as a flush has failed. */
  readonly laterFault?: Fault;
}

export interface BaseLife {
  readonly stepCount: number;
  /** Of the start after the crash. */
  readonly recoveryStepCount: number;
  /** How often a loss of power has brought an older state than a start had found that had no room to make it durable. */
  readonly olderCount: number;
  /** Of the calls of the disk. */
  readonly countByCall: ReadonlyMap<DiskCall, number>;
}

const DIRECTORY = '/data/base';
const STORE_ID = new Uint8Array(16).fill(7);
const STEPS_MAX = 100_000;
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
];

/** Runs one schedule: several lives, with whatever the seed decides. Rejects with what was not as it must be. */
export function simulateBase(seed: number, options: BaseSimulationOptions): Promise<void> {
  const simulation = new BaseSimulation(seed, options);
  return simulation.whole(() => simulation.random());
}

/** Runs the same life each time, but for what goes wrong in it. */
export async function runBaseScript(
  seed: number,
  options: BaseSimulationOptions,
  mishap: BaseMishap,
): Promise<BaseLife> {
  const simulation = new BaseSimulation(seed, options);
  let life: BaseLife | undefined;
  await simulation.whole(async () => {
    life = await simulation.scripted(mishap);
  });
  if (life === undefined) throw new Error('the script has not run');
  return life;
}

class BaseSimulation {
  readonly #random: SeededRandom;
  readonly #options: BaseSimulationOptions;
  readonly #scheduler: Scheduler;
  readonly #workload: BaseWorkload;
  readonly #ledger = new BaseLedger();
  #disk: SimulatedDisk;
  #isDiskFaulty = false;
  #failure: Error | undefined;
  /** What was sealed and could not be committed. */
  #sealed: Sealed | undefined;
  /** Merges are given up. */
  #isClosing = false;
  /** A checkpoint is under way. */
  #isFlushing = false;
  /** One has failed. */
  #hasFailed = false;

  constructor(seed: number, options: BaseSimulationOptions) {
    this.#random = new SeededRandom(seed);
    this.#options = options;
    this.#scheduler = new Scheduler(this.#random);
    this.#workload = new BaseWorkload(this.#random);
    this.#disk = new SimulatedDisk({ seed: this.#random.uint32(), schedule: this.#scheduler.schedule });
  }

  readonly #fail = (reason: unknown): void => {
    this.#failure ??= reason instanceof Error ? reason : new Error(String(reason));
  };

  /** Nothing that goes wrong meanwhile is missed. */
  async whole(run: () => Promise<void>): Promise<void> {
    process.on('unhandledRejection', this.#fail);
    const restore = simulateCompression(this.#scheduler.schedule);
    try {
      await run();
    } finally {
      restore();
      process.off('unhandledRejection', this.#fail);
    }
  }

  async random(): Promise<void> {
    const random = this.#random;
    const hasFaults = random.chance(0.3);
    for (let lives = random.between(1, 5); lives > 0; lives--) {
      this.#isDiskFaulty = hasFaults && random.chance(0.7);
      if (this.#isDiskFaulty) this.#drawFaults();
      const endStep = this.#scheduler.stepCount + random.below(random.pick([60, 300, 1500]));
      await this.#life(random.between(1, 8), () => this.#scheduler.stepCount >= endStep);
      this.#crash(random.pick(['endProcess', 'losePower']));
    }
    await this.#lastLife();
  }

  async scripted({
    endStep = Infinity,
    fault,
    crash,
    recoverySteps,
    laterFault,
  }: BaseMishap): Promise<BaseLife> {
    const scheduler = this.#scheduler;
    if (fault !== undefined) {
      this.#isDiskFaulty = true;
      this.#disk.injectFault(fault);
    }
    const isOver = (): boolean =>
      scheduler.stepCount >= endStep || (laterFault !== undefined && this.#hasFailed);
    await this.#life(6, isOver);
    const { stepCount } = scheduler;
    const countByCall = countCalls(this.#disk.dump());
    this.#crash(crash);
    const isBrokenOff = (): boolean => scheduler.stepCount >= stepCount + (recoverySteps ?? Infinity);
    if (laterFault !== undefined) {
      this.#isDiskFaulty = true;
      this.#disk.clearFaults();
      this.#disk.injectFault(laterFault);
      await this.#life(3, isBrokenOff);
    } else if ((await this.#open(isBrokenOff)) === undefined && !isBrokenOff()) {
      throw new Error('it does not open');
    }
    const recoveryStepCount = scheduler.stepCount - stepCount;
    this.#crash('losePower');
    await this.#lastLife();
    return { stepCount, recoveryStepCount, countByCall, olderCount: this.#ledger.olderCount };
  }

  /** One process: it flushes, merges and reads, until it is over or has done all. */
  async #life(flushCount: number, isOver: () => boolean): Promise<void> {
    const base = await this.#open(isOver);
    if (base === undefined) return;
    const done = { isDone: false };
    const readers = { areStopped: false };
    this.#read(base, readers).catch(this.#fail);
    this.#view(base, readers, true).catch(this.#fail);
    this.#work(base, flushCount).then(() => (done.isDone = true), this.#fail);
    await this.#runUntil(() => done.isDone || isOver());
    readers.areStopped = true;
    if (isOver() || this.#random.chance(0.5)) return;
    const closed = { isDone: false };
    this.#isClosing = true;
    const failure = this.#outcomeOf(base.close());
    failure.then(() => (closed.isDone = true), this.#fail);
    await this.#runUntil(() => closed.isDone || isOver());
  }

  /** All goes well. */
  async #lastLife(): Promise<void> {
    this.#disk.clearFaults();
    this.#isDiskFaulty = false;
    const base = await this.#open(() => false);
    if (base === undefined) throw new Error('the base does not open');
    const readers = { areStopped: false };
    const viewing = this.#view(base, readers, false);
    await this.#toEnd(this.#work(base, 3));
    readers.areStopped = true;
    await this.#toEnd(viewing);
    await this.#toEnd(base.compactStorage());
    this.#ledger.checkAll(base);
    await this.#checkFiles(base);
    await this.#toEnd(base.close());
    this.#scheduler.restart();
    await this.#open(() => false);
  }

  /** No file is left of what has failed. */
  async #checkFiles(base: Base): Promise<void> {
    const names: string[] = [];
    await this.#toEnd(this.#disk.list(DIRECTORY).then((listed) => names.push(...listed)));
    const known = base.figures().runs.length;
    // The manifest, and what a base may keep beside it.
    if (names.length > known + 2) throw new Error(`${known} runs are known; there are ${names.join(', ')}`);
  }

  async #open(isOver: () => boolean): Promise<Base | undefined> {
    this.#sealed = undefined;
    this.#isFlushing = false;
    this.#isClosing = false;
    const opened: { base?: Base; error?: Error } = {};
    const disk = this.#options.wrapDisk?.(this.#disk) ?? this.#disk;
    const clock = this.#scheduler;
    this.#options.openBase({ disk, directory: DIRECTORY, clock, storeId: STORE_ID }).then(
      (base) => (opened.base = base),
      (error: Error) => (opened.error = error),
    );
    await this.#runUntil(() => opened.base !== undefined || opened.error !== undefined || isOver());
    const { base, error } = opened;
    if (base !== undefined) {
      try {
        this.#ledger.recovered(base);
      } catch (cause) {
        if (!this.#isExcused(cause)) throw cause;
        return undefined;
      }
    } else if (error !== undefined && !this.#isExcused(error)) throw error;
    return base;
  }

  /** Checkpoints one after the other, with what may happen between and beside them. */
  async #work(base: Base, flushCount: number): Promise<void> {
    const random = this.#random;
    for (let count = flushCount; count > 0; count--) {
      if (random.chance(0.3)) this.#hideOne(base);
      if (random.chance(0.25)) this.#outcomeOf(base.compactStorage()).catch(this.#fail);
      this.#sealed ??= this.#workload.seal(base.revision, this.#ledger.notForgotten);
      this.#isFlushing = true;
      if (await this.#outcomeOf(this.#flush(base, this.#sealed))) this.#sealed = undefined;
      else this.#hasFailed = true;
      this.#isFlushing = false;
      for (let pauses = random.below(4); pauses > 0; pauses--) await this.#scheduler.pause();
    }
  }

  async #flush(base: Base, sealed: Sealed): Promise<void> {
    const random = this.#random;
    const flush = await base.begin(sealed.revision);
    try {
      await this.#addAll(flush, sealed);
      if (random.chance(0.05)) throw new DiskError('failed', 'it is given up');
      this.#ledger.commitBegun(sealed);
      await flush.commit(sealed.notes);
      this.#ledger.commitEnded(base);
    } catch (error) {
      await flush.abort();
      // The base goes on with the old state, but for the keys of the flush; a restart may find the new one all the same.
      throw error;
    }
  }

  async #addAll(flush: BaseFlush, { changes, forgotten, revision }: Sealed): Promise<void> {
    const random = this.#random;
    const isLoad = this.#ledger.revision === 0 && random.chance(0.5);
    // What is loaded comes in rows of its own, each in order, in any order of them.
    const rows = isLoad ? rowsOf(changes, random.between(1, 4)) : [changes];
    for (const [index, row] of rows.entries()) {
      if (index > 0) await flush.beginRun();
      for (const change of row) {
        if (flush.isFull || random.chance(0.02)) await flush.drain();
        flush.add(placeChange(change));
        if (random.chance(0.02)) await this.#scheduler.pause();
      }
    }
    for (const range of forgotten) flush.forget(range);
    if (revision <= this.#ledger.revision) throw new Error('the revisions of checkpoints ascend');
  }

  #hideOne(base: Base): void {
    const range = this.#workload.endCollection();
    if (range === undefined) return;
    base.hide(range);
    this.#ledger.hidden(range);
  }

  /** Reads as long as the process lives. */
  async #read(base: Base, readers: { readonly areStopped: boolean }): Promise<void> {
    for (;;) {
      await this.#scheduler.pause();
      if (readers.areStopped) return;
      // What a collection leaves is known when its checkpoint is done.
      if (this.#random.chance(0.05) && this.#isFlushing) this.#hideOne(base);
      try {
        this.#ledger.checkAtRandom(base, this.#workload, this.#random);
      } catch (error) {
        if (!this.#isExcused(error)) throw error;
      }
    }
  }

  /** Reads views one after the other, each at its own pace, as long as the process lives. */
  async #view(base: Base, readers: { readonly areStopped: boolean }, mayLeave: boolean): Promise<void> {
    const random = this.#random;
    for (;;) {
      for (let pauses = random.between(1, 30); pauses > 0; pauses--) await this.#scheduler.pause();
      if (readers.areStopped) return;
      try {
        await this.#viewOnce(base, mayLeave && random.chance(0.1));
      } catch (error) {
        if (!this.#isExcused(error)) throw error;
      }
    }
  }

  /** @param isLeft it is not closed, as when its reader is gone without a word. */
  async #viewOnce(base: Base, isLeft: boolean): Promise<void> {
    const random = this.#random;
    const view = await base.view();
    if (view === undefined) return;
    try {
      const expected = this.#ledger.viewed(view.revision, view.notes);
      const countMax = random.pick([0, 3, Infinity, Infinity]);
      const pauseShare = random.pick([0, 0.05, 0.5]);
      const found: string[] = [];
      let isMore = true;
      while (isMore && found.length < countMax) {
        const version = view.next();
        if (version === undefined) isMore = await view.read();
        else found.push(shownOf(version, true));
        if (random.chance(pauseShare)) await this.#scheduler.pause();
      }
      this.#ledger.checkView(found, isMore ? expected.slice(0, found.length) : expected);
    } finally {
      if (!isLeft) await view.close();
    }
  }

  /** @returns whether it went well; rejects with what no fault of the disk excuses. */
  async #outcomeOf(work: Promise<void>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (error) {
      if (error instanceof DiskError && error.message === 'it is given up') return false;
      if (this.#isExcused(error)) return false;
      throw error;
    }
  }

  #isExcused(error: unknown): boolean {
    if (this.#isClosing && isStoreError(error, 'closed')) return true;
    return this.#isDiskFaulty && (error instanceof DiskError || isStoreError(error, 'storageFailed'));
  }

  #drawFaults(): void {
    const random = this.#random;
    for (let count = random.between(1, 2); count > 0; count--) {
      this.#disk.injectFault({
        call: random.pick(FAULTY_CALLS),
        at: random.between(1, random.pick([5, 60])),
        code: random.pick(['failed', 'noSpace'] as const),
        effect: random.pick(['part', 'part', 'none', 'whole'] as const),
        isPermanent: random.chance(0.3),
      });
    }
  }

  #crash(kind: CrashKind): void {
    this.#isDiskFaulty = false;
    this.#disk = this.#disk[kind]();
    this.#scheduler.restart();
  }

  async #toEnd(work: Promise<unknown>): Promise<void> {
    const done = { isDone: false };
    work.then(() => (done.isDone = true), this.#fail);
    await this.#runUntil(() => done.isDone);
  }

  async #runUntil(isDone: () => boolean): Promise<void> {
    const stepsMax = this.#scheduler.stepCount + STEPS_MAX;
    await this.#scheduler.runUntil(() => {
      if (this.#scheduler.stepCount > stepsMax) throw new Error('something never comes to its end');
      return this.#failure !== undefined || isDone();
    });
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function rowsOf<Item>(items: readonly Item[], count: number): Item[][] {
  const rows = Array.from({ length: count }, (): Item[] => []);
  for (const [index, item] of items.entries()) rows[(index * 7) % count]?.push(item);
  return rows;
}

/** From the lines "NUMBER CALL PATH ..." of the disk's dump. */
function countCalls(dump: string): ReadonlyMap<DiskCall, number> {
  const countByCall = new Map<DiskCall, number>();
  for (const [, call] of dump.matchAll(/^\d+ (\w+) /gm))
    countByCall.set(call as DiskCall, (countByCall.get(call as DiskCall) ?? 0) + 1);
  return countByCall;
}
