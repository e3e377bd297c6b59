/** Instants as texts. */

/** A time as RFC 3339, section 5.6, has it, in milliseconds since 1970-01-01 UTC; `undefined`: it is none. */
export function parseInstant(text: string): number | undefined {
  const [, date] = /^(\d{4}-\d\d-\d\d)[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const timeMs = Date.parse(text.toUpperCase().replace(' ', 'T'));
  // A day that the month does not have is taken for one of the next.
  const dayMs = Date.parse(`${date}T00:00:00Z`);
  const isDay = !Number.isNaN(dayMs) && new Date(dayMs).toISOString().slice(0, 10) === date;
  return isDay && !Number.isNaN(timeMs) ? timeMs : undefined;
}
