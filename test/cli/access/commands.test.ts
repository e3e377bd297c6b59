/** `kelp user`, `role`, `token` and `whoami`, against a server. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { etcdClient } from '../../server/etcd/support/etcd-client.ts';
import { Kelp, jsonLines } from '../kelp.ts';
import { startClosedServer } from './closed-server.ts';

let kelp: Kelp;
beforeEach(async () => {
  kelp = new Kelp((await startTestServer()).address);
});

/** Days differ from run to run. */
const undated = (text: string): string => text.replace(/\d{4}-\d\d-\d\d/g, 'YYYY-MM-DD');

test('where there is nothing yet, lists say so beside the output', async () => {
  const empty = { code: 0, stdout: '' };
  expect(await kelp.run(['user', 'list'])).toMatchObject({
    ...empty,
    stderr: 'kelp: there is no user root: access is open, and every client may do everything\n',
  });
  expect(await kelp.run(['role', 'list'])).toMatchObject({
    ...empty,
    stderr: 'kelp: there are no roles; kelp role create NAME makes one\n',
  });
  expect(await kelp.run(['token', 'list'])).toMatchObject({
    ...empty,
    stderr: 'kelp: there are no tokens; kelp token create NAME makes one\n',
  });
  for (const group of ['user', 'role', 'token']) {
    expect(await kelp.run([group, 'list', '--json'])).toMatchObject({ ...empty, stderr: '' });
  }
  expect(await kelp.text('whoami')).toBe('access is open: every client may do everything\n');
  expect(await kelp.json('whoami')).toEqual([{ user: '', roles: [], isClosed: false }]);
});

describe('users', () => {
  beforeEach(async () => {
    await kelp.text('role', 'create', 'reader');
    await kelp.text('role', 'create', 'writer');
  });

  test('are made with roles and a password, listed, shown and deleted', async () => {
    const made = await kelp.run(['user', 'add', 'alice', '--role', 'reader', '--password-stdin'], {
      stdin: 'secret\n',
    });
    expect(made).toMatchObject({ code: 0, stdout: 'made user alice, roles reader\n', stderr: '' });
    const bare = await kelp.run(['user', 'add', 'web', '--no-password']);
    expect(bare).toMatchObject({
      stdout: 'made user web\n',
      stderr: 'kelp: it may do nothing yet; kelp user give web ROLE\n',
    });
    expect(await kelp.text('user', 'give', 'alice', 'writer')).toBe('user alice has role writer\n');
    await kelp.text('token', 'create', 'ci', '--for', 'alice');
    expect(undated(await kelp.text('user', 'ls'))).toBe(
      [
        'USER   ROLES           PASSWORD  MADE',
        'alice  reader, writer  yes       YYYY-MM-DD',
        'web    -               no        YYYY-MM-DD',
        '',
      ].join('\n'),
    );
    expect(undated(await kelp.text('user', 'show', 'alice'))).toBe(
      [
        'user      alice',
        'roles     reader, writer',
        'password  yes',
        'tokens    ci',
        'made      YYYY-MM-DD',
        '',
      ].join('\n'),
    );
    const [alice, web] = await kelp.json('user', 'list');
    expect(alice).toEqual({
      name: 'alice',
      roles: ['reader', 'writer'],
      hasPassword: true,
      createTime: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(web).toMatchObject({ name: 'web', roles: [], hasPassword: false });
    expect(await kelp.json('user', 'show', 'alice')).toMatchObject([
      { name: 'alice', tokens: [{ name: 'ci', user: 'alice' }] },
    ]);
    expect(await kelp.text('user', 'take', 'alice', 'writer')).toBe('user alice has role writer no more\n');
    expect(await kelp.text('user', 'rm', 'alice')).toBe('deleted user alice and its tokens\n');
    expect(await kelp.json('user', 'list')).toHaveLength(1);
    expect(await kelp.json('token', 'list')).toEqual([]);
  });

  test.each([
    ['no such user', ['user', 'show', 'eve'], 1, 'NAME_NOT_FOUND'],
    ['no such user', ['user', 'delete', 'eve'], 1, 'NAME_NOT_FOUND'],
    ['no such role', ['user', 'add', 'bob', '--role', 'x', '--no-password'], 1, 'NAME_NOT_FOUND'],
    ['a role that it does not have', ['user', 'take', 'web', 'reader'], 1, 'NAME_NOT_FOUND'],
    ['a name that is taken', ['user', 'add', 'web', '--no-password'], 1, 'NAME_TAKEN'],
    ['a name that can be none', ['user', 'add', 'a b', '--no-password'], 2, 'INVALID_ARGUMENT'],
    ['no name', ['user', 'add', '', '--no-password'], 2, 'INVALID_ARGUMENT'],
    ['root without a password', ['user', 'add', 'root', '--no-password'], 2, 'INVALID_ARGUMENT'],
    ['open access', ['user', 'password', '--password-stdin'], 2, 'INVALID_ARGUMENT'],
  ])('%s is told: %j', async (_, args, code, reason) => {
    await kelp.text('user', 'add', 'web', '--no-password');
    const outcome = await kelp.run([...args, '--json'], { stdin: 'secret' });
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(JSON.parse(outcome.stderr)).toMatchObject({ error: { reason } });
  });

  test('a password is given in one way', async () => {
    const both = await kelp.run(['user', 'add', 'a', '--password-stdin', '--no-password'], { stdin: 'a' });
    expect(both.code).toBe(2);
    expect(both.stderr).toContain('cannot be used with');
  });
});

describe('roles', () => {
  beforeEach(() => kelp.text('role', 'create', 'r'));

  test('grant keys, prefixes, ranges and all, and are listed with that', async () => {
    const grant = (...args: string[]): Promise<string> => kelp.text('role', 'grant', 'r', ...args);
    expect(await kelp.run(['role', 'show', 'r'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'kelp: role r grants nothing\n',
    });
    expect(await grant('read', '--prefix', 'config/')).toBe('role r grants read of prefix config/\n');
    expect(await grant('write', '--key', 'visits')).toBe('role r grants write of key visits\n');
    expect(await grant('readwrite', '--range', 'a', 'n')).toBe('role r grants readwrite of range a n\n');
    expect(await grant('read', '--range', 'x', '-')).toBe('role r grants read of range x -\n');
    expect(await grant('read', '--range', '-', '0')).toBe('role r grants read of range - 0\n');
    expect(await grant('admin')).toBe('role r grants admin\n');
    await kelp.text('role', 'create', 'empty');
    expect(await kelp.text('role', 'list')).toBe(
      [
        'ROLE   GRANTS     KEYS',
        'empty  nothing    -',
        'r      read       prefix config/',
        '       write      key visits',
        '       readwrite  range a n',
        '       read       range x -',
        '       read       range - 0',
        '       admin      -',
        '',
      ].join('\n'),
    );
    expect(await kelp.json('role', 'show', 'r')).toEqual([
      {
        name: 'r',
        grants: [
          { permission: 'read', prefix: 'config/' },
          { permission: 'write', key: 'visits' },
          { permission: 'readwrite', start: 'a', end: 'n' },
          { permission: 'read', start: 'x' },
          { permission: 'read', end: '0' },
          { permission: 'admin' },
        ],
      },
    ]);
    expect(await grant('read', '--all')).toBe('role r grants read of all keys\n');
    // For the same keys it takes the place.
    expect(await grant('readwrite', '--all')).toBe('role r grants readwrite of all keys\n');
    const revoke = (...args: string[]): Promise<string> => kelp.text('role', 'revoke', 'r', ...args);
    expect(await revoke('--all')).toBe('role r grants all keys no more\n');
    expect(await revoke('--prefix', 'config/')).toBe('role r grants prefix config/ no more\n');
    expect(await revoke('--key', 'visits')).toBe('role r grants key visits no more\n');
    expect(await revoke('--range', 'a', 'n')).toBe('role r grants range a n no more\n');
    expect(await revoke('--range', 'x', '-')).toBe('role r grants range x - no more\n');
    expect(await revoke('--range', '-', '0')).toBe('role r grants range - 0 no more\n');
    expect(await revoke('--admin')).toBe('role r grants admin no more\n');
    expect(await kelp.json('role', 'show', 'r')).toEqual([{ name: 'r', grants: [] }]);
    expect(await kelp.text('role', 'delete', 'r')).toBe('deleted role r\n');
  });

  test('take keys that are not UTF-8 in hexadecimal digits', async () => {
    await kelp.text('role', 'grant', 'r', 'read', '--hex-keys', '--prefix', 'ff00');
    await kelp.text('role', 'grant', 'r', 'read', '--hex-keys', '--range', '2d', '61');
    expect(await kelp.run(['role', 'grant', 'r', 'read', '--hex-keys', '--key', 'xyz'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is no key in hexadecimal digits'),
    });
  });

  test.each<[string[], string]>([
    [['grant', 'r', 'read'], 'say for which keys it is: --key, --prefix, --range or --all'],
    [['grant', 'r', 'admin', '--all'], 'admin is for no keys: leave out --key, --prefix, --range and --all'],
    [['grant', 'r', 'read', '--prefix', ''], '--prefix is empty; give --all if you mean all keys'],
    [['grant', 'r', 'read', '--key', ''], '--key is empty, and no key is'],
    [['grant', 'r', 'read', '--range', 'a', ''], '--range has an end that is empty; - leaves one open'],
    [['grant', 'r', 'read', '--range', 'a'], '--range takes two keys, START and END'],
    [['grant', 'r', 'read', '--range', 'a', 'b', 'c'], '--range takes two keys, START and END'],
    [['grant', 'r', 'read', '--range', '-', '-'], '--range is open at both ends; give --all'],
    [['grant', 'r', 'read', '--key', 'a', '--prefix', 'b'], 'cannot be used with'],
    [['grant', 'r', 'own', '--key', 'a'], 'Allowed choices are read, write, readwrite, admin'],
    [['revoke', 'r'], 'say which grant it is: --key, --prefix, --range, --all or --admin'],
    [['revoke', 'r', '--admin', '--all'], 'cannot be used with'],
  ])('are not changed by %j', async (args, message) => {
    const { code, stderr } = await kelp.run(['role', ...args]);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(await kelp.json('role', 'show', 'r')).toEqual([{ name: 'r', grants: [] }]);
  });

  test.each<[string[], string]>([
    [['role', 'show', 'x'], 'there is no role x'],
    [['role', 'delete', 'x'], 'there is no role x'],
    [['role', 'grant', 'x', 'read', '--all'], 'there is no role x'],
    [['role', 'revoke', 'r', '--all'], 'has no grant for exactly that'],
    [['role', 'create', 'r'], 'there is a role r already'],
  ])('%j is answered with no', async (args, message) => {
    const { code, stderr } = await kelp.run(args);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });
});

describe('tokens', () => {
  beforeEach(() => kelp.text('user', 'add', 'web', '--no-password'));

  test('print their secret alone, once, and are listed without it', async () => {
    const { code, stdout, stderr } = await kelp.run(['token', 'create', 'a', '--for', 'web']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'kelp: the token is shown this once; keep it in a file for --token-file, or in KELP_TOKEN\n',
    });
    expect(stdout).toMatch(/^[\w-]{43}\n$/);
    const made = await kelp.run(['token', 'add', 'b', '--for', 'web', '--ttl', '90d', '--json']);
    expect(made.stderr).toBe('');
    expect(jsonLines(made.stdout)).toEqual([
      { name: 'b', user: 'web', secret: expect.stringMatching(/^[\w-]{43}$/) },
    ]);
    const listed = await kelp.text('token', 'list');
    // So much is left of it by then, or a little less.
    expect(undated(listed).replace('89d 23h', '90d')).toBe(
      [
        'TOKEN  USER  MADE        EXPIRES',
        'a      web   YYYY-MM-DD  never',
        'b      web   YYYY-MM-DD  in 90d',
        '',
      ].join('\n'),
    );
    const json = await kelp.text('token', 'list', '--json');
    expect(jsonLines(json)).toMatchObject([{ name: 'a', user: 'web' }, { name: 'b' }]);
    expect(json + listed).not.toContain(stdout.trim());
    expect(await kelp.text('token', 'revoke', 'a')).toBe('revoked token a\n');
    expect(await kelp.json('token', 'list')).toHaveLength(1);
  });

  test.each<[string[], number]>([
    [['revoke', 'x'], 1],
    [['create', 'x', '--for', 'eve'], 1],
    [['create', 'x', '--ttl', '5'], 2],
    [['create', 'x y', '--for', 'web'], 2],
  ])('%j ends with %i', async (args, code) => {
    expect(await kelp.run(['token', ...args])).toMatchObject({ code, stdout: '' });
  });
});

test('making root closes access; what is made after needs a login', async () => {
  const made = await kelp.run(['user', 'add', 'root', '--password-stdin'], { stdin: 'secret' });
  expect(made).toMatchObject({
    stdout: 'made user root\n',
    stderr: 'kelp: access is closed from now on: every call needs credentials\n',
  });
  const refused = await kelp.run(['get', 'a']);
  expect(refused).toMatchObject({
    code: 4,
    stderr:
      'kelp: this server asks for a user and password, a token or a client certificate; log in with --user NAME, --token-file FILE or KELP_TOKEN\n',
  });
});

test('access that is held open is told', async () => {
  const { address, url } = await startTestServer();
  const { auth } = etcdClient(url);
  await auth.userAdd({ name: 'root', password: 'secret' });
  const anybody = new Kelp(address);
  const listed = await anybody.run(['user', 'list']);
  expect(listed.stdout).toContain('root  (may do everything)  yes');
  expect(listed.stderr).toBe(
    'kelp: access is held open (AuthDisable of the API of etcd): every client may do everything; etcdctl auth enable closes it\n',
  );
  expect(await anybody.json('whoami')).toEqual([{ user: '', roles: [], isClosed: false }]);
  const again = await anybody.run(['user', 'add', 'root', '--password-stdin'], { stdin: 'secret' });
  expect(again.stderr).toContain('access is held open: etcdctl auth enable closes it');
  await auth.userGrantRole({ user: 'root', role: 'root' });
  await auth.authEnable({});
  expect((await anybody.run(['user', 'list'])).code).toBe(4);
});

test('whoami tells the user and its roles', async () => {
  const { root, web, address } = await startClosedServer();
  expect(await web.text('whoami')).toBe('user   web\nroles  reader\n');
  expect(await web.json('whoami')).toEqual([{ user: 'web', roles: ['reader'], isClosed: true }]);
  expect(await root.text('whoami')).toBe('user   root\nroles  (may do everything)\n');
  expect(await root.text('user', 'list')).toContain(`root   (may do everything)  yes`);
  expect(await new Kelp(address).run(['whoami'])).toMatchObject({ code: 4, stdout: '' });
});

test('a user changes its own password, and no other', async () => {
  const { root, web } = await startClosedServer();
  const ofItself = await web.run(['user', 'password', '--password-stdin'], { stdin: 'of web' });
  expect(ofItself).toMatchObject({ code: 0, stdout: 'user web has a new password\n' });
  const file = join(await temporaryDirectory(), 'password');
  await writeFile(file, 'of web\n', { mode: 0o600 });
  const login = ['--user', 'web', '--password-file', file];
  expect(await web.text('whoami', ...login)).toContain('web');
  const ofAnother = await web.run(['user', 'password', 'root', '--password-stdin'], { stdin: 'mine' });
  expect(ofAnother).toMatchObject({ code: 4, stdout: '' });
  expect(await root.text('user', 'password', 'web', '--no-password')).toBe('user web has no password\n');
  const over = await web.run(['whoami', ...login]);
  expect(over.code).toBe(4);
  expect(over.stderr).toContain('(user web); log in with --user NAME');
});
