/** Arguments that a check has found to be wrong are refused before anything is sent. */
import { KelpError } from './error.ts';

/** @param wrong what a check has found. */
export function invalidArgument(wrong: string): KelpError<'invalidArgument'> {
  return new KelpError('invalidArgument', wrong, undefined);
}

/** @throws KelpError `invalidArgument` when a check has found something. */
export function refuse(wrong: string | undefined): void {
  if (wrong !== undefined) throw invalidArgument(wrong);
}
