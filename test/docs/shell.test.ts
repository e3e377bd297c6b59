/** What docs/shell.md shows is what the shell does. */
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { commands } from '../../src/cli/shell/table.ts';
import { shell as limits } from '../../src/limits.ts';
import { KelpProcess } from '../cli/kelp-process.ts';
import { consoleExamplesOf, sectionOf, textsOf } from '../support/page-examples.ts';
import { temporaryDirectory } from '../support/test-server.ts';

vi.setConfig({ testTimeout: 120_000 });

const page = readFileSync('docs/shell.md', 'utf8');

test('the session gives the replies that it shows', async () => {
  const [session = ''] = textsOf(sectionOf(page, 'A session'), 'text');
  const prompt = /^kelp(?: \(transaction\))?> /;
  const lines = session.split('\n').slice(0, -1);
  const typed = lines.filter((line) => prompt.test(line)).map((line) => line.replace(prompt, ''));
  const shell = new KelpProcess(['shell', '--data-dir', 'data'], {
    main: resolve('src/cli/main.ts'),
    cwd: await temporaryDirectory(),
  });
  shell.child.stdin?.end(typed.join('\n'));
  const { stdout, stderr } = await shell.ended;
  expect(typed.length).toBeGreaterThan(10);
  // What takes long on a busy machine says how far it is.
  expect(stderr.replaceAll(/^kelp: writing .*\n/gm, '')).toBe('');
  expect(stdout).toBe(lines.filter((line) => !prompt.test(line)).join('\n') + '\n');
});

test('the scripts print what stands below them', async () => {
  const folder = await temporaryDirectory();
  const kelp = join(folder, 'kelp');
  writeFileSync(kelp, `#!/bin/sh\nexec '${process.execPath}' '${resolve('src/cli/main.ts')}' "$@"\n`);
  chmodSync(kelp, 0o755);
  const examples = consoleExamplesOf(page);
  expect(examples.length).toBe(2);
  for (const { command, output } of examples) {
    const ran = promisify(execFile)('sh', ['-c', command], {
      cwd: folder,
      env: { PATH: `${folder}:${process.env['PATH']}` },
    });
    // They exit with the code of the command that fails in them.
    const { stdout } = await ran.catch((error: { stdout: string }) => error);
    expect(stdout).toBe(output);
  }
});

test('the table has all commands as the shell explains them', () => {
  const rows = [...sectionOf(page, 'Commands').matchAll(/^\| `(.*?)` +\| (.*?) +\|$/gm)];
  expect(rows.map(([, usage, summary]) => [usage?.replaceAll('\\|', '|'), summary])).toEqual(
    commands.map(({ names, usage, summary }) => [
      `${names.filter((name) => name !== '?').join('|')} ${usage}`.trimEnd(),
      summary,
    ]),
  );
});

test('the page tells how many lines are kept', () => {
  expect(page).toContain(`about the last ${limits.historyLinesMax} of them`);
});
