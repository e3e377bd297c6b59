/** Counts that have a text of their own for whatever is none: too small, or no integer at all. */
import { ReplyError } from '../replies/errors.ts';
import type { Arguments } from './command.ts';

/** @param text of the error for what is below `min`, or no integer of 64 bits. */
export function integerFrom(args: Arguments, index: number, min: number, text: string): number {
  let value = min - 1;
  try {
    value = args.integer(index);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
  }
  if (value < min) throw new ReplyError(text);
  return value;
}
