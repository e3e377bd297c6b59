/** Sizes as INFO of Redis writes them for people: `1.21M`. */

const UNITS = ['B', 'K', 'M', 'G', 'T', 'P'] as const;

export function formatHuman(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes}B` : `${value.toFixed(2)}${UNITS[unit] ?? ''}`;
}
