import { expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { startTestServer } from '../support/test-server.ts';
import { slowDisk } from '../support/troubled-disk.ts';

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
  expect(samples.get('kelp_memory_used_bytes')).toBe(status.memoryUsedBytes);
  expect(samples.get('kelp_memory_limit_bytes')).toBe(status.memoryLimitBytes);
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
