import { describe, expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestServer } from '../../support/test-server.ts';
import { failingDisk, slowDisk } from '../../support/troubled-disk.ts';
import { type Metric, metricsOf } from './exposition.ts';

/** The samples without labels, by name. */
async function samplesOf(url: string): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n');
  const samples = lines.filter((line) => /^\w+ \S+$/.test(line)).map((line) => line.split(' '));
  return new Map(samples.map(([name = '', value]) => [name, Number(value)]));
}

test('the metrics tell what the status tells, and how much memory is resident', async () => {
  const server = await startTestServer();
  const client = createClient({ address: server.url });
  await client.put('a', 'one');
  await client.put('a', 'two');
  const samples = await samplesOf(server.url);
  const status = await client.admin.status();
  client.close();
  expect(samples.get('kelp_serving')).toBe(1);
  expect(samples.get('kelp_revision')).toBe(2);
  expect(samples.get('kelp_keys')).toBe(1);
  expect(samples.get('kelp_memory_used_bytes')).toBe(status.memoryBytes);
  expect(samples.get('kelp_memory_limit_bytes')).toBe(status.memoryBytesMax);
  expect(samples.get('kelp_log_bytes')).toBe(status.logBytes);
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
});

test('a server that recovers tells of the process alone', async () => {
  const { disk, goOn } = slowDisk();
  const server = await startTestServer({ storeOptions: { disk }, waitUntilReady: false });
  const samples = await samplesOf(server.url);
  expect(samples.get('kelp_serving')).toBe(0);
  expect(samples.has('kelp_revision')).toBe(false);
  expect(samples.has('process_resident_memory_bytes')).toBe(true);
  goOn();
  await server.ready;
  expect((await samplesOf(server.url)).get('kelp_revision')).toBe(0);
});

test('the metrics are read, not written', async () => {
  const server = await startTestServer();
  const posted = await fetch(`${server.url}/metrics`, { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  const head = await fetch(`${server.url}/metrics`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

describe('every value of a scrape is one that can be, and every name keeps to the conventions', () => {
  test('right after a start, while the store recovers', async () => {
    const { disk, goOn } = slowDisk();
    const server = await startTestServer({ storeOptions: { disk }, waitUntilReady: false });
    expectSane(await metricsOf(server.url));
    goOn();
  });

  test('of a store that is empty, and at once again', async () => {
    const server = await startTestServer();
    // Two on one connection are far closer together than two measurements of the event loop.
    for (let count = 0; count < 20; count++) expectSane(await metricsOf(server.url));
  });

  test('of a store that is read-only', async () => {
    const { disk, fail } = failingDisk();
    const server = await startTestServer({ flags: { fsync: 'always' }, storeOptions: { disk } });
    const client = createClient({ address: server.url, retries: 0 });
    fail();
    await expect(client.put('a', '1')).rejects.toThrow();
    client.close();
    await server.log.line(({ level }) => level === 'fatal');
    const metrics = await metricsOf(server.url);
    expectSane(metrics);
    expect(metrics.find(({ name }) => name === 'kelp_serving')?.samples).toEqual([
      { name: 'kelp_serving', value: 0 },
    ]);
  });
});

test('the event loop is told of once it was measured', async () => {
  const server = await startTestServer();
  const names = Array.from(
    ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'],
    (each) => `nodejs_eventloop_lag_${each}_seconds`,
  );
  const isMeasured = async (): Promise<boolean> => {
    const metrics = await metricsOf(server.url);
    return names.every((wanted) =>
      metrics.some(({ name, samples }) => name === wanted && samples.length === 1),
    );
  };
  await eventually(isMeasured).toBe(true);
});

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** Bounds that no machine of a test goes beyond. */
function highest(name: string): number {
  // A point in time, and what the system leaves unlimited.
  if (name === 'process_start_time_seconds' || name === 'process_max_fds') return Number.MAX_SAFE_INTEGER;
  if (/_seconds(_total|_sum|_bucket)?$/.test(name)) return YEAR_SECONDS;
  if (name.endsWith('_bytes')) return 2 ** 50;
  return 1e9;
}

function expectSane(metrics: readonly Metric[]): void {
  expect(metrics.length).toBeGreaterThan(20);
  expect(metrics.map(({ name }) => name)).toEqual([...new Set(metrics.map(({ name }) => name))]);
  const faults = metrics.flatMap(({ name, samples }) =>
    samples
      .filter(({ value }) => !(value >= 0 && value <= highest(name)))
      .map((sample) => `${sample.name} ${sample.value}`),
  );
  expect(faults).toEqual([]);
  // https://prometheus.io/docs/practices/naming/
  const ours = metrics.filter(({ name }) => name.startsWith('kelp_'));
  const misnamed = ours.filter(
    ({ name, type }) => !/^kelp(_[a-z]+)+$/.test(name) || name.endsWith('_total') !== (type === 'counter'),
  );
  expect(ours.length).toBeGreaterThan(1);
  expect(misnamed).toEqual([]);
}
