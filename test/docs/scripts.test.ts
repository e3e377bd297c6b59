/** docs/scripts.md: its commands print what stands below them, its program runs, its variables are those that there are. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/server/config/config.ts';
import { serverOptions } from '../../src/server/config/server-options.ts';
import { isCurlInstalled } from '../server/scripts/curl.ts';
import { consoleExamplesOf, sectionOf, textsOf } from '../support/page-examples.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';

const page = readFileSync('docs/scripts.md', 'utf8');

/** The figures that depend on the machine and the time. */
function withoutFigures(text: string): string {
  return text.replaceAll(/("(?:uptime_secs|total_bytes|total_mb)":)[\d.]+/g, '$1N');
}

describe.runIf(isCurlInstalled)('the page', () => {
  test('has commands that print what it shows', async () => {
    const { url } = await startTestServer();
    const examples = consoleExamplesOf(page);
    expect(examples.length).toBe(11);
    for (const { command, output } of examples) {
      const here = command.replaceAll('http://localhost:7379', url);
      const { stdout } = await promisify(execFile)('sh', ['-e', '-c', here]);
      expect(withoutFigures(stdout.trimEnd()), command).toBe(withoutFigures(output.trimEnd()));
    }
  });
});

test('the program of the page does what it says', async () => {
  const [program = ''] = textsOf(sectionOf(page, 'Blobs'), 'ts');
  const dataDir = await temporaryDirectory();
  const path = join(dataDir, 'program.ts');
  const here = program
    .replace("'kelpdb'", `'${resolve('src/index.ts')}'`)
    .replace('./data', `${dataDir}/data`);
  await writeFile(path, here);
  const { stdout } = await promisify(execFile)(process.execPath, [path]);
  expect(stdout).toBe('greeting 3610a686 5 5\ntrue 0\n');
});

test('the table of variables names those that there are, and its commands are options', async () => {
  const section = sectionOf(page, 'Several volumes, and the environment');
  const named = [...section.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, name]) => name);
  expect(named).toEqual(serverOptions.flatMap(({ plainVariable }) => plainVariable ?? []));
  const [commands = ''] = textsOf(section, 'sh');
  for (const line of commands.trim().split('\n')) {
    const environment = Object.fromEntries(
      [...line.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name, text]) => [name, text]),
    );
    const { listen, volumeId } = await loadConfig({ environment });
    expect([listen, volumeId]).toEqual([
      { host: '127.0.0.1', port: Number(environment['PORT']) },
      environment['VOLUME_ID'],
    ]);
  }
});
