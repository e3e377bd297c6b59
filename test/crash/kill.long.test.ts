/**
 * Real processes, killed with SIGKILL while clients write: whatever was acknowledged must be there after the restart,
 * what the server showed once must stay, leases keep their time and their keys, and one watch that resumes by itself
 * must see every change exactly once, in order, over all restarts.
 *
 * KILL_SEED decides what the clients do and when the kills come.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { SeededRandom } from '../support/random.ts';
import { rounds } from '../support/share.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { audit, newLedgers } from './audit.ts';
import { openClients } from './clients.ts';
import { Follower } from './follower.ts';
import { Load } from './load.ts';
import { ServerProcess } from './server-process.ts';
import { failureOf } from './workplace.ts';

// Each starts several processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const CYCLES = rounds(100);
const SEED = Number(process.env['KILL_SEED'] ?? 1);

/** What the watch has told is held against what was acknowledged, and forgotten, this often. */
const CYCLES_PER_COMPARISON = 10;

/** The kill comes after this many calls at most, and a moment that is not bound to the end of one. */
const CALLS_MAX = 200;
const MOMENT_MS_MAX = 20;

test(
  `no acknowledged write is lost over ${CYCLES} kills, seed ${SEED}`,
  { timeout: 60_000 + CYCLES * 20_000 },
  async () => {
    const dataDir = await temporaryDirectory();
    const random = new SeededRandom(SEED);
    const ledgers = newLedgers();
    // Small segments and frequent snapshots, so that kills meet rotations, snapshots and removals too.
    const flags = ['--segment-bytes', '256KiB', '--snapshot-log-bytes', '512KiB'];
    let server = await ServerProcess.start({ dataDir, flags });
    const { port } = server;
    const { reader, writers } = openClients(port);
    const follower = new Follower(reader);
    for (let cycle = 1; cycle <= CYCLES; cycle++) {
      const load = new Load({ clients: writers, ledgers, seed: SEED * 10_000 + cycle });
      await load.done(random.between(1, CALLS_MAX));
      await delay(random.below(MOMENT_MS_MAX));
      await server.end('SIGKILL');
      await load.stop();
      ledgers.leases.serverEnded();
      expect([...load.failures.keys()], `kill ${cycle}`).toEqual(['unavailable']);

      server = await ServerProcess.start({ dataDir, port, flags });
      ledgers.leases.serverReady();
      const { faults, revision } = await audit(reader, ledgers, true);
      expect(faults, `after kill ${cycle}`).toEqual([]);
      if (cycle % CYCLES_PER_COMPARISON !== 0 && cycle !== CYCLES) continue;
      await follower.reached(revision);
      expect(follower.faults(ledgers.keys.takeAcknowledged()), `watched up to kill ${cycle}`).toEqual([]);
    }

    // With the leases gone nothing changes any more by itself, so that the watch can be held against the whole.
    for await (const { leaseId, ttlMs } of reader.leases.list()) {
      if (ttlMs > 60_000) await reader.leases.revoke(leaseId);
    }
    await expect.poll(async () => (await reader.admin.status()).leaseCount, { timeout: 15_000 }).toBe(0);
    const { entries, revision } = await audit(reader, ledgers, false);
    await follower.reached(revision);
    expect(follower.faults([])).toEqual([]);
    expect(follower.entries).toEqual(entries);
    expect(follower.interruptions.length).toBeGreaterThan(0);
    expect(ledgers.keys.acknowledgedCount).toBeGreaterThan(CYCLES * 16);
    expect(ledgers.leases.size).toBeGreaterThan(CYCLES);
    await follower.end();
  },
);

test('a write is neither acknowledged nor shown before its flush, and is open when the server dies', async () => {
  const dataDir = await temporaryDirectory();
  const ledgers = newLedgers();
  const preload = new URL('./held-flush.ts', import.meta.url);
  const server = await ServerProcess.start({ dataDir, preload });
  const { port } = server;
  const { reader, writers } = openClients(port);
  const [writer = reader] = writers;
  const follower = new Follower(reader);
  const before = ledgers.keys.begin([{ key: 'before', value: '1' }]);
  const { revision } = await writer.put('before', '1');
  ledgers.keys.acknowledge(before, revision);
  await server.tell({ isHeld: true });
  const attempt = ledgers.keys.begin([{ key: 'held', value: '1' }]);
  let isAcknowledged = false;
  const failure = failureOf(async () => {
    ledgers.keys.acknowledge(attempt, (await writer.put('held', '1')).revision);
    isAcknowledged = true;
  });
  // An answer that was given too early would have come before these, which were asked for later.
  for (let call = 0; call < 50; call++) {
    expect(await writer.get('held')).toEqual({ entry: undefined, revision });
  }
  expect(isAcknowledged).toBe(false);
  expect(await reader.exists(['before', 'held'])).toMatchObject({ exists: [true, false] });
  await follower.reached(revision);
  expect([...follower.entries.keys()]).toEqual(['before']);
  await server.end('SIGKILL');
  expect(await failure).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: true });

  await ServerProcess.start({ dataDir, port });
  const after = await audit(reader, ledgers, true);
  expect(after.faults).toEqual([]);
  await follower.reached(after.revision);
  expect(follower.entries).toEqual(after.entries);
});
