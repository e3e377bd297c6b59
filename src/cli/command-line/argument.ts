/** Parsers of arguments and options of the command line. Commander adds to their errors which one was wrong. */
import { InvalidArgumentError } from 'commander';
import { fixed } from '../../limits.ts';
import { formatDurationMs, parseDurationMs } from '../../server/config/option-values.ts';

/**
 * A revision, a lease id, a number of items: all begin at 1. What is out of range is refused here, whatever the server
 * would make of it: to some calls 0 means "none" or "the newest", which is hardly what was typed.
 */
export function wholeNumber(text: string): number {
  return parseWholeNumber(text, 1);
}

/** The same where 0 has a meaning of its own, which the text of the option says. */
export function wholeNumberOrZero(text: string): number {
  return parseWholeNumber(text, 0);
}

function parseWholeNumber(text: string, min: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min) {
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${fixed.integerMax}.`);
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

/** A place in a list or a rank: negative ones count from the end. */
export function index(text: string): number {
  const value = /^[+-]?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('Expected a whole number; negative ones count from the end.');
  }
  // -0 would be sent as a number with a sign.
  return value + 0;
}

/** Any number, also an infinite one. */
export function anyNumber(text: string): number {
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  const value = infinite ? Number(`${infinite[1]}Infinity`) : text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('Expected a number, such as 3, -0.5 or inf.');
  return value;
}

/** A length of time with its unit, in milliseconds; the shortest is a millisecond. */
export function duration(text: string): number {
  return parseDuration(text, 1);
}

/** The time to live of a lease. */
export function leaseTimeToLive(text: string): number {
  return parseDuration(text, fixed.leaseTtlMsMin);
}

function parseDuration(text: string, minMs: number): number {
  const ms = readDuration(text);
  if (ms < minMs || ms > fixed.ttlMsMax) {
    throw new InvalidArgumentError(
      `Expected a time from ${formatDurationMs(minMs)} to ${fixed.ttlMsMax / DAY_MS}d.`,
    );
  }
  return ms;
}

const DAY_MS = 86_400_000;

function readDuration(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (error) {
    // Commander puts it behind a sentence of its own.
    const { message } = error as Error;
    throw new InvalidArgumentError(`${message.charAt(0).toUpperCase()}${message.slice(1)}.`);
  }
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
