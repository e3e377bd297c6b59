/** Values as texts, by which results of store and model are compared and told. */
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

/** Whether two values give the same line. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => isSame(item, b[index]));
  }
  return holdsFieldsOf(a as Fields, b as Fields) && holdsFieldsOf(b as Fields, a as Fields);
}

type Fields = Readonly<Record<string, unknown>>;

/** A field that is `undefined` counts as none. */
function holdsFieldsOf(a: Fields, b: Fields): boolean {
  for (const name in b) if (!isSame(a[name], b[name])) return false;
  return true;
}

/** @param what is called only when they differ. */
export function expectEqual(what: () => string, actual: unknown, expected: unknown): void {
  if (isSame(actual, expected)) return;
  throw new Error(`${what()} gives\n${describe(actual)}\nand should give\n${describe(expected)}`);
}
