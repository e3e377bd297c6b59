/**
 * How far back the store reaches, and what holds that back.
 *
 * `oldestRevision`, down to which reads work (versions in memory), moves forward by itself: by a number of revisions, by
 * bytes of log and by age. A pin holds it back while somebody reads at it (`pins.ts`). `oldestWatchRevision`, from which a
 * watch may start (records in the log), moves as log segments are removed; those that are older than the limit may go.
 *
 * Bytes and times of past revisions are known by samples, one for each `SAMPLE_BYTES` of log or `SAMPLE_MS`, so a horizon
 * may lie that much further back than the limit says.
 *
 * Ages count by the monotonic clock: a wall clock that steps back must not hold history for a day, nor one that steps forward
 * drop an hour of it at once. That clock says nothing of a former life of the store, so what was recovered counts as written
 * when the store was opened, bytes of log included: after a restart it may be kept for as long again, but never beyond
 * `historyRevisionsMax`, `logRetentionBytes` and the memory limit.
 */
import type { Clock } from '../../clock.ts';
import type { Limits } from '../../limits.ts';
import { Fifo } from '../fifo.ts';
import { type Pin, type PinHolder, type PinOptions, Pins } from './pins.ts';

const SAMPLE_BYTES = 256 * 1024;
const SAMPLE_MS = 10_000;

/** The state of the log when `revision` had been committed. */
interface Sample {
  readonly revision: number;
  readonly logBytes: number;
  /** By the monotonic clock. */
  readonly atMs: number;
}

type HistoryLimits = Pick<
  Limits,
  'historyRevisionsMax' | 'historyBytesMax' | 'historyAgeMs' | 'logRetentionMs'
>;

export class History {
  readonly #limits: HistoryLimits;
  readonly #clock: Clock;
  readonly #pins: Pins;
  /** The samples that `oldestRevision` has not passed yet, and those that `#agedRevision` has not. */
  readonly #readSamples = new Fifo<Sample>();
  readonly #logSamples = new Fifo<Sample>();
  #oldestRevision: number;
  #oldestWatchRevision: number;
  #agedRevision = 0;
  #compactedRevision = 0;
  /** Where `#oldestRevision` would be without pins. */
  #goal = 0;

  constructor(limits: HistoryLimits, clock: Clock, oldestRevision: number, oldestWatchRevision: number) {
    this.#limits = limits;
    this.#clock = clock;
    this.#pins = new Pins(clock);
    this.#oldestRevision = oldestRevision;
    this.#oldestWatchRevision = oldestWatchRevision;
  }

  /** The oldest revision that can be read; 0 while all can. */
  get oldestRevision(): number {
    return this.#oldestRevision;
  }

  /** What it would be without pins: a new one below this would keep what others alone still keep. */
  get oldestWanted(): number {
    return Math.max(this.#goal, this.#oldestRevision);
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

  /** How much the log has grown, and how much time has passed, since about the revision behind this one: at most. */
  since(revision: number, logBytes: number): { readonly logBytes: number; readonly ms: number } {
    let first = 0;
    for (let end = this.#logSamples.length; first < end;) {
      const middle = (first + end) >> 1;
      if ((this.#logSamples.at(middle)?.revision ?? 0) > revision) end = middle;
      else first = middle + 1;
    }
    const before = this.#logSamples.at(first - 1);
    const behind = this.#logSamples.at(first);
    return {
      logBytes: logBytes - ((before ?? behind)?.logBytes ?? logBytes),
      ms: behind === undefined ? 0 : this.#clock.monotonicMs() - behind.atMs,
    };
  }

  /** The store has come to `revision`, and its log to `logBytes`. Moves what follows from that, and from the time. */
  advance(revision: number, logBytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#logSamples.last();
    if (
      last === undefined ||
      logBytes - last.logBytes >= SAMPLE_BYTES ||
      (nowMs - last.atMs >= SAMPLE_MS && revision > last.revision)
    ) {
      const sample: Sample = { revision, logBytes, atMs: nowMs };
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
    this.#moveOldest(Math.min(Math.max(byCount, bySample), revision));
    this.#agedRevision = Math.max(
      this.#agedRevision,
      passed(this.#logSamples, -Infinity, nowMs - limits.logRetentionMs),
    );
  }

  /** The log says, if not durably yet, that `revision` is to be the oldest: snapshots from here on must say so too. */
  noteCompaction(revision: number): void {
    this.#compactedRevision = Math.max(this.#compactedRevision, revision);
  }

  /** Makes `revision` the oldest, as far as pins let it. What it has changed itself may still be told. */
  compact(revision: number): void {
    this.#oldestWatchRevision = Math.max(this.#oldestWatchRevision, revision);
    this.#moveOldest(revision);
  }

  /**
   * Gives up the older half of what can be read, since memory is scarce. Pins hold it back.
   * @param isFull a write finds no room: when nothing else is left to give up, pins may have to give way.
   * @returns whether that has changed anything.
   */
  shorten(visibleRevision: number, isFull: boolean): boolean {
    const before = this.#oldestRevision;
    const goal = before + Math.ceil((visibleRevision - before) / 2);
    this.#moveOldest(goal);
    if (this.#oldestRevision === before && isFull) {
      this.#pins.giveWay(goal);
      this.#moveOldest(goal);
    }
    return this.#oldestRevision > before;
  }

  /** Gives up what is below a revision that is visible, as far as pins let it, for what waits for that. */
  shortenTo(revision: number): void {
    this.#moveOldest(revision);
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
  heldBy(revision: number): PinHolder | undefined {
    return this.#pins.holderBelow(revision);
  }

  /** Keeps `revision` readable until the pin is released or lost. */
  pin(revision: number, options: PinOptions): Pin {
    return this.#pins.open(revision, options);
  }

  #moveOldest(goal: number): void {
    this.#goal = Math.max(this.#goal, goal);
    if (this.#goal <= this.#oldestRevision) return;
    this.#oldestRevision = Math.max(this.#oldestRevision, this.#pins.reach(this.#goal));
  }
}

/** Takes off the samples that lie before both bounds' reach, and tells the revision of the last one taken; 0: none. */
function passed(samples: Fifo<Sample>, logBytesMin: number, atMsMin: number): number {
  let revision = 0;
  for (let first = samples.peek(); first !== undefined; first = samples.peek()) {
    if (first.logBytes >= logBytesMin && first.atMs >= atMsMin) break;
    revision = first.revision;
    samples.shift();
  }
  return revision;
}
