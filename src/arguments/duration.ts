/** Lengths of time as people write them. */

const msByUnit: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

const durationPart = /(\d{1,15})(?:\.(\d{1,6}))? ?(ms|[dhms])/;
const durationForm = new RegExp(`^${durationPart.source}(?: ?${durationPart.source})*$`);

/**
 * Reads a length of time in whole milliseconds: numbers with the units d, h, m, s, ms, the larger unit first, each once,
 * such as `1h30m`; the last number may have a fraction.
 * @returns what is wrong with a text that is none.
 */
export function durationMsOf(text: string): number | string {
  if (!durationForm.test(text)) {
    return `expected a time with its unit, such as 100ms, 10s, 1h30m or 7d, not "${text}"`;
  }
  let totalMs = 0;
  let previousUnitMs = Number.POSITIVE_INFINITY;
  let hasFraction = false;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(new RegExp(durationPart, 'g'))) {
    const unitMs = msByUnit[unit] ?? Number.NaN;
    if (unitMs >= previousUnitMs) {
      return `expected a time with the larger unit first and each unit once, such as 1h30m, not "${text}"`;
    }
    if (hasFraction) {
      return `expected a time whose last number alone has a fraction, such as 1h1.5m, not "${text}"`;
    }
    // In whole numbers throughout: 1.005 * 1000 is not 1005.
    totalMs += Number(whole) * unitMs + (Number(fraction) * unitMs) / 10 ** fraction.length;
    previousUnitMs = unitMs;
    hasFraction = fraction !== '';
  }
  if (!Number.isInteger(totalMs)) return `expected a time of whole milliseconds, not "${text}"`;
  if (!Number.isSafeInteger(totalMs)) return `the time "${text}" is too long`;
  return totalMs;
}
