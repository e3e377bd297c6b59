/** Servers that are killed under load and started again, with the ledgers outside. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { KelpClient } from '../../src/client/client.ts';
import { SeededRandom } from '../support/random.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { audit, newLedgers } from './audit.ts';
import { openClients } from './clients.ts';
import { Follower } from './follower.ts';
import { Load } from './load.ts';
import { ServerProcess } from './server-process.ts';

/** What the watch has told is held against what was acknowledged, and forgotten, this often. */
const CYCLES_PER_COMPARISON = 10;

/** The kill comes after this many calls at most, and a moment that is not bound to the end of one. */
const CALLS_MAX = 200;
const MOMENT_MS_MAX = 20;

export interface Kills {
  readonly cycles: number;
  readonly seed: number;
  readonly flags: readonly string[];
  /** A module that servers load first. */
  readonly preload?: URL;
  /** Kills a server under load, and waits until it is gone; left out: at any moment. */
  readonly end?: (server: ServerProcess, reader: KelpClient, cycle: number) => Promise<void>;
  /** Called after each start, once all is found to be right. */
  readonly check?: (reader: KelpClient) => Promise<void>;
}

/** Kills servers of one directory, one after the other, and expects of each that it has lost nothing. */
export async function killAgainAndAgain({ cycles, seed, flags, preload, end, check }: Kills): Promise<void> {
  const dataDir = await temporaryDirectory();
  const random = new SeededRandom(seed);
  const ledgers = newLedgers();
  const start = { dataDir, flags, ...(preload && { preload }) };
  const endAtAnyMoment = async (server: ServerProcess): Promise<void> => {
    await delay(random.below(MOMENT_MS_MAX));
    await server.end('SIGKILL');
  };
  let server = await ServerProcess.start(start);
  const { port } = server;
  const { reader, writers } = openClients(port);
  const follower = new Follower(reader);
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const load = new Load({ clients: writers, ledgers, seed: seed * 10_000 + cycle });
    await load.done(random.between(1, CALLS_MAX));
    await (end ?? endAtAnyMoment)(server, reader, cycle);
    await load.stop();
    ledgers.leases.serverEnded();
    expect([...load.failures.keys()], `kill ${cycle}`).toEqual(['unavailable']);

    server = await ServerProcess.start({ ...start, port });
    ledgers.leases.serverReady();
    const { faults, revision } = await audit(reader, ledgers, true);
    expect(faults, `after kill ${cycle}`).toEqual([]);
    await check?.(reader);
    if (cycle % CYCLES_PER_COMPARISON !== 0 && cycle !== cycles) continue;
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
  expect(ledgers.keys.acknowledgedCount).toBeGreaterThan(cycles * 16);
  expect(ledgers.leases.size).toBeGreaterThan(cycles);
  await follower.end();
}
