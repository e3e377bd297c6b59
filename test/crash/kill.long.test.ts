/**
 * Real processes, killed with SIGKILL while clients write: whatever was acknowledged must be there after the restart,
 * what the server showed once must stay, leases keep their time and their keys, and one watch that resumes by itself
 * must see every change exactly once, in order, over all restarts.
 *
 * KILL_SEED decides what the clients do and when the kills come.
 */
import { expect, test, vi } from 'vitest';
import { rounds } from '../support/share.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { audit, newLedgers } from './audit.ts';
import { openClients } from './clients.ts';
import { Follower } from './follower.ts';
import { killAgainAndAgain } from './kills.ts';
import { ServerProcess } from './server-process.ts';
import { failureOf } from './workplace.ts';

// Each starts several processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const CYCLES = rounds(100);
const SEED = Number(process.env['KILL_SEED'] ?? 1);

test(
  `no acknowledged write is lost over ${CYCLES} kills, seed ${SEED}`,
  () => {
    // Small segments and frequent snapshots, so that kills meet rotations, snapshots and removals too.
    const flags = ['--segment-bytes', '256KiB', '--snapshot-log-bytes', '512KiB'];
    return killAgainAndAgain({ cycles: CYCLES, seed: SEED, flags });
  },
  60_000 + CYCLES * 20_000,
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
  await server.tell({ flushes: 'wait' });
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
