/** A part of a value: the header `Range` (RFC 9110, section 14). */
import type { ValuePart } from '../../../kv/reads/reads.ts';
import { RestError } from '../rest-error.ts';

const SINGLE = /^bytes=[ \t]*(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))[ \t]*$/i;

/**
 * The part that is asked for of a value of so many bytes. `undefined`: all of it, as where several parts, another unit or
 * none that makes sense are asked for, which a server may answer so. Throws `rangeNotSatisfiable`.
 */
export function byteRange(header: string, length: number): ValuePart | undefined {
  const match = SINGLE.exec(header);
  if (match === null) return undefined;
  const [, first = '', last = '', suffix] = match;
  if (suffix !== undefined) {
    const count = Math.min(Number(suffix), length);
    if (count === 0) throw unsatisfiable(length);
    return { start: length - count, end: length };
  }
  const start = Number(first);
  const end = last === '' ? length : Number(last) + 1;
  if (end <= start && last !== '') return undefined;
  if (start >= length) throw unsatisfiable(length);
  return { start, end: Math.min(end, length) };
}

function unsatisfiable(length: number): RestError {
  const message = `the range lies behind the end of the value, which has ${length} bytes`;
  return new RestError('rangeNotSatisfiable', message, ['content-range', `bytes */${length}`]);
}
