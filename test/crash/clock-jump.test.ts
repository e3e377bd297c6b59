/**
 * A wall clock that jumps by a day, in a running server and between two lives of one. Keys live until an instant of the
 * wall clock, which never goes back for a store; leases count the time that the server runs, so no jump touches them.
 */
import { expect, test, vi } from 'vitest';
import { temporaryDirectory } from '../support/test-server.ts';
import { audit, newLedgers } from './audit.ts';
import { openClients } from './clients.ts';
import { Follower } from './follower.ts';
import { Load } from './load.ts';
import { ServerProcess } from './server-process.ts';

// Each starts several processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const preload = new URL('./shifted-clock.ts', import.meta.url);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

test('a day forwards ends keys with a time to live and no lease', async () => {
  const server = await ServerProcess.start({ dataDir: await temporaryDirectory(), preload });
  const { reader } = openClients(server.port);
  const follower = new Follower(reader);
  const lease = await reader.leases.grant(HOUR_MS);
  await reader.put('leased', '1', { leaseId: lease.id });
  await reader.put('plain', '1');
  await reader.put('an hour', '1', { ttlMs: HOUR_MS });
  await reader.put('two days', '1', { ttlMs: 2 * DAY_MS });

  await server.tell({ offsetMs: DAY_MS });

  const entries = await reader.scan().toArray();
  expect(entries.map(({ key }) => key)).toEqual(['leased', 'plain', 'two days']);
  // The first look at the clock after the jump ends it, with nobody asking for the key.
  expect(await follower.gone('an hour')).toBe('expired');
  const held = await reader.leases.get(lease.id, { includeKeys: true });
  expect(held.keys).toEqual(['leased']);
  expect(held.remainingMs).toBeGreaterThan(HOUR_MS / 2);
  // What is written now lives by the new clock.
  await reader.put('an hour', '2', { ttlMs: HOUR_MS });
  const { entry } = await reader.get('an hour');
  expect(entry?.expireTimeMs).toBeGreaterThan(Date.now() + DAY_MS);
  await follower.reached((await reader.get('plain')).revision);
  expect([...follower.entries.keys()].sort()).toEqual(['an hour', 'leased', 'plain', 'two days']);
  expect(follower.faults([])).toEqual([]);
});

test('a day backwards ends nothing early and loses nothing', async () => {
  const dataDir = await temporaryDirectory();
  let server = await ServerProcess.start({ dataDir, preload });
  const { port } = server;
  const { reader } = openClients(port);
  const follower = new Follower(reader);
  const lease = await reader.leases.grant(HOUR_MS);
  await reader.put('leased', '1', { leaseId: lease.id });
  await reader.put('an hour', '1', { ttlMs: HOUR_MS });
  const before = await reader.scan().toArray();

  await server.tell({ offsetMs: -DAY_MS });

  await reader.put('another hour', '1', { ttlMs: HOUR_MS });
  await reader.put('moment', '1', { ttlMs: 100 });
  expect(await follower.gone('moment')).toBe('expired');
  expect(await reader.scan({ end: 'another' }).toArray()).toEqual(before.slice(0, 1));
  // In a running server the time does not go back.
  const { entry } = await reader.get('another hour');
  expect(entry?.expireTimeMs).toBeGreaterThan(Date.now());
  expect((await reader.leases.get(lease.id)).keyCount).toBe(1);
  const shown = await reader.scan().toArray();
  await server.end('SIGKILL');

  // The next life begins with a log that is dated a day ahead, and its clock stays behind.
  const behind = new URL(`${preload.href}?offsetMs=${-DAY_MS}`);
  server = await ServerProcess.start({ dataDir, port, preload: behind });
  const { behindMs } = await server.logged(
    'the clock is behind the newest write: times to live count on from that',
  );
  expect(behindMs).toBeGreaterThan(DAY_MS / 2);
  const { time } = await server.logged('ready');
  expect(new Date(String(time)).getTime()).toBeLessThan(Date.now() - DAY_MS / 2);
  expect(await reader.scan().toArray()).toEqual(shown);
  await reader.put('after', '1', { ttlMs: HOUR_MS });
  expect((await reader.get('after')).entry?.expireTimeMs).toBeGreaterThan(Date.now());
  await follower.reached((await reader.get('after')).revision);
  // Among them: no revision is older than the one before.
  expect(follower.faults([])).toEqual([]);
});

test('jumps under load lose nothing', async () => {
  const dataDir = await temporaryDirectory();
  const ledgers = newLedgers();
  let server = await ServerProcess.start({ dataDir, preload });
  const { port } = server;
  const { reader, writers } = openClients(port);
  const follower = new Follower(reader);
  const load = new Load({ clients: writers, ledgers, seed: 1, longTtlMs: 100 * DAY_MS });
  for (const [index, days] of [0, 1, -1, 2, 0].entries()) {
    await server.tell({ offsetMs: days * DAY_MS });
    await load.done(100 * (index + 1));
  }
  await load.stop();
  expect([...load.failures.keys()]).toEqual([]);
  const { faults, revision } = await audit(reader, ledgers, false);
  expect(faults).toEqual([]);
  await follower.reached(revision);
  expect(follower.faults(ledgers.keys.takeAcknowledged())).toEqual([]);

  await server.end('SIGKILL');
  ledgers.leases.serverEnded();
  server = await ServerProcess.start({ dataDir, port });
  ledgers.leases.serverReady();
  expect((await audit(reader, ledgers, true)).faults).toEqual([]);
});
