/** A server that follows another one when one of them is gone, was restarted, put back, or is not the one that it was. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { clientOf, failureOf, FETCHED, REFUSED, startReplica, UNREACHABLE, valueAt } from './replicas.ts';

test('a replica goes on after its server was restarted, and after it was itself', async () => {
  const server = await startTestServer();
  const dataDir = await temporaryDirectory();
  const first = await startReplica(server.address, { flags: { 'data-dir': dataDir } });
  await clientOf(server).leases.grant(60_000);
  await clientOf(server).put('a', '1');
  const { id: leaseId } = await clientOf(server).leases.grant(60_000);
  expect(await valueAt(clientOf(first), 'a')).toBe('1');
  await server.stop();
  await first.log.message(UNREACHABLE);
  expect(await valueAt(clientOf(first), 'a', { consistency: 'local' })).toBe('1');
  // The server is gone: what is here can be read all the same.
  await first.stop();
  const second = await startReplica(server.address, { flags: { 'data-dir': dataDir } });
  expect(await valueAt(clientOf(second), 'a', { consistency: 'local' })).toBe('1');
  const again = await startTestServer({ flags: { listen: server.address, 'data-dir': server.dataDir } });
  await second.log.message('the server is followed');
  const writer = clientOf(again);
  await writer.put('b', '2');
  const replica = clientOf(second);
  expect(await valueAt(replica, 'b')).toBe('2');
  expect(await replica.leases.get(leaseId)).toMatchObject({ leaseId });
  await writer.leases.revoke(leaseId);
  expect(await failureOf(replica.leases.get(leaseId))).toBeDefined();

  // It tells which notes it has behind the newest revision, not those before that.
  await again.stop();
  await startTestServer({ flags: { listen: server.address, 'data-dir': server.dataDir } });
  const patient = createClient({ address: second.address });
  onTestFinished(() => patient.close());
  expect(await valueAt(patient, 'b')).toBe('2');
  const told = [...first.log.lines, ...second.log.lines].map(({ msg }) => msg);
  expect(told).not.toContain(FETCHED);
  expect(told).not.toContain('this node goes on as a follower: its store is closed and opened again');
});

test('a replica whose next record is no longer in the log begins with a snapshot', async () => {
  const flags = { 'segment-bytes': '1MiB', 'log-retention-bytes': '1MiB' };
  const server = await startTestServer({ flags });
  const writer = clientOf(server);
  await writer.put('first', '1');
  const dataDir = await temporaryDirectory();
  const before = await startReplica(server.address, { flags: { 'data-dir': dataDir } });
  expect(await valueAt(clientOf(before), 'first')).toBe('1');
  await before.stop();
  for (let round = 0; round < 8; round++) await writer.put(`large-${round}`, Buffer.alloc(512 * 1024, round));
  const { revision } = await writer.put('last', 'x');
  await writer.admin.compact(revision);
  for (let count = 0; count < 3; count++) {
    await writer.put('more', Buffer.alloc(700 * 1024));
    await writer.admin.snapshot();
  }
  await expect.poll(async () => (await writer.admin.status()).oldestSegmentId).toBeGreaterThan(2);
  const after = await startReplica(server.address, { flags: { 'data-dir': dataDir } });
  await after.log.message(FETCHED);
  const replica = clientOf(after);
  expect(await valueAt(replica, 'last')).toBe('x');
  expect(await valueAt(replica, 'first')).toBe('1');
  await writer.put('last', 'y');
  expect(await valueAt(replica, 'last')).toBe('y');
});

test('a server of another store is refused', async () => {
  const server = await startTestServer();
  const writer = clientOf(server);
  await writer.put('a', '1');
  const dataDir = await temporaryDirectory();
  const replica = await startReplica(server.address, { flags: { 'data-dir': dataDir } });
  expect(await valueAt(clientOf(replica), 'a')).toBe('1');
  await server.stop();
  // Another store at the same address.
  await startTestServer({ flags: { listen: server.address } });
  const told = await replica.log.message(REFUSED);
  expect(told['why']).toContain('another store');
  expect(await failureOf(clientOf(replica).get('a'))).toMatchObject({ code: 'notWriter' });
  expect(await valueAt(clientOf(replica), 'a', { consistency: 'local' })).toBe('1');
  await replica.stop();
  await expect(startReplica(server.address, { flags: { 'data-dir': dataDir } })).rejects.toThrow(
    'of another store',
  );
});

test.each([0, 5])('a server that was put back, and has written %i since, is refused', async (count) => {
  const server = await startTestServer();
  await clientOf(server).put('a', '1');
  await server.stop();
  const copy = join(await temporaryDirectory(), 'copy');
  await cp(server.dataDir, copy, { recursive: true });
  const flags = { listen: server.address };
  const later = await startTestServer({ flags: { ...flags, 'data-dir': server.dataDir } });
  await clientOf(later).put('a', '2');
  const replica = await startReplica(server.address);
  expect(await valueAt(clientOf(replica), 'a')).toBe('2');
  await later.stop();
  const back = await startTestServer({ flags: { ...flags, 'data-dir': copy } });
  for (let round = 0; round < count; round++) await clientOf(back).put('other', `${round}`);
  await replica.log.message(REFUSED);
  expect(await failureOf(clientOf(replica).get('a'))).toMatchObject({ code: 'notWriter' });
  expect(await valueAt(clientOf(replica), 'a', { consistency: 'local' })).toBe('2');
});

test('a replica without its server is not ready, says so in its metrics, and is again with it', async () => {
  const server = await startTestServer();
  await clientOf(server).put('a', '1');
  const replica = await startReplica(server.address, { flags: { 'ready-lag': '1s' } });
  await replica.log.message('the server is followed');
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${replica.url}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(name)) ?? expect.unreachable(name);
    return Number(line.slice(line.lastIndexOf(' ')));
  };
  const readiness = async (): Promise<number> => (await fetch(`${replica.url}/readyz`)).status;
  expect(await valueAt(clientOf(replica), 'a')).toBe('1');
  expect(await readiness()).toBe(200);
  expect(await metric('kelp_cluster_position')).toBe(1);
  expect(await metric('kelp_cluster_role{role="follower"}')).toBe(1);
  expect(await metric('kelp_cluster_lag_seconds')).toBe(0);
  expect(await metric('kelp_cluster_log_silent_seconds')).toBe(0);

  await server.stop();
  await expect.poll(readiness, { timeout: 20_000 }).toBe(503);
  expect(await metric('kelp_cluster_lag_seconds')).toBeGreaterThanOrEqual(1);
  expect(await metric('kelp_cluster_log_silent_seconds')).toBeGreaterThanOrEqual(1);
  expect((await fetch(`${replica.url}/healthz`)).status).toBe(200);
  await startTestServer({ flags: { listen: server.address, 'data-dir': server.dataDir } });
  await expect.poll(readiness, { timeout: 20_000 }).toBe(200);
  expect(await metric('kelp_cluster_log_silent_seconds')).toBe(0);
});

test('a follower that reads no further is not read ahead for, and the log is trimmed under it', async () => {
  const flags = { 'segment-bytes': '1MiB', 'log-retention-bytes': '1MiB' };
  const server = await startTestServer({ flags });
  const writer = clientOf(server);
  const { revision: afterRevision } = await writer.put('a', '1');
  const { storeId } = await writer.cluster.head();
  const from = {
    storeId: Buffer.from(storeId).toString('hex'),
    afterRevision,
    incarnation: '',
    noteCount: 0,
    noteChecksum: 0,
  };
  const steps = clientOf(server).cluster.follow(from);
  onTestFinished(async () => void (await steps.return()));
  expect((await steps.next()).value).toMatchObject({ head: { revision: 1 } });

  const value = Buffer.alloc(700 * 1024);
  let written = 0;
  // What lies behind the follower goes, though it has not read it.
  while ((await writer.cluster.head()).oldestRevision <= 20) {
    const { revision } = await writer.put('large', value);
    written += value.length;
    await writer.admin.compact(revision);
    await writer.admin.snapshot();
  }
  let read = 0;
  const reading = (async () => {
    for await (const { records } of steps) read += records.length;
  })();
  await expect(reading).rejects.toMatchObject({ code: 'revisionCompacted' });
  expect(read).toBeLessThan(written / 2);
});

test('directories of a replica and of a server that is alone refuse each other', async () => {
  const server = await startTestServer();
  await clientOf(server).put('a', '1');
  const replica = await startReplica(server.address);
  await replica.stop();
  await expect(startTestServer({ flags: { 'data-dir': replica.dataDir } })).rejects.toThrow('--follow');
  const alone = await startTestServer();
  await clientOf(alone).put('b', '1');
  await alone.stop();
  await expect(startReplica(server.address, { flags: { 'data-dir': join(alone.dataDir) } })).rejects.toThrow(
    'of another store',
  );
});

test.each([false, true])(
  'leases that a server has lost, as it was put back, are lost at the replica; restarted: %s',
  async (isRestarted) => {
    const server = await startTestServer();
    await clientOf(server).put('a', '1');
    await server.stop();
    const copy = join(await temporaryDirectory(), 'copy');
    await cp(server.dataDir, copy, { recursive: true });
    const flags = { listen: server.address };
    const later = await startTestServer({ flags: { ...flags, 'data-dir': server.dataDir } });
    const dataDir = await temporaryDirectory();
    const first = await startReplica(server.address, { flags: { 'data-dir': dataDir } });
    const { id: leaseId } = await clientOf(later).leases.grant(60_000);
    expect(await clientOf(first).leases.get(leaseId)).toMatchObject({ leaseId });
    if (isRestarted) await first.stop();
    await later.stop();
    // No revision tells of what is missing.
    const back = await startTestServer({ flags: { ...flags, 'data-dir': copy } });
    const replica = isRestarted
      ? await startReplica(server.address, { flags: { 'data-dir': dataDir } })
      : first;
    await replica.log.message(FETCHED);
    await replica.log.message('the server is followed');
    const reader = createClient({ address: replica.address });
    onTestFinished(() => reader.close());
    await expect(reader.leases.get(leaseId)).rejects.toMatchObject({ code: 'leaseNotFound' });
    await clientOf(back).put('a', '2');
    expect(await valueAt(reader, 'a')).toBe('2');
  },
);
