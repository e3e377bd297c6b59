/** Runs every example of the README as a newcomer types it, in a fresh clone: what stands below it must come out. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshClone, ownEnvironment } from '../support/fresh-clone.ts';
import { consoleExamplesOf, textsOf } from '../support/page-examples.ts';

const readme = readFileSync('README.md', 'utf8');

describe('the README', () => {
  const [start = '', alias = ''] = textsOf(readme, 'sh');
  // A space in the path is a thing that a clone can have.
  const folder = mkdtempSync(join(tmpdir(), 'kelp readme-'));
  const clone = join(folder, 'clone');
  let server: ChildProcess;
  let address = '';

  beforeAll(async () => {
    freshClone(clone);
    expect(start).toBe('npm ci && npm start\n');
    // A group of its own, to end what npm starts together with npm. Some other server may have the usual port.
    server = spawn('npm', ['start'], {
      cwd: clone,
      env: { ...ownEnvironment(), KELP_LISTEN: '127.0.0.1:0' },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    for await (const line of createInterface({ input: server.stdout ?? process.stdin })) {
      if (line.includes('"msg":"ready"')) address = (JSON.parse(line) as { address: string }).address;
      if (address !== '') break;
    }
    server.stdout?.resume();
  }, 60_000);

  afterAll(async () => {
    const ended = once(server, 'close');
    if (server.exitCode === null) process.kill(-(server.pid ?? 0), 'SIGTERM');
    await ended;
    rmSync(folder, { recursive: true });
  });

  /** What somebody sees who types a command after the lines that prepare their shell: output and errors alike. */
  async function typed(command: string): Promise<string> {
    const child = spawn('sh', ['-c', `exec 2>&1\n${alias}${command}`], {
      cwd: clone,
      env: { ...ownEnvironment(), KELP_ADDRESS: address },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return Buffer.concat(await child.stdout.toArray()).toString();
  }

  const examples = consoleExamplesOf(readme);

  test('has examples', () => {
    expect(examples.length).toBeGreaterThan(12);
    expect(textsOf(readme, 'ts').length).toBe(2);
    expect(alias).toMatch(/^alias kelp='.*'\n$/);
  });

  test('can be read in five minutes', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(265);
  });

  // One after the other: later examples see what earlier ones wrote.
  test.each(examples)('$command', async ({ command, output }) => {
    const here = command.replaceAll('127.0.0.1:7379', address);
    expect((await typed(here)).trimEnd()).toBe(output.trimEnd());
  });

  test.each(textsOf(readme, 'ts'))('its program %# is a file of examples/ that is run below it', (source) => {
    const at = readme.indexOf(source);
    const file = /`(examples\/[\w-]+\.ts)`:\s+```ts\n$/.exec(readme.slice(0, at))?.[1] ?? '';
    expect(readFileSync(file, 'utf8').replace(/^\/\*\*.*\*\/\n/, '')).toBe(source);
    expect(examples.map(({ command }) => command)).toContain(`npm run --silent example ${file}`);
  });

  test('names only scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
