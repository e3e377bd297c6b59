/** The fields of bytes in messages, written backwards as `varint.ts` describes. */
import { copyBytes, type Memory, type WholeBuffer } from './memory.ts';
import { prependVarint32, sizeWithLength } from './varint.ts';

/** The default of every bytes field. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The bytes of a bytes field's value, its length included. */
export function sizeOfBytes(bytes: Uint8Array): number {
  return sizeWithLength(bytes.length);
}

/** Writes bytes and, before them, their length, so that they end before `end`; returns where the length starts. */
export function prependBytes(buffer: Buffer, end: number, bytes: Uint8Array): number {
  const start = end - bytes.length;
  buffer.set(bytes, start);
  return prependVarint32(buffer, start, bytes.length);
}

/** Like `prependBytes`, of bytes that lie somewhere in a memory. */
export function prependPlacedBytes(
  target: WholeBuffer,
  end: number,
  memory: Memory,
  bytesStart: number,
  bytesEnd: number,
): number {
  const byteCount = bytesEnd - bytesStart;
  const start = end - byteCount;
  copyBytes(target.memory, start, memory, bytesStart, byteCount);
  return prependVarint32(target.buffer, start, byteCount);
}
