import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { serverDefaults } from '../../src/limits.ts';
import { loadConfig } from '../../src/server/config/config.ts';
import { parseBytes, parseDurationMs } from '../../src/server/config/option-values.ts';
import {
  type ComposeService,
  grantKeys,
  imageEnvironment,
  mountOf,
  portOf,
  readCompose,
} from './support/compose.ts';
import { besideStateBytes } from './support/server-memory.ts';
import { warningsOfStarts } from './support/start-of.ts';

const FOLDER = 'deploy';
const stack = readCompose(join(FOLDER, 'compose.yaml'));
const volumes = readCompose(join(FOLDER, 'compose.volumes.yaml'));
const files = { 'compose.yaml': stack, 'compose.volumes.yaml': volumes };
const version = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;

const services = Object.entries(files).flatMap(([file, { services: ofFile }]) =>
  Object.entries(ofFile).map(([name, service]) => ({ file, name, service })),
);
const servers = services.filter(({ service }) => service.image.startsWith('kelpdb:'));

/** Bytes of `4g` or `512m`. */
function bytesOf(limit: string): number {
  return parseBytes(limit.replace('g', 'GiB').replace('m', 'MiB'));
}

describe.each(services)('$name of $file', ({ file, service }) => {
  test('is of one version of its image', () => {
    expect(service.image).toMatch(/^[a-z0-9./-]+:v?\d+\.\d+\.\d+$/);
  });

  test('is reached from this machine alone', () => {
    expect(service.ports.length).toBe(1);
    expect(service.ports.map((port) => portOf(port).host)).toEqual(['127.0.0.1']);
  });

  test('has no more of the machine than it needs', () => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      user: expect.not.stringMatching(/^(?:root|0)(?::|$)/) as string,
    });
    expect(grantKeys.filter((key) => key in service)).toEqual([]);
    expect(bytesOf(service.mem_limit)).toBeGreaterThan(0);
  });

  test('is started again, and its health is asked for', () => {
    expect(service.restart).toBe('unless-stopped');
    const isOfImage =
      service.image.startsWith('kelpdb:') && readFileSync('Dockerfile', 'utf8').includes('\nHEALTHCHECK ');
    const address = `http://127.0.0.1:${portOf(service.ports[0] ?? '').target}/`;
    if (service.healthcheck === undefined) expect(isOfImage).toBe(true);
    else expect(service.healthcheck.test.at(-1)).toContain(address);
  });

  test('keeps what it writes in a volume of its own, and has files that there are, to read only', () => {
    const mounts = service.volumes.map(mountOf);
    const named = mounts.filter(({ isFile }) => !isFile).map(({ source }) => source);
    expect(named.length).toBe(1);
    const users = services.filter(
      (other) =>
        other.file === file && other.service.volumes.some((text) => named.includes(mountOf(text).source)),
    );
    expect(users.length).toBe(1);
    const { volumes: declared } = file === 'compose.yaml' ? stack : volumes;
    expect(Object.keys(declared)).toEqual(expect.arrayContaining(named));
    for (const { source, isReadOnly } of mounts.filter(({ isFile }) => isFile)) {
      expect(existsSync(join(FOLDER, source)), source).toBe(true);
      expect(isReadOnly, source).toBe(true);
    }
  });
});

describe.each(servers)('the server $name', ({ service }) => {
  const environment = { ...imageEnvironment(), ...service.environment };

  test('is built from these sources and never fetched by its name', () => {
    expect(service.image).toBe(`kelpdb:${version}`);
    expect(service).toMatchObject({ build: { context: '..' }, pull_policy: 'build' });
    expect(existsSync(join(FOLDER, service.build?.context ?? '', 'Dockerfile'))).toBe(true);
  });

  test('listens on the port that is published, and keeps its data in the volume', async () => {
    const { listen, dataDir } = await loadConfig({ environment });
    expect(listen).toEqual({ host: '0.0.0.0', port: portOf(service.ports[0] ?? '').target });
    const mounts = service.volumes.map(mountOf);
    expect(mounts.map(({ target }) => target)).toEqual([dataDir]);
  });

  test('starts as it stands: who may do what there is decided', async () => {
    expect(await warningsOfStarts(environment)).not.toEqual([]);
    await expect(warningsOfStarts(imageEnvironment())).rejects.toThrow('--allow-anonymous');
  });

  test('has memory for what is not keys and values, and time to stop', async () => {
    const machineMemoryBytes = bytesOf(service.mem_limit);
    const { memoryBytesMax } = await loadConfig({ environment, machineMemoryBytes });
    expect(memoryBytesMax).toBeLessThan(machineMemoryBytes);
    expect(machineMemoryBytes - memoryBytesMax).toBeGreaterThan(besideStateBytes);
    expect(parseDurationMs(service.stop_grace_period ?? '')).toBeGreaterThan(
      serverDefaults.shutdownTimeoutMs,
    );
  });
});

describe('compose.yaml', () => {
  const { kelpdb, prometheus, grafana } = stack.services as Record<string, ComposeService>;

  test('has the password of root from a file, which git leaves out, and metrics without one', async () => {
    const { access } = await loadConfig({ environment: kelpdb?.environment ?? {} });
    expect(kelpdb?.secrets).toEqual(['root-password']);
    expect(access).toMatchObject({
      rootPasswordFile: '/run/secrets/root-password',
      allowAnonymous: false,
      openMetrics: true,
    });
    const path = join(FOLDER, stack.secrets?.['root-password']?.file ?? '');
    expect(readFileSync('.gitignore', 'utf8').split('\n')).toContain(path);
    const [, made] = /> (\S+)\)$/m.exec(readFileSync(join(FOLDER, 'compose.yaml'), 'utf8')) ?? [];
    expect(made).toBe(path);
    expect(await warningsOfStarts({ ...imageEnvironment(), ...kelpdb?.environment })).toEqual([
      'passwords and tokens come without TLS: they can be read along',
      'passwords and tokens come without TLS: they can be read along',
    ]);
  });

  test('has KelpDB, Prometheus and Grafana on the ports that people know', () => {
    const published = Object.entries(stack.services).map(([name, { ports }]) => [name, ports]);
    expect(Object.fromEntries(published)).toEqual({
      kelpdb: ['127.0.0.1:7379:7379'],
      prometheus: ['127.0.0.1:9090:9090'],
      grafana: ['127.0.0.1:3000:3000'],
    });
  });

  test('lets Prometheus find the server, and Grafana find Prometheus', () => {
    interface PrometheusConfig {
      readonly global: { readonly scrape_interval: string };
      readonly scrape_configs: readonly {
        readonly static_configs: readonly { readonly targets: string[] }[];
      }[];
    }
    interface DataSources {
      readonly datasources: readonly {
        readonly url: string;
        readonly jsonData: { readonly timeInterval: string };
      }[];
    }
    const config = parse(readFileSync('deploy/prometheus/prometheus.yml', 'utf8')) as PrometheusConfig;
    const targets = config.scrape_configs.flatMap(({ static_configs: configs }) =>
      configs.flatMap((each) => each.targets),
    );
    expect(targets).toEqual([`kelpdb:${portOf(kelpdb?.ports[0] ?? '').target}`]);
    const path = 'deploy/grafana/provisioning/datasources/prometheus.yaml';
    const [source, ...more] = (parse(readFileSync(path, 'utf8')) as DataSources).datasources;
    expect(more).toEqual([]);
    expect(source?.url).toBe(`http://prometheus:${portOf(prometheus?.ports[0] ?? '').target}`);
    expect(source?.jsonData.timeInterval).toBe(config.global.scrape_interval);
  });

  test('mounts the dashboards where Grafana is told to look for them', () => {
    interface Providers {
      readonly providers: readonly { readonly options: { readonly path: string } }[];
    }
    const { providers } = parse(
      readFileSync('deploy/grafana/provisioning/dashboards/kelpdb.yaml', 'utf8'),
    ) as Providers;
    const mounts = grafana?.volumes.map(mountOf) ?? [];
    const folderOf = (target: string): string =>
      join(FOLDER, mounts.find((mount) => mount.target === target)?.source ?? 'no such mount');
    expect(statSync(folderOf('/etc/grafana/provisioning')).isDirectory()).toBe(true);
    const [{ options: { path } } = { options: { path: '' } }] = providers;
    const home = grafana?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
    expect(home.startsWith(`${path}/`)).toBe(true);
    expect(existsSync(join(folderOf(path), home.slice(path.length)))).toBe(true);
  });

  test('shows the dashboard without a password, and lets nobody log in', () => {
    expect(grafana?.environment).toMatchObject({
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
      GF_AUTH_BASIC_ENABLED: 'false',
      GF_AUTH_DISABLE_LOGIN_FORM: 'true',
    });
  });
});

test('compose.volumes.yaml has vol-1 to vol-3 on the ports 9001 to 9003, each by its own name', async () => {
  const told = Object.entries(volumes.services).map(
    async ([name, { ports, environment = {}, volumes: own }]) => [
      name,
      portOf(ports[0] ?? '').published,
      (await loadConfig({ environment })).volumeId,
      own,
    ],
  );
  expect(await Promise.all(told)).toEqual([
    ['vol-1', 9001, 'vol-1', ['vol-1:/data']],
    ['vol-2', 9002, 'vol-2', ['vol-2:/data']],
    ['vol-3', 9003, 'vol-3', ['vol-3:/data']],
  ]);
});
