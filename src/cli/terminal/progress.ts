/**
 * How far long work is, on standard error: a line that is written anew on a terminal, a line now and then in a file or
 * pipe. With `--json` those stay away, since a script reads what comes there.
 */
import type { OnProgress, Progress } from '../../offline/progress.ts';
import { displayKey, displaySize } from './display.ts';
import type { Output } from './output.ts';

/** Between two states on a terminal, and before the first. */
const TERMINAL_INTERVAL_MS = 250;

/** Between two lines, and before the first. */
const LINE_INTERVAL_MS = 10_000;

export function progressOn(output: Output, isJson: boolean, nowMs = () => performance.now()): OnProgress {
  const { isErrorTerminal } = output;
  if (isJson && !isErrorTerminal) return () => undefined;
  const intervalMs = isErrorTerminal ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS;
  let shownMs = nowMs();
  return (progress) => {
    const ms = nowMs();
    if (ms - shownMs < intervalMs) return;
    shownMs = ms;
    if (isErrorTerminal) output.showStatus(progressText(progress));
    else output.note(progressText(progress));
  };
}

function progressText({ work, doneBytes, totalBytes }: Progress): string {
  if (totalBytes === 0) return `${displayKey(work)}: ${displaySize(doneBytes)}`;
  return `${displayKey(work)}: ${Math.floor((100 * doneBytes) / totalBytes)} % of ${displaySize(totalBytes)}`;
}
