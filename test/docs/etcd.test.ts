/** docs/etcd.md says of each method of etcd's services that it has a heading for whether it works, and its example is what happens. */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { DescService } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from '../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { fixed, serverFixed } from '../../src/limits.ts';
import { found } from '../support/installed.ts';
import { startTestServer } from '../support/test-server.ts';

const page = readFileSync('docs/etcd.md', 'utf8');
const services: readonly DescService[] = [KV, Watch, Lease, Cluster, Maintenance, Auth];
const rows = [...page.matchAll(/^\| `(\w+)\.(\w+)` +\| (\w+) +\|/gm)].map(([, service, method, state]) => ({
  service,
  name: `${service}.${method}`,
  state,
}));
const hasEtcdctl = found('etcdctl', spawnSync('etcdctl', ['--help']).status === 0);

test('each method of a service with a heading has one row', () => {
  const described = services.filter(({ name }) => page.includes(`\n### ${name}\n`));
  expect(described.map(({ name }) => name)).toContain('KV');
  for (const { name, methods } of described) {
    const named = rows.filter(({ service }) => service === name).map((row) => row.name);
    expect(named.sort()).toEqual(methods.map((method) => `${name}.${method.name}`).sort());
  }
  const headings = new Set(described.map(({ name }) => name));
  expect(rows.filter(({ service }) => !headings.has(service ?? ''))).toEqual([]);
});

test('a row says works, differs or not', () => {
  expect(rows.filter(({ state }) => !['works', 'differs', 'not'].includes(state ?? ''))).toEqual([]);
});

test('limits that the page names are those that there are', () => {
  for (const text of [
    `1 to ${fixed.keyBytesMax} bytes`,
    `${fixed.requestVisitsMax.toLocaleString('en')} keys`,
    `${fixed.requestBytesMax / 1024 / 1024} MiB of values`,
    `${serverFixed.etcdTxnOperationsMax.toLocaleString('en')} compares and operations`,
  ]) {
    expect(page.replaceAll(/\s+/g, ' ')).toContain(text);
  }
});

test.skipIf(!hasEtcdctl)('what the page types at the beginning works', async () => {
  const server = await startTestServer();
  const env = { ...process.env, ETCDCTL_API: '3' };
  const typed = [...page.matchAll(/^etcdctl --endpoints=\S+ (.+)$/gm)].map(([, words = '']) =>
    words.split(' '),
  );
  const endpoint = `--endpoints=${server.url.replace('http://', '')}`;
  const printed: string[] = [];
  for (const words of typed)
    printed.push((await promisify(execFile)('etcdctl', [endpoint, ...words], { env })).stdout);
  expect(printed).toEqual(['OK\n', 'greeting\nhello\n']);
});
