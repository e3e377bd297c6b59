/**
 * A read replica under writes of all kinds at its server: behind each barrier both have the same state, leases too, also at old revisions.
 * The stream breaks, records come again, both are closed, killed and opened anew, and the server's log is trimmed behind the replica.
 */
import { expect, test } from 'vitest';
import { openReplica } from '../../../src/cluster/replica/open-replica.ts';
import type { OpenedNode } from '../../../src/cluster/open-node.ts';
import { isStoreError } from '../../../src/errors.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import { writeSomething } from '../../store/replication/random-writes.ts';
import { expectSame } from '../../store/replication/same-state.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { DATA_DIR, Followed, hasty, LIMITS } from './followed.ts';

const SEEDS = [1, 2, 3, 22, 24];
const STEPS = 200;

class RandomReplica {
  readonly server: Followed;
  readonly #random: SeededRandom;
  #disk: SimulatedDisk;
  #opened: OpenedNode | undefined;
  #hasEnded = false;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.server = new Followed(seed);
    this.#disk = new SimulatedDisk({ seed: seed + 1000 });
  }

  async run(): Promise<void> {
    await this.server.open();
    await this.#open();
    for (let step = 0; step < STEPS; step++) {
      await this.#step();
      if (step % 10 === 9) await this.#check();
    }
    await this.#check();
    await this.#close();
    await this.server.kv.close();
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const { server } = this;
    const dice = random.below(100);
    if (dice < 80) await writeSomething(server.kv, random);
    else if (dice < 86) await server.clock.pass(random.pick([10, 400, 1500]));
    else if (dice < 90) server.breakStreams();
    else if (dice < 92) await server.reopen(random.pick(['close', 'endProcess']));
    else if (dice < 94) await server.store.snapshot();
    else if (dice < 96) await this.#opened?.store.snapshot().catch(() => undefined);
    else if (dice < 98) {
      await this.#close();
      await this.#open();
    } else if (dice < 99) await this.#crash();
    else await this.#beAway();
  }

  async #open(): Promise<void> {
    this.#hasEnded = false;
    const store = { dataDir: DATA_DIR, disk: this.#disk, clock: hasty, limits: LIMITS };
    const opened = await openReplica(
      { store, server: this.server, address: 'replica' },
      new AbortController().signal,
    );
    this.#opened = opened;
    void opened.node.ended.then(() => {
      this.#hasEnded = this.#opened === opened;
    });
  }

  async #close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.node.close();
    await opened?.store.close().catch(() => undefined);
  }

  async #crash(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#disk = this.#disk[this.#random.pick(['endProcess', 'losePower'] as const)]();
    await opened?.node.close();
    await opened?.store.close().catch(() => undefined);
    await this.#open();
  }

  /** Meanwhile the log of the server goes on, and is trimmed. */
  async #beAway(): Promise<void> {
    await this.#close();
    const { server } = this;
    const { revision } = server.store.head;
    while (server.store.head.oldestRevision <= revision + 1) {
      for (let count = 0; count < 20; count++) await server.kv.put(`away-${count}`, Buffer.alloc(1000));
      await server.store.snapshot();
    }
    await this.#open();
  }

  async #check(): Promise<void> {
    for (;;) {
      const opened = this.#opened;
      if (opened === undefined) throw new Error('the replica is open');
      try {
        await opened.node.readBarrier();
        await expectSame(this.server.store, opened.store.seam as DurableStore);
        return;
      } catch (error) {
        if (isStoreError(error, 'notWriter') && error.message.includes('restarted meanwhile')) continue;
        if (!this.#hasEnded) throw error;
        await this.#close();
        await this.#open();
      }
    }
  }
}

let snapshotCount = 0;

test.each(SEEDS)('seed %i', { timeout: 60_000 }, async (seed) => {
  const replica = new RandomReplica(seed);
  await replica.run();
  snapshotCount += replica.server.snapshotCount;
});

test('some had to begin anew with a snapshot', () => {
  expect(snapshotCount).toBeGreaterThan(0);
});
