/** Runs the examples of docs/operations.md, in their order: what stands below a `$` line is what it prints. */
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';

interface Example {
  readonly section: string;
  readonly command: string;
  output: string;
}

function examplesOf(page: string): Example[] {
  const examples: Example[] = [];
  for (const part of page.split(/^## /m).slice(1)) {
    const section = part.split('\n', 1)[0] ?? '';
    for (const [, block = ''] of part.matchAll(/^```console\n(.*?)^```$/gms)) {
      for (const line of block.split('\n')) {
        if (line.startsWith('$ ')) examples.push({ section, command: line.slice(2), output: '' });
        else if (line !== '') (examples.at(-1) ?? { output: '' }).output += `${line}\n`;
      }
    }
  }
  return examples;
}

test('the examples do what the page says', { timeout: 60_000 }, async () => {
  const folder = await temporaryDirectory();
  const server = await startTestServer({ flags: { 'data-dir': join(folder, 'data') } });
  const kelp = join(folder, 'kelp');
  writeFileSync(kelp, `#!/bin/sh\nexec '${process.execPath}' '${resolve('src/cli/main.ts')}' "$@"\n`);
  chmodSync(kelp, 0o755);
  const environment = {
    PATH: [folder, process.env['PATH']].join(delimiter),
    KELP_ADDRESS: server.address,
  };
  const examples = examplesOf(readFileSync('docs/operations.md', 'utf8'));
  expect(examples.length).toBeGreaterThan(8);
  for (const { section, command, output } of examples) {
    if (section !== 'Back up') await server.stop();
    const options = { cwd: folder, env: environment };
    const { stdout } = await promisify(execFile)('sh', ['-e', '-c', command], options);
    if (output !== '') expect(stdout, command).toBe(output);
  }
});
