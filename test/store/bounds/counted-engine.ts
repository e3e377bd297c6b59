/** An engine that counts what it is made to do, and a meter that sums it up by turns of the event loop. */
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import type {
  EngineRange,
  ScanOptions,
  Visit,
  VisitRead,
  VisitRow,
  Walk,
} from '../../../src/engine/engine.ts';
import type { PutRow } from '../../../src/engine/put-row.ts';
import type { Change, PlacedChange, Version } from '../../../src/engine/version.ts';
import type { WorkBudget } from '../../../src/work-budget.ts';
import { boundBytesOf } from '../../../src/store/views/range.ts';

/** Keys and versions that are looked at, changed or dropped, and the bytes of keys and values that are shown or taken. */
export interface Work {
  readonly visits: number;
  readonly bytes: number;
}

export class WorkMeter {
  #turn = { visits: 0, bytes: 0 };
  #most = { visits: 0, bytes: 0 };
  #all = { visits: 0, bytes: 0 };

  begin(): void {
    this.#turn = { visits: 0, bytes: 0 };
    this.#most = { visits: 0, bytes: 0 };
    this.#all = { visits: 0, bytes: 0 };
  }

  spend(visits: number, bytes = 0): void {
    this.#turn.visits += visits;
    this.#turn.bytes += bytes;
    this.#all.visits += visits;
    this.#all.bytes += bytes;
  }

  endTurn(): void {
    this.#most.visits = Math.max(this.#most.visits, this.#turn.visits);
    this.#most.bytes = Math.max(this.#most.bytes, this.#turn.bytes);
    this.#turn = { visits: 0, bytes: 0 };
  }

  /** What was done since `begin` in the turn in which most was, and in all turns. */
  get most(): Work {
    return { ...this.#most };
  }

  get all(): Work {
    return { ...this.#all };
  }
}

export class CountedEngine extends MemoryEngine {
  readonly #meter: WorkMeter;

  constructor(meter: WorkMeter) {
    super({ hashSeed: [1, 2] });
    this.#meter = meter;
  }

  override read(key: Uint8Array, revision: number): Version | undefined {
    const version = super.read(key, revision);
    this.#meter.spend(1, key.length + (version?.value.length ?? 0));
    return version;
  }

  override readMeta(key: Uint8Array, revision: number): Version | undefined {
    this.#meter.spend(1, key.length);
    return super.readMeta(key, revision);
  }

  override readPlaced(key: Uint8Array, revision: number, visit: VisitRead): void {
    super.readPlaced(key, revision, (version) => {
      this.#meter.spend(1, version === undefined ? 0 : bytesOf(version));
      visit(version);
    });
  }

  override readAll(keys: readonly Uint8Array[], count: number, revision: number, visit: VisitRow): void {
    super.readAll(keys, count, revision, (version) => {
      this.#meter.spend(1, version === undefined ? 0 : bytesOf(version));
      return visit(version);
    });
  }

  override scan(
    range: EngineRange,
    revision: number,
    options: ScanOptions,
    visit: Visit,
  ): Uint8Array | undefined {
    const { budget } = options;
    const before = budget.visitsLeft;
    let laterSpent = 0;
    const next = super.scan(range, revision, options, (shown) => {
      this.#meter.spend(0, shown.keyEnd - shown.keyStart);
      const left = budget.visitsLeft;
      const goesOn = visit(shown);
      // What the visitor pays for something of its own.
      laterSpent += left - budget.visitsLeft;
      return goesOn;
    });
    // To begin is a visit, however little there is.
    this.#meter.spend(1 + before - budget.visitsLeft - laterSpent, boundBytesOf(range));
    return next;
  }

  override count(range: EngineRange): number {
    this.#meter.spend(1, boundBytesOf(range));
    return super.count(range);
  }

  override rank(range: EngineRange, key: Uint8Array): number {
    this.#meter.spend(1, key.length + boundBytesOf(range));
    return super.rank(range, key);
  }

  override select(range: EngineRange, index: number): Uint8Array | undefined {
    this.#meter.spend(1, boundBytesOf(range));
    return super.select(range, index);
  }

  override selectAll(indexes: Float64Array, budget: WorkBudget, visit: (key: Uint8Array) => void): number {
    this.#meter.spend(indexes.length);
    return super.selectAll(indexes, budget, visit);
  }

  override apply(change: Change): void {
    this.#meter.spend(1, change.key.length + change.value.length);
    super.apply(change);
  }

  override putAll(row: PutRow): number {
    for (let index = 0; index < row.length; index++) {
      this.#meter.spend(2, (row.keys[index]?.length ?? 0) + (row.values[index]?.length ?? 0));
    }
    return super.putAll(row);
  }

  override forget(range: EngineRange, limit: number): number {
    const count = super.forget(range, limit);
    this.#meter.spend(1 + count);
    return count;
  }

  override openWalk(oldest: number, newest: number): Walk {
    const walk = super.openWalk(oldest, newest);
    return {
      next: (visitsMax, visit) => {
        // It does not tell of those that it looks at and does not show.
        this.#meter.spend(visitsMax);
        return walk.next(visitsMax, (change) => {
          this.#meter.spend(0, bytesOf(change));
          return visit(change);
        });
      },
      close: () => walk.close(),
    };
  }

  override maintain(isThorough?: boolean): boolean {
    const before = this.stats().versionCount;
    const isMore = super.maintain(isThorough);
    this.#meter.spend(1 + before - this.stats().versionCount);
    return isMore;
  }

  override due(nowMs: number, limit: number): Uint8Array[] {
    const keys = super.due(nowMs, limit);
    this.#meter.spend(1 + keys.length);
    return keys;
  }
}

function bytesOf({ keyStart, keyEnd, valueStart, valueEnd }: PlacedChange): number {
  return keyEnd - keyStart + valueEnd - valueStart;
}
