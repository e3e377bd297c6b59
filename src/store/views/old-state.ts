/** Reads of a state that does not change any more: the visible one, or an older one that is kept. */
import type { Engine, EngineRange, Visit, VisitRow } from '../../engine/engine.ts';
import type { Version } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import { WorkBudget } from '../../work-budget.ts';
import type { KeyObserver } from '../key-observer.ts';
import { budgetSpent } from './draft.ts';
import { isOverdue } from './overdue.ts';
import { boundBytesOf } from './range.ts';
import { UnpaidVisits } from './unpaid-visits.ts';
import type { ReadView } from './view.ts';

/** There is one object for all reads, one after the other. */
export class OldState implements ReadView {
  readonly budget = new WorkBudget();
  readonly #engine: Engine;
  readonly #nowMs: () => number;
  readonly #onFailed: (error: unknown) => void;
  readonly #keyObserver: KeyObserver | undefined;
  readonly #unpaid: UnpaidVisits;
  #isShown = false;
  #revision = 0;
  #instantMs: number | undefined;

  /** @param nowMs wall time that does not go back. @param onFailed told of what a read throws. */
  constructor(
    engine: Engine,
    nowMs: () => number,
    onFailed: (error: unknown) => void,
    keyObserver?: KeyObserver,
  ) {
    this.#engine = engine;
    this.#unpaid = new UnpaidVisits(engine, this.budget);
    this.#nowMs = nowMs;
    this.#onFailed = onFailed;
    this.#keyObserver = keyObserver;
  }

  /** @param instantMs as `StateAt` has it; `undefined`: now. */
  show<Result>(revision: number, instantMs: number | undefined, run: (view: ReadView) => Result): Result {
    assert(!this.#isShown, 'a state is not read within the reading of another one');
    this.#isShown = true;
    this.#revision = revision;
    this.#instantMs = instantMs;
    this.budget.begin();
    this.#unpaid.begin();
    try {
      return run(this);
    } catch (error) {
      this.#onFailed(error);
      throw error;
    } finally {
      this.#unpaid.pay();
      this.#isShown = false;
    }
  }

  /** Shows the versions of the first `count` of some keys, now, each as a read of its own would find it, until `visit` returns false. */
  readAll(revision: number, keys: readonly Uint8Array[], count: number, visit: VisitRow): void {
    this.show(revision, undefined, () => {
      if (this.#keyObserver !== undefined) this.#tellRead(this.#keyObserver, keys, count);
      this.#engine.readAll(keys, count, revision, (shown) => visit(this.#present(shown)));
    });
  }

  get revision(): number {
    return this.#revision;
  }

  get instantMs(): number {
    return (this.#instantMs ??= this.#nowMs());
  }

  read(key: Uint8Array): Version | undefined {
    this.#spend(key.length);
    this.#keyObserver?.keyRead(key);
    const version = this.#engine.read(key, this.#revision);
    if (version !== undefined) this.budget.spendBytes(version.value.length);
    return this.#present(version);
  }

  readMeta(key: Uint8Array): Version | undefined {
    this.#spend(key.length);
    this.#keyObserver?.keyRead(key);
    return this.#present(this.#engine.readMeta(key, this.#revision));
  }

  scan(range: EngineRange, reverse: boolean, visit: Visit): Uint8Array | undefined {
    this.budget.spendKeyBytes(boundBytesOf(range));
    return this.#engine.scan(range, this.#revision, { reverse, budget: this.budget }, (shown) =>
      shown.expireTimeMs !== 0 && isOverdue(shown, this.instantMs) ? true : visit(shown),
    );
  }

  #tellRead(keyObserver: KeyObserver, keys: readonly Uint8Array[], count: number): void {
    for (let index = 0; index < count; index++) {
      const key = keys[index];
      if (key !== undefined) keyObserver.keyRead(key);
    }
  }

  #spend(keyBytes: number): void {
    this.#unpaid.pay();
    this.budget.visitsLeft--;
    this.budget.spendKeyBytes(keyBytes);
    if (this.budget.isSpent) throw budgetSpent(this.budget);
  }

  #present<Found extends Version>(version: Found | undefined): Found | undefined {
    if (version === undefined || version.expireTimeMs === 0) return version;
    return isOverdue(version, this.instantMs) ? undefined : version;
  }
}
