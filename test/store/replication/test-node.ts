/** A node of a test's cluster: a store on a simulated disk, fed with the batches that all share. */
import { openDurableStore } from '../../../src/store/open-durable-store.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import type { OperatorEvent } from '../../../src/store/operator-event.ts';
import type { StoreOptions } from '../../../src/store/store-options.ts';
import { KvStore } from '../../../src/kv/kv-store.ts';
import { typeHooks } from '../../../src/types/type-hooks.ts';
import { visitRecords } from '../../../src/wal/frames/records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import type { SharedBatches } from './shared-batches.ts';
import { TestJournal } from './test-journal.ts';

export const STORE_ID = Buffer.alloc(16, 7);
export const DATA_DIR = '/data';

export interface TestNodeOptions {
  readonly name: string;
  readonly seed: number;
  readonly limits?: NonNullable<StoreOptions['limits']>;
  /** Of the wall clock when the node begins. */
  readonly nowMs?: number;
  readonly disk?: SimulatedDisk;
  readonly storeId?: Uint8Array;
}

interface Opened {
  readonly store: DurableStore;
  readonly kv: KvStore;
  readonly journal: TestJournal;
}

export class TestNode {
  readonly clock: ManualClock;
  readonly events: OperatorEvent[] = [];
  disk: SimulatedDisk;
  readonly #shared: SharedBatches;
  readonly #options: TestNodeOptions;
  readonly #random: SeededRandom;
  #opened: Opened | undefined;

  constructor(shared: SharedBatches, options: TestNodeOptions) {
    this.#shared = shared;
    this.#options = options;
    this.clock = new ManualClock(options.nowMs);
    this.#random = new SeededRandom(options.seed);
    this.disk = options.disk ?? new SimulatedDisk({ seed: options.seed });
  }

  static async open(shared: SharedBatches, options: TestNodeOptions): Promise<TestNode> {
    const node = new TestNode(shared, options);
    await node.open();
    return node;
  }

  get #parts(): Opened {
    if (this.#opened === undefined) throw new Error('the node is not open');
    return this.#opened;
  }

  get store(): DurableStore {
    return this.#parts.store;
  }

  get kv(): KvStore {
    return this.#parts.kv;
  }

  get journal(): TestJournal {
    return this.#parts.journal;
  }

  async open(): Promise<void> {
    let journal: TestJournal | undefined;
    const { limits, storeId } = this.#options;
    const store = await openDurableStore(
      {
        dataDir: DATA_DIR,
        clock: this.clock,
        random: this.#random,
        disk: this.disk,
        onEvent: (event) => this.events.push(event),
        ...(limits && { limits }),
        replication: {
          storeId: storeId ?? STORE_ID,
          openJournal: (opening) => (journal = new TestJournal(opening, this.#shared, this.clock)),
        },
      },
      typeHooks,
    );
    if (journal === undefined) throw new Error('a store with replication opens its journal');
    const kv = new KvStore({ store, clock: this.clock, random: this.#random });
    this.#opened = { store, kv, journal };
  }

  /** Applies all batches that are there. Resolves when they are visible. */
  async follow(positionMax = Infinity): Promise<void> {
    const { store, journal } = this.#parts;
    for (const batch of this.#shared.after(journal.position)) {
      if (batch.position > positionMax) break;
      const { payload } = batch;
      let keptStart: number | undefined;
      let recordStart = 0;
      visitRecords(payload, 0, payload.length, (buffer, start, end) => {
        if (store.apply(buffer, start, end, journal.committedSequence + 1)) {
          journal.applied(end - recordStart);
          keptStart ??= recordStart;
        }
        recordStart = end;
      });
      if (keptStart === undefined) journal.passOver(batch.position);
      else journal.toCache(batch, payload.subarray(keptStart));
    }
    await this.settled();
  }

  /** Applies so many records of the next batch, which stays as it is, unfinished. */
  applyPart(count: number): void {
    const { store, journal } = this.#parts;
    const [batch] = this.#shared.after(journal.position);
    if (batch === undefined) throw new Error('there is no further batch');
    let left = count;
    visitRecords(batch.payload, 0, batch.payload.length, (buffer, start, end) => {
      if (left-- > 0 && store.apply(buffer, start, end, journal.committedSequence + 1))
        journal.applied(end - start);
    });
  }

  /** Takes over as the writer. */
  async lead(): Promise<void> {
    const epoch = this.#shared.takeOver(this.#options.name);
    await this.follow();
    this.journal.lead(epoch);
    this.store.becomeWriter(() => Promise.resolve());
  }

  /** Resolves when all that was committed is visible. */
  async settled(): Promise<void> {
    await this.store.whenDurable(undefined, false);
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.store.close();
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }

  async crash(how: 'endProcess' | 'losePower'): Promise<void> {
    this.#opened = undefined;
    this.disk = this.disk[how]();
    this.clock.dropTimers();
    await this.open();
  }
}
