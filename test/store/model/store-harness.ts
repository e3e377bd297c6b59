/** What the tests of stores run on: a store on a simulated disk, whose time moves only when a test says so. */
import { onTestFinished } from 'vitest';
import type { Disk } from '../../../src/disk/disk.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import { type StoreOptions } from '../../../src/store/store-options.ts';
import type { Store } from '../../../src/api.ts';
import type { OperatorEvent } from '../../../src/store/operator-event.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { type EngineOfHarness, engineOfHarness } from './engine-of-harness.ts';

/** A store as the contract suite sees it, with the means to move its time and to end its life. */
export interface StoreHarness {
  /** Another one after `reopen`. */
  readonly store: Store;
  readonly clock: ManualClock;
  /** Lets time pass, and waits until what became due is done. */
  advance(ms: number): Promise<void>;
  /** Closes the store, lets `downMs` pass, and opens one on the same data. */
  reopen(downMs?: number): Promise<void>;
  /** Called when the test has ended. */
  end(): Promise<void>;
}

/** Opens a new, empty store; with limits of its own where a test needs them. */
export type OpenHarness = (limits?: NonNullable<StoreOptions['limits']>) => Promise<StoreHarness>;

export const DATA_DIR = '/data';
export const LOG_DIR = `${DATA_DIR}/log`;
export const SNAPSHOT_DIR = `${DATA_DIR}/snapshots`;

export interface MemoryHarnessOptions {
  readonly limits?: NonNullable<StoreOptions['limits']>;
  readonly engine?: NonNullable<StoreOptions['engine']>;
  readonly makeEngine?: NonNullable<StoreOptions['makeEngine']>;
  readonly memoryBytesMax?: number;
  readonly fsync?: NonNullable<StoreOptions['fsync']>;
  readonly clock?: ManualClock;
  readonly seed?: number;
  /** What the store sees of the disk. */
  readonly wrap?: (disk: SimulatedDisk) => Disk;
}

/** A store in this process on a disk in memory. */
export class MemoryHarness implements StoreHarness {
  readonly clock: ManualClock;
  readonly events: OperatorEvent[] = [];
  readonly #options: MemoryHarnessOptions;
  readonly #engine: EngineOfHarness;
  readonly #random: SeededRandom;
  #disk: SimulatedDisk;
  #store: Store | undefined;

  private constructor(options: MemoryHarnessOptions) {
    this.#options = options;
    const { engine, makeEngine, limits } = options;
    this.#engine = engineOfHarness({
      ...(engine && { engine }),
      ...(makeEngine && { makeEngine }),
      ...(limits && { limits }),
    });
    this.clock = options.clock ?? new ManualClock();
    this.#random = new SeededRandom(options.seed ?? 1);
    this.#disk = new SimulatedDisk({ seed: options.seed ?? 1 });
  }

  static async open(options: MemoryHarnessOptions = {}): Promise<MemoryHarness> {
    const harness = new MemoryHarness(options);
    await harness.open();
    onTestFinished(() => harness.end());
    return harness;
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error('the store is not open');
    return this.#store;
  }

  get disk(): SimulatedDisk {
    return this.#disk;
  }

  async open(): Promise<void> {
    const { memoryBytesMax, fsync, wrap } = this.#options;
    this.#store = await openStore({
      dataDir: DATA_DIR,
      clock: this.clock,
      random: this.#random,
      disk: wrap?.(this.#disk) ?? this.#disk,
      onEvent: (event) => this.events.push(event),
      ...this.#engine.options,
      ...(memoryBytesMax !== undefined && { memoryBytesMax }),
      ...(fsync && { fsync }),
    });
  }

  async advance(ms: number): Promise<void> {
    await this.clock.pass(ms);
  }

  /** Waits until so many events of this kind have been told. */
  async told(kind: OperatorEvent['kind'], count = 1): Promise<void> {
    while (this.events.filter((event) => event.kind === kind).length < count) await new Promise(setImmediate);
  }

  async close(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }

  async reopen(downMs = 0): Promise<void> {
    await this.close();
    this.clock.advance(downMs);
    await this.open();
  }

  /** Kills the process, or cuts the power, and opens a store on what is left. */
  async crash(how: 'endProcess' | 'losePower'): Promise<void> {
    this.#store = undefined;
    this.#disk = this.#disk[how]();
    // The dead store's timers must not run beside the new one's.
    this.clock.dropTimers();
    await this.open();
  }

  /** Closes the store and opens one on the files of another disk, as when a copy of them is put back. */
  async putBack(disk: SimulatedDisk): Promise<void> {
    await this.close();
    this.#disk = disk;
    await this.open();
  }

  async end(): Promise<void> {
    // A store that a test has broken can't always be closed.
    await this.close().catch(() => undefined);
    this.#engine.remove();
  }
}
