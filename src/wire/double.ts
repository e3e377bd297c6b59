/** Doubles in messages: eight bytes, the lowest first, written backwards as `varint.ts` describes. */

/** Writes a double so that it ends before `end`; returns where it starts. */
export function prependDouble(buffer: Buffer, end: number, value: number): number {
  const start = end - 8;
  buffer.writeDoubleLE(value, start);
  return start;
}
