/**
 * Two engines side by side: every call goes to both, and the answers must be the same. Under the tests of what stands
 * above, it holds a real engine against the model in the ways an engine is really used.
 *
 * What may differ: how soon `maintain` has dropped what nobody sees any more, and with it the counts of versions and
 * bytes, and at which deleted keys a scan or a walk pauses.
 */
import type {
  Change,
  Engine,
  EngineRange,
  EngineStats,
  ScanOptions,
  Version,
  Visit,
  WalkPosition,
  WalkVisit,
} from '../../src/engine/engine.ts';
import type { PlacedChange } from '../../src/engine/placed-change.ts';

export class MirrorEngine implements Engine {
  readonly #engine: Engine;
  readonly #model: Engine;

  /** @param engine is the one whose answers are passed on. */
  constructor(engine: Engine, model: Engine) {
    this.#engine = engine;
    this.#model = model;
  }

  read(key: Uint8Array, revision: number): Version | undefined {
    return this.#both('read', (engine) => engine.read(key, revision), textOfVersion);
  }

  readMeta(key: Uint8Array, revision: number): Version | undefined {
    return this.#both('readMeta', (engine) => engine.readMeta(key, revision), textOfVersion);
  }

  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined {
    const seen: string[] = [];
    const next = this.#engine.scan(range, revision, options, (key, version) => {
      seen.push(`${textOf(key)} ${textOfVersion(version)}`);
      return visit(key, version);
    });
    // The model goes over the same part of the range, up to where the engine paused.
    const part: EngineRange =
      next === undefined
        ? range
        : options.reverse
          ? { start: Buffer.concat([next, Uint8Array.of(0)]), end: range.end }
          : { start: range.start, end: next };
    const expected: string[] = [];
    this.#model.scan(part, revision, { ...options, visitsMax: Infinity }, (key, version) => {
      // A visitor that stops at the last key that there is leaves nothing to go on from.
      return expected.push(`${textOf(key)} ${textOfVersion(version)}`) < seen.length || next !== undefined;
    });
    assertSame('scan', seen.join('\n'), expected.join('\n'));
    return next;
  }

  count(range: EngineRange, revision: number, nowMs: number): number {
    return this.#both('count', (engine) => engine.count(range, revision, nowMs), String);
  }

  apply(change: Change): void {
    this.#both('apply', (engine) => engine.apply(change), String);
  }

  load(change: PlacedChange): number {
    return this.#both('load', (engine) => engine.load(change), String);
  }

  loadAscending(change: PlacedChange): number {
    return this.#both('loadAscending', (engine) => engine.loadAscending(change), String);
  }

  finishLoad(): boolean {
    const isModelBusy = this.#model.finishLoad();
    return this.#engine.finishLoad() || isModelBusy;
  }

  walk(
    from: WalkPosition,
    oldest: number,
    newest: number,
    visitsMax: number,
    visit: WalkVisit,
  ): WalkPosition | undefined {
    const seen: string[] = [];
    const next = this.#engine.walk(from, oldest, newest, visitsMax, (change) => {
      seen.push(textOfChange(change));
      return visit(change);
    });
    const expected: string[] = [];
    const isBeforeNext = (key: Uint8Array, revision: number): boolean => {
      if (next === undefined) return true;
      const order = Buffer.compare(key, next.key);
      return order < 0 || (order === 0 && revision <= next.aboveRevision);
    };
    const noteExpected = (change: PlacedChange): void => {
      if (isBeforeNext(change.key, change.revision)) expected.push(textOfChange(change));
    };
    for (
      let at: WalkPosition | undefined = from;
      at !== undefined && isBeforeNext(at.key, at.aboveRevision);
    ) {
      at = this.#model.walk(at, oldest, newest, 1, noteExpected);
    }
    assertSame('walk', seen.join('\n'), expected.join('\n'));
    return next;
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
    this.#engine.verifyIntegrity();
    this.#model.verifyIntegrity();
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
  const { revision, value, kind, createRevision, modRevision, leaseId, ttlMs, expireTimeMs } = version;
  const numbers = [
    revision,
    kind,
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
