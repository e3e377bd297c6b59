import { crc32 } from 'node:zlib';

/** Values as one line of text: equal values give equal lines, whatever kind of byte array or object they are. */
export function describe(value: unknown): string {
  if (value instanceof Uint8Array) return describeBytes(value);
  if (Array.isArray(value)) return `[${value.map(describe).join(' ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([name, field]) => `${name}:${describe(field)}`).join(' ')}}`;
  }
  return String(value);
}

const SHOWN_BYTES_MAX = 24;

/** Of a long value the beginning, the length and a checksum. */
function describeBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SHOWN_BYTES_MAX));
  const rest = bytes.length > SHOWN_BYTES_MAX ? `+${bytes.length}:${crc32(bytes).toString(16)}` : '';
  return `'${text.toString('latin1')}'${rest}`;
}

export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (describe(actual) === describe(expected)) return;
  throw new Error(`${what} gives\n${describe(actual)}\nand should give\n${describe(expected)}`);
}
