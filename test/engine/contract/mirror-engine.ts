/**
 * Two engines side by side: every call goes to both, and the answers must be the same. Under the tests of what stands
 * above, it holds a real engine against the model in the ways an engine is really used.
 *
 * What may differ: how soon `maintain` has dropped what nobody sees any more, and with it the counts of versions and
 * bytes, and at which deleted keys a scan or a walk pauses.
 */
import type {
  Engine,
  EngineLoader,
  EngineRange,
  DeadlineSums,
  DurableState,
  EngineStats,
  ScanOptions,
  Visit,
  VisitRead,
  VisitRow,
  Walk,
  WalkVisit,
} from '../../../src/engine/engine.ts';
import type { PutRow } from '../../../src/engine/put-row.ts';
import type { Change, PlacedChange, Version } from '../../../src/engine/version.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { resultOf } from '../../support/pieces.ts';
import { verifyIntegrity } from '../memory/integrity.ts';

export class MirrorEngine implements Engine, EngineLoader {
  readonly #engine: Engine;
  readonly #model: Engine;
  /** Of the engine: the model has all in memory. */
  readonly durable?: DurableState;

  /** @param engine is the one whose answers are passed on. */
  constructor(engine: Engine, model: Engine) {
    this.#engine = engine;
    this.#model = model;
    if (engine.durable !== undefined) this.durable = engine.durable;
  }

  read(key: Uint8Array, revision: number): Version | undefined {
    return this.#both('read', (engine) => engine.read(key, revision), textOfVersion);
  }

  readMeta(key: Uint8Array, revision: number): Version | undefined {
    return this.#both('readMeta', (engine) => engine.readMeta(key, revision), textOfVersion);
  }

  fetch(keys: readonly Uint8Array[], start: number, end: number): void {
    this.#both('fetch', (engine) => engine.fetch(keys, start, end), String);
  }

  readPlaced(key: Uint8Array, revision: number, visit: VisitRead): void {
    let expected: string | undefined;
    const error = outcomeOf(() =>
      this.#model.readPlaced(key, revision, (version) => (expected = textOfVersion(version))),
    );
    if ('error' in error) {
      this.#both('readPlaced', (engine) => engine.readPlaced(key, revision, visit), String);
      return;
    }
    let seen: string | undefined;
    this.#engine.readPlaced(key, revision, (version) => {
      seen = textOfVersion(version);
      visit(version);
    });
    assertSame('readPlaced', String(seen), String(expected));
  }

  readAll(keys: readonly Uint8Array[], count: number, revision: number, visit: VisitRow): void {
    const seen: string[] = [];
    this.#engine.readAll(keys, count, revision, (version) => {
      seen.push(textOfVersion(version));
      return visit(version);
    });
    const expected: string[] = [];
    this.#model.readAll(keys, seen.length, revision, (version) => expected.push(textOfVersion(version)) > 0);
    assertSame('readAll', seen.join('\n'), expected.join('\n'));
  }

  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined {
    const seen: string[] = [];
    const next = this.#engine.scan(range, revision, options, (version) => {
      seen.push(textOfChange(version));
      return visit(version);
    });
    // The model goes over the same part of the range, up to where the engine paused, or to its end if it says that there is nothing more.
    const part: EngineRange =
      next === undefined
        ? range
        : options.reverse
          ? { start: Buffer.concat([next, Uint8Array.of(0)]), end: range.end }
          : { start: range.start, end: next };
    const expected: string[] = [];
    const whole = { ...options, budget: new WorkBudget(Infinity) };
    this.#model.scan(part, revision, whole, (version) => expected.push(textOfChange(version)) > 0);
    assertSame('scan', seen.join('\n'), expected.join('\n'));
    return next;
  }

  count(range: EngineRange): number {
    return this.#both('count', (engine) => engine.count(range), String);
  }

  rank(range: EngineRange, key: Uint8Array): number {
    return this.#both('rank', (engine) => engine.rank(range, key), String);
  }

  select(range: EngineRange, index: number): Uint8Array | undefined {
    return this.#both(
      'select',
      (engine) => engine.select(range, index),
      (key) => (key === undefined ? '' : textOf(key)),
    );
  }

  selectAll(indexes: Float64Array, budget: WorkBudget, visit: (key: Uint8Array) => void): number {
    const expected: string[] = [];
    this.#model.selectAll(indexes, new WorkBudget(Infinity), (key) => expected.push(textOf(key)));
    // It may end early, since it looks at more.
    let at = 0;
    const count = this.#engine.selectAll(indexes, budget, (key) => {
      assertSame('selectAll', textOf(key), expected[at++] ?? 'no key');
      visit(key);
    });
    assertSame('selectAll', String(count), String(at));
    return count;
  }

  rankAll(keys: readonly Uint8Array[], budget: WorkBudget, visit: (rank: number) => void): number {
    const expected: number[] = [];
    this.#model.rankAll(keys, new WorkBudget(Infinity), (rank) => expected.push(rank));
    let at = 0;
    const count = this.#engine.rankAll(keys, budget, (rank) => {
      assertSame('rankAll', String(rank), String(expected[at++]));
      visit(rank);
    });
    assertSame('rankAll', String(count), String(at));
    return count;
  }

  get selectVisits(): number {
    return this.#engine.selectVisits;
  }

  apply(change: Change): void {
    this.#both('apply', (engine) => engine.apply(change), String);
  }

  putAll(row: PutRow): number {
    return this.#both(
      'putAll',
      (engine) => engine.putAll(row),
      (count) =>
        `${count} ${row.createRevisions.slice(0, count).join()} ${row.versions.slice(0, count).join()}`,
    );
  }

  get unpaidVisits(): number {
    return this.#engine.unpaidVisits;
  }

  get isWalked(): boolean {
    return this.#both('isWalked', (engine) => engine.isWalked, String);
  }

  forget(range: EngineRange, limit: number): number {
    if (this.durable === undefined)
      return this.#both('forget', (engine) => engine.forget(range, limit), String);
    // Which keys of deleted ones are still there to be dropped is its own affair.
    const count = this.#engine.forget(range, limit);
    this.#model.forget(range, count < limit ? Infinity : count);
    return count;
  }

  get loader(): EngineLoader {
    return this;
  }

  newest(change: PlacedChange): number {
    return this.#both('newest', (engine) => engine.loader.newest(change), String);
  }

  finishNewest(): Generator<undefined, boolean> {
    return this.#step('finishNewest');
  }

  older(change: PlacedChange): number {
    return this.#both('older', (engine) => engine.loader.older(change), String);
  }

  next(change: PlacedChange): number {
    return this.#both('next', (engine) => engine.loader.next(change), String);
  }

  finish(): Generator<undefined, boolean> {
    return this.#step('finish');
  }

  *#step(method: 'finishNewest' | 'finish'): Generator<undefined, boolean> {
    const expected = resultOf(this.#model.loader[method]());
    const result = yield* this.#engine.loader[method]();
    assertSame(method, String(result), String(expected));
    return result;
  }

  /** What the engine shows is held against what the model would, once all of it has come. */
  openWalk(oldest: number, newest: number): Walk {
    const walk = this.#engine.openWalk(oldest, newest);
    const expected: string[] = [];
    const model = this.#model.openWalk(oldest, newest);
    const seen: string[] = [];
    return {
      next: (visitsMax: number, visit: WalkVisit): boolean => {
        const isMore = walk.next(visitsMax, (change) => {
          seen.push(textOfWalked(change));
          return visit(change);
        });
        if (isMore) return true;
        // Not before: a walk that has come to its end is not open any more.
        while (model.next(1000, (change) => expected.push(textOfWalked(change))));
        assertSame('walk', seen.sort().join('\n'), expected.sort().join('\n'));
        return false;
      },
      close: () => {
        walk.close();
        model.close();
      },
    };
  }

  compact(revision: number): void {
    this.#both('compact', (engine) => engine.compact(revision), String);
  }

  maintain(isThorough?: boolean): boolean {
    const isModelBusy = this.#model.maintain(isThorough);
    return this.#engine.maintain(isThorough) || isModelBusy;
  }

  due(nowMs: number, limit: number): Uint8Array[] {
    return this.#both(
      'due',
      (engine) => engine.due(nowMs, limit),
      (keys) => keys.map(textOf).join('\n'),
    );
  }

  nextDeadlineMs(): number | undefined {
    return this.#both('nextDeadlineMs', (engine) => engine.nextDeadlineMs(), String);
  }

  deadlineSums(group: number): DeadlineSums {
    return this.#both(
      'deadlineSums',
      (engine) => engine.deadlineSums(group),
      ({ count, sumMs }) => `${count} ${sumMs}`,
    );
  }

  stats(): EngineStats {
    return this.#both(
      'stats',
      (engine) => engine.stats(),
      ({ keyCount }) => String(keyCount),
    );
  }

  get memoryBytes(): number {
    return this.#engine.memoryBytes;
  }

  verifyIntegrity(): void {
    verifyIntegrity(this.#engine);
    verifyIntegrity(this.#model);
  }

  #both<Answer>(
    call: string,
    ask: (engine: Engine) => Answer,
    textOfAnswer: (answer: Answer) => string,
  ): Answer {
    const expected = outcomeOf(() => ask(this.#model));
    const answered = outcomeOf(() => ask(this.#engine));
    const textOfOutcome = (outcome: Outcome<Answer>) =>
      'error' in outcome ? `throws ${String(outcome.error)}` : textOfAnswer(outcome.answer);
    assertSame(call, textOfOutcome(answered), textOfOutcome(expected));
    if ('error' in answered) throw answered.error;
    return answered.answer;
  }
}

type Outcome<Answer> = { readonly answer: Answer } | { readonly error: Error };

function outcomeOf<Answer>(ask: () => Answer): Outcome<Answer> {
  try {
    return { answer: ask() };
  } catch (error) {
    return { error: error as Error };
  }
}

function assertSame(call: string, answered: string, expected: string): void {
  if (answered === expected) return;
  throw new Error(`the engines differ in ${call}:\n${answered}\ninstead of\n${expected}`);
}

function textOf(bytes: Uint8Array): string {
  return JSON.stringify(Buffer.from(bytes).toString('latin1'));
}

function textOfVersion(version: Version | undefined): string {
  if (version === undefined) return 'nothing';
  const { revision, value, kind, collectionId, createRevision, modRevision, leaseId, ttlMs, expireTimeMs } =
    version;
  const numbers = [
    revision,
    kind,
    collectionId,
    createRevision,
    modRevision,
    version.version,
    leaseId,
    ttlMs,
    expireTimeMs,
  ];
  return `${numbers.join(' ')} ${textOf(value)}`;
}

function textOfChange(change: Change): string {
  const { key, deleted, revision } = change;
  return deleted ? `${textOf(key)} deleted at ${revision}` : `${textOf(key)} ${textOfVersion(change)}`;
}

function textOfWalked(change: PlacedChange): string {
  return `${textOfChange(change)} replaced by ${change.replacedBy}`;
}
