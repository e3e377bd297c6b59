/**
 * How far back the store reaches, and what holds that back.
 *
 * `oldestRevision`, down to which reads work (versions in memory), moves forward by itself: by a number of revisions, by
 * bytes of log and by age. A pin holds it back while somebody reads at it. `oldestWatchRevision`, from which a watch may
 * start (records in the log), moves as log segments are removed; those that are older than the limit may go.
 *
 * Bytes and times of past revisions are known by samples, one for each `SAMPLE_BYTES` of log or `SAMPLE_MS`, so a horizon
 * may lie that much further back than the limit says.
 */
import { fixed, type Limits } from '../../limits.ts';
import { Fifo } from '../fifo.ts';

const SAMPLE_BYTES = 256 * 1024;
const SAMPLE_MS = 10_000;

/** The state of the log when `revision` had been committed. */
interface Sample {
  readonly revision: number;
  readonly logBytes: number;
  readonly timeMs: number;
}

/** Who holds history back, as an operator is told. */
export type PinHolder = 'a snapshot' | 'a backup' | 'a watch that reads the present entries' | 'a long reply';

export interface Pin {
  /** Whether the pinned revision can still be read; false once the pin's time was over and history moved on. */
  isHeld(): boolean;
  release(): void;
}

type HistoryLimits = Pick<
  Limits,
  'historyRevisionsMax' | 'historyBytesMax' | 'historyAgeMs' | 'logRetentionMs'
>;

export class History {
  readonly #limits: HistoryLimits;
  /** The samples that `oldestRevision` has not passed yet, and those that `#agedRevision` has not. */
  readonly #readSamples = new Fifo<Sample>();
  readonly #logSamples = new Fifo<Sample>();
  readonly #pins = new Set<{
    readonly revision: number;
    readonly untilMs: number;
    readonly holder: PinHolder;
  }>();
  #oldestRevision: number;
  #oldestWatchRevision: number;
  #agedRevision = 0;
  #compactedRevision = 0;
  /** Where `#oldestRevision` would be without pins. */
  #goal = 0;

  constructor(limits: HistoryLimits, oldestRevision: number, oldestWatchRevision: number) {
    this.#limits = limits;
    this.#oldestRevision = oldestRevision;
    this.#oldestWatchRevision = oldestWatchRevision;
  }

  /** The oldest revision that can be read; 0 while all can. */
  get oldestRevision(): number {
    return this.#oldestRevision;
  }

  /** The lowest revision with which a watch may start. */
  get oldestWatchRevision(): number {
    return this.#oldestWatchRevision;
  }

  /** The highest revision before which history is to be dropped on demand, done or not; 0: none. */
  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  /** Up to this revision the log is older than it need be kept. */
  get agedRevision(): number {
    return this.#agedRevision;
  }

  /**
   * The store has come to `revision`, and its log to `logBytes`, at `nowMs`. Moves what follows from that.
   */
  advance(revision: number, logBytes: number, nowMs: number): void {
    const last = this.#logSamples.last();
    if (
      last === undefined ||
      logBytes - last.logBytes >= SAMPLE_BYTES ||
      (nowMs - last.timeMs >= SAMPLE_MS && revision > last.revision)
    ) {
      const sample: Sample = { revision, logBytes, timeMs: nowMs };
      this.#readSamples.push(sample);
      this.#logSamples.push(sample);
    }
    const limits = this.#limits;
    const byCount = revision - limits.historyRevisionsMax;
    const bySample = passed(
      this.#readSamples,
      logBytes - limits.historyBytesMax,
      nowMs - limits.historyAgeMs,
    );
    this.#moveOldest(Math.min(Math.max(byCount, bySample), revision), nowMs);
    this.#agedRevision = Math.max(
      this.#agedRevision,
      passed(this.#logSamples, -Infinity, nowMs - limits.logRetentionMs),
    );
  }

  /** The log says, if not durably yet, that `revision` is to be the oldest: snapshots from here on must say so too. */
  noteCompaction(revision: number): void {
    this.#compactedRevision = Math.max(this.#compactedRevision, revision);
  }

  /** Makes `revision` the oldest, as far as pins let it. */
  compact(revision: number, nowMs: number): void {
    this.#oldestWatchRevision = Math.max(this.#oldestWatchRevision, revision + 1);
    this.#moveOldest(revision, nowMs);
  }

  /**
   * Gives up the older half of what can be read, as far as pins let it: memory is scarce.
   * @returns whether that has changed anything.
   */
  shorten(visibleRevision: number, nowMs: number): boolean {
    const before = this.#oldestRevision;
    this.#moveOldest(before + Math.ceil((visibleRevision - before) / 2), nowMs);
    return this.#oldestRevision > before;
  }

  /** The log holds nothing below `revision` any more. */
  logStartsAt(revision: number): void {
    // Of what is gone no age need be known.
    for (let first = this.#logSamples.peek(); first !== undefined && first.revision < revision;) {
      this.#logSamples.shift();
      first = this.#logSamples.peek();
    }
    this.#oldestWatchRevision = Math.max(this.#oldestWatchRevision, revision);
  }

  /** What keeps the oldest revision from moving up to `revision`; `undefined`: nothing does. */
  heldBy(revision: number, nowMs: number): PinHolder | undefined {
    for (const pin of this.#pins) {
      if (pin.revision < revision && pin.untilMs > nowMs) return pin.holder;
    }
    return undefined;
  }

  /** Keeps `revision` readable until the pin is released or `untilMs` (by the wall clock) is over. */
  pin(revision: number, untilMs: number, holder: PinHolder): Pin {
    const pin = { revision, untilMs, holder };
    this.#pins.add(pin);
    return {
      isHeld: () => this.#pins.has(pin) || revision >= this.#oldestRevision,
      release: () => void this.#pins.delete(pin),
    };
  }

  #moveOldest(goal: number, nowMs: number): void {
    this.#goal = Math.max(this.#goal, goal);
    if (this.#goal <= this.#oldestRevision) return;
    let oldest = this.#goal;
    for (const pin of this.#pins) {
      if (pin.untilMs <= nowMs) this.#pins.delete(pin);
      else oldest = Math.min(oldest, pin.revision);
    }
    this.#oldestRevision = Math.max(this.#oldestRevision, oldest);
  }
}

/** Takes off the samples that lie before both bounds' reach, and tells the revision of the last one taken; 0: none. */
function passed(samples: Fifo<Sample>, logBytesMin: number, timeMsMin: number): number {
  let revision = 0;
  for (let first = samples.peek(); first !== undefined; first = samples.peek()) {
    if (first.logBytes >= logBytesMin && first.timeMs >= timeMsMin) break;
    revision = first.revision;
    samples.shift();
  }
  return revision;
}

/** A pin without an end of its own. */
export const NO_END = fixed.integerMax;
