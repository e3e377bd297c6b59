/**
 * What can be completed where on a command line, read from the program itself, so that scripts of a shell and commands
 * can't drift apart. A place is a command; `lease grant` is one.
 */
import type { Argument, Command, Option } from 'commander';
import { pathOf } from '../command-line/command-path.ts';

export interface Place {
  /** The names that lead here, such as `lease grant`; empty for the program. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly PlaceOption[];
  /** Of the arguments in their order. */
  readonly arguments: readonly Values[];
  /** How a word leads from here to another place; commands have several names. */
  readonly steps: readonly { readonly names: readonly string[]; readonly to: string }[];
}

export interface Word {
  readonly name: string;
  readonly description: string;
}

export interface PlaceOption {
  /** `-h` and `--help`. */
  readonly names: readonly string[];
  readonly description: string;
  /** `undefined`: it takes no value. */
  readonly values: Values | undefined;
}

/** What a value may be: a word of a few, a file, or anything else. */
export type Values =
  { readonly kind: 'words'; readonly words: readonly string[] } | { readonly kind: 'file' | 'any' };

export function placesOf(command: Command): Place[] {
  const help = command.createHelp();
  const path = pathOf(command).join(' ');
  const commands = help.visibleCommands(command);
  return [
    {
      path,
      commands: commands.map((each) => ({
        name: each.name(),
        description: help.subcommandDescription(each),
      })),
      options: [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)].map(placeOption),
      arguments: command.registeredArguments.map(argumentValues),
      steps: commands.map((each) => ({
        names: [each.name(), ...each.aliases()],
        // What follows `help` are names of commands again.
        to: each.name() === 'help' ? path : pathOf(each).join(' '),
      })),
    },
    ...commands.flatMap(placesOf),
  ];
}

/** Placeholders of arguments and options that are paths. */
const fileNames = ['file', 'folder', 'path', 'backup'];

function placeOption({
  short,
  long,
  description,
  required,
  optional,
  argChoices,
  flags,
}: Option): PlaceOption {
  const names = [short, long].filter((name) => name !== undefined);
  const [, placeholder = ''] = /<(.*)>/.exec(flags) ?? [];
  return {
    names,
    // What stands in brackets at the end are bounds, defaults and variables: too much for a list.
    description: description.replace(/ \(.*\)$/, ''),
    values: required || optional ? valuesOf(argChoices, placeholder) : undefined,
  };
}

function argumentValues(argument: Argument): Values {
  return valuesOf(argument.argChoices, argument.name());
}

function valuesOf(choices: readonly string[] | undefined, placeholder: string): Values {
  if (choices !== undefined) return { kind: 'words', words: choices };
  return { kind: fileNames.includes(placeholder) ? 'file' : 'any' };
}

/** A text in single quotes, as bash and zsh read it: within them, only the quote itself means anything. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
