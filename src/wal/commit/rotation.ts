/**
 * The change from one segment to the next.
 *
 * Until the next segment has its name the present one can go on, also behind its closing mark. So for want of descriptors, space
 * or permission a next one that can't be made is no failure: it is tried again each second, and the owner is told. Meanwhile
 * the present one may grow up to a bound.
 */
import type { Clock, Timer } from '../../clock.ts';
import { fixed } from '../../limits.ts';
import type { FailStop } from '../segments/fail-stop.ts';
import type { NewestName } from '../segments/newest-segment.ts';
import type { NextSegment } from '../segments/next-segment.ts';
import type { NewSegment, SegmentRow } from '../segments/segment-row.ts';
import { SegmentWriter } from '../segments/segment-writer.ts';

export interface RotationOptions {
  readonly clock: Clock;
  readonly row: SegmentRow;
  readonly newestName: NewestName;
  readonly failStop: FailStop;
  readonly segmentBytes: number;
  /** Whether a flush follows each batch. */
  readonly flushesEachBatch: boolean;
  /** Asked before each new segment. What it rejects with stops the log. */
  readonly checkOwned: () => Promise<void>;
  /** Told once a minute at most, with what the present segment has by then. */
  readonly onDelayed: (error: Error, segmentBytes: number) => void;
  /** A rotation that was delayed is to be tried again. */
  readonly onWanted: () => void;
}

export class Rotation {
  readonly #options: RotationOptions;
  #writer: SegmentWriter | undefined;
  #isDelayed = false;
  #isWanted = false;
  /** Runs until a rotation that was delayed is tried again. */
  #timer: Timer | undefined;
  #toldMs = -Infinity;
  #isStopped = false;

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  /** Writes the newest segment from where it ends. */
  begin({ segment, file, position }: NewSegment): SegmentWriter {
    const { clock, row, failStop, segmentBytes, flushesEachBatch } = this.#options;
    const onGrowthDelayed = (error: Error): void => this.#tellDelay(error);
    const { seed } = row;
    const writer = new SegmentWriter(
      { clock, segment, file, seed, failStop, segmentBytes, flushesEachBatch, onGrowthDelayed },
      position,
    );
    segment.readableEnd = position.offset;
    this.#writer = writer;
    return writer;
  }

  /** Whether the next batch belongs into the next segment, and that may be tried. */
  get isDue(): boolean {
    if (this.#writer === undefined || this.#timer !== undefined) return false;
    return this.#writer.end >= this.#options.segmentBytes;
  }

  /** Whether it is time to try again, also if there is no batch. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Whether the present segment may not grow to this length: none can follow it for the time being. */
  isBeyond(bytes: number): boolean {
    if (!this.#isDelayed) return false;
    const { segmentBytes } = this.#options;
    const overrunBytes = Math.min(segmentBytes * fixed.segmentOverrunTimesMax, fixed.segmentOverrunBytesMax);
    return bytes > segmentBytes + overrunBytes;
  }

  /**
   * Ends the segment of a writer and begins the next.
   * @param flush flushes what was written.
   * @param onBegun told of the next segment's writer before that of the present one is closed, which must not be used from then
   *   on. Not called when the present segment has to go on.
   */
  async run(
    writer: SegmentWriter,
    flush: () => Promise<void>,
    onBegun: (next: SegmentWriter) => void,
  ): Promise<void> {
    this.#isWanted = false;
    const { failStop, checkOwned } = this.#options;
    const { revision } = writer;
    await failStop.run(checkOwned);
    const next = await failStop.attempt(
      () => this.#prepare(revision),
      (error) => this.#delay(error),
    );
    if (next === undefined) return;
    let begun: NewSegment | undefined;
    try {
      begun = await this.#changeOver(writer, next, flush);
    } finally {
      // Its own file, if it was not given up already: a store that stops must not keep it open.
      if (begun === undefined) await next.file.close().catch(() => undefined);
    }
    if (begun === undefined) return;
    this.#isDelayed = false;
    onBegun(this.begin(begun));
    // All of it was flushed: that the file does not close, takes nothing away.
    await writer.close().catch(() => undefined);
  }

  /** Nothing is tried again any more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** @returns `undefined` when the present segment has to go on. */
  async #changeOver(
    writer: SegmentWriter,
    next: NextSegment,
    flush: () => Promise<void>,
  ): Promise<NewSegment | undefined> {
    const { row, newestName, failStop } = this.#options;
    await flush();
    await writer.appendMark();
    await writer.flush();
    // Before the next segment can be seen: a reader goes on there from the mark.
    writer.segment.readableEnd = writer.end;
    const { previousChecksum } = writer;
    const sealed = await failStop.attempt(
      () => row.seal(next, previousChecksum),
      (error) => this.#delay(error),
    );
    if (sealed === undefined) return undefined;
    return failStop.run(async () => {
      const segment = await row.place(sealed);
      await newestName.place(next.name);
      return segment;
    });
  }

  async #prepare(revision: number): Promise<NextSegment> {
    const { row, newestName, segmentBytes } = this.#options;
    const next = await row.prepare(revision, segmentBytes);
    try {
      await newestName.prepare(next.name);
      return next;
    } catch (error) {
      await next.giveUp();
      throw error;
    }
  }

  #delay(error: Error): void {
    this.#isDelayed = true;
    this.#tellDelay(error);
    if (this.#isStopped) return;
    const { clock, onWanted } = this.#options;
    this.#timer = clock.setTimer(fixed.segmentRetryMs, () => {
      this.#timer = undefined;
      this.#isWanted = true;
      onWanted();
    });
  }

  #tellDelay(error: Error): void {
    const { clock, onDelayed } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#toldMs < fixed.segmentDelayedEventMs) return;
    this.#toldMs = nowMs;
    onDelayed(error, this.#writer?.end ?? 0);
  }
}
