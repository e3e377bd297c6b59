/** `ClusterService` and `AdminService.Status`, of a node and of a server that is alone, by the client. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import { isKelpError } from '../../../src/client/errors/error.ts';
import { metricsOf } from '../metrics/exposition.ts';
import { StubNodes } from '../../support/stub-node.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../../support/test-server.ts';

const LOG = 'etcd://127.0.0.1:1/kelp/test';

function clientOf({ url }: TestServer): KelpClient {
  const client = createClient({ address: url, retries: 0 });
  onTestFinished(() => client.close());
  return client;
}

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  return call.then(
    () => undefined,
    (error: unknown) => (isKelpError(error) ? error.code : String(error)),
  );
}

async function startNode(
  nodes: StubNodes,
  flags: Readonly<Record<string, string>> = {},
  options: TestServerOptions = {},
): Promise<TestServer> {
  const all = { log: LOG, advertise: 'one.example:7379', ...flags };
  return startTestServer({ flags: all, nodeParts: nodes.parts, ...options });
}

test('a server that is alone says so', async () => {
  const client = clientOf(await startTestServer());

  expect(await client.admin.status()).toMatchObject({
    role: 'single',
    epoch: 0,
    writerAddress: '',
    lagMs: 0,
    takeoverCount: 0,
  });
  expect(await codeOf(client.cluster.members())).toBe('notClustered');
  expect(await codeOf(client.cluster.handover())).toBe('notClustered');
  const report = { address: 'two.example:7379', position: 1, snapshotPosition: 0, storeId: '', nonce: '' };
  expect(await codeOf(client.cluster.report(report))).toBe('notClustered');
});

test('a node tells what it is, and who has reported', async () => {
  const nodes = new StubNodes();
  const client = clientOf(await startNode(nodes));
  nodes.last.role = 'writer';
  nodes.last.writerAddress = 'one.example:7379';
  nodes.last.lagMs = 1500;
  const { storeId } = await client.admin.status();
  await client.cluster.report({
    address: 'five.example:7379',
    position: 5,
    snapshotPosition: 2,
    storeId,
    nonce: '',
  });

  const cluster = { role: 'writer', epoch: 1, writerAddress: 'one.example:7379', lagMs: 1500 };
  expect(await client.admin.status()).toMatchObject(cluster);
  expect(await client.cluster.members()).toEqual({
    ...cluster,
    takeoverCount: 0,
    address: 'one.example:7379',
    position: 7,
    logPosition: 9,
    members: [
      { address: 'five.example:7379', position: 5, snapshotPosition: 2 },
      { address: 'one.example:7379', position: 7, snapshotPosition: 3 },
    ],
  });
});

test('a follower takes no report and hands nothing over, but says where the writer is', async () => {
  const nodes = new StubNodes();
  const client = clientOf(await startNode(nodes));
  nodes.last.writerAddress = 'two.example:7379';

  const error = await client.cluster.handover().catch((reason: unknown) => reason);

  expect(isKelpError(error, 'notWriter') && error.details).toEqual({ writerAddress: 'two.example:7379' });
  const { storeId } = await client.admin.status();
  const report = { address: 'two.example:7379', position: 1, snapshotPosition: 0, storeId, nonce: '' };
  expect(await codeOf(client.cluster.report(report))).toBe('notWriter');
});

test('a writer that is asked to hands over, and goes on as a follower', async () => {
  const nodes = new StubNodes();
  const client = clientOf(await startNode(nodes));
  nodes.last.role = 'writer';

  await client.cluster.handover();

  expect(nodes.last.handOvers).toBe(1);
  await nodes.count(2);
  await expect.poll(() => codeOf(client.admin.status())).toBe(undefined);
  expect((await client.admin.status()).role).toBe('follower');
});

test('a report without a node, or with impossible places, is refused', async () => {
  const nodes = new StubNodes();
  const client = clientOf(await startNode(nodes));
  nodes.last.role = 'writer';

  const { storeId } = await client.admin.status();
  const report = { address: '', position: 1, snapshotPosition: 0, storeId, nonce: '' };
  expect(await codeOf(client.cluster.report(report))).toBe('invalidArgument');
  expect(await codeOf(client.cluster.report({ ...report, address: 'a:1', snapshotPosition: 2 }))).toBe(
    'invalidArgument',
  );
  const ofOther = { ...report, address: 'a:1', storeId: 'f'.repeat(32) };
  expect(await codeOf(client.cluster.report(ofOther))).toBe('otherStore');
  expect(await codeOf(client.cluster.report({ ...report, address: 'a:1', position: -1 }))).toBe(
    'invalidArgument',
  );
  expect(nodes.last.reports).toEqual([]);
});

test('metrics tell of the node, takeovers and damages over all its lives', async () => {
  const nodes = new StubNodes();
  const server = await startNode(nodes);
  nodes.happened({ kind: 'tookOver', epoch: 1, position: 1 });
  nodes.last.end(new Error('another node has taken over'));
  await nodes.count(2);
  nodes.happened({ kind: 'stateDamaged', error: new Error('a file is damaged') });
  nodes.happened({ kind: 'tookOver', epoch: 3, position: 9 });
  nodes.last.role = 'writer';
  nodes.last.lagMs = 250;
  await expect.poll(async () => (await fetch(`${server.url}/readyz`)).status).toBe(200);

  const samples = (await metricsOf(server.url))
    .flatMap((metric) => metric.samples)
    .filter(({ name }) => /^kelp_cluster_(?!read_barrier|append)/.test(name))
    .map(({ name, value }) => `${name} ${value}`);

  expect(samples).toEqual([
    'kelp_cluster_role{role="writer"} 1',
    'kelp_cluster_role{role="follower"} 0',
    'kelp_cluster_epoch 1',
    'kelp_cluster_position 7',
    'kelp_cluster_log_position 9',
    'kelp_cluster_lag_seconds 0.25',
    'kelp_cluster_log_silent_seconds 0',
    'kelp_cluster_log_bytes 10',
    'kelp_cluster_log_limit_bytes 100',
    'kelp_cluster_nodes 1',
    'kelp_cluster_takeovers_total 2',
    'kelp_cluster_damages_total 1',
    ...['answered', 'notSent', 'lost', 'canceled'].map(
      (outcome) => `kelp_cluster_forwarded_calls_total{outcome="${outcome}"} 0`,
    ),
    'kelp_cluster_redis_connections 0',
    'kelp_cluster_redis_connections_total{outcome="passedOn"} 0',
    'kelp_cluster_redis_connections_total{outcome="notReached"} 0',
  ]);
});

test('a node that has reported may have more connections than a client', async () => {
  const nodes = new StubNodes();
  const server = await startNode(nodes, { 'connections-per-address-max': '2' }, { countsLoopback: true });
  nodes.last.role = 'writer';
  const client = clientOf(server);
  const others = [await RawConnection.open(server)];
  const { storeId } = await client.admin.status();
  await client.cluster.report({ address: 'a:1', position: 1, snapshotPosition: 0, storeId, nonce: '' });
  for (let more = 0; more < 3; more++) others.push(await RawConnection.open(server));
  for (const other of others) {
    other.send('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await other.until('HTTP/1.1 200 OK');
  }
});

test('one that reports and is no node may not have more connections', async () => {
  const nodes = new StubNodes();
  const server = await startNode(nodes, { 'connections-per-address-max': '2' }, { countsLoopback: true });
  Object.assign(nodes.last, { role: 'writer', nonce: 'that of the writer' });
  const client = clientOf(server);
  const other = await RawConnection.open(server);
  const { storeId } = await client.admin.status();
  const report = { address: 'a:1', position: 1, snapshotPosition: 0, storeId, nonce: '' };
  expect(await codeOf(client.cluster.report(report))).toBe('invalidArgument');
  const third = await RawConnection.open(server);
  await third.closed;
  other.send('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await other.until('HTTP/1.1 200 OK');
  expect(nodes.last.reports).toEqual([]);
});

describe('a writer that is to hand over to a named node', () => {
  const own = 'one.example:7379';
  const two = 'two.example:7379';

  async function startWriter(): Promise<{ nodes: StubNodes; client: KelpClient }> {
    const nodes = new StubNodes();
    const client = clientOf(await startNode(nodes));
    Object.assign(nodes.last, { role: 'writer', writerAddress: own });
    return { nodes, client };
  }

  async function refusalOf(call: Promise<unknown>): Promise<string> {
    const error: unknown = await call.catch((reason: unknown) => reason);
    if (!isKelpError(error, 'notHandedOver')) throw error;
    return error.message;
  }

  test('waits until that one has caught up, hands over, and until it has taken over', async () => {
    const { nodes, client } = await startWriter();
    const first = nodes.last;
    first.reports.push({ address: two, position: 6, snapshotPosition: 0 });
    const done = client.cluster.handover({ to: two });
    // A call that came behind it was answered.
    await client.cluster.members();
    expect(first.successors).toEqual([]);
    first.reports.splice(0, 1, { address: two, position: 7, snapshotPosition: 0 });
    const next = await nodes.count(2);
    expect(first.successors).toEqual([two]);
    Object.assign(next, { epoch: 2, writerAddress: two });
    await done;
  });

  test('says so when another one has taken over', async () => {
    const { nodes, client } = await startWriter();
    nodes.last.reports.push({ address: two, position: 7, snapshotPosition: 0 });
    const refused = refusalOf(client.cluster.handover({ to: two }));
    Object.assign(await nodes.count(2), { role: 'writer', epoch: 2, writerAddress: own });
    expect(await refused).toBe(
      `the node at ${two} has not taken over in time; the writer is the one at ${own} now`,
    );
  });

  test('refuses a node that it does not know, itself, and one that stays behind', async () => {
    const { nodes, client } = await startWriter();
    const { last } = nodes;
    const to = (address: string): Promise<string> => refusalOf(client.cluster.handover({ to: address }));
    expect(await to(two)).toBe(
      `the writer knows no node at ${two}: there is no other node; nothing was changed`,
    );
    last.reports.push({ address: two, position: 2, snapshotPosition: 0 });
    expect(await to('three.example:1')).toBe(
      `the writer knows no node at three.example:1: the others are ${two}; nothing was changed`,
    );
    expect(await to(own)).toBe(`the node at ${own} is the writer already`);
    expect(await to(two)).toBe(
      `the node at ${two} is behind, or does not answer: it was at batch 2 when it was heard of last, and is to be at 7; nothing was changed`,
    );
    expect([last.handOvers, last.role]).toEqual([0, 'writer']);
  });

  test('is asked in vain where it is a follower', async () => {
    const nodes = new StubNodes();
    const client = clientOf(await startNode(nodes));
    nodes.last.writerAddress = two;
    const error: unknown = await client.cluster.handover({ to: two }).catch((reason: unknown) => reason);
    expect(isKelpError(error, 'notWriter') && error.details).toEqual({ writerAddress: two });
  });
});
