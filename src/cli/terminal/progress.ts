/**
 * How far long work is, on standard error: a line that is written anew on a terminal, a line now and then in a file or
 * pipe. With `--json` those stay away, since a script reads what comes there.
 *
 *     writing keys.jsonl: 45 % of 2000000 keys, 86.2 MiB/s, 12s left
 */
import type { OnProgress, Progress } from '../../progress.ts';
import { displayDuration, displayKey, displaySize } from './display.ts';
import type { Output } from './output.ts';

/** Between two states on a terminal, and before the first. */
const TERMINAL_INTERVAL_MS = 250;

/** Between two lines, and before the first. */
const LINE_INTERVAL_MS = 10_000;

/** Rate and time left are those of so many of the last intervals: work is not always as fast as it was in its beginning. */
const INTERVALS_KEPT = 20;

export function progressOn(output: Output, isJson: boolean, nowMs = () => performance.now()): OnProgress {
  const { isErrorTerminal } = output;
  if (isJson && !isErrorTerminal) return () => undefined;
  const intervalMs = isErrorTerminal ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS;
  let shownMs = nowMs();
  let pace: Pace | undefined;
  return (progress) => {
    const ms = nowMs();
    if (pace?.work !== progress.work) pace = new Pace(progress, ms);
    if (ms - shownMs < intervalMs) return;
    shownMs = ms;
    const line = `${progressText(progress)}${pace.textAt(progress, ms)}`;
    if (isErrorTerminal) output.showStatus(line);
    else output.note(line);
  };
}

function progressText(progress: Progress): string {
  const { work, doneBytes, totalBytes, doneKeys = 0, totalKeys = 0 } = progress;
  const percent = `${displayKey(work)}: ${Math.floor(100 * shareOf(progress))} % of`;
  if (totalBytes > 0) return `${percent} ${displaySize(totalBytes)}`;
  if (totalKeys > 0) return `${percent} ${Math.max(totalKeys, doneKeys)} keys`;
  return `${displayKey(work)}: ${displaySize(doneBytes)}`;
}

/** 0 when it is not known. */
function shareOf({ doneBytes, totalBytes, doneKeys = 0, totalKeys = 0 }: Progress): number {
  if (totalBytes > 0) return Math.min(1, doneBytes / totalBytes);
  return totalKeys > 0 ? doneKeys / Math.max(totalKeys, doneKeys) : 0;
}

interface Sample {
  readonly ms: number;
  readonly bytes: number;
  readonly share: number;
}

/** How fast one piece of work goes. */
class Pace {
  readonly work: string;
  /** The oldest is what the newest is compared with. */
  readonly #samples: Sample[];

  constructor(progress: Progress, ms: number) {
    this.work = progress.work;
    this.#samples = [sampleOf(progress, ms)];
  }

  /** Empty until it has gone on for a while. */
  textAt(progress: Progress, ms: number): string {
    const now = sampleOf(progress, ms);
    const before = this.#samples[0] ?? now;
    this.#samples.push(now);
    if (this.#samples.length > INTERVALS_KEPT) this.#samples.shift();
    const passedMs = now.ms - before.ms;
    if (passedMs <= 0) return '';
    const rate = `, ${displaySize(Math.round((1000 * (now.bytes - before.bytes)) / passedMs))}/s`;
    const doneShare = now.share - before.share;
    if (doneShare <= 0) return rate;
    return `${rate}, ${displayDuration((passedMs * (1 - now.share)) / doneShare)} left`;
  }
}

function sampleOf(progress: Progress, ms: number): Sample {
  return { ms, bytes: progress.doneBytes, share: shareOf(progress) };
}
