/**
 * Signals that ask a server to stop, while clients write: calls under way are finished or refused, what was acknowledged
 * is there afterwards, what was refused with the promise that nothing has changed is not, and no write is half done.
 */
import { expect, onTestFinished, test, vi } from 'vitest';
import { SeededRandom } from '../support/random.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { audit, newLedgers } from './audit.ts';
import { openClients } from './clients.ts';
import { Follower } from './follower.ts';
import { Load } from './load.ts';
import { ServerProcess } from './server-process.ts';
import { failureOf } from './workplace.ts';

// Each starts several processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const heldFlush = new URL('./held-flush.ts', import.meta.url);

const CYCLES = 3;

/** What a client may be told by a server that stops. */
const FAREWELLS = new Set(['shuttingDown', 'unavailable']);

test.each(['SIGTERM', 'SIGINT'] as const)('%s under load loses nothing', async (signal) => {
  const dataDir = await temporaryDirectory();
  const random = new SeededRandom(7);
  const ledgers = newLedgers();
  let server = await ServerProcess.start({ dataDir });
  const { port } = server;
  const { reader, writers } = openClients(port);
  const follower = new Follower(reader);
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    const load = new Load({ clients: writers, ledgers, seed: cycle });
    await load.done(random.between(50, 400));
    expect(await server.end(signal)).toEqual({ code: 0, signal: null });
    expect(server.stderr).toBe('');
    await load.stop();
    ledgers.leases.serverEnded();
    expect([...load.failures.keys()].filter((code) => !FAREWELLS.has(code))).toEqual([]);

    server = await ServerProcess.start({ dataDir, port });
    ledgers.leases.serverReady();
    const { faults, revision } = await audit(reader, ledgers, true);
    expect(faults, `after stop ${cycle}`).toEqual([]);
    await follower.reached(revision);
    expect(follower.faults(ledgers.keys.takeAcknowledged())).toEqual([]);
  }
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  'a second %s under load ends the process at once and loses nothing acknowledged',
  async (signal) => {
    const dataDir = await temporaryDirectory();
    const ledgers = newLedgers();
    const server = await ServerProcess.start({ dataDir, preload: heldFlush });
    const { port } = server;
    const { reader, writers } = openClients(port);
    const load = new Load({ clients: writers, ledgers, seed: 1 });
    await load.done(100);
    // Writes that wait for their flush hold up the stop.
    await server.tell({ flushes: 'wait' });
    server.kill(signal);
    await server.logged('stopping');
    // Right after the first it would count as the same signal.
    const again = setInterval(() => server.kill(signal), 50);
    onTestFinished(() => clearInterval(again));
    expect(await server.ended).toEqual({ code: null, signal });
    await load.stop();
    ledgers.leases.serverEnded();

    await ServerProcess.start({ dataDir, port });
    ledgers.leases.serverReady();
    expect((await audit(reader, ledgers, true)).faults).toEqual([]);
  },
);

test('a write that the stop breaks off is never said to be without effect', async () => {
  const dataDir = await temporaryDirectory();
  const ledgers = newLedgers();
  const flags = ['--shutdown-timeout', '100ms'];
  const server = await ServerProcess.start({ dataDir, flags, preload: heldFlush });
  const { port } = server;
  const { reader, writers } = openClients(port);
  const [writer = reader] = writers;
  await writer.put('before', '1');
  await server.tell({ flushes: 'wait' });
  // The first is written and waits for its flush, the second waits behind it.
  const failures = ['first', 'second'].map(async (key) => {
    const attempt = ledgers.keys.begin([{ key, value: '1' }]);
    return failureOf(async () => ledgers.keys.acknowledge(attempt, (await writer.put(key, '1')).revision));
  });
  // What came before it on the connection has been taken by the store.
  await writer.get('before');
  server.kill('SIGTERM');
  await server.logged('calls did not finish in time; broken off');
  for (const error of await Promise.all(failures)) {
    expect(error).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: true });
  }
  await server.tell({ flushes: 'pass' });
  expect(await server.ended).toEqual({ code: 0, signal: null });

  await ServerProcess.start({ dataDir, port });
  const { entries } = await audit(reader, ledgers, true);
  expect([...entries.keys()]).toEqual(['before', 'first', 'second']);
});
