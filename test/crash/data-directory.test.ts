/** Data directories that a server can't have: they are not its user's, or another server has them. */
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { temporaryDirectory } from '../support/test-server.ts';
import { audit, newLedgers } from './audit.ts';
import { openClients } from './clients.ts';
import { Load } from './load.ts';
import { ServerProcess } from './server-process.ts';

// Each starts several processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** Permissions do not bind root, so its servers run as another user. */
const user = { isNobody: process.getuid?.() === 0 };

describe('a directory without permission', () => {
  test.for([
    { what: 'may not be entered', mode: 0o000, name: '' },
    { what: 'may be read and not written', mode: 0o555, name: '' },
    { what: 'would have to be made where nothing may be', mode: 0o555, name: 'new' },
  ])('that $what stops the start in one line', async ({ mode, name }) => {
    const parent = await openDirectory();
    const directory = join(parent, 'data');
    await mkdir(directory);
    await setMode(directory, mode);
    const dataDir = join(directory, name);

    await expectRefused(dataDir);
  });

  test('is served again as it was once the permission is back', async () => {
    const dataDir = join(await openDirectory(), 'data');
    const first = await ServerProcess.start({ dataDir, ...user });
    await openClients(first.port).reader.put('kept', '1');
    await first.end('SIGKILL');
    await setMode(dataDir, 0o500);
    await setMode(join(dataDir, 'log'), 0o000);
    await expectRefused(dataDir);

    await chmod(join(dataDir, 'log'), 0o700);
    await chmod(dataDir, 0o700);
    const second = await ServerProcess.start({ dataDir, ...user });
    expect((await openClients(second.port).reader.get('kept')).entry?.text()).toBe('1');
  });
});

async function expectRefused(dataDir: string): Promise<void> {
  const server = await ServerProcess.refused({ dataDir, ...user });
  expect(await server.ended).toEqual({ code: 4, signal: null });
  expect(server.stderr).toMatch(
    /^kelp: the data directory \S+ can not be used: .*\(EACCES\); let it belong to the user that runs the store, or .*\n$/,
  );
  expect(server.stderr).toContain(dataDir);
}

/** A directory in which the other user, too, may make files. */
async function openDirectory(): Promise<string> {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o777);
  return directory;
}

/** Sets permissions until the test ends; without them the directory could not be removed. */
async function setMode(path: string, mode: number): Promise<void> {
  await chmod(path, mode);
  onTestFinished(() => chmod(path, 0o700));
}

test('a directory with files of others is refused in one line, and nothing is made in it', async () => {
  const dataDir = await temporaryDirectory();
  await writeFile(join(dataDir, 'passwd'), 'root');
  const server = await ServerProcess.refused({ dataDir });
  expect(await server.ended).toEqual({ code: 2, signal: null });
  expect(server.stderr).toBe(
    `kelp: the directory ${dataDir} is not empty, and no store: there is ${dataDir}/passwd. Give a directory of its own to the store, such as ${dataDir}/kelp; nothing was changed\n`,
  );
  expect(await readdir(dataDir)).toEqual(['passwd']);
});

describe('a directory that another server has', () => {
  test('is refused to as many as come, and the owner does not notice', async () => {
    const dataDir = await temporaryDirectory();
    const ledgers = newLedgers();
    const owner = await ServerProcess.start({ dataDir });
    const { port } = owner;
    const { reader, writers } = openClients(port);
    const load = new Load({ clients: writers, ledgers, seed: 1 });
    await load.done(50);

    const others = Array.from({ length: 3 }, () => ServerProcess.refused({ dataDir }));
    for (const other of await Promise.all(others)) {
      expect(await other.ended).toEqual({ code: 4, signal: null });
      expect(other.stderr).toBe(
        `kelp: the data directory ${dataDir} is in use by another store; stop that one, or use another directory\n`,
      );
    }

    await load.done(load.doneCount + 50);
    await load.stop();
    expect([...load.failures.keys()]).toEqual([]);
    expect((await audit(reader, ledgers, false)).faults).toEqual([]);
    await owner.end('SIGKILL');
    ledgers.leases.serverEnded();
    await ServerProcess.start({ dataDir, port });
    ledgers.leases.serverReady();
    expect((await audit(reader, ledgers, true)).faults).toEqual([]);
  });

  test('is refused also while that server does not run, and free as soon as it is killed', async () => {
    const dataDir = await temporaryDirectory();
    const owner = await ServerProcess.start({ dataDir });
    owner.kill('SIGSTOP');
    const other = await ServerProcess.refused({ dataDir });
    expect(await other.ended).toEqual({ code: 4, signal: null });
    expect(other.stderr).toContain('is in use by another store');
    await owner.end('SIGKILL');
    await ServerProcess.start({ dataDir });
  });
});
