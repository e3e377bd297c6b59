/** The scripts of `kelp completion`, run by the shells that they are for. */
import { spawnSync } from 'node:child_process';
import { Help, type Command } from 'commander';
import { beforeAll, describe, expect, test } from 'vitest';
import { Output } from '../../src/cli/output.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { serverOptions } from '../../src/server/server-options.ts';
import { Kelp } from './kelp.ts';

const kelp = new Kelp('127.0.0.1:1');

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0;
}

/** So that no shell reads what belongs to the user. */
const withoutRcByShell: Readonly<Record<string, string>> = { bash: '--norc', zsh: '-f', fish: '--no-config' };

/** What a shell offers for the last of the words, which is still being typed. */
type Offers = (...words: string[]) => string[];

/** Runs a script with functions of the shell's completion that print what they were called with. */
function offersOf(shell: string, script: (words: readonly string[]) => string): Offers {
  return (...words) => {
    const { stdout, stderr, status } = spawnSync(
      shell,
      [withoutRcByShell[shell] ?? '', '-c', script(words)],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'] },
      },
    );
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    return stdout.split('\n').filter((line) => line !== '');
  };
}

const quoted = (text: string): string => `'${text}'`;

async function bashOffers(): Promise<Offers> {
  const script = await kelp.text('completion', 'bash');
  return offersOf(
    'bash',
    (words) => `${script}
compopt() { echo "files: $*"; }
COMP_WORDS=(kelp ${words.map(quoted).join(' ')})
COMP_CWORD=${words.length}
_kelp
printf '%s\n' "\${COMPREPLY[@]}"`,
  );
}

async function zshOffers(): Promise<Offers> {
  const script = await kelp.text('completion', 'zsh');
  return offersOf('zsh', (words) => {
    const current = words.at(-1) ?? '';
    return `compdef() { : }
${script}
_describe() { local list=$@[-1]; print -rl -- \${(P)list} }
_files() { print 'files: -o default' }
compset() { PREFIX=\${PREFIX#*=} }
compadd() { shift; print -rl -- $@ }
main() {
  local -a words=(kelp ${words.map(quoted).join(' ')})
  local -i CURRENT=${words.length + 1}
  local PREFIX=${quoted(current)}
  _kelp
}
main | sed 's/:.*//; s/^files$/files: -o default/' | while IFS= read -r line; do
  [[ $line == files:* || $line == ${quoted(current.replace(/^--\w+=/, ''))}* ]] && print -r -- $line
done; true`;
  });
}

async function fishOffers(): Promise<Offers> {
  const script = await kelp.text('completion', 'fish');
  return offersOf(
    'fish',
    (words) =>
      `source (echo ${quoted(script.replaceAll('\\', '\\\\').replaceAll("'", "\\'"))} | psub)
complete -C ${quoted(['kelp', ...words].join(' '))} | string replace -r '\t.*' ''; true`,
  );
}

const shells = [
  ['bash', bashOffers],
  ['zsh', zshOffers],
  ['fish', fishOffers],
] as const;

describe.each(shells.filter(([shell]) => isInstalled(shell)))('in %s', (_, load) => {
  let offers: Offers;
  beforeAll(async () => {
    offers = await load();
  });

  test('commands are offered by their beginning', () => {
    expect(offers('sn')).toEqual(['snapshot']);
    expect(offers('')).toEqual(
      expect.arrayContaining(['serve', 'get', 'put', 'lease', 'completion', 'help']),
    );
  });

  test('commands of a command are offered behind it, also behind options', () => {
    expect(offers('lease', 'r').toSorted()).toEqual(['renew', 'revoke']);
    expect(offers('--json', '--address', 'get', 'lease', 'g').toSorted()).toEqual(['get', 'grant']);
    expect(offers('help', 'lease', 'li')).toEqual(['list']);
  });

  test('no commands are offered where an argument stands', () => {
    expect(offers('get', 'se')).toEqual([]);
    expect(offers('lease', 'grant', 're')).toEqual([]);
  });

  test('options are those of the command, under all of its names', () => {
    for (const name of ['delete', 'del', 'rm'])
      expect(offers(name, 'key', '--if')).toEqual(['--if-revision']);
    expect(offers('put', '--if').toSorted()).toEqual(['--if-absent', '--if-exists', '--if-revision']);
    expect(offers('lease', 'grant', '--i')).toEqual(['--id']);
    expect(offers('get', '--add')).toEqual(['--address']);
    expect(offers('verify', '--add')).toEqual([]);
  });

  test('values are offered where an option or argument has a few', () => {
    expect(offers('serve', '--fsync', '').toSorted()).toEqual(['always', 'interval', 'never']);
    expect(offers('serve', '--log-format', 'p')).toEqual(['pretty']);
    expect(offers('completion', '').toSorted()).toEqual(['bash', 'fish', 'zsh']);
    expect(offers('get', '--revision', '')).toEqual([]);
  });
});

describe.each(shells.filter(([shell]) => shell !== 'fish' && isInstalled(shell)))('in %s', (_, load) => {
  test('files are offered where a path stands', async () => {
    const offers = await load();
    const files = ['files: -o default'];
    expect(offers('verify', 'x')).toEqual(files);
    expect(offers('put', 'key', '--file', '')).toEqual(files);
    expect(offers('serve', '--data-dir', '')).toEqual(files);
    expect(offers('get', '')).toEqual([]);
    expect(offers('put', 'key', '')).toEqual([]);
  });

  test('nothing but arguments follows --', async () => {
    const offers = await load();
    expect(offers('delete', '--', '--pre')).toEqual([]);
  });
});

test('bash takes the = of an option for a word of its own', async () => {
  const offers = await bashOffers();
  expect(offers('serve', '--fsync', '=', 'al')).toEqual(['always']);
  expect(offers('serve', '--fsync', '=')).toEqual(['always', 'interval', 'never']);
  expect(offers('serve', '--fsync', '=', 'never', '--log-form')).toEqual(['--log-format']);
});

test.runIf(isInstalled('zsh'))('zsh completes behind the = of an option', async () => {
  const offers = await zshOffers();
  expect(offers('serve', '--fsync=al')).toEqual(['always']);
});

/** Each command of the program with the words that lead to it. */
function commandsOf(command: Command, path: readonly string[] = []): [string[], Command][] {
  const below = command.commands.flatMap((each) => commandsOf(each, [...path, each.name()]));
  return [[[...path], command], ...below];
}

test('bash knows every command, option and choice of the program', async () => {
  const output = new Output(process.stdout, process.stderr);
  const program = buildProgram({ stdin: process.stdin, output, environment: {} }).command;
  const offers = await bashOffers();
  const places = commandsOf(program).filter(([path]) => path.at(-1) !== 'help');
  expect(places.length).toBeGreaterThan(25);
  for (const [path, command] of places) {
    const help = new Help();
    const options = [...command.options.map(({ long }) => long), '--help'];
    expect(offers(...path, '--'), path.join(' ')).toEqual(expect.arrayContaining(options));
    if (command.commands.length === 0) continue;
    expect(offers(...path, '')).toEqual(help.visibleCommands(command).map((each) => each.name()));
  }
  for (const { name, choices } of serverOptions) {
    if (choices !== undefined) expect(offers('serve', `--${name}`, '')).toEqual(choices);
  }
});

test('a shell that is not known is a mistake', async () => {
  expect(await kelp.run(['completion', 'tcsh'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/Allowed choices are bash, zsh, fish/),
  });
});
