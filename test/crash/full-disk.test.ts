/**
 * A disk that is full: writes fail and say why, reads go on, nothing acknowledged is lost, and space and a restart bring
 * everything back.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test, vi, type TestContext } from 'vitest';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { createClient } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../gen/grpc/health/v1/health_pb.ts';
import type { KelpClient } from '../../src/client/client.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { audit, auditKeys, newLedgers, type Ledgers } from './audit.ts';
import { openClients } from './clients.ts';
import { Follower } from './follower.ts';
import { Load } from './load.ts';
import { ServerProcess } from './server-process.ts';

// Each starts several processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const run = promisify(execFile);

const KiB = 1024;
const flags = ['--segment-bytes', '256KiB'];

describe('a full file system', () => {
  test.for(['memory', 'btree', 'lsm', 'bitcask'] as const)(
    'refuses writes, serves reads, and loses nothing once there is space again (%s)',
    async (engine, context) => {
      const flags = ['--segment-bytes', '256KiB', '--engine', engine];
      // So that checkpoints run into the full disk, too.
      if (engine !== 'memory') flags.push('--snapshot-log-bytes', '64KiB', '--history-revisions-max', '20');
      const directory = await smallFileSystem(context, 4096 * KiB);
      const dataDir = join(directory, 'data');
      const filler = join(directory, 'filler');
      let server = await ServerProcess.start({ dataDir, flags });
      const { port } = server;
      const { reader, writers } = openClients(port);
      const ledgers = newLedgers();
      const follower = new Follower(reader);
      const load = new Load({ clients: writers, ledgers, seed: 1 });
      await load.done(100);
      await load.stop();
      await takeAllSpace(filler);
      await writeUntilRefused(new Load({ clients: writers, ledgers, seed: 2 }));
      await expectReadOnly(server, reader, ledgers, follower, /ENOSPC/);

      // What is there can be read after a start on the full disk too; a new store has no room there.
      await server.end('SIGKILL');
      server = await ServerProcess.start({ dataDir, port, flags });
      if (engine === 'lsm' || engine === 'bitcask')
        await server.logged(
          'the disk is full: the files of the engine are served, and none is removed until a checkpoint has room',
        );
      expect((await auditKeys(reader, ledgers)).faults).toEqual([]);
      await server.end('SIGKILL');
      const newDir = join(directory, 'new');
      const homeless = await ServerProcess.refused({ dataDir: newDir, flags });
      expect((await homeless.ended).code).toBe(4);
      expect(homeless.stderr).toMatch(/^kelp: the data directory .* can not be used: .*ENOSPC.*\n$/);
      expect(homeless.stderr).toContain(newDir);

      await rm(filler);
      server = await ServerProcess.start({ dataDir, port, flags });
      await expectWhole(reader, ledgers, follower);
    },
  );

  test('stops no write when only a snapshot has no room', async (context) => {
    const directory = await smallFileSystem(context, 2048 * KiB);
    const filler = join(directory, 'filler');
    const server = await ServerProcess.start({ dataDir: join(directory, 'data'), flags });
    const { reader } = openClients(server.port);
    // More than is left, and nothing that compression makes small.
    for (const key of ['a', 'b', 'c', 'd']) await reader.put(key, randomBytes(128 * KiB));
    await takeAllSpace(filler);
    await truncate(filler, (await stat(filler)).size - 256 * KiB);

    await expect(reader.admin.snapshot()).rejects.toMatchObject({
      code: 'snapshotFailed',
      message: expect.stringMatching(/ENOSPC/),
    });

    await server.logged('a snapshot could not be written');
    await reader.put('e', '1');
    expect((await fetch(`http://${server.address}/readyz`)).status).toBe(200);
    await rm(filler);
    const { revision } = await reader.admin.snapshot();
    expect(revision).toBeGreaterThanOrEqual(5);
  });
});

test('a file that may not grow refuses writes, serves reads, and loses nothing', async () => {
  const dataDir = await temporaryDirectory();
  let server = await ServerProcess.start({ dataDir, flags, fileBytesMax: 128 * KiB });
  const { port } = server;
  const { reader, writers } = openClients(port);
  const ledgers = newLedgers();
  const follower = new Follower(reader);
  await writeUntilRefused(new Load({ clients: writers, ledgers, seed: 1 }));
  await expectReadOnly(server, reader, ledgers, follower, /EFBIG/);
  expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });
  server = await ServerProcess.start({ dataDir, port, flags });
  await expectWhole(reader, ledgers, follower);
});

async function writeUntilRefused(load: Load): Promise<void> {
  await load.done(Infinity);
  expect(load.failures.get('storageFailed')).toBeGreaterThan(0);
  // Those whose write came after the failure.
  load.failures.delete('storageFailed');
  load.failures.delete('readOnly');
  expect([...load.failures]).toEqual([]);
}

async function expectReadOnly(
  server: ServerProcess,
  reader: KelpClient,
  ledgers: Ledgers,
  follower: Follower,
  reason: RegExp,
): Promise<void> {
  const refused = await reader.put('one more', '1').catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: 'readOnly',
    mayHaveTakenEffect: false,
    message: expect.stringMatching(reason),
  });
  expect(
    await server.logged('the disk failed: no write is accepted until the server is started again'),
  ).toMatchObject({
    level: 'fatal',
    err: { message: expect.stringMatching(reason) },
  });
  const ready = await fetch(`http://${server.address}/readyz`);
  expect({ status: ready.status, body: await ready.json() }).toEqual({
    status: 503,
    body: { status: 'readOnly' },
  });
  const alive = await fetch(`http://${server.address}/healthz`);
  expect(alive.status).toBe(200);
  const health = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.address}` }));
  expect((await health.check({})).status).toBe(Status.NOT_SERVING);
  // Reads show what was acknowledged, and nothing that was not.
  const { faults, entries, revision } = await auditKeys(reader, ledgers);
  expect(faults).toEqual([]);
  expect(entries.size).toBeGreaterThan(0);
  await follower.reached(revision);
  expect(follower.faults(ledgers.keys.takeAcknowledged())).toEqual([]);
}

async function expectWhole(reader: KelpClient, ledgers: Ledgers, follower: Follower): Promise<void> {
  ledgers.leases.serverEnded();
  ledgers.leases.serverReady();
  expect((await audit(reader, ledgers, true)).faults).toEqual([]);
  const { revision } = await reader.put('space', 'again');
  await follower.reached(revision);
  expect(follower.faults([])).toEqual([]);
  expect(follower.entries.get('space')?.value).toBe('again');
}

async function smallFileSystem(context: TestContext, bytes: number): Promise<string> {
  const directory = await temporaryDirectory();
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'kelp-test', directory]);
  } catch (error) {
    context.skip(`this user may not mount a file system: ${String(error)}`);
  }
  onTestFinished(async () => {
    await run('umount', [directory]);
  });
  return directory;
}

/** Writes a file that leaves room for nothing else. */
async function takeAllSpace(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (;;) await file.write(Buffer.alloc(4 * KiB, 1));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  } finally {
    await file.close();
  }
}
