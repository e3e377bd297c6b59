/** What docs/production.md and deploy/ say is what the server has: metrics, messages, options, probes, TLS. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { serverDefaults } from '../../src/limits.ts';
import { loadConfig } from '../../src/server/config/config.ts';
import { parseDurationMs } from '../../src/server/config/option-values.ts';
import { environmentName, serverOptions } from '../../src/server/config/server-options.ts';
import { freshClone, ownEnvironment } from '../support/fresh-clone.ts';
import { consoleExamplesOf, sectionOf, textsOf } from '../support/page-examples.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';

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

  test('alerts ask for metrics that there are, and the page tells what to do at each', async () => {
    interface Rules {
      readonly groups: readonly {
        readonly rules: readonly { readonly alert: string; readonly expr: string }[];
      }[];
    }
    const { groups } = parse(readFileSync('deploy/alerts.yaml', 'utf8')) as Rules;
    const rules = groups.flatMap((group) => group.rules);
    const exposed = await metricNames();
    const asked = rules.flatMap(({ expr }) => expr.match(/\b(?:kelp|process|nodejs)_\w+/g) ?? []);
    expect(asked.length).toBeGreaterThan(rules.length);
    expect(asked.filter((name) => !exposed.includes(name))).toEqual([]);
    const explained = firstCells(sectionOf(page, 'Metrics')).filter((cell) => cell.startsWith('`Kelp'));
    expect(explained).toEqual(rules.map(({ alert }) => `\`${alert}\``));
  });
});

test('the messages that the page explains are those of the server', () => {
  const sources = readdirSync('src/server', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join('src/server', name), 'utf8'))
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
  const known = [...names.map(environmentName), 'KELP_METRICS_SERVICE_HOST'];
  expect(variables.filter((variable) => !known.includes(variable))).toEqual([]);
});

test(
  'the commands for TLS make a certificate with which server and clients work',
  { timeout: 60_000 },
  async () => {
    const section = sectionOf(page, 'TLS');
    const [makeCertificate = '', serve = ''] = textsOf(section, 'sh');
    const clone = join(await temporaryDirectory(), 'clone');
    freshClone(clone);
    const environment = { ...ownEnvironment() };
    const typed = async (command: string): Promise<string> => {
      const kelp = "alias kelp='npm run --silent kelp --'\n";
      const options = { cwd: clone, env: environment };
      return (await promisify(execFile)('sh', ['-e', '-c', `${kelp}${command}`], options)).stdout;
    };
    await typed(makeCertificate);
    expect(serve).toContain('--tls-cert kelp.pem --tls-key kelp.key');
    const flags = { 'tls-cert': join(clone, 'kelp.pem'), 'tls-key': join(clone, 'kelp.key') };
    const { port } = await startTestServer({ flags });
    const here = (text: string): string => text.replaceAll('localhost:7379', `localhost:${port}`);
    for (const { command, output } of consoleExamplesOf(section)) {
      expect((await typed(here(command))).trimEnd(), command).toBe(output.trimEnd());
    }
    const [program = ''] = textsOf(section, 'ts');
    const use = "console.log((await client.get('greeting')).entry?.text());\nclient.close();\n";
    writeFileSync(join(clone, 'over-tls.ts'), here(program) + use);
    expect(await typed('npm run --silent example over-tls.ts')).toBe('hello\n');
  },
);

describe('deploy/', () => {
  const shutdownSeconds = serverDefaults.shutdownTimeoutMs / 1000;

  test('the systemd unit gives options that there are and time enough to stop', async () => {
    const unit = readFileSync('deploy/kelpdb.service', 'utf8');
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
    expect(Number(stopSeconds)).toBeGreaterThan(shutdownSeconds);
  });

  test('the systemd unit and the page name files of the package where npm puts them', () => {
    const unit = readFileSync('deploy/kelpdb.service', 'utf8');
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

  test('the Kubernetes manifest gives options, probes and times that the server has', async () => {
    interface Probe {
      readonly httpGet: { readonly path: string };
    }
    interface Container {
      readonly args: readonly string[];
      readonly env: readonly { readonly name: string; readonly value: string }[];
      readonly livenessProbe: Probe;
      readonly readinessProbe: Probe;
    }
    interface StatefulSet {
      readonly kind: string;
      readonly spec: {
        readonly replicas: number;
        readonly template: {
          readonly spec: {
            readonly containers: readonly Container[];
            readonly terminationGracePeriodSeconds: number;
          };
        };
      };
    }
    const documents = parseAllDocuments(readFileSync('deploy/kubernetes.yaml', 'utf8')).map(
      (document) => document.toJS() as StatefulSet,
    );
    const set = documents.find(({ kind }) => kind === 'StatefulSet');
    const pod = set?.spec.template.spec;
    const container = pod?.containers[0];
    expect(set?.spec.replicas).toBe(1);
    expect(container?.args).toEqual(['serve']);
    const environment = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? []);
    expect(await loadConfig({ environment })).toMatchObject({
      listen: { host: '0.0.0.0', port: 7379 },
      dataDir: '/data/store',
    });
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(shutdownSeconds);
    const { url } = await startTestServer();
    for (const probe of [container?.livenessProbe, container?.readinessProbe]) {
      expect((await fetch(`${url}${probe?.httpGet.path}`)).status).toBe(200);
    }
  });

  test('the page gives the time to stop that is the default', () => {
    const [, text = ''] = /`--shutdown-timeout` \((\d+ s)\)/.exec(page) ?? [];
    expect(parseDurationMs(text)).toBe(serverDefaults.shutdownTimeoutMs);
  });
});
