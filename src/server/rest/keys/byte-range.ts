/** A part of a value: the header `Range` (RFC 9110, section 14). */
import { RestError } from '../rest-error.ts';

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

const SINGLE = /^bytes=[ \t]*(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))[ \t]*$/i;

/**
 * The part that is asked for of a value of so many bytes; `undefined`: all of it, as where several parts, another unit or none that makes
 * sense are asked for, which a server may answer so. Throws `rangeNotSatisfiable`.
 */
export function byteRange(header: string, length: number): ByteRange | undefined {
  const match = SINGLE.exec(header);
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const count = Math.min(Number(suffix), length);
    return count === 0 ? unsatisfiable(length) : { start: length - count, end: length };
  }
  const start = Number(first);
  const end = last === '' || last === undefined ? length : Math.min(Number(last) + 1, length);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= length ? unsatisfiable(length) : { start, end };
}

function unsatisfiable(length: number): never {
  throw new RestError(
    'rangeNotSatisfiable',
    `the range lies behind the end of the value, which has ${length} bytes`,
    ['content-range', `bytes */${length}`],
  );
}
