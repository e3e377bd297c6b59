/**
 * Refuses what was no UTF-8 on the command line. Node puts U+FFFD where bytes are none, so another key would be
 * written, or another file made, than the one that was typed. A text that holds U+FFFD itself can't be told from that
 * and is refused as well; it can stand in the file of `kelp txn`.
 */
import type { Command } from 'commander';
import { UsageError } from '../../shell-words/usage-error.ts';

/** `command` is the one that was asked for, with its arguments and options parsed. Throws a `UsageError`. */
export function refuseReplacedBytes(command: Command): void {
  for (const [index, argument] of command.registeredArguments.entries()) {
    check(argument.name(), argument.variadic ? command.args.slice(index) : command.args[index]);
  }
  for (const { name, flag, value } of typedOptions(command)) check(name, value, flag);
}

function* typedOptions(command: Command): Generator<{ name: string; flag: string; value: unknown }> {
  for (let owner: Command | null = command; owner !== null; owner = owner.parent) {
    for (const option of owner.options) {
      const name = option.attributeName();
      if (owner.getOptionValueSource(name) !== 'cli') continue;
      yield { name, flag: option.long ?? option.flags, value: owner.getOptionValue(name) };
    }
  }
}

function check(name: string, value: unknown, written = name): void {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!texts.some((text) => typeof text === 'string' && text.includes('\ufffd'))) return;
  const advice = adviceByName[name];
  throw new UsageError(
    `${written}: it holds bytes that are not UTF-8, or U+FFFD, which stands for them${advice === undefined ? '' : `; ${advice}`}`,
  );
}

const keyAdvice = 'give a key or name that is not UTF-8 in hexadecimal digits, with --hex-keys';

const adviceByName: Readonly<Partial<Record<string, string>>> = {
  key: keyAdvice,
  keys: keyAdvice,
  name: keyAdvice,
  names: keyAdvice,
  member: keyAdvice,
  members: keyAdvice,
  destination: keyAdvice,
  sources: keyAdvice,
  store: keyAdvice,
  pattern: 'a pattern is UTF-8 text',
  prefix: keyAdvice,
  start: keyAdvice,
  end: keyAdvice,
  value: 'give such a value on standard input, with - in its place, or with --file',
};
