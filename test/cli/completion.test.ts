/** The scripts of `kelp completion`, run by the shells that they are for. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Help, type Command } from 'commander';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Output } from '../../src/cli/terminal/output.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { serverOptions } from '../../src/server/config/server-options.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { Kelp } from './kelp.ts';
import { childEnvironment } from '../support/child-environment.ts';

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
        env: childEnvironment(),
      },
    );
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    return stdout.split('\n').filter((line) => line !== '');
  };
}

const quoted = (text: string): string => `'${text}'`;

async function bashOffers(): Promise<Offers> {
  const script = await kelp.text('completion', 'bash');
  return offersOf('bash', (words) => {
    const line = ['kelp', ...words].join(' ');
    const parts = words.flatMap(bashParts);
    const replaced = /[^:=]*$/.exec(words.at(-1) ?? '')?.[0] ?? '';
    return `${script}
compopt() { echo "files: $*"; }
COMP_WORDS=(kelp ${parts.map(quoted).join(' ')})
COMP_CWORD=${parts.length}
COMP_LINE=${quoted(line)}
COMP_POINT=${line.length}
_kelp kelp ${quoted(replaced)}
printf '%s\n' "\${COMPREPLY[@]}"`;
  });
}

/** What bash makes of a word: it splits it at `:` and `=`, which are words of their own. */
function bashParts(word: string): string[] {
  return word === '' ? [''] : word.split(/([:=]+)/).filter((part) => part !== '');
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
    expect(offers('user', '--user', 'alice', 'ta')).toEqual(['take']);
    expect(offers('--token-file', 'take', 'token', 're')).toEqual(['revoke']);
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
    expect(offers('role', 'grant', 'name', 'readw')).toEqual(['readwrite']);
    expect(offers('--user', 'alice', 'role', 'add', 'x', '')).toEqual([]);
    expect(offers('user', 'del', '')).toEqual([]);
  });
});

describe.each(shells.filter(([shell]) => shell !== 'fish' && isInstalled(shell)))('in %s', (_, load) => {
  test('files are offered where a path stands', async () => {
    const offers = await load();
    const files = ['files: -o default'];
    expect(offers('verify', 'x')).toEqual(files);
    expect(offers('put', 'key', '--file', '')).toEqual(files);
    expect(offers('get', 'key', '--token-file', '')).toEqual(files);
    expect(offers('user', 'add', 'bob', '--user', '')).toEqual([]);
    expect(offers('serve', '--data-dir', '')).toEqual(files);
    expect(offers('get', '')).toEqual([]);
    expect(offers('put', 'key', '')).toEqual([]);
  });

  test('nothing but arguments follows --', async () => {
    const offers = await load();
    expect(offers('delete', '--', '--pre')).toEqual([]);
  });
});

test('bash completes behind words with : and =, at which it splits them', async () => {
  const offers = await bashOffers();
  expect(offers('serve', '--fsync=al')).toEqual(['always']);
  expect(offers('serve', '--fsync=')).toEqual(['always', 'interval', 'never']);
  expect(offers('serve', '--fsync=never', '--log-form')).toEqual(['--log-format']);
  for (const address of ['127.0.0.1:7379', ':7379', 'https://[::1]:7379', 'kelp:']) {
    expect(offers('--address', address, 'sn'), address).toEqual(['snapshot']);
    expect(offers(`--address=${address}`, 'sn'), address).toEqual(['snapshot']);
    expect(offers('--address', address, 'backup', ''), address).toEqual(['files: -o default']);
  }
  expect(offers('--address', 'kelp:73')).toEqual([]);
  expect(offers('get', 'a:b', '--rev')).toEqual(['--revision']);
});

/** bash in a terminal. What it would run as `kelp` it notes, argument by argument. */
class InteractiveBash {
  readonly #shell: ChildProcessWithoutNullStreams;
  readonly #notes: string;
  #output = '';
  #promptCount = 0;

  constructor(folder: string) {
    this.#notes = join(folder, '.notes');
    this.#shell = spawn('script', ['-qec', 'bash --norc --noprofile -i', '/dev/null'], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        PS1: 'ready> ',
        TERM: 'dumb',
        INPUTRC: '/dev/null',
        SHELL: '/bin/sh',
      },
    });
    const ended = once(this.#shell, 'close');
    this.#shell.stdout.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    onTestFinished(async () => {
      this.#shell.kill('SIGKILL');
      await ended;
    });
  }

  /** Types a line, in which a tabulator completes. @returns the arguments of the `kelp` that it runs. */
  async type(line: string): Promise<string[]> {
    await this.#prompted();
    writeFileSync(this.#notes, '');
    this.#shell.stdin.write(`${line}\n`);
    await this.#prompted();
    this.#promptCount--;
    return readFileSync(this.#notes, 'utf8').split('\n').slice(0, -1);
  }

  async #prompted(): Promise<void> {
    this.#promptCount++;
    while (this.#output.split('ready> ').length - 1 < this.#promptCount) {
      if (this.#shell.exitCode !== null) throw new Error(`bash has ended: ${this.#output}`);
      await once(this.#shell.stdout, 'data');
    }
  }
}

test.runIf(spawnSync('script', ['--version'], { stdio: 'ignore' }).status === 0)(
  'a line in a terminal is completed, whatever addresses stand in it',
  async () => {
    const folder = await temporaryDirectory();
    const script = join(folder, '.script');
    writeFileSync(
      script,
      `${await kelp.text('completion', 'bash')}kelp() { printf '%s\\n' "$@" > .notes; }\n`,
    );
    for (const name of ['store.backup', 'at-12:30.backup']) writeFileSync(join(folder, name), '');
    mkdirSync(join(folder, 'data'));
    const bash = new InteractiveBash(folder);
    await bash.type('source .script');
    expect(await bash.type('kelp sna\t')).toEqual(['snapshot']);
    const address = ['--address', '127.0.0.1:7379'];
    expect(await bash.type('kelp --address 127.0.0.1:7379 sna\t')).toEqual([...address, 'snapshot']);
    expect(await bash.type('kelp --address=:7379 lease gr\t1s')).toEqual([
      '--address=:7379',
      'lease',
      'grant',
      '1s',
    ]);
    expect(await bash.type('kelp serve --listen :7379 --fsync=alw\t')).toEqual([
      'serve',
      '--listen',
      ':7379',
      '--fsync=always',
    ]);
    expect(await bash.type('kelp --address 127.0.0.1:7379 backup sto\t')).toEqual([
      ...address,
      'backup',
      'store.backup',
    ]);
    expect(await bash.type('kelp verify at-12:3\t')).toEqual(['verify', 'at-12:30.backup']);
    expect(await bash.type('kelp serve --listen :7379 --data-dir=da\t')).toEqual([
      'serve',
      '--listen',
      ':7379',
      '--data-dir=data/',
    ]);
  },
);

test.runIf(isInstalled('zsh'))('zsh completes behind the = of an option', async () => {
  const offers = await zshOffers();
  expect(offers('serve', '--fsync=al')).toEqual(['always']);
});

/** Each command of the program with the words that lead to it. */
function commandsOf(command: Command, path: readonly string[] = []): [string[], Command][] {
  const visible = new Help().visibleCommands(command);
  const below = visible.flatMap((each) => commandsOf(each, [...path, each.name()]));
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
