/** What commands say and leave behind where a right is missing, or the login ends under them. */
import { readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/test-server.ts';
import { Kelp, jsonLines } from '../kelp.ts';
import { ShellTerminal, keys } from '../shell/shell-terminal.ts';
import { type ClosedServer, startClosedServer } from './closed-server.ts';

let server: ClosedServer;
beforeEach(async () => {
  server = await startClosedServer();
});

const advice = 'kelp whoami tells your roles, kelp role show what one grants';

test('what is granted is done', async () => {
  const { web } = server;
  expect(await web.text('get', 'config/theme')).toBe('dark');
  expect(await web.text('scan', '--prefix', 'config/', '--keys-only')).toBe('config/theme\n');
  expect(await web.text('put', 'inbox/1', 'hello')).toMatch(/^revision/);
  expect(await web.text('export', '--prefix', 'config/')).toContain('"config/theme"');
});

test.each([
  [['get', 'other'], 'the user web may not read the key'],
  [['exists', 'config/theme', 'other'], 'may not read one of the keys'],
  [['scan'], 'may not read all keys of the range'],
  [['keys'], 'may not read'],
  [['put', 'config/theme', 'light'], 'may not write the key'],
  [['put', 'inbox/1', 'x', '--previous'], 'may not read the key'],
  [['incr', 'inbox/1'], 'may not read the key'],
  [['delete', '--prefix', 'config/'], 'may not write all keys of the range'],
  [['watch'], 'may not read all keys of the range'],
  [['export'], 'may not read all keys of the range'],
  [['top'], 'has no role that is admin'],
  [['snapshot'], 'has no role that is admin'],
  [['compact', '1'], 'has no role that is admin'],
  [['user', 'list'], 'has no role that is admin'],
  [['role', 'create', 'mine'], 'has no role that is admin'],
  [['token', 'list'], 'has no role that is admin'],
])('%j ends with 4 and says what is missing', async (args, message) => {
  const { code, stdout, stderr } = await server.web.run(args);
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr.endsWith(`; ${advice}\n`)).toBe(true);
  const json = await server.web.run([...args, '--json']);
  expect(json).toMatchObject({ code: 4, stdout: '' });
  expect(JSON.parse(json.stderr)).toMatchObject({
    error: { code: 'permission_denied', reason: 'PERMISSION_DENIED' },
  });
});

test('a lease that is lost since its login has ended is told as a refusal', async () => {
  const { web, root } = server;
  await web.text('lease', 'grant', '1s', '--id', '7');
  const { promise: isKept, resolve } = Promise.withResolvers<void>();
  const keeping = web.run(['lease', 'keep-alive', '7', '--json'], { onOutput: () => resolve() });
  await isKept;
  await root.text('token', 'revoke', 'of-web');
  const { code, stderr } = await keeping;
  expect(code).toBe(4);
  expect(JSON.parse(stderr)).toMatchObject({
    error: {
      code: 'unauthenticated',
      message: expect.stringMatching(/^lease 7 could not be renewed .* \(token of KELP_TOKEN\); log in with/),
    },
  });
});

test('an export or a backup that is refused leaves no file', async () => {
  const folder = await temporaryDirectory();
  expect(await server.web.run(['export', join(folder, 'all.jsonl')])).toMatchObject({ code: 4 });
  expect(await server.web.run(['export', join(folder, 'all.kelp')])).toMatchObject({ code: 4 });
  expect(await server.web.run(['backup', join(folder, 'all.backup')])).toMatchObject({ code: 4 });
  expect(readdirSync(folder)).toEqual([]);
});

test('an import stops at what it may not write, and says how far it came', async () => {
  const file = join(await temporaryDirectory(), 'in.jsonl');
  await writeFile(file, '{"key":"config/a","value":"1"}\n');
  const refused = await server.web.run(['import', file, '--on-conflict', 'replace']);
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain('the user web may not');
  expect(refused.stderr).toContain('nothing was imported');
});

test('stats without the right for what goes on tell how the store does', async () => {
  const { code, stdout, stderr } = await server.web.run(['stats']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^version .*\n/);
  expect(stdout).not.toContain('last ');
  expect(stderr).toBe('kelp: rates, busiest methods and keys are for users with a role that is admin\n');
  const json = await server.web.run(['stats', '--json']);
  expect(json.stderr).toBe('');
  expect(jsonLines(json.stdout)).toEqual([expect.objectContaining({ keyCount: 2 })]);
  const anybody = await new Kelp(server.address).run(['stats']);
  expect(anybody.code).toBe(4);
});

test('a watch ends when its login does', async () => {
  const { promise: isWatching, resolve } = Promise.withResolvers<void>();
  const watching = server.web.run(['watch', '--prefix', 'config/', '--json'], {
    onOutput: (text) => text.includes('"synced"') && resolve(),
  });
  await isWatching;
  await server.root.text('token', 'revoke', 'of-web');
  const { code, stderr } = await watching;
  expect(code).toBe(4);
  expect(JSON.parse(stderr)).toMatchObject({
    error: {
      code: 'unauthenticated',
      message: expect.stringMatching(/ \(token of KELP_TOKEN\); log in with --user NAME/),
    },
  });
});

describe('a shell', () => {
  test('says what is refused, and goes on', async () => {
    const stdin = 'WHOAMI\nGET other\nGET config/theme\nSNAPSHOT\nSTATS\n';
    const { code, stdout, stderr } = await server.web.run(['shell'], { stdin });
    expect(code).toBe(4);
    expect(stdout).toMatch(/^user {3}web\nroles {2}reader\ndark\nserver /);
    expect(stderr).toBe(
      `kelp: line 2: the user web may not read the key; ${advice}\n` +
        `kelp: line 4: this is for operators, and the user web has no role that is admin; ${advice}\n`,
    );
  });

  test('tells who is logged in as JSON', async () => {
    const { stdout } = await server.web.run(['shell', '--json'], { stdin: 'whoami\nget other\n' });
    expect(jsonLines(stdout)).toEqual([
      { user: 'web', roles: ['reader'], isClosed: true },
      { error: expect.objectContaining({ code: 'permission_denied' }) },
    ]);
  });

  test('of an embedded store has no login', async () => {
    const folder = await temporaryDirectory();
    const kelp = new Kelp(':1', { KELP_TOKEN: 'unused' });
    const args = ['shell', '--data-dir', join(folder, 'data')];
    expect(await kelp.run(args, { stdin: 'WHOAMI\n' })).toMatchObject({
      code: 0,
      stdout: 'An embedded store asks for no login\n',
    });
    const refused = await kelp.run([...args, '--user', 'alice']);
    expect(refused).toMatchObject({
      code: 2,
      stderr: 'kelp: --user is for a server; with --data-dir there is none\n',
    });
  });

  test('asks for the password, keeps no secret, and says how to log in when its login is over', async () => {
    const { root, address } = server;
    await root.run(['user', 'password', 'web', '--password-stdin'], { stdin: 'secret' });
    const state = await temporaryDirectory();
    const terminal = new ShellTerminal({
      args: ['shell', '--address', address, '--user', 'web'],
      environment: { XDG_STATE_HOME: state },
      columns: 200,
    });
    await terminal.until(({ cursor }) => cursor.line === 'Password of web:');
    // The line behind it is typed before there is a prompt for it.
    terminal.press(`secret${keys.enter}GET config/theme${keys.enter}`);
    await terminal.until(({ lines, cursor }) => lines.includes('dark') && cursor.line === 'kelp>');
    expect(await terminal.type('WHOAMI')).toEqual(['user   web', 'roles  reader']);
    expect(await terminal.type('GET other')).toEqual([`error: the user web may not read the key; ${advice}`]);
    expect(await terminal.type('AUTH web secret')).toEqual([
      'error: there is no AUTH: the shell logs in as it starts; EXIT, then kelp shell --user NAME or --token-file FILE',
    ]);
    await root.run(['user', 'password', 'web', '--password-stdin'], { stdin: 'another' });
    const [over = ''] = await terminal.type('GET config/theme');
    expect(over).toMatch(
      /^error: .*; log in with --user NAME, --token-file FILE or KELP_TOKEN; EXIT, and start the shell anew with one of them$/,
    );
    terminal.press(`EXIT${keys.enter}`);
    expect(await terminal.ended).toBe(0);
    const shown = terminal.screen.lines.filter((line) => !line.includes('AUTH web secret'));
    expect(shown.join('\n')).not.toContain('secret');
    const history = join(state, 'kelp', 'history');
    expect(readFileSync(history, 'utf8')).toBe(
      'GET config/theme\nWHOAMI\nGET other\nGET config/theme\nEXIT\n',
    );
  }, 120_000);
});
