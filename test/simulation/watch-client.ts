/** A client that watches, at its own pace, through all lives of the store: it resumes where it was, or begins anew. */
import { DiskError } from '../../src/disk/disk.ts';
import { StoreError } from '../../src/errors.ts';
import type { Store, WatchRequest } from '../../src/store/store.ts';
import type { SeededRandom } from '../support/random.ts';
import { WatchValidator } from '../support/watch-validator.ts';
import { describe } from './describe.ts';
import type { Machine } from './machine.ts';
import type { Workload } from './workload.ts';

export interface WatchContext {
  readonly store: Store;
  readonly machine: Machine;
  readonly random: SeededRandom;
  readonly workload: Workload;
}

type Subject = Pick<WatchRequest, 'ranges' | 'eventTypes' | 'keysOnly' | 'returnPrevious'>;

export class WatchClient {
  readonly #name: string;
  /** How often it takes a rest between two messages. */
  readonly #slowness: number;
  #isHurried = false;
  #subject: Subject = {};
  #validator: WatchValidator | undefined;
  /** Where to resume; `undefined`: begin anew. */
  #cursor: number | undefined;

  constructor(name: string, random: SeededRandom) {
    this.#name = name;
    this.#slowness = random.pick([0, 0, 0.1, 0.9]);
  }

  /** The store was found at this revision: what lay above is gone. */
  recovered(revision: number): void {
    const { cursor, isSynced } = this.#validator ?? { cursor: 0, isSynced: false };
    this.#cursor = isSynced && cursor <= revision ? cursor : undefined;
    this.#validator = undefined;
  }

  /** From now on it takes no rest, and begins nothing anew. */
  hurry(): void {
    this.#isHurried = true;
  }

  /** Checks that all there was to see has come. */
  expectCaughtUp(revision: number): void {
    this.#validator?.expectCaughtUp(revision);
  }

  /** Watches until the store is closed. */
  async follow(context: WatchContext): Promise<void> {
    while (!context.machine.ledger.isClosing) await this.#watchOnce(context);
  }

  async #watchOnce(context: WatchContext): Promise<void> {
    const { store, random, machine } = context;
    const { ledger, scheduler, trace } = machine;
    ledger.settle();
    const request = this.#request(context);
    const { nowMs } = machine.instant();
    const status = store.status();
    const watch = store.watch(request);
    const { revision } = await status;
    trace.add(() => `${this.#name} opens ${describe(request)} at ${revision}`);
    const validator = new WatchValidator(request, ledger.model, { revision, nowMs });
    this.#validator = validator;
    this.#cursor = undefined;
    try {
      for (;;) {
        const result = await watch.next();
        if (result.done === true) throw new Error('the watch ended by itself');
        trace.add(() => `${this.#name} gets ${describe(result.value)}`);
        ledger.settle();
        ledger.saw(result.value.revision);
        validator.accept(result.value);
        if (this.#isHurried) continue;
        if (random.chance(this.#slowness)) await scheduler.sleep(random.pick([1, 100, 5000]));
        if (random.chance(0.02)) break;
      }
    } catch (error) {
      trace.add(() => `${this.#name} ends with ${String(error)}`);
      this.#checkEnd(machine, request, validator, revision, error);
      this.#validator = undefined;
      await scheduler.pause();
      return;
    }
    // Another one follows, from where this one was or anew.
    await watch.return?.();
    this.#cursor = validator.isSynced && random.chance(0.5) ? validator.cursor : undefined;
    this.#validator = undefined;
  }

  #request({ random, workload, machine }: WatchContext): WatchRequest {
    const progressIntervalMs = random.pick([100, 1000, 10_000]);
    if (this.#cursor !== undefined) {
      return { ...this.#subject, startRevision: this.#cursor + 1, progressIntervalMs };
    }
    this.#subject = {
      ranges: random.chance(0.4) ? [] : [workload.range(), workload.range()],
      eventTypes: random.pick([[], ['put', 'delete', 'touch'], ['delete'], ['put']]),
      keysOnly: random.chance(0.2),
      returnPrevious: random.chance(0.4),
    };
    const subject = { ...this.#subject, progressIntervalMs };
    switch (random.below(3)) {
      case 0:
        return { ...subject, startRevision: random.below(machine.ledger.seenRevision + 3) };
      case 1:
        return { ...subject, includeCurrent: true };
      default:
        return subject;
    }
  }

  /** A watch may end with an error only for one of the reasons in the contract. */
  #checkEnd(
    machine: Machine,
    request: WatchRequest,
    validator: WatchValidator,
    openedAt: number,
    error: unknown,
  ): void {
    if (error instanceof DiskError && machine.isDiskFaulty) return;
    if (!(error instanceof StoreError)) throw error;
    const { code, details } = error as StoreError;
    const { startRevision = 0 } = request;
    const lostMax = Math.max(
      // Also settles what the store has done by itself.
      request.returnPrevious === true ? machine.oldestRevisionMax() : 0,
      machine.lostRevisionMax(),
    );
    switch (code) {
      case 'closed':
        if (machine.ledger.isClosing) return;
        break;
      case 'revisionFuture':
        if (startRevision > openedAt + 1) return;
        break;
      case 'revisionCompacted': {
        const { oldestRevision } = details as { oldestRevision: number };
        if (startRevision <= oldestRevision && oldestRevision <= lostMax) return;
        break;
      }
      case 'slowWatcher': {
        const { resumeRevision } = details as { resumeRevision: number };
        if (resumeRevision === 0 && request.includeCurrent === true && !validator.isSynced) return;
        validator.expectResumable(resumeRevision);
        if (resumeRevision <= lostMax) return;
        break;
      }
      default:
    }
    throw new Error(`a watch ends without reason: ${code} ${describe(details)}, lost at most ${lostMax}`, {
      cause: error,
    });
  }
}
