/** `kelp access reset`, as an operator would type it who has lost the password of root. */
import { randomBytes } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Access } from '../../src/access/access.ts';
import { accessKey, accessKind } from '../../src/access/records/access-keys.ts';
import * as records from '../../src/access/records/access-records.ts';
import { ROOT, holdOpen } from '../../src/access/records/open-hold.ts';
import { systemClock, systemRandom } from '../../src/clock.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import { KelpTerminal } from '../cli/kelp-terminal.ts';
import { Kelp, type Outcome } from '../cli/kelp.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { contentsOf } from './folders.ts';

/** Nobody listens there: the command needs no server. */
const offline = new Kelp('127.0.0.1:1');

function reset(dataDir: string, ...args: string[]): Promise<Outcome> {
  return offline.run(['access', 'reset', '--data-dir', dataDir, ...args]);
}

/** Runs work on the access of a store that no server has open. */
async function onAccess<Result>(
  dataDir: string,
  work: (access: Access, valueOfKey: () => Promise<string | undefined>) => Result,
): Promise<Awaited<Result>> {
  const store = await openUncheckedStore({ dataDir });
  try {
    const access = new Access({ store, clock: systemClock, random: systemRandom });
    return await work(access, async () => {
      const { entry } = await store.get('key');
      return entry && Buffer.from(entry.value).toString();
    });
  } finally {
    await store.close();
  }
}

/** A store with a key, root, a user, a role, and a token of each user. */
async function closedStore(): Promise<string> {
  const dataDir = join(await temporaryDirectory(), 'data');
  const store = await openUncheckedStore({ dataDir });
  await store.put('key', 'value');
  await store.close();
  await onAccess(dataDir, async (access) => {
    const password = await access.logins.passwords.hash('lost');
    const token = (user: string) => ({ hash: randomBytes(32), user, createTimeMs: 1, expireTimeMs: 0 });
    await access.change((draft) => {
      records.createRole(draft, 'reader');
      records.createUser(draft, ROOT, { password, roles: [], nowMs: 1 });
      records.createUser(draft, 'ann', { password: undefined, roles: ['reader'], nowMs: 1 });
      records.createToken(draft, 'of-root', token(ROOT));
      records.createToken(draft, 'of-ann', token('ann'));
    });
  });
  return dataDir;
}

async function newPassword(content = 'found\n', mode = 0o600): Promise<string> {
  const path = join(await temporaryDirectory(), 'root-password');
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

describe('with a password for root', () => {
  test('root has it, and all else is as it was', async () => {
    const dataDir = await closedStore();
    const outcome = await reset(dataDir, '--root-password-file', await newPassword());
    expect(outcome).toMatchObject({ code: 0, stdout: 'root has another password\n' });
    expect(outcome.stderr).toMatch(/^kelp: tokens of root stay valid: of-root; .*\n$/);
    await onAccess(dataDir, async ({ table, logins }, valueOfKey) => {
      const kept = table.user('root')?.password;
      expect(await logins.passwords.verify('found', kept)).toBe(true);
      expect(await logins.passwords.verify('lost', kept)).toBe(false);
      expect(table.user('ann')?.roles).toEqual(['reader']);
      expect(await valueOfKey()).toBe('value');
    });
  });

  test('root is made where there is none', async () => {
    const { dataDir, stop } = await stoppable();
    await stop();
    const path = await newPassword('found', 0o644);
    const outcome = await reset(dataDir, '--root-password-file', path);
    expect(outcome).toMatchObject({
      code: 0,
      stdout: 'root was made; access is closed\n',
      stderr: `kelp: --root-password-file: every user of this machine may read ${path}; chmod 600 it\n`,
    });
    expect(await onAccess(dataDir, ({ table }) => table.isClosed)).toBe(true);
  });

  test('access that is held open is closed', async () => {
    const dataDir = await closedStore();
    await onAccess(dataDir, (access) => access.change((draft) => holdOpen(draft, 1)));
    const seen = await offline.run(['verify', dataDir]);
    expect(seen).toMatchObject({ code: 0, stdout: expect.stringContaining('3 records') as string });
    expect(await reset(dataDir, '--root-password-file', await newPassword())).toMatchObject({
      code: 0,
      stdout: 'root has another password; access is closed\n',
    });
    expect(await onAccess(dataDir, ({ table }) => [table.isClosed, table.isHeldOpen])).toEqual([true, false]);
    const { stdout } = await offline.run(['log', dataDir]);
    expect(stdout).toMatch(/access   held open  \(written\)\n(.*\n)*.*access   held open  \(deleted\)/);
  });

  test('a file that holds none changes nothing', async () => {
    const dataDir = await closedStore();
    const before = await contentsOf(dataDir);
    const outcome = await reset(dataDir, '--root-password-file', await newPassword(''));
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringMatching(/is empty/) as string });
    expect(await contentsOf(dataDir)).toEqual(before);
  });
});

describe('without one', () => {
  test('users, roles and tokens are deleted together, and nothing else', async () => {
    const dataDir = await closedStore();
    await onAccess(dataDir, (access) => access.change((draft) => holdOpen(draft, 1)));
    expect(await reset(dataDir, '--yes')).toMatchObject({
      code: 0,
      stdout: 'deleted 2 users, 1 role and 2 tokens; access is open\n',
      stderr: '',
    });
    await onAccess(dataDir, async ({ table }, valueOfKey) => {
      expect([table.isClosed, table.isHeldOpen]).toEqual([false, false]);
      expect(table.user('ann')).toBeUndefined();
      expect(await valueOfKey()).toBe('value');
    });
    expect(await reset(dataDir, '--yes')).toMatchObject({
      code: 0,
      stdout: 'access is open already: there are no users, roles or tokens\n',
    });
    // The next start needs the decision again.
    const tls = { 'tls-cert': 'test/support/tls/cert.pem', 'tls-key': 'test/support/tls/key.pem' };
    const flags = { listen: '0.0.0.0:0', 'data-dir': dataDir, ...tls };
    const { ready } = await startTestServer({ flags, waitUntilReady: false });
    await expect(ready).rejects.toThrow('--root-password-file');
  });

  // What such a record allows is not known, so no server starts, and the refusal names this way out.
  test.each([
    ['a user that can not be understood', accessKey(accessKind.user, 'bad'), '3 users, 1 role and 2 tokens'],
    ['what another version wrote', Buffer.of(0xfc, 9, 1), '2 users, 1 role, 2 tokens and 1 unknown record'],
  ])('deletes %s as well', async (_, key, counts) => {
    const dataDir = await closedStore();
    const store = await openUncheckedStore({ dataDir });
    await store.transact((view) => view.put(key, Buffer.of(0xff, 0xff)));
    await store.close();
    await expect(onAccess(dataDir, () => undefined)).rejects.toMatchObject({ code: 'damaged' });
    expect(await reset(dataDir, '--yes')).toMatchObject({
      code: 0,
      stdout: `deleted ${counts}; access is open\n`,
    });
    expect(await onAccess(dataDir, ({ table }) => table.isClosed)).toBe(false);
  });

  test('scripts must say that they mean it, and are told what there was', async () => {
    const dataDir = await closedStore();
    const before = await contentsOf(dataDir);
    expect(await reset(dataDir)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/give --yes, or --root-password-file/) as string,
    });
    expect(await contentsOf(dataDir)).toEqual(before);
    const { stdout } = await reset(dataDir, '--yes', '--json');
    expect(JSON.parse(stdout)).toEqual({
      userCount: 2,
      roleCount: 1,
      tokenCount: 2,
      unknownCount: 0,
      isDone: true,
    });
  });

  test.each([
    ['n', 1, 'nothing was changed', true],
    ['', 1, 'nothing was changed', true],
    ['yes', 0, 'deleted 2 users, 1 role and 2 tokens; access is open', false],
  ])('a person is asked, and answers %j', async (answer, code, told, isClosed) => {
    const dataDir = await closedStore();
    const terminal = new KelpTerminal(['access', 'reset', '--data-dir', dataDir]);
    await terminal.until((output) => output.includes('[y/N]'));
    expect(terminal.output).toContain('2 users, 1 role and 2 tokens');
    terminal.press(`${answer}\n`);
    await terminal.ended;
    expect(terminal.output).toContain(told);
    expect(terminal.output).toContain(`code ${code}`);
    expect(await onAccess(dataDir, ({ table }) => table.isClosed)).toBe(isClosed);
  });
});

test('a store that a server has open is refused', async () => {
  const { dataDir } = await stoppable();
  const outcome = await reset(dataDir, '--yes');
  expect(outcome).toMatchObject({ code: 4, stderr: `kelp: a server has ${dataDir} open; stop it first\n` });
});

test('a folder without a store is refused, and none is made', async () => {
  const folder = await temporaryDirectory();
  expect(await reset(folder, '--yes')).toMatchObject({
    code: 2,
    stderr: `kelp: there is no store in ${folder}\n`,
  });
  expect(await contentsOf(folder)).toEqual(new Map());
});

test('options that lead to a server are refused', async () => {
  expect(await reset('./data', '--yes', '--address', '127.0.0.1:1')).toMatchObject({
    code: 2,
    stderr: 'kelp: kelp access reset has no option --address\n',
  });
});

async function stoppable(): Promise<{ dataDir: string; stop: () => Promise<void> }> {
  const server = await startTestServer();
  return { dataDir: server.dataDir, stop: () => server.stop() };
}
