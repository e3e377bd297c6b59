/** What docs/production.md says is what the server has: metrics, messages, options. test/docs/production-setup.test.ts runs its
 * set-up, and test/deploy holds what deploy/ says. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clientEnvironmentNames } from '../../src/cli/session/session.ts';
import { serverDefaults } from '../../src/limits.ts';
import { parseDurationMs } from '../../src/server/config/option-values.ts';
import { environmentName, serverOptions } from '../../src/server/config/server-options.ts';
import { sectionOf } from '../support/page-examples.ts';
import { startTestServer } from '../support/test-server.ts';

const page = readFileSync('docs/production.md', 'utf8');

async function metricNames(): Promise<string[]> {
  const { url } = await startTestServer();
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
}

/** The first cells of the tables in a section, without their heads. */
function firstCells(section: string): string[] {
  return [...section.matchAll(/^\| (`.*?`) +\|/gm)].map(([, cell = '']) => cell);
}

describe('metrics', () => {
  test('the page names no metric that there is not', async () => {
    const exposed = await metricNames();
    const named = [...page.matchAll(/`((?:kelp|process|nodejs)_[a-z0-9_]+)`/g)].map(([, name]) => name);
    expect(named.filter((name) => !exposed.includes(name ?? ''))).toEqual([]);
  });
});

test('the messages that the page explains are those of the server', () => {
  const sources = ['src/server', 'src/cli/process']
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(path, 'utf8'))
    .join('');
  const messages = firstCells(sectionOf(page, 'The log')).flatMap((cell) => cell.split(', `'));
  expect(messages.length).toBeGreaterThan(10);
  const unknown = messages
    .map((message) => message.replaceAll('`', ''))
    .filter((message) => !sources.includes(`'${message}`));
  expect(unknown).toEqual([]);
});

test('the options that the page names are those of the server', () => {
  const flags = [...page.matchAll(/`--([a-z-]+)/g)].map(([, name = '']) => name);
  const variables = [...page.matchAll(/`(KELP_[A-Z_]+)`/g)].map(([, name = '']) => name);
  expect(flags.length).toBeGreaterThan(15);
  const names = serverOptions.map(({ name }) => name);
  expect(flags.filter((flag) => !names.includes(flag))).toEqual([]);
  // That of a service link is named as an example of what is no option.
  const known = [...names.map(environmentName), ...clientEnvironmentNames, 'KELP_METRICS_SERVICE_HOST'];
  expect(variables.filter((variable) => !known.includes(variable))).toEqual([]);
});

test('the page gives the time to stop that is the default', () => {
  const [, text = ''] = /`--shutdown-timeout` \((\d+ s)\)/.exec(page) ?? [];
  expect(parseDurationMs(text)).toBe(serverDefaults.shutdownTimeoutMs);
});
