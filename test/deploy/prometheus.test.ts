/** Debian's Prometheus scrapes a server that works, and one whose disk has failed; what dashboard and alerts ask has answers. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { systemRandom } from '../../src/clock.ts';
import { openEtcdLog } from '../../src/etcd-log/open-etcd-log.ts';
import { grpcCode, nameOfCode } from '../../src/grpc-code.ts';
import { RealEtcd, hasRealEtcd } from '../server/etcd/support/real-etcd.ts';
import { eventually } from '../support/eventually.ts';
import { startTestServer, temporaryDirectory, type TestServer } from '../support/test-server.ts';
import { failingDisk } from '../support/troubled-disk.ts';
import { alertRules, alertsFile } from './support/alerts.ts';
import { expressions } from './support/dashboard.ts';
import { MixedLoad } from './support/mixed-load.ts';
import { StorageLoad } from './support/storage-load.ts';
import { isPrometheusInstalled, Prometheus } from './support/prometheus.ts';

const TIMEOUT_MS = 120_000;
const PATIENCE = { timeout: 90_000, interval: 250 };
const SCRAPE_INTERVAL = '250ms';

/** Doors through which the load comes. */
const DOORS = ['connect', 'grpc', 'grpc_web', 'http', 'pipeline', 'rest', 'scripts'];

interface PrometheusConfig {
  readonly global: object;
  readonly scrape_configs: readonly { readonly job_name: string }[];
}

/** The configuration of deploy/, with the addresses of the test and its haste. */
function configFor(servers: readonly TestServer[]): unknown {
  const config = parse(readFileSync('deploy/prometheus/prometheus.yml', 'utf8')) as PrometheusConfig;
  return {
    ...config,
    global: { scrape_interval: SCRAPE_INTERVAL, evaluation_interval: SCRAPE_INTERVAL },
    rule_files: [resolve(alertsFile)],
    scrape_configs: config.scrape_configs.map((scrape) => ({
      ...scrape,
      static_configs: [{ targets: servers.map(({ address }) => address) }],
    })),
  };
}

/** What Grafana puts in for the variables of the dashboard. */
function asked(expression: string, servers: readonly TestServer[]): string {
  return expression
    .replaceAll('$instance', servers.map(({ address }) => address.replaceAll('.', '\\\\.')).join('|'))
    .replaceAll(/\$__(?:rate_)?interval/g, '10s');
}

/** Calls that end with these are defects: they have no series in a server that has none. */
const DEFECTS = /code=~"Unknown\|Internal\|DataLoss"/g;

/**
 * An alert that is silent gives nothing, and an annotation of what did not happen none either. Its comparisons as 0 and 1 (`bool`) give something as long as both their sides do, and one of
 * defects is asked of all codes.
 */
function withoutComparisons(expression: string): string {
  const selectors: string[] = [];
  const masked = expression.replaceAll(/\{[^}]*\}/g, (selector) => {
    selectors.push(selector);
    return '{}';
  });
  return masked
    .replaceAll(/ (==|>|<) /g, ' $1 bool ')
    .replaceAll('{}', () => selectors.shift() ?? '')
    .replaceAll(DEFECTS, 'code!=""');
}

test.runIf(isPrometheusInstalled)(
  'what is commented out of the configuration can be taken as it is',
  async () => {
    const config = readFileSync('deploy/prometheus/prometheus.yml', 'utf8');
    const taken = config.replaceAll(/^( +)#(?=\w+: )/gm, '$1');
    const { scrape_configs: scrapes } = parse(taken) as { scrape_configs: object[] };
    expect(scrapes).toMatchObject([
      { scheme: 'https', authorization: { credentials_file: expect.any(String) as string } },
    ]);
    const path = join(await temporaryDirectory(), 'prometheus.yml');
    writeFileSync(path, taken);
    const args = ['check', 'config', '--syntax-only', path];
    const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
    expect({ status, said: stdout + stderr }).toMatchObject({ status: 0 });
  },
);

test('the codes that alerts ask for are codes that calls end with', () => {
  const codes = alertRules.flatMap(({ expr }) =>
    [...expr.matchAll(/code=~"([^"]*)"/g)].flatMap(([, list = '']) => list.split('|')),
  );
  expect(codes.length).toBeGreaterThan(3);
  const known = Object.values(grpcCode).map(nameOfCode);
  expect(codes.filter((code) => !known.includes(code))).toEqual([]);
});

describe.runIf(isPrometheusInstalled && hasRealEtcd)('Prometheus', () => {
  async function startNode(): Promise<TestServer> {
    const etcd = await RealEtcd.start();
    onTestFinished(() => etcd.stop());
    const address = `etcd://${etcd.url.replace('http://', '')}/kelp/test`;
    const log = openEtcdLog({ address });
    await log.init(systemRandom.bytes(16), { timeoutMs: 10_000 });
    log.close();
    const nodeParts = {
      openSharedLog: () => openEtcdLog({ address }),
      peers: {
        snapshot: () => {
          throw new Error('there is no other node');
        },
        report: async () => undefined,
      },
      peerTls: undefined,
    };
    return await startTestServer({ flags: { log: address, 'log-level': 'warn' }, nodeParts });
  }

  async function serversUnderLoad(): Promise<Record<'well' | 'broken' | 'onDisk' | 'node', TestServer>> {
    const { disk, fail } = failingDisk();
    const flags = { fsync: 'always', 'log-level': 'warn', 'redis-listen': '127.0.0.1:0' };
    const well = await startTestServer({ flags });
    const broken = await startTestServer({ flags, storeOptions: { disk } });
    for (const server of [well, broken]) {
      const load = new MixedLoad(server);
      onTestFinished(() => load.stop());
    }
    fail();
    const onDisk = await startTestServer({ flags: { ...flags, engine: 'lsm' } });
    const node = await startNode();
    for (const server of [onDisk, node]) {
      const storageLoad = new StorageLoad(server);
      onTestFinished(() => storageLoad.stop());
    }
    return { well, broken, onDisk, node };
  }

  test('gets data for all that dashboard and alerts ask', { timeout: TIMEOUT_MS }, async () => {
    const { well, broken, onDisk, node } = await serversUnderLoad();
    const servers = [well, broken, onDisk, node];
    const prometheus = await Prometheus.start(configFor(servers));
    const all = [
      ...expressions.map(({ where, expr }) => ({ where, expr: asked(expr, servers) })),
      ...alertRules.map(({ alert, expr }) => ({ where: alert, expr })),
    ].map(({ where, expr }) => ({ where, expr: withoutComparisons(expr) }));
    const unanswered = async (): Promise<string[]> => {
      const answers = await Promise.all(all.map(({ expr }) => prometheus.query(expr)));
      return all
        .filter((_, index) => !answers[index]?.some(({ value }) => Number.isFinite(value)))
        .map(({ where, expr }) => `${where}: ${expr}`);
    };
    await eventually(unanswered, PATIENCE).toEqual([]);

    const doors = async (): Promise<unknown> => {
      const series = await prometheus.query('sum by (door) (kelp_calls_total) > 0');
      return new Set(series.map(({ metric }) => metric['door']));
    };
    await eventually(doors, PATIENCE).toEqual(new Set(DOORS));
    const health = async (): Promise<unknown> =>
      (await prometheus.rules()).map((rule) => [rule.name, rule.health]);
    await eventually(health, PATIENCE).toEqual(alertRules.map(({ alert }) => [alert, 'ok']));
    const troubled = async (): Promise<unknown> =>
      (await prometheus.rules())
        .find(({ name }) => name === 'KelpNotServing')
        ?.alerts.map(({ labels, state }) => [labels['instance'], state]);
    await eventually(troubled, PATIENCE).toEqual([[broken.address, 'pending']]);

    const input = await (await fetch(`${well.url}/metrics`)).text();
    const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
    expect(stdout + stderr).toBe('');
  });
});
