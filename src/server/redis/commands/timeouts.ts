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
    throw new ReplyError('ERR timeout is not a float or out of range');
  }
}
