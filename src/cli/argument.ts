/** Parsers of arguments and options of the command line. Commander adds to their errors which one was wrong. */
import { InvalidArgumentError } from 'commander';
import { fixed } from '../limits.ts';
import { parseDurationMs } from '../server/option-values.ts';

/** A revision, a lease id, a number of items: a whole number, not negative. */
export function wholeNumber(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(`Expected a whole number from 0 to ${fixed.integerMax}.`);
  }
  return value;
}

/** A signed 64-bit number. */
export function bigNumber(text: string): bigint {
  const value = /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace('+', '')) : undefined;
  if (value === undefined || BigInt.asIntN(64, value) !== value) {
    throw new InvalidArgumentError('Expected a whole number of 64 bits, such as 5 or -5.');
  }
  return value;
}

/** A length of time with its unit, in milliseconds. */
export function duration(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** A time to live; the shortest is a millisecond. */
export function timeToLive(text: string): number {
  const ttlMs = duration(text);
  if (ttlMs === 0 || ttlMs > fixed.ttlMsMax) throw new InvalidArgumentError('Expected 1ms to 36500d.');
  return ttlMs;
}

/** For an option that may come several times. */
export function collect(text: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), text];
}

/** One of several names, or several of them with commas between. */
export function namesOf<Name extends string>(names: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(',').map((part) => {
      const name = names.find((each) => each === part.trim());
      if (name === undefined) throw new InvalidArgumentError(`Expected some of ${names.join(',')}.`);
      return name;
    });
}
