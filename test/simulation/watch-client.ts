/** A client that watches, at its own pace, through all lives of the store: it resumes where it was, or begins anew. */
import { type HistoryDetails, isStoreError, StoreError } from '../../src/errors.ts';
import type { Store, WatchMessage, WatchRequest } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';
import { WatchValidator } from '../support/watch-validator.ts';
import { describe, expectEqual } from './describe.ts';
import type { Machine } from './machine.ts';
import type { Model, ModelRecord } from './model.ts';
import type { Workload } from './workload.ts';

export interface WatchContext {
  readonly store: Store;
  readonly machine: Machine;
  readonly random: SeededRandom;
  readonly workload: Workload;
}

type Subject = Pick<WatchRequest, 'ranges' | 'eventTypes' | 'keysOnly' | 'returnPrevious'>;

/** Up to where it has seen everything. */
interface Place {
  readonly revision: number;
  readonly incarnation: string;
  /** The transaction that it saw there; none has revision 0. */
  readonly transaction: ModelRecord | undefined;
  /** Up to here what it saw is still true. */
  keptRevision: number;
}

export class WatchClient {
  readonly #name: string;
  /** How often it takes a rest between two messages. */
  readonly #slowness: number;
  #isHurried = false;
  #subject: Subject = {};
  #validator: WatchValidator | undefined;
  /** Where to resume; `undefined`: begin anew. It may be lost by then. */
  #place: Place | undefined;

  constructor(name: string, random: SeededRandom) {
    this.#name = name;
    this.#slowness = random.pick([0, 0, 0.1, 0.9]);
  }

  /** The store was found at this revision: what lay above is gone. */
  recovered(revision: number): void {
    const place = this.#place;
    if (place !== undefined) place.keptRevision = Math.min(place.keptRevision, revision);
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
    // Away for a while: by then others may have written what it has seen, and lost, once more.
    if (this.#place !== undefined && !this.#isHurried && random.chance(0.3)) await scheduler.sleep(1000);
    if (ledger.isClosing) return;
    ledger.settle();
    const request = this.#request(context);
    const { nowMs } = machine.instant();
    const status = store.status();
    const watch = store.watch(request);
    const { revision } = await status;
    trace.add(() => `${this.#name} opens ${describe(request)} at ${revision}`);
    const validator = new WatchValidator(request, ledger.model, { revision, nowMs });
    this.#validator = validator;
    const isLost = isPlaceLost(this.#place, ledger.model);
    try {
      for (;;) {
        const result = await watch.next();
        if (result.done === true) throw new Error('the watch ended by itself');
        if (isLost) throw new Error(`the watch goes on in another history: ${describe(request)}`);
        trace.add(() => `${this.#name} gets ${describe(result.value)}`);
        ledger.settle();
        ledger.saw(result.value.revision);
        validator.accept(result.value);
        this.#noteSeen(result.value, validator, ledger.model);
        if (this.#isHurried) continue;
        if (random.chance(this.#slowness)) await scheduler.sleep(random.pick([1, 100, 5000]));
        if (random.chance(0.02)) break;
      }
    } catch (error) {
      trace.add(() => `${this.#name} ends with ${String(error)}`);
      if (isLost && !ledger.isClosing) this.#checkDifference(error);
      else this.#checkEnd(machine, request, validator, revision, error);
      // When the store has closed it goes on with the next one, and behind a failed read with the same.
      if (!ledger.isClosing && !isStoreError(error, 'readFailed')) this.#place = undefined;
      this.#validator = undefined;
      await scheduler.pause();
      return;
    }
    // Another one follows, from where this one was or anew.
    await watch.return?.();
    if (random.chance(0.5)) this.#place = undefined;
    this.#validator = undefined;
  }

  #noteSeen({ revision, incarnation }: WatchMessage, validator: WatchValidator, model: Model): void {
    if (!validator.isSynced || validator.cursor !== revision) return;
    const transaction = revision === 0 ? undefined : model.transaction(revision);
    this.#place = { revision, incarnation, transaction, keptRevision: revision };
  }

  /** The first transaction of a life is never lost once it was seen, so both histories have it. */
  #checkDifference(error: unknown): void {
    if (!isStoreError(error, 'historyDiffers')) throw error;
    const { incarnation, keptRevision } = this.#place ?? { incarnation: '', keptRevision: 0 };
    expectEqual(() => 'what both histories share', sharedPlace(error.details), [keptRevision, incarnation]);
  }

  #request({ random, workload, machine }: WatchContext): WatchRequest {
    const progressIntervalMs = random.pick([100, 1000, 10_000]);
    if (this.#place !== undefined) {
      const { revision, incarnation } = this.#place;
      return { ...this.#subject, startRevision: revision + 1, incarnation, progressIntervalMs };
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
      case 'readFailed':
        if (machine.isDiskFaulty || machine.areReadsFaulty) return;
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

/** Whether the store that is open has another transaction there, or none. */
function isPlaceLost(place: Place | undefined, model: Model): boolean {
  if (place === undefined || place.revision === 0) return false;
  return place.revision > model.revision || model.transaction(place.revision) !== place.transaction;
}

function sharedPlace({ sharedRevision, sharedIncarnation }: HistoryDetails): [number, string] {
  return [sharedRevision, sharedIncarnation];
}
