/** The clients of a simulated machine. */
import { isStoreError, StoreError } from '../../src/errors.ts';
import type { Store } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';
import { backUp } from './backups.ts';
import type { Machine } from './machine.ts';
import { checkOldContents, checkPinned, checkVisibleContents } from './collections/collection-checks.ts';
import type { CollectionWorkload } from './collections/collection-workload.ts';
import { readAtRandom } from './reads.ts';
import { isBare, leaseKey, type Workload } from './workload.ts';

/** Clients that read and write at random, each on its own, some without waiting for answers. */
export class Clients {
  readonly #machine: Machine;
  readonly #random: SeededRandom;
  readonly #workload: Workload;
  readonly #collections: CollectionWorkload;
  #busyCount = 0;

  constructor(machine: Machine, random: SeededRandom, workload: Workload, collections: CollectionWorkload) {
    this.#machine = machine;
    this.#random = random;
    this.#workload = workload;
    this.#collections = collections;
  }

  /** Whether all have made their calls. */
  get areDone(): boolean {
    return this.#busyCount === 0;
  }

  start(store: Store, clientCount: number, callCount: number): void {
    this.#busyCount = clientCount;
    for (let client = 0; client < clientCount; client++) {
      this.#run(store, callCount).then(() => this.#busyCount--, this.#machine.fail);
    }
  }

  /** A lease without a key would end without a trace: each that can end by itself has one of its own. */
  attachKeys(store: Store): void {
    for (const leaseId of this.#machine.ledger.model.leaseById.keys()) this.#attachKey(store, leaseId);
  }

  async #run(store: Store, callCount: number): Promise<void> {
    const random = this.#random;
    for (let count = 0; count < callCount; count++) {
      const call = this.#callAtRandom(store);
      if (random.chance(0.7)) await call;
      else call.catch(this.#machine.fail);
      if (random.chance(0.3)) await this.#machine.scheduler.pause();
    }
  }

  async #callAtRandom(store: Store): Promise<void> {
    try {
      await this.#makeCall(store);
    } catch (error) {
      if (isStoreError(error, 'readFailed') && this.#machine.areReadsFaulty) return;
      if (!isStoreError(error, 'closed') || !this.#machine.ledger.isClosing) throw error;
    }
  }

  async #makeCall(store: Store): Promise<void> {
    const draw = this.#random.below(100);
    if (draw < 65) return this.#operate(store);
    if (draw < 93) {
      if (this.#collections.isNext()) return this.#readContents(store);
      return readAtRandom(store, this.#machine, this.#workload, this.#random);
    }
    if (draw < 95) return this.#snapshot(store);
    if (draw < 97) return this.#compact(store);
    if (draw < 98) return backUp(store, this.#machine, this.#random);
    return this.#passTime(store);
  }

  #operate(store: Store): Promise<void> {
    const { ledger } = this.#machine;
    const operation = this.#workload.next();
    const call = ledger.call(store, operation);
    if (operation.kind === 'grantLease') this.#attachKey(store, operation.leaseId);
    return call;
  }

  #attachKey(store: Store, leaseId: number): void {
    // Also where it seems to have its key: a call of this turn may end it before the grant.
    const { ledger, fail } = this.#machine;
    const key = leaseKey(leaseId);
    if (isBare(leaseId)) return;
    const value = this.#workload.value();
    ledger.call(store, { kind: 'put', key, value, options: { leaseId } }).catch(fail);
  }

  /** Of the visible state, of one that is kept for a while, or of an older one. */
  async #readContents(store: Store): Promise<void> {
    const machine = this.#machine;
    const { ledger } = machine;
    const { random } = this.#collections;
    while (ledger.hasUnchecked) await Promise.resolve();
    ledger.settle();
    if (ledger.isClosing) return;
    if (random.chance(0.3)) return checkPinned(store, machine, random);
    if (random.chance(0.5) || ledger.seenRevision === 0) return checkVisibleContents(store, ledger);
    checkOldContents(store, ledger, random.between(1, ledger.seenRevision));
  }

  async #snapshot(store: Store): Promise<void> {
    const { ledger, isDiskFaulty, areReadsFaulty } = this.#machine;
    ledger.settle();
    const newest = ledger.model.revision;
    this.#machine.trace.add(() => 'snapshot');
    try {
      const { revision } = await store.snapshot();
      this.#machine.trace.add(() => `snapshot of ${revision} written`);
      if (revision < newest) throw new Error(`a snapshot of ${revision} lacks ${newest}`);
      ledger.flushed(revision);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'snapshotFailed') throw error;
      if (!isDiskFaulty && !(areReadsFaulty && ledger.hasFailed)) throw error;
    }
  }

  async #compact(store: Store): Promise<void> {
    const machine = this.#machine;
    const { ledger } = machine;
    const revision = this.#random.below(ledger.seenRevision + 1);
    if (revision === 0) return;
    machine.trace.add(() => `compact ${revision}`);
    machine.compactedRevision = Math.max(machine.compactedRevision, revision);
    try {
      const { oldestRevision } = await store.compact(revision);
      machine.trace.add(() => `compact ${revision} answers ${oldestRevision}`);
      ledger.compacted(revision);
      if (oldestRevision > machine.oldestRevisionMax())
        throw new Error(`compact ${revision} went to ${oldestRevision}`);
    } catch (error) {
      if (isStoreError(error, 'revisionCompacted')) return;
      // It is noted in the log.
      const hasFailed = isStoreError(error, 'storageFailed') || isStoreError(error, 'readOnly');
      if (hasFailed && ledger.hasFailed) return;
      if (isStoreError(error, 'limitReached') && ledger.isTight) return;
      throw error;
    }
  }

  /** The wall clock jumps, or everybody waits a while. */
  async #passTime(store: Store): Promise<void> {
    const { scheduler, ledger } = this.#machine;
    // No time passes within a turn of the event loop.
    while (ledger.hasUnchecked) await Promise.resolve();
    const random = this.#random;
    if (random.chance(0.5)) {
      scheduler.advance(random.below(random.pick([100, 3000])));
      return;
    }
    scheduler.jump(random.between(-5000, 5000));
    // Calls that meet keys past their deadline, before the store has had time to remove them.
    for (let count = random.below(6); count > 0; count--) this.#operate(store).catch(this.#machine.fail);
  }
}
