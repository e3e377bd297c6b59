import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCode } from '../../src/cli/process/exit-code.ts';
import { serverDefaults } from '../../src/limits.ts';
import { loadConfig } from '../../src/server/config/config.ts';
import { sectionOf, textsOf } from '../support/page-examples.ts';
import { temporaryDirectory } from '../support/test-server.ts';

const page = readFileSync('docs/production.md', 'utf8');
const unit = readFileSync('deploy/kelpdb.service', 'utf8');

/** systemd 250 (Debian 12 has 252): older ones can't judge a unit that is not installed. */
const isAnalyzeInstalled = spawnSync('systemd-analyze', ['--version']).status === 0;

test('the unit gives options that there are and time enough to stop', async () => {
  const variables = [...unit.matchAll(/^Environment=(KELP_\w+)=(.*)$/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  const config = await loadConfig({ environment: Object.fromEntries(variables) as Record<string, string> });
  // What else the user's home comes to hold must not lie among the data.
  const [, home = ''] = /--home-dir (\S+)/.exec(page) ?? [];
  expect(config.dataDir).toBe(`${home}/store`);
  expect(home).toBe('/var/lib/kelp');
  expect(unit).toMatch(/^StateDirectory=kelp$/m);
  expect(unit).toMatch(/^ExecStart=\S+ \S+\/kelp serve --config \S+$/m);
  const [, stopSeconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
  expect(Number(stopSeconds)).toBeGreaterThan(serverDefaults.shutdownTimeoutMs / 1000);
});

test('the unit has the password of root as a credential of its own, once that is asked for', async () => {
  const asked = [...unit.matchAll(/^#((?:LoadCredential|Environment)=.*)$/gm)].map(([, line = '']) => line);
  const [load = '', variable = ''] = asked;
  const [, id = ''] = /^LoadCredential=([\w-]+):\/etc\/kelp\/\S+$/.exec(load) ?? [];
  expect(variable).toBe(`Environment=KELP_ROOT_PASSWORD_FILE=%d/${id}`);
  for (const line of asked) expect(page).toContain(`\n${line}\n`);
  if (!isAnalyzeInstalled) return;
  const path = join(await temporaryDirectory(), 'kelpdb.service');
  const started = unit.replace(/^ExecStart=\S+/m, `ExecStart="${process.execPath}"`);
  writeFileSync(path, started.replaceAll(/^#(?=(?:LoadCredential|Environment)=)/gm, ''));
  expect(spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' }).stderr).toBe('');
});

test('the unit and the image set what bounds the memory of the process itself', () => {
  const image = /^ENV (NODE_OPTIONS=.*)$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1]?.split(' ');
  const lines = [...unit.matchAll(/^Environment=((?:NODE_OPTIONS|MALLOC_\w+)=.*)$/gm)];
  expect(lines.flatMap(([, line = '']) => line.split(' '))).toEqual(image);
  expect(page).toContain(image?.join(' \\\n'));
});

test('the unit starts again what has ended, but not what a new start does not mend', () => {
  expect(unit).toMatch(/^Restart=on-failure$/m);
  const [, codes] = /^RestartPreventExitStatus=(.*)$/m.exec(unit) ?? [];
  expect(codes).toBe(`${exitCode.no} ${exitCode.usage}`);
});

test('the unit and the page name files of the package where npm puts them', () => {
  const packed = '/opt/kelpdb/node_modules/kelpdb';
  expect(page).toContain('npm install --prefix /opt/kelpdb ');
  expect(unit).toContain(`\nDocumentation=file://${packed}/README.md\n`);
  const [install = ''] = textsOf(sectionOf(page, 'systemd'), 'sh');
  expect(install).toContain(`cd ${packed}\n`);
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
  const sources = [...install.matchAll(/^install -D -m 644 (\S+) /gm)].map(([, source = '']) => source);
  expect(sources.length).toBe(2);
  for (const source of sources) {
    expect(existsSync(source)).toBe(true);
    expect(files).toContain(source.split('/')[0]);
  }
});

test.runIf(isAnalyzeInstalled)('systemd finds nothing wrong with the unit', async () => {
  const path = join(await temporaryDirectory(), 'kelpdb.service');
  // Whether there is a Node at that place is for the machine that it is installed on.
  writeFileSync(path, unit.replace(/^ExecStart=\S+/m, `ExecStart="${process.execPath}"`));
  const { stderr, status } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test.runIf(isAnalyzeInstalled)('the unit keeps the server from all that it does not need', () => {
  const report = execFileSync('systemd-analyze', ['security', '--offline=yes', 'deploy/kelpdb.service'], {
    encoding: 'utf8',
  });
  const [, exposure] = /Overall exposure level for kelpdb\.service: (\d+\.\d+)/.exec(report) ?? [];
  expect(Number(exposure)).toBeLessThan(2);
});
