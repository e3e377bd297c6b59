/** What docs/access.md shows is what the command does. */
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test, vi } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { clientOptions } from '../../src/cli/session/session.ts';
import { Output } from '../../src/cli/terminal/output.ts';
import { consoleExamplesOf } from '../support/page-examples.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';

vi.setConfig({ testTimeout: 120_000 });

const page = readFileSync('docs/access.md', 'utf8');

interface Ran {
  readonly output: string;
}

/** Both outputs in the order in which they came. */
function runShell(script: string, cwd: string, env: Record<string, string>): Promise<Ran> {
  return new Promise((done) => {
    execFile('sh', ['-c', `exec 2>&1\n${script}`], { cwd, env }, (_, output) => done({ output }));
  });
}

test('the commands print what stands below them', async () => {
  const { address } = await startTestServer();
  const folder = await temporaryDirectory();
  const kelp = join(folder, 'kelp');
  writeFileSync(kelp, `#!/bin/sh\nexec '${process.execPath}' '${resolve('src/cli/main.ts')}' "$@"\n`);
  chmodSync(kelp, 0o755);
  for (const user of ['root', 'alice'])
    writeFileSync(join(folder, `${user}.password`), `of ${user}\n`, { mode: 0o600 });
  const examples = consoleExamplesOf(page);
  expect(examples.length).toBeGreaterThan(15);
  // One shell: the examples set variables. A line of its own stands between what they print.
  const script = examples.map(({ command }) => `${command}\necho ----`).join('\n');
  const { output } = await runShell(script, folder, {
    PATH: `${folder}:${process.env['PATH']}`,
    KELP_ADDRESS: address,
  });
  const printed = output.split('----\n').slice(0, -1);
  expect(examples.map(({ command }, index) => ({ command, output: printed[index] }))).toEqual(examples);
});

test('the tables name every command and every option of a login', () => {
  const output = new Output(process.stdout, process.stderr);
  const { command } = buildProgram({ stdin: process.stdin, output, environment: {} });
  for (const group of command.commands.filter((each) => ['user', 'role', 'token'].includes(each.name()))) {
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith(`| \`kelp ${group.name()} `))
      .join('\n');
    for (const each of group.commands.filter((one) => one.name() !== 'help')) {
      expect(rows, each.name()).toMatch(new RegExp(`\\b${each.name()}\\b`));
    }
  }
  const options = clientOptions({}).map(({ long }) => long ?? '');
  for (const option of options.filter((each) => /user|password|token|client|login/.test(each))) {
    expect(page).toContain(`\`${option}`);
  }
});
