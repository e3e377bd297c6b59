/** The script for fish: one `complete` for each command, option and kind of argument, under the place where it holds. */
import { type Place, type PlaceOption, type Values } from './places.ts';

export function fishScript(places: readonly Place[]): string {
  return `# Completion of kelp for fish: kelp completion fish | source
function __kelp_at
    set -l path ''
    set -l arguments 0
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$path/$word"
${places.flatMap(stepCases).join('\n')}
            case '*/-*'
                contains -- $word ${valuedNames(places).join(' ')}; and set skip 1
            case '*'
                set arguments (math $arguments + 1)
        end
    end
    test "$path" = "$argv[1]"; or return 1
    test (count $argv) = 1; or test $arguments = $argv[2]
end

complete -c kelp -f
${places.flatMap(completions).join('\n')}
`;
}

/** An option takes a value in all commands that have it, or in none. */
function valuedNames(places: readonly Place[]): string[] {
  const valued = places.flatMap(({ options }) => options).filter(({ values }) => values !== undefined);
  return [...new Set(valued.flatMap(({ names }) => names))];
}

function stepCases({ path, steps }: Place): string[] {
  return steps.map(({ names, to }) => {
    const patterns = names.map((name) => quoted(`${path}/${name}`)).join(' ');
    return `            case ${patterns}\n                set path ${quoted(to)}`;
  });
}

function completions({ path, commands, options, arguments: args }: Place): string[] {
  return [
    ...commands.map(({ name, description }) =>
      complete(condition(path, 0), `-a ${name} -d ${quoted(description)}`),
    ),
    ...options.map((option) => complete(condition(path), optionText(option))),
    ...args.flatMap((values, index) => {
      const text = argumentText(values);
      return text === undefined ? [] : [complete(condition(path, index), text)];
    }),
  ];
}

function complete(when: string, what: string): string {
  return `complete -c kelp -n ${quoted(when)} ${what}`;
}

function condition(path: string, argumentIndex?: number): string {
  return `__kelp_at "${path}"${argumentIndex === undefined ? '' : ` ${argumentIndex}`}`;
}

function optionText({ names, description, values }: PlaceOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return [...flags, ...valueText(values), `-d ${quoted(description)}`].join(' ');
}

function valueText(values: Values | undefined): string[] {
  switch (values?.kind) {
    case 'words':
      return [`-x -a ${quoted(values.words.join(' '))}`];
    case 'file':
      return ['-r -F'];
    case 'any':
      return ['-x'];
    case undefined:
      return [];
  }
}

function argumentText(values: Values): string | undefined {
  if (values.kind === 'words') return `-a ${quoted(values.words.join(' '))}`;
  return values.kind === 'file' ? '-F' : undefined;
}

/** In fish, a backslash escapes the quote and itself within single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
