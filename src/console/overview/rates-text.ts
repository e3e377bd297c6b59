/** Rates and short times, as people read them. */
import { formatCount } from '../bytes/text.ts';

/** As `0`, `0.5`, `12` or `3,400`. */
export function formatRate(perSecond: number): string {
  if (perSecond === 0 || perSecond >= 10) return formatCount(Math.round(perSecond));
  return formatCount(Number(perSecond.toFixed(1)));
}

/** As `0 ms`, `0.05 ms`, `1.2 ms`, `250 ms` or `2.5 s`. */
export function formatMs(ms: number): string {
  if (ms >= 1000) return `${trimmed(ms / 1000)} s`;
  return `${ms >= 100 ? Math.round(ms) : trimmed(ms)} ms`;
}

function trimmed(value: number): string {
  return String(Number(value >= 1 ? value.toFixed(1) : value.toPrecision(2)));
}
