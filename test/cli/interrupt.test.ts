/** What is left when a command that writes files is broken off. */
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { EventEmitter, once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AdminService } from '../../gen/kelp/v1/admin_pb.ts';
import { interruptedBy, untilInterrupted } from '../../src/cli/process/interrupt.ts';
import { serverFixed } from '../../src/limits.ts';
import { writeBackupFile } from '../../src/offline/backup-file.ts';
import { restore } from '../../src/offline/restore.ts';
import { backUp, NO_PROGRESS, openFolder } from '../offline/folders.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { KelpProcess } from './kelp-process.ts';

const stubbornWork = new URL('stubborn-work.ts', import.meta.url);

/** A server whose backups begin and never end. @returns its address. */
async function stallingServer(): Promise<string> {
  const adapter = connectNodeAdapter({
    routes: (router) =>
      router.service(AdminService, {
        async *backup(_, { signal }) {
          yield { data: new Uint8Array(1000) };
          await once(signal, 'abort');
        },
      }),
  });
  const server = createServer(adapter);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stalledBackup(
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ folder: string; path: string; backup: KelpProcess }> {
  const folder = await temporaryDirectory();
  const path = join(folder, 'kelp.backup');
  const line = ['backup', path, '--address', await stallingServer(), ...args];
  const backup = new KelpProcess(line, { environment });
  await eventually(() => readdir(folder)).toEqual(['kelp.backup.tmp']);
  return { folder, path, backup };
}

describe('a backup', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('that %s breaks off ends with %i and leaves nothing behind', async (signal, code) => {
    const { folder, backup } = await stalledBackup();
    backup.child.kill(signal);
    expect(await backup.ended).toMatchObject({
      code,
      stdout: '',
      stderr: `kelp: interrupted by ${signal}\n`,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test('that one Ctrl-C reaches twice, through npm too, cleans up to the end', async () => {
    const preload = `--import=${new URL('echoed-signal.ts', import.meta.url).href}`;
    const { folder, backup } = await stalledBackup([], { NODE_OPTIONS: preload });
    backup.child.kill('SIGINT');
    expect(await backup.ended).toMatchObject({ code: 130, stderr: 'kelp: interrupted by SIGINT\n' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('that is broken off says so as JSON', async () => {
    const { backup } = await stalledBackup(['--json']);
    backup.child.kill('SIGINT');
    expect(JSON.parse((await backup.ended).stderr)).toEqual({
      error: { code: 'canceled', message: 'interrupted by SIGINT' },
    });
  });

  test('that was killed says to the next one what to do', async () => {
    const { path, backup } = await stalledBackup();
    backup.child.kill('SIGKILL');
    await backup.ended;
    const next = await new KelpProcess(['backup', path, '--address', await stallingServer()]).ended;
    expect(next).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /\.tmp exists, last written to at \d{4}-.*Z: .* if none is running, remove the file and try again\n$/,
      ),
    });
  });
});

test('a second signal ends a process whose work does not end', async () => {
  const work = new KelpProcess([], { main: fileURLToPath(stubbornWork) });
  await work.until(() => work.stdout === 'working');
  work.child.kill('SIGINT');
  await work.until(() => work.stdout.startsWith('working interrupted left'));
  work.child.kill('SIGTERM');
  expect(await work.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
});

describe('signals', () => {
  class Stage extends EventEmitter {
    readonly pid = 1000;
    readonly execPath = 'node';
    readonly clock = new ManualClock();

    run<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
      return untilInterrupted(work, { process: this, clock: this.clock });
    }
  }

  test('are heard while there is work alone', async () => {
    const stage = new Stage();
    expect(await stage.run(async () => stage.listenerCount('SIGINT'))).toBe(1);
    expect(stage.listenerCount('SIGINT')).toBe(0);
  });

  test('that echo the first are still kept from the system when the work has cleaned up', async () => {
    const stage = new Stage();
    const interrupted = stage.run(async (signal) => {
      stage.emit('SIGINT', 'SIGINT');
      signal.throwIfAborted();
    });
    await expect(interrupted).rejects.toThrow('interrupted by SIGINT');
    expect(stage.listenerCount('SIGINT')).toBe(1);
    stage.clock.advance(serverFixed.signalEchoMs);
    expect(stage.listenerCount('SIGINT')).toBe(0);
  });
});

/** Runs work again and again, broken off one step of its progress later each time, until it comes to its end. */
async function brokenOffAnywhere(
  work: (onProgress: () => void) => Promise<unknown>,
  check: () => Promise<void>,
): Promise<number> {
  for (let stepsMax = 0; ; stepsMax++) {
    const controller = new AbortController();
    let steps = 0;
    const onProgress = interruptedBy(controller.signal, () => {
      if (++steps > stepsMax) controller.abort(new Error('interrupted'));
    });
    const progress = { work: 'working', doneBytes: 0, totalBytes: 0 };
    const outcome = await work(() => onProgress(progress)).then(
      () => 'done',
      (error: Error) => error.message,
    );
    if (outcome === 'done') return stepsMax;
    expect(outcome).toBe('interrupted');
    await check();
  }
}

describe('at any step', () => {
  test('a backup leaves nothing behind', async () => {
    const data = await temporaryDirectory();
    const { store } = await openFolder(join(data, 'data'));
    for (const key of ['a', 'b', 'c', 'd']) await store.put(key, key.repeat(400_000));
    const folder = await temporaryDirectory();
    const steps = await brokenOffAnywhere(
      (onProgress) => writeBackupFile(join(folder, 'backup'), store.backup(), onProgress),
      async () => expect(await readdir(folder)).toEqual([]),
    );
    expect(steps).toBeGreaterThan(2);
    expect(await readdir(folder)).toEqual(['backup']);
  });

  test('a restore leaves nothing but its lock file, and the next one succeeds', async () => {
    const folder = await temporaryDirectory();
    const dataDir = join(folder, 'data');
    const { store } = await openFolder(dataDir);
    for (const key of ['a', 'b', 'c']) await store.put(key, key.repeat(400_000));
    const backupPath = join(folder, 'backup');
    await backUp(store, backupPath);
    for (const key of ['d', 'e', 'f']) await store.put(key, key.repeat(400_000));
    await store.close();
    const restored = join(folder, 'restored');
    await mkdir(restored);
    const steps = await brokenOffAnywhere(
      (onProgress) => restore({ backupPath, dataDir: restored, logPaths: [dataDir] }, onProgress),
      async () => expect((await readdir(restored)).filter((name) => name !== 'LOCK')).toEqual([]),
    );
    expect(steps).toBeGreaterThan(2);
    const again = { backupPath: backupPath, dataDir: join(folder, 'again'), logPaths: [restored] };
    // What was restored is another store, and whole.
    await expect(restore(again, NO_PROGRESS)).rejects.toThrow(/of another store/);
  });
});
