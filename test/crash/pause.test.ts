/**
 * A server that does not run for a while (SIGSTOP), as on a machine that swaps, is suspended or moved: clients wait or
 * run into their deadlines, time goes on, and afterwards nothing is lost and nothing that has expired is served.
 */
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test, vi } from 'vitest';
import { LeaseService } from '../../gen/kelp/v1/lease_pb.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { audit, newLedgers } from './audit.ts';
import { openClients } from './clients.ts';
import { Follower } from './follower.ts';
import { Load } from './load.ts';
import { ServerProcess } from './server-process.ts';

// Each starts several processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** Long enough to be written before it ends, on a busy machine too. */
const RUNS_OUT_MS = 2000;

test('a server that is paused under load loses nothing and its watch goes on', async () => {
  const dataDir = await temporaryDirectory();
  const ledgers = newLedgers();
  let server = await ServerProcess.start({ dataDir });
  const { port } = server;
  const { reader, writers } = openClients(port);
  const hasty = openClients(port, 250).writers;
  const follower = new Follower(reader);
  for (let cycle = 1; cycle <= 2; cycle++) {
    const waiting = new Load({ clients: writers, ledgers, seed: 1, prefix: `waiting/${cycle}` });
    const failing = new Load({ clients: hasty, ledgers, seed: 2, prefix: `hasty/${cycle}` });
    await Promise.all([waiting.done(100), failing.done(50)]);
    await pause(server);
    const doneCount = waiting.doneCount;
    await failing.failed(20);
    server.kill('SIGCONT');
    await waiting.done(doneCount + 100);
    await Promise.all([waiting.stop(), failing.stop()]);
    expect([...waiting.failures.keys()]).toEqual([]);
    expect([...failing.failures.keys()]).toEqual(['deadlineExceeded']);
    const { faults, revision } = await audit(reader, ledgers, false);
    expect(faults, `after pause ${cycle}`).toEqual([]);
    await follower.reached(revision);
  }
  expect(follower.faults(ledgers.keys.takeAcknowledged())).toEqual([]);

  await server.end('SIGKILL');
  ledgers.leases.serverEnded();
  server = await ServerProcess.start({ dataDir, port });
  ledgers.leases.serverReady();
  expect((await audit(reader, ledgers, true)).faults).toEqual([]);
});

test('what ran out during a pause is not served after it', async () => {
  const server = await ServerProcess.start({ dataDir: await temporaryDirectory() });
  const { reader } = openClients(server.port);
  const follower = new Follower(reader);
  const lease = await reader.leases.grant(RUNS_OUT_MS);
  const leasedUntilMs = performance.now() + RUNS_OUT_MS;
  const held = await reader.leases.grant(3_600_000);
  await reader.put('with lease', '1', { leaseId: lease.id });
  await reader.put('with held lease', '1', { leaseId: held.id });
  await reader.put('short', '1', { ttlMs: RUNS_OUT_MS });
  const shortUntilMs = Date.now() + RUNS_OUT_MS;
  await reader.put('long', '1', { ttlMs: 3_600_000 });
  await pause(server);
  const answers = Promise.all([
    reader.get('short'),
    reader.exists(['short', 'long']),
    reader.scan({ prefix: 's' }).toArray(),
  ]);
  // The instants are what the test is about; nothing tells of them while nothing runs.
  await delay(Math.max(shortUntilMs - Date.now(), leasedUntilMs - performance.now()) + 20);
  server.kill('SIGCONT');

  const [short, exist, scanned] = await answers;
  expect(short.entry).toBeUndefined();
  expect(exist.exists).toEqual([false, true]);
  expect(scanned).toEqual([]);
  await reader.put('short', '2', { condition: { kind: 'mustNotExist' } });
  expect(await follower.gone('with lease')).toBe('leaseExpired');
  await expect(reader.leases.renew(lease.id)).rejects.toMatchObject({ code: 'leaseNotFound' });
  expect((await reader.leases.get(held.id, { includeKeys: true })).keys).toEqual(['with held lease']);
  await follower.reached((await reader.get('long')).revision);
  expect([...follower.entries.keys()].sort()).toEqual(['long', 'short', 'with held lease']);
  expect(follower.entries.get('short')).toMatchObject({ value: '2', version: 1 });
  expect(follower.faults([])).toEqual([]);
});

test.each(['Renew', 'KeepAlive', 'Renew on a new connection'] as const)(
  'a lease whose renewal came in time during a pause goes on after it: %s',
  async (way) => {
    const server = await ServerProcess.start({ dataDir: await temporaryDirectory() });
    const { reader } = openClients(server.port);
    const transport = (): Transport =>
      createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.port}`, defaultTimeoutMs: 60_000 });
    const holder = createClient(LeaseService, transport());
    const requests = openRequests();
    const replies = holder.keepAlive(requests.stream)[Symbol.asyncIterator]();
    const { id } = await reader.leases.grant(RUNS_OUT_MS);
    await reader.put('held', '1', { leaseId: id });
    const leaseId = BigInt(id);
    // Both ways are open, and the code behind them has run.
    requests.send({ leaseId });
    await replies.next();
    await holder.renew({ leaseId });
    const renewedMs = performance.now();

    await pause(server);
    let renewed: Promise<unknown>;
    if (way === 'KeepAlive') {
      requests.send({ leaseId });
      renewed = replies.next();
    } else {
      renewed = (way === 'Renew' ? holder : createClient(LeaseService, transport())).renew({ leaseId });
    }
    // It must be over by far: that is what the test is about.
    await delay(Math.max(0, renewedMs + RUNS_OUT_MS + 500 - performance.now()));
    server.kill('SIGCONT');
    await renewed;
    const { remainingMs, keyCount } = await reader.leases.get(id);
    expect(remainingMs).toBeGreaterThan(0);
    expect(keyCount).toBe(1);
    expect((await reader.get('held')).entry?.text()).toBe('1');
    requests.end();
  },
);

/** Requests of a stream that are sent when the test says so. */
function openRequests(): {
  readonly stream: AsyncIterable<{ leaseId: bigint }>;
  send(request: { leaseId: bigint }): void;
  end(): void;
} {
  const through = new PassThrough({ objectMode: true });
  return {
    stream: through as AsyncIterable<{ leaseId: bigint }>,
    send: (request) => void through.write(request),
    end: () => void through.end(),
  };
}

/** Stops a process and waits until the system says that none of its threads runs. */
async function pause(server: ServerProcess): Promise<void> {
  server.kill('SIGSTOP');
  while (!isStopped(server.pid)) await delay(1);
}

/** Field 3 of /proc/PID/stat, behind the name in parentheses; `T`: stopped by a signal. See proc(5). */
function isStopped(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}
