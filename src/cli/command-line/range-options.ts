/** The options that say which keys are meant. */
import { type Command, Option } from 'commander';
import type { KeyRange } from '../../api.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import type { KeyForm } from './key-form.ts';

export interface RangeFlags {
  readonly prefix?: string;
  readonly start?: string;
  readonly end?: string;
}

export function addRangeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--prefix <text>', 'all keys that begin with this text').conflicts(['start', 'end']),
    )
    .option('--start <key>', 'first key, inclusive')
    .option('--end <key>', 'end of the range, exclusive');
}

/**
 * An empty text would mean "all keys": a variable that is not set must not read, or delete, everything.
 * @param allKeys how to mean them.
 */
export function rangeOf(flags: RangeFlags, { read }: KeyForm, allKeys = 'leave it out'): KeyRange {
  for (const name of ['prefix', 'start', 'end'] as const) {
    if (flags[name] === '') throw new UsageError(`--${name} is empty; ${allKeys} if you mean all keys`);
  }
  const { prefix, start, end } = flags;
  return {
    ...(prefix !== undefined && { prefix: read(prefix) }),
    ...(start !== undefined && { start: read(start) }),
    ...(end !== undefined && { end: read(end) }),
  };
}
