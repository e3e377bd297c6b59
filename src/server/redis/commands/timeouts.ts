/** The time that a command which blocks waits at most, as Redis reads it: seconds as a decimal number; 0: for ever. */
import { ReplyError } from '../replies/errors.ts';
import type { Arguments } from './command.ts';

/** Redis 7.0 casts to 64 bits, so that what is above them is negative. */
const INT64_MAX = 2 ** 63;

/** @returns milliseconds, rounded up. */
export function timeoutMsAt(args: Arguments, index: number): number {
  const timeoutMs = Math.ceil(secondsAt(args, index) * 1000);
  if (timeoutMs < 0 || timeoutMs >= INT64_MAX) throw new ReplyError('ERR timeout is negative');
  return timeoutMs;
}

function secondsAt(args: Arguments, index: number): number {
  try {
    return args.double(index);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    if (isLongDouble(args.text(index))) return args.text(index).startsWith('-') ? -Infinity : Infinity;
    throw new ReplyError('ERR timeout is not a float or out of range');
  }
}

/** Redis reads a double of 80 bits here. */
const LONG_DOUBLE_DIGITS_MAX = 4932;

/** Whether that has a number which is too large for one of 64. */
function isLongDouble(text: string): boolean {
  const [, whole = '', exponent = '0'] = /^[+-]?(\d{1,400})(?:\.\d*)?(?:[eE]\+?(\d{1,4}))?$/.exec(text) ?? [];
  const digits = whole.replace(/^0+/, '').length + Number(exponent);
  return whole !== '' && !Number.isFinite(Number(text)) && digits <= LONG_DOUBLE_DIGITS_MAX;
}
