/** docs/transfer.md: its commands print what it says, its JSON can be imported, its program compiles. */
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { importFrom } from '../../src/index.ts';
import { consoleExamplesOf, textsOf } from '../support/page-examples.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { MapTarget, inPieces, standingClock } from './transfers.ts';

const page = readFileSync('docs/transfer.md', 'utf8');

test('the commands print what the page says', { timeout: 240_000 }, async () => {
  const folder = await temporaryDirectory();
  const server = await startTestServer();
  const kelp = join(folder, 'kelp');
  writeFileSync(kelp, `#!/bin/sh\nexec '${process.execPath}' '${resolve('src/cli/main.ts')}' "$@"\n`);
  chmodSync(kelp, 0o755);
  const env = { PATH: [folder, process.env['PATH']].join(delimiter), KELP_ADDRESS: server.address };
  const examples = consoleExamplesOf(page);
  expect(examples.length).toBeGreaterThan(10);
  for (const { command, output } of examples) {
    const { stdout } = await promisify(execFile)('sh', ['-e', '-c', command], { cwd: folder, env });
    expect(stdout, command).toBe(output);
  }
});

test('the JSON that it shows is imported as it says', async () => {
  const [lines = '', document = '', ...more] = textsOf(page, 'json');
  expect(more).toEqual([]);
  const named = async (text: string): Promise<string[]> => {
    const target = new MapTarget();
    await importFrom(target, inPieces(text), {}, standingClock);
    return [...target.puts.keys()];
  };
  expect(await named(lines)).toEqual(['greeting', 'photo', '0xff01', 'session/7', 'session/8']);
  expect(await named(document)).toEqual(['greeting', 'photo', 'session/7', 'session/9', '0xff01']);
});

test('the program on it runs as it stands', { timeout: 240_000 }, async () => {
  const folder = await temporaryDirectory();
  const server = await startTestServer();
  const [program = ''] = textsOf(page, 'ts');
  const names = [
    ["'kelpdb'", 'src/index.ts'],
    ["'kelpdb/client'", 'src/client/index.ts'],
  ] as const;
  let source = program.replace('127.0.0.1:7379', server.address);
  for (const [name, path] of names) source = source.replace(name, `'${resolve(path)}'`);
  writeFileSync(join(folder, 'program.ts'), source);
  const { stdout } = await promisify(execFile)(process.execPath, ['program.ts'], { cwd: folder });
  expect(stdout).toBe('0 keys written\n');
});
