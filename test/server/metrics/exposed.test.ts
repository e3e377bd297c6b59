/**
 * What a server under mixed load exposes: all of the table and of `docs/metrics.md`, nothing else, counted under the door and method
 * that it came by, in labels of closed sets.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Transport, createClient as createConnectClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { createClient } from '../../../src/client/client.ts';
import { ENGINE_NAMES } from '../../../src/engine-names.ts';
import { grpcCode } from '../../../src/grpc-code.ts';
import { serverSections, storeSections } from '../../../src/server/metrics/metric-table.ts';
import { doors, methodNames, statusClasses } from '../../../src/server/metrics/calls/routes.ts';
import { clusterMetrics } from '../../../src/server/metrics/cluster/cluster-metrics.ts';
import { storageMetrics } from '../../../src/server/metrics/store/storage-metrics.ts';
import { protocols } from '../../../src/server/metrics/calls/traffic.ts';
import { eventually } from '../../support/eventually.ts';
import { found } from '../../support/installed.ts';
import { redisErrorCodes } from '../../../src/server/metrics/redis/redis-meter.ts';
import { redisRows } from '../../../src/server/redis/redis-rows.ts';
import { RedisClient } from '../redis/support/redis-client.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { slowDisk } from '../../support/troubled-disk.ts';
import { batch, get, put } from '../services/pipeline-harness.ts';
import { type Metric, type Sample, metricsOf, parseMetrics } from './exposition.ts';

const table = [...serverSections, ...storeSections].flatMap(({ metrics }) =>
  metrics.map(({ name, type }) => ({ name, type })),
);

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  grpc: (baseUrl) => createGrpcTransport({ baseUrl }),
  grpc_web: (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '2' }),
  connect: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
};

/** Two gets, one that is refused, two operations in a batch and a watch through each door, and what else makes figures move. */
async function load({ url, redisAddress }: TestServer): Promise<void> {
  const own = createClient({ address: url, retries: 0 });
  await own.put('expires', '1', { ttlMs: 50 });
  for (const makeTransport of Object.values(transports)) {
    const transport = makeTransport(url);
    const kv = createConnectClient(KvService, transport);
    await kv.get({ key: 'a' });
    await kv.get({ key: 'b' });
    await expect(kv.get({ key: '' })).rejects.toThrow();
    await createConnectClient(Health, transport).check({});
    const requests = (async function* () {
      yield batch(put('a'), get('a'), get('a'));
    })();
    // HTTP/1.1 has no stream of requests that is answered meanwhile.
    if (makeTransport !== transports['connect']) for await (const _ of kv.pipeline(requests));
    const controller = new AbortController();
    const { signal } = controller;
    const watch = createConnectClient(WatchService, transport).watch({ includeCurrent: true }, { signal });
    const watched = (async () => {
      for await (const _ of watch) controller.abort();
    })();
    await expect(watched).rejects.toThrow();
  }
  const rest = async (path: string, init: RequestInit = {}): Promise<void> => {
    await (await fetch(`${url}/v1/${path}`, init)).arrayBuffer();
  };
  await rest('keys/rest', { method: 'PUT', body: 'value' });
  await rest('keys/rest');
  await rest('keys/rest');
  await rest('keys/absent');
  await rest('keys/rest', { method: 'DELETE' });
  await rest('nothing');
  await rest('keys/rest', { headers: { origin: 'http://elsewhere' } });
  for (const path of ['/healthz', '/healthz', '/readyz', '/metrics', '/nothing', '/nothing/else']) {
    await (await fetch(url + path)).text();
  }
  const redis = await RedisClient.open(redisAddress);
  await redis.run('PING');
  await redis.run('NONE');
  redis.socket.destroy();
  await own.admin.snapshot();
  await eventually(() => own.admin.status()).toMatchObject({ keyCount: 1 });
  own.close();
}

function samplesOf(metrics: readonly Metric[], name: string): Record<string, number> {
  const metric = metrics.find((each) => each.name === name);
  return Object.fromEntries(
    metric?.samples.map((sample) => [sample.name.slice(name.length), sample.value]) ?? [],
  );
}

function labelsOf({ name }: Sample): [string, string][] {
  return [...name.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [label, value]);
}

/** This load comes in plain text. */
const onlyWithTls = ['kelp_tls_certificate_expiration_timestamp_seconds'];
/** ... and its engine is memory. */
const onlyWithFiles = storageMetrics.map(({ name }) => name).filter((name) => name !== 'kelp_engine');

/** ... and it is alone. */
const onlyInClusters = clusterMetrics.map(({ name }) => name);

let scraping: Promise<{ readonly metrics: Metric[]; readonly text: string }> | undefined;

/** What the load has made of the metrics, once for all tests that look at it. */
function scraped(): NonNullable<typeof scraping> {
  scraping ??= (async () => {
    const flags = { engine: 'memory', fsync: 'always', 'redis-listen': '127.0.0.1:0' };
    const server = await startTestServer({ flags });
    await load(server);
    // A stream is over when its client's reset has come.
    const openStreams = async (): Promise<number | undefined> =>
      samplesOf(await metricsOf(server.url), 'kelp_streams_open')[''];
    await eventually(openStreams).toBe(0);
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return { metrics: parseMetrics(text), text };
  })();
  return scraping;
}

describe('a server under mixed load', () => {
  test('exposes every metric of the table, each with samples', async () => {
    const { metrics } = await scraped();
    const exposed = metrics.filter(({ name }) => name.startsWith('kelp_'));
    expect(exposed.map(({ name, type }) => ({ name, type }))).toEqual(table);
    expect(exposed.filter(({ samples }) => samples.length === 0).map(({ name }) => name)).toEqual([
      ...onlyWithTls,
      ...onlyWithFiles,
      ...onlyInClusters,
    ]);
  });

  test('exposes what the page explains, and nothing else', async () => {
    const { metrics } = await scraped();
    const page = readFileSync('docs/metrics.md', 'utf8');
    const explained = [...page.matchAll(/^\| `(\w+)` +\| (?:gauge|counter|histogram|summary) /gm)];
    expect(explained.map(([, name = '']) => name).toSorted()).toEqual(
      metrics.map(({ name }) => name).toSorted(),
    );
  });

  test('has names and types as the conventions of Prometheus want them', async ({ skip }) => {
    const { text } = await scraped();
    const { error } = spawnSync('promtool', ['--version']);
    skip(!found('promtool', error === undefined), 'promtool is not installed');
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], { input: text });
    expect([String(stdout), String(stderr), status]).toEqual(['', '', 0]);
  });

  test('has labels of closed sets', async () => {
    const { metrics } = await scraped();
    const sets: Readonly<Record<string, readonly string[]>> = {
      door: Object.keys(doors),
      method: methodNames,
      code: [...Object.keys(grpcCode), ...redisErrorCodes],
      command: redisRows.map(({ name }) => name),
      status_class: statusClasses,
      protocol: Object.keys(protocols),
      kind: ['password', 'token', 'certificate', 'none'],
      outcome: ['accepted', 'refused', 'busy', 'kept', 'in_vain', 'not_tried'],
      limit: [
        'operations-per-second-max',
        'bytes-per-second-max',
        'connections-max',
        'connections-per-address-max',
      ],
      reason: ['requested', 'fell_behind', 'closed', 'failed'],
      work: ['calls', 'pipelines', 'long_reads', 'watches', 'expiry'],
      version: ['0.0.0-test'],
      engine: ENGINE_NAMES,
    };
    const strange = metrics
      .filter(({ name }) => name.startsWith('kelp_'))
      .flatMap(({ samples }) => samples.flatMap(labelsOf))
      .filter(([label, value]) => label !== 'le' && sets[label]?.includes(value) !== true);
    expect(strange).toEqual([]);
  });

  test('counts calls by door, method and code', async () => {
    const { metrics } = await scraped();
    const calls = samplesOf(metrics, 'kelp_calls_total');
    for (const door of ['grpc', 'grpc_web', 'connect']) {
      expect(calls).toMatchObject({
        [`{door="${door}",method="Get",code="Ok"}`]: 2,
        [`{door="${door}",method="Get",code="InvalidArgument"}`]: 1,
        [`{door="${door}",method="HealthCheck",code="Ok"}`]: 1,
        [`{door="${door}",method="Watch",code="Canceled"}`]: 1,
      });
    }
    expect(calls).toMatchObject({
      '{door="grpc",method="Put",code="Ok"}': 1,
      '{door="grpc",method="Pipeline",code="Ok"}': 1,
      '{door="pipeline",method="Get",code="Ok"}': 4,
      '{door="pipeline",method="Put",code="Ok"}': 2,
      '{door="rest",method="Put",code="Ok"}': 1,
      '{door="rest",method="Get",code="Ok"}': 2,
      '{door="rest",method="Get",code="NotFound"}': 1,
      '{door="rest",method="Delete",code="Ok"}': 1,
      '{door="rest",method="other",code="Unimplemented"}': 1,
      '{door="http",method="other",code="PermissionDenied"}': 1,
      '{door="http",method="healthz",code="Ok"}': 2,
      '{door="http",method="readyz",code="Ok"}': 1,
      '{door="http",method="other",code="NotFound"}': 2,
    });
  });

  test('counts replies by the class of their status where a protocol uses it', async () => {
    const { metrics } = await scraped();
    const replies = samplesOf(metrics, 'kelp_http_responses_total');
    expect(replies).toMatchObject({
      '{door="connect",method="Get",status_class="2xx"}': 2,
      '{door="connect",method="Get",status_class="4xx"}': 1,
      '{door="http",method="healthz",status_class="2xx"}': 2,
      '{door="http",method="other",status_class="4xx"}': 3,
      '{door="rest",method="Get",status_class="2xx"}': 2,
      '{door="rest",method="Get",status_class="4xx"}': 1,
    });
    expect(Object.keys(replies).filter((labels) => labels.includes('grpc'))).toEqual([]);
  });

  test('measures calls, and no streams', async () => {
    const { metrics } = await scraped();
    const durations = samplesOf(metrics, 'kelp_call_duration_seconds');
    const counts = Object.entries(durations).filter(([labels]) => labels.startsWith('_count'));
    expect(Object.fromEntries(counts)).toMatchObject({
      '_count{door="grpc",method="Get"}': 3,
      '_count{door="pipeline",method="Put"}': 2,
    });
    expect(Object.keys(durations).filter((labels) => /Watch|"Pipeline"/.test(labels))).toEqual([]);
    for (const [labels, count] of counts) {
      const inBuckets = durations[labels.replace('_count', '_bucket').replace('}', ',le="+Inf"}')];
      expect(inBuckets).toBe(count);
    }
  });

  test('tells of connections and their bytes', async () => {
    const { metrics } = await scraped();
    const opened = samplesOf(metrics, 'kelp_connections_opened_total');
    expect(opened['{protocol="http2"}']).toBeGreaterThanOrEqual(3);
    expect(opened['{protocol="http1"}']).toBeGreaterThanOrEqual(2);
    expect(opened['{protocol="unknown"}']).toBe(0);
    for (const name of ['kelp_network_received_bytes_total', 'kelp_network_sent_bytes_total']) {
      expect(samplesOf(metrics, name)['{protocol="http2"}']).toBeGreaterThan(500);
      expect(samplesOf(metrics, name)['{protocol="http1"}']).toBeGreaterThan(500);
    }
  });

  test('tells of log, snapshots, expiry and watches', async () => {
    const { metrics } = await scraped();
    const valueOf = (name: string, labels = ''): number | undefined => samplesOf(metrics, name)[labels];
    expect(valueOf('kelp_expired_keys_total')).toBe(1);
    expect(valueOf('kelp_watch_events_sent_total')).toBeGreaterThanOrEqual(1);
    expect(valueOf('kelp_watches_ended_total', '{reason="requested"}')).toBe(3);
    expect(valueOf('kelp_snapshot_duration_seconds', '_count')).toBe(1);
    // The put, two batches, the removal of the key; what a new store notes may come on top.
    const flushCount = valueOf('kelp_log_fsync_duration_seconds', '_count');
    expect(flushCount).toBeGreaterThanOrEqual(4);
    expect(valueOf('kelp_log_batch_records', '_count')).toBeGreaterThanOrEqual(4);
    expect(valueOf('kelp_log_batch_bytes', '_sum')).toBe(valueOf('kelp_log_written_bytes_total'));
  });
});

test('methods and paths that are not known make one row, whatever they are', async () => {
  const server = await startTestServer();
  const transport = createGrpcTransport({ baseUrl: server.url });
  for (const name of ['One', 'Two', 'Three']) {
    await (await fetch(`${server.url}/${name}`)).text();
    const unknown = { ...KvService.method.get, name };
    const call = transport.unary(unknown, undefined, undefined, undefined, { key: 'a' });
    await expect(call).rejects.toThrow('nothing is served');
  }
  const calls = samplesOf(await metricsOf(server.url), 'kelp_calls_total');
  const others = Object.entries(calls).filter(([, count]) => count > 0);
  expect(Object.fromEntries(others)).toEqual({
    '{door="grpc",method="other",code="Unimplemented"}': 3,
    '{door="http",method="other",code="NotFound"}': 3,
  });
});

test('what scripts ask for is counted once, as theirs', async () => {
  const server = await startTestServer();
  const ask = async (method: string, path: string, body?: string): Promise<void> => {
    const headers = { accept: 'application/json' };
    await (
      await fetch(`${server.url}${path}`, { method, headers, ...(body !== undefined && { body }) })
    ).text();
  };
  await ask('POST', '/blobs/a', 'hello');
  await ask('GET', '/blobs/a');
  await ask('GET', '/blobs/a/b');
  await ask('GET', '/health');
  await ask('GET', '/metrics');
  await ask('PUT', '/set/a', '1');
  const calls = samplesOf(await metricsOf(server.url), 'kelp_calls_total');
  expect(Object.fromEntries(Object.entries(calls).filter(([, count]) => count > 0))).toEqual({
    '{door="scripts",method="Put",code="Ok"}': 1,
    '{door="scripts",method="Get",code="Ok"}': 1,
    '{door="scripts",method="health",code="Ok"}': 1,
    '{door="scripts",method="metrics",code="Ok"}': 1,
    '{door="scripts",method="other",code="NotFound"}': 1,
    '{door="scripts",method="other",code="Unimplemented"}': 1,
  });
});

test('a call is in progress until it has ended, and one that its client breaks off is Canceled', async () => {
  const server = await startTestServer();
  const client = createClient({ address: server.url });
  onTestFinished(() => client.close());
  const controller = new AbortController();
  const watch = client.watch({ signal: controller.signal })[Symbol.asyncIterator]();
  const waiting = watch.next().catch(() => undefined);
  const inProgress = async (): Promise<number | undefined> =>
    samplesOf(await metricsOf(server.url), 'kelp_calls_in_progress')['{door="grpc",method="Watch"}'];
  await eventually(inProgress).toBe(1);
  expect(samplesOf(await metricsOf(server.url), 'kelp_streams_open')['']).toBe(1);
  controller.abort();
  await waiting;
  await eventually(inProgress).toBe(0);
  const calls = samplesOf(await metricsOf(server.url), 'kelp_calls_total');
  expect(calls['{door="grpc",method="Watch",code="Canceled"}']).toBe(1);
});

test('a server that recovers counts what it refuses', async () => {
  const { disk, goOn } = slowDisk();
  const server = await startTestServer({ storeOptions: { disk }, waitUntilReady: false });
  for (const makeTransport of Object.values(transports)) {
    await expect(
      createConnectClient(KvService, makeTransport(server.url)).get({ key: 'a' }),
    ).rejects.toThrow();
  }
  const calls = samplesOf(await metricsOf(server.url), 'kelp_calls_total');
  for (const door of Object.keys(transports)) {
    expect(calls[`{door="${door}",method="Get",code="Unavailable"}`]).toBe(1);
  }
  goOn();
  await server.ready;
});
