/** What the tests of the seam run on: a store without the calls that stand above it, and flushes that a test can hold back. */
import { onTestFinished } from 'vitest';
import { KvStore } from '../../../src/kv/kv-store.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import { openDurableStore } from '../../../src/store/open-durable-store.ts';
import type { StoreOptions } from '../../../src/store/store-options.ts';
import type { OperatorEvent } from '../../../src/store/operator-event.ts';
import type { View } from '../../../src/store/views/view.ts';
import { typeHooks } from '../../../src/types/type-hooks.ts';
import { HeldDisk } from '../../support/held-disk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { type EngineOfHarness, engineOfHarness } from '../model/engine-of-harness.ts';
import { DATA_DIR } from '../model/store-harness.ts';

export interface SeamHarnessOptions {
  readonly seed?: number;
  readonly limits?: NonNullable<StoreOptions['limits']>;
  readonly engine?: NonNullable<StoreOptions['engine']>;
  readonly makeEngine?: NonNullable<StoreOptions['makeEngine']>;
  readonly memoryBytesMax?: number;
  readonly memoryPolicy?: NonNullable<StoreOptions['memoryPolicy']>;
  readonly fsync?: NonNullable<StoreOptions['fsync']>;
}

export class SeamHarness {
  readonly clock = new ManualClock();
  readonly events: OperatorEvent[] = [];
  readonly #options: SeamHarnessOptions;
  readonly #engine: EngineOfHarness;
  readonly #random: SeededRandom;
  #disk: SimulatedDisk;
  #held: HeldDisk;
  #store: DurableStore | undefined;

  private constructor(options: SeamHarnessOptions) {
    this.#options = options;
    this.#engine = engineOfHarness({
      ...(options.limits && { limits: options.limits }),
      ...(options.engine && { engine: options.engine }),
      ...(options.makeEngine && { makeEngine: options.makeEngine }),
    });
    this.#random = new SeededRandom(options.seed ?? 1);
    this.#disk = new SimulatedDisk({ seed: options.seed ?? 1 });
    this.#held = new HeldDisk(this.#disk);
  }

  /** For one test. */
  static async open(options: SeamHarnessOptions = {}): Promise<SeamHarness> {
    const harness = await SeamHarness.openShared(options);
    onTestFinished(() => harness.close());
    return harness;
  }

  /** For several tests; whoever opens it closes it. */
  static async openShared(options: SeamHarnessOptions = {}): Promise<SeamHarness> {
    const harness = new SeamHarness(options);
    await harness.#open();
    return harness;
  }

  async close(): Promise<void> {
    // A store that a test has broken can't always be closed.
    await this.#close().catch(() => undefined);
    this.#engine.remove();
  }

  get store(): DurableStore {
    if (this.#store === undefined) throw new Error('the store is not open');
    return this.#store;
  }

  /** The calls with promises, over the same store. */
  get calls(): KvStore {
    return new KvStore({ store: this.store, clock: this.clock, random: this.#random });
  }

  get disk(): SimulatedDisk {
    return this.#disk;
  }

  /** What the store sees of the disk. */
  get flushes(): Pick<HeldDisk, 'hold' | 'release' | 'waitingCount'> {
    return this.#held;
  }

  /** Runs a transaction, and waits until it is durable. */
  async decide<Result>(run: (view: View) => Result): Promise<Result> {
    const { result, hasChanged } = this.store.decide(run);
    return await this.store.whenDurable(result, hasChanged);
  }

  /** Waits until all that is committed is durable. */
  async durable(): Promise<void> {
    await this.store.whenDurable(undefined, false);
  }

  async reopen(): Promise<void> {
    await this.#close();
    await this.#open();
  }

  /** Kills the process, and opens a store on what is left. */
  async crash(): Promise<void> {
    this.#store = undefined;
    this.#disk = this.#disk.endProcess();
    this.#held = new HeldDisk(this.#disk);
    // The dead store's timers must not run beside the new one's.
    this.clock.dropTimers();
    await this.#open();
  }

  async #open(): Promise<void> {
    const { fsync, memoryBytesMax, memoryPolicy } = this.#options;
    const options = {
      dataDir: DATA_DIR,
      clock: this.clock,
      random: this.#random,
      disk: this.#held,
      onEvent: (event: OperatorEvent): void => void this.events.push(event),
      ...(fsync && { fsync }),
      ...(memoryBytesMax !== undefined && { memoryBytesMax }),
      ...(memoryPolicy !== undefined && { memoryPolicy }),
      ...this.#engine.options,
    };
    this.#store = await openDurableStore(options, typeHooks);
  }

  async #close(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** One character for each byte. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

export const ALL = { start: new Uint8Array(0), end: undefined };
