/**
 * `RecordingEngine`: an engine whose calls are recorded, with what visitors do during them. What a call was given is copied before it is
 * made. When it is made again it is given bytes of its own, which are overwritten behind it, and so are those that it hands out.
 */
import { assert } from '../../../../src/errors.ts';
import type {
  DeadlineSums,
  Engine,
  EngineLoader,
  EngineRange,
  EngineStats,
  ScanOptions,
  Visit,
  VisitRead,
  VisitRow,
  Walk,
  WalkVisit,
} from '../../../../src/engine/engine.ts';
import { PutRow } from '../../../../src/engine/put-row.ts';
import type { Change, Version } from '../../../../src/engine/version.ts';
import { NO_BYTES } from '../../../../src/wire/bytes.ts';
import { WorkBudget } from '../../../../src/work-budget.ts';
import { verifyIntegrity } from '../../memory/integrity.ts';
import {
  type CalledAgain,
  type RecordedCall,
  type RecordedVisit,
  VisitorAgain,
  type WalkAgain,
} from './recorded-call.ts';

/** What bytes become that are no longer those of the engine. */
const OVERWRITTEN = 0xa5;

interface Revisions {
  readonly appliedRevision?: number;
  readonly readRevision?: number;
}

type Again = (called: CalledAgain, visits: readonly RecordedVisit[]) => void;

export class RecordingEngine implements Engine {
  readonly calls: RecordedCall[] = [];
  readonly #engine: Engine;
  /** Where calls go: during a visit to those of the visitor. */
  #into = this.calls;
  #walkCount = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  read(key: Uint8Array, revision: number): Version | undefined {
    const copy = copyOf(key);
    const again: Again = ({ engine }) => void engine.read(copyOf(copy), revision)?.value.fill(OVERWRITTEN);
    return this.#record('read', { readRevision: revision }, again, () => this.#engine.read(key, revision));
  }

  readMeta(key: Uint8Array, revision: number): Version | undefined {
    const copy = copyOf(key);
    const again: Again = ({ engine }) => void engine.readMeta(copyOf(copy), revision);
    const ask = () => this.#engine.readMeta(key, revision);
    return this.#record('readMeta', { readRevision: revision }, again, ask);
  }

  readPlaced(key: Uint8Array, revision: number, visit: VisitRead): void {
    const copy = copyOf(key);
    const again: Again = (called, visits) => {
      const visitor = new VisitorAgain(visits, called);
      called.engine.readPlaced(copyOf(copy), revision, () => void visitor.visit());
      assert(!visitor.lacks, 'a read shows what it has found');
    };
    this.#record('readPlaced', { readRevision: revision }, again, (visits) =>
      this.#engine.readPlaced(key, revision, (version) => {
        this.#visit(visits, () => (visit(version), true));
      }),
    );
  }

  readAll(keys: readonly Uint8Array[], count: number, revision: number, visit: VisitRow): void {
    const copies = copiesOf(keys);
    const again: Again = (called, visits) => {
      const visitor = new VisitorAgain(visits, called);
      called.engine.readAll(copiesOf(copies), count, revision, () => visitor.visit());
      assert(!visitor.lacks, 'a read of a row shows all keys');
    };
    this.#record('readAll', { readRevision: revision }, again, (visits) =>
      this.#engine.readAll(keys, count, revision, (version) => this.#visit(visits, () => visit(version))),
    );
  }

  fetch(keys: readonly Uint8Array[], start: number, end: number): void {
    const copies = copiesOf(keys);
    const again: Again = ({ engine }) => engine.fetch(copiesOf(copies), start, end);
    this.#record('fetch', {}, again, () => this.#engine.fetch(keys, start, end));
  }

  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined {
    const copy = copyOfRange(range);
    const { reverse } = options;
    const { visitsLeft } = options.budget;
    const again: Again = (called, visits) => {
      const visitor = new VisitorAgain(visits, called);
      const { engine } = called;
      const given = copyOfRange(copy);
      const paid = { reverse, budget: new WorkBudget(visitsLeft) };
      let next = engine.scan(given, revision, paid, () => visitor.visit());
      overwriteRange(given);
      // What it reads of a disk is paid, too, so that it may end earlier.
      while (next !== undefined && visitor.lacks) {
        const rest = reverse
          ? { start: copy.start, end: Buffer.concat([next, Uint8Array.of(0)]) }
          : { start: next, end: copy.end };
        const free = { reverse, budget: new WorkBudget(Infinity) };
        next = engine.scan(rest, revision, free, () => visitor.visitRest());
      }
      assert(!visitor.lacks, 'a scan shows all that there is');
      next?.fill(OVERWRITTEN);
    };
    return this.#record('scan', { readRevision: revision }, again, (visits) =>
      this.#engine.scan(range, revision, options, (version) => this.#visit(visits, () => visit(version))),
    );
  }

  count(range: EngineRange): number {
    const copy = copyOfRange(range);
    const again: Again = ({ engine }) => void engine.count(copyOfRange(copy));
    return this.#record('count', {}, again, () => this.#engine.count(range));
  }

  rank(range: EngineRange, key: Uint8Array): number {
    const [copy, copyOfKey] = [copyOfRange(range), copyOf(key)];
    const again: Again = ({ engine }) => void engine.rank(copyOfRange(copy), copyOf(copyOfKey));
    return this.#record('rank', {}, again, () => this.#engine.rank(range, key));
  }

  select(range: EngineRange, index: number): Uint8Array | undefined {
    const copy = copyOfRange(range);
    const again: Again = ({ engine }) => void engine.select(copyOfRange(copy), index)?.fill(OVERWRITTEN);
    return this.#record('select', {}, again, () => this.#engine.select(range, index));
  }

  selectAll(indexes: Float64Array, budget: WorkBudget, visit: (key: Uint8Array) => void): number {
    const copy = indexes.slice();
    const again: Again = ({ engine }) =>
      void engine.selectAll(copy.slice(), new WorkBudget(Infinity), (key) => void key.fill(OVERWRITTEN));
    return this.#record('selectAll', {}, again, () => this.#engine.selectAll(indexes, budget, visit));
  }

  rankAll(keys: readonly Uint8Array[], budget: WorkBudget, visit: (rank: number) => void): number {
    const copies = keys.map(copyOf);
    const again: Again = ({ engine }) =>
      void engine.rankAll(copies.map(copyOf), new WorkBudget(Infinity), () => {});
    return this.#record('rankAll', {}, again, () => this.#engine.rankAll(keys, budget, visit));
  }

  get selectVisits(): number {
    return this.#engine.selectVisits;
  }

  apply(change: Change): void {
    const copy = copyOfChange(change);
    const again: Again = ({ engine }) => {
      const given = copyOfChange(copy);
      engine.apply(given);
      given.key.fill(OVERWRITTEN);
      given.value.fill(OVERWRITTEN);
    };
    this.#record('apply', { appliedRevision: change.revision }, again, () => this.#engine.apply(change));
  }

  putAll(row: PutRow): number {
    const copy = copyOfRow(row);
    const again: Again = ({ engine }) => {
      const given = copyOfRow(copy);
      engine.putAll(given);
      for (const each of [...given.keys, ...given.values]) each.fill(OVERWRITTEN);
    };
    const revisions = { appliedRevision: row.firstRevision };
    return this.#record('putAll', revisions, again, () => this.#engine.putAll(row));
  }

  forget(range: EngineRange, limit: number): number {
    const copy = copyOfRange(range);
    const again: Again = ({ engine }) => {
      const given = copyOfRange(copy);
      engine.forget(given, limit);
      overwriteRange(given);
    };
    return this.#record('forget', {}, again, () => this.#engine.forget(range, limit));
  }

  openWalk(oldest: number, newest: number): Walk {
    const number = this.#walkCount++;
    const again: Again = ({ engine, walks }) =>
      void walks.set(number, { walk: engine.openWalk(oldest, newest), isAtEnd: false });
    const ask = () => this.#engine.openWalk(oldest, newest);
    const walk = this.#record('openWalk', { readRevision: oldest }, again, ask);
    return {
      next: (visitsMax, visit) => this.#nextOfWalk(number, walk, visitsMax, visit),
      close: () => {
        const closeAgain: Again = ({ walks }) => {
          const opened = walks.get(number);
          if (opened !== undefined) closeWalk(opened);
          walks.delete(number);
        };
        this.#record('close of a walk', {}, closeAgain, () => walk.close());
      },
    };
  }

  get isWalked(): boolean {
    return this.#engine.isWalked;
  }

  compact(revision: number): void {
    const again: Again = ({ engine }) => engine.compact(revision);
    this.#record('compact', {}, again, () => this.#engine.compact(revision));
  }

  maintain(isThorough?: boolean): boolean {
    const again: Again = ({ engine }) => void engine.maintain(isThorough);
    return this.#record('maintain', {}, again, () => this.#engine.maintain(isThorough));
  }

  due(nowMs: number, limit: number): Uint8Array[] {
    const again: Again = ({ engine }) => {
      for (const key of engine.due(nowMs, limit)) key.fill(OVERWRITTEN);
    };
    return this.#record('due', {}, again, () => this.#engine.due(nowMs, limit));
  }

  nextDeadlineMs(): number | undefined {
    const again: Again = ({ engine }) => void engine.nextDeadlineMs();
    return this.#record('nextDeadlineMs', {}, again, () => this.#engine.nextDeadlineMs());
  }

  deadlineSums(group: number): DeadlineSums {
    const again: Again = ({ engine }) => void engine.deadlineSums(group);
    return this.#record('deadlineSums', {}, again, () => this.#engine.deadlineSums(group));
  }

  stats(): EngineStats {
    const again: Again = ({ engine }) => void engine.stats();
    return this.#record('stats', {}, again, () => this.#engine.stats());
  }

  verifyIntegrity(): void {
    const again: Again = ({ engine }) => verifyIntegrity(engine);
    this.#record('verifyIntegrity', {}, again, () => verifyIntegrity(this.#engine));
  }

  get memoryBytes(): number {
    return this.#engine.memoryBytes;
  }

  get unpaidVisits(): number {
    return this.#engine.unpaidVisits;
  }

  get loader(): EngineLoader {
    throw new Error('loads are not recorded');
  }

  #nextOfWalk(number: number, walk: Walk, visitsMax: number, visit: WalkVisit): boolean {
    const again: Again = (called, visits) => {
      const opened = called.walks.get(number);
      if (opened === undefined || opened.isAtEnd) return;
      // In what order it shows versions is its own affair, and so where it was when the visitor had enough.
      const isToStop = visits.some(({ goesOn }) => !goesOn);
      let shown = 0;
      opened.isAtEnd = !opened.walk.next(visitsMax, () => ++shown < (isToStop ? visits.length : Infinity));
      assert(shown <= (isToStop ? visits.length : visitsMax), 'a walk shows no more than it may');
    };
    return this.#record('next of a walk', {}, again, (visits) =>
      walk.next(visitsMax, (change) => this.#visit(visits, () => visit(change) !== false)),
    );
  }

  #record<Answer>(
    name: string,
    { appliedRevision = 0, readRevision = Infinity }: Revisions,
    again: Again,
    ask: (visits: RecordedVisit[]) => Answer,
  ): Answer {
    const visits: RecordedVisit[] = [];
    const call: RecordedCall = {
      name,
      appliedRevision,
      readRevision,
      visits,
      isRefused: false,
      again: (called) => again(called, visits),
    };
    this.#into.push(call);
    try {
      return ask(visits);
    } catch (error) {
      call.isRefused = true;
      throw error;
    }
  }

  #visit(visits: RecordedVisit[], visit: () => boolean): boolean {
    const outside = this.#into;
    const calls: RecordedCall[] = [];
    this.#into = calls;
    try {
      const goesOn = visit();
      visits.push({ calls, goesOn });
      return goesOn;
    } finally {
      this.#into = outside;
    }
  }
}

/** Lets a walk come to its end before, so that all of it is held against the model. */
function closeWalk({ walk, isAtEnd }: WalkAgain): void {
  if (!isAtEnd) while (walk.next(100, () => true));
  walk.close();
}

/** Not by `slice`, which shares the memory of a `Buffer`. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function copiesOf(keys: readonly Uint8Array[]): Uint8Array[] {
  return keys.map(copyOf);
}

function copyOfRange({ start, end }: EngineRange): EngineRange {
  return { start: copyOf(start), end: end && copyOf(end) };
}

function overwriteRange({ start, end }: EngineRange): void {
  start.fill(OVERWRITTEN);
  end?.fill(OVERWRITTEN);
}

function copyOfChange(change: Change): Change {
  return { ...change, key: copyOf(change.key), value: copyOf(change.value) };
}

function copyOfRow(row: PutRow): PutRow {
  const copy = new PutRow();
  copy.kind = row.kind;
  copy.collectionId = row.collectionId;
  copy.firstRevision = row.firstRevision;
  for (let index = 0; index < row.length; index++)
    copy.add(copyOf(row.keys[index] ?? NO_BYTES), copyOf(row.values[index] ?? NO_BYTES));
  return copy;
}
