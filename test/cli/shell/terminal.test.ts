/** The shell with a person in front of it: the real command in a pseudo-terminal. */
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { ShellTerminal, keys } from './shell-terminal.ts';

// Processes of their own, one after the other.
vi.setConfig({ testTimeout: 120_000 });

test('a golden session with an embedded store', async () => {
  const folder = await temporaryDirectory();
  const terminal = new ShellTerminal({ args: ['shell', '--data-dir', './data'], cwd: folder });
  await terminal.prompted();
  expect(terminal.screen.lines).toEqual(['KelpDB, ./data. HELP lists the commands, EXIT leaves.', 'kelp>']);
  expect(await terminal.type('SET foo bar')).toEqual(['OK']);
  expect(await terminal.type('get foo')).toEqual(['bar']);
  expect(await terminal.type('DELETE foo')).toEqual(['Deleted foo']);
  expect(await terminal.type('GET foo')).toEqual(['key not found']);
  expect(await terminal.type('GTE foo')).toEqual(['error: unknown command GTE (did you mean GET?)']);
  expect(await terminal.type('SNAPSHOT store.backup')).toEqual(['Saved snapshot to store.backup']);
  terminal.press(`QUIT${keys.enter}`);
  expect(await terminal.ended).toBe(0);
  expect(terminal.screen.lines.slice(-3)).toEqual(['kelp> QUIT', 'Goodbye!', '']);
  expect(statSync(join(folder, 'store.backup')).size).toBeGreaterThan(0);
});

test('kelp alone on a terminal is a shell, and Ctrl-D leaves it', async () => {
  const { address } = await startTestServer();
  const terminal = new ShellTerminal({ args: ['--address', address] });
  await terminal.prompted();
  terminal.press(keys.endOfInput);
  expect(await terminal.ended).toBe(0);
  expect(terminal.screen.lines).toEqual([
    `KelpDB, ${address}. HELP lists the commands, EXIT leaves.`,
    'kelp>',
    'Goodbye!',
    '',
  ]);
});

async function shellWithServer(columns = 80) {
  const { address } = await startTestServer();
  const client = createClient({ address });
  const state = await temporaryDirectory();
  const open = async (): Promise<ShellTerminal> => {
    const terminal = new ShellTerminal({
      args: ['shell', '--address', address],
      environment: { XDG_STATE_HOME: state },
      columns,
    });
    await terminal.prompted();
    return terminal;
  };
  return { client, state, address, open, terminal: await open() };
}

test('a line is edited in its middle', async () => {
  const { terminal, client } = await shellWithServer();
  expect(await terminal.type(`SET fo bar${keys.left.repeat(4)}o`)).toEqual(['OK']);
  expect((await client.get('foo')).entry?.text()).toBe('bar');
  client.close();
});

test('Ctrl-C clears the line and does not run it', async () => {
  const { terminal, client } = await shellWithServer();
  terminal.press('SET foo 1');
  await terminal.until(({ cursor }) => cursor.line === 'kelp> SET foo 1');
  terminal.press(keys.interrupt);
  await terminal.prompted();
  expect(terminal.screen.lines.slice(-2)).toEqual(['kelp> SET foo 1^C', 'kelp>']);
  expect(await terminal.type('GET foo')).toEqual(['key not found']);
  client.close();
});

test('Ctrl-C clears a line of several rows', async () => {
  const { terminal, client } = await shellWithServer(20);
  terminal.press('SET foo 123456789 123456789 123456789');
  await terminal.until(({ cursor }) => cursor.line.endsWith('789') && cursor.column < 20);
  await terminal.until(({ lines }) => lines.slice(-3).join('').endsWith('123456789 123456789 123456789'));
  terminal.press(keys.left.repeat(30) + keys.interrupt);
  await terminal.prompted();
  expect(terminal.screen.lines.slice(-4)).toEqual([
    'kelp> SET foo 123456',
    '789 123456789 123456',
    '789^C',
    'kelp>',
  ]);
  client.close();
});

test('the history is kept for the next shell, but for lines behind a blank', async () => {
  const { terminal, open, state, client } = await shellWithServer();
  await terminal.type('SET a 1');
  await terminal.type(' SET secret 2');
  terminal.press(keys.endOfInput);
  await terminal.ended;
  const path = join(state, 'kelp', 'history');
  expect(readFileSync(path, 'utf8')).toBe('SET a 1\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const next = await open();
  next.press(keys.up);
  await next.until(({ cursor }) => cursor.line === 'kelp> SET a 1');
  client.close();
});

test('a watch prints above the line that is being typed', async () => {
  const { terminal, client } = await shellWithServer();
  expect(await terminal.type('WATCH user:*')).toEqual(['Watching user:*']);
  terminal.press('SET other val');
  await terminal.until(({ cursor }) => cursor.line === 'kelp> SET other val');
  terminal.press(keys.left.repeat(2));
  await terminal.until(({ cursor }) => cursor.column === 'kelp> SET other v'.length);
  await client.put('user:1', 'Alice');
  await terminal.until(({ lines, cursor }) => lines.length === 5 && cursor.line !== '');
  expect(terminal.screen.lines.slice(-3)).toEqual([
    'Watching user:*',
    'watch  1  put      user:1  "Alice"',
    'kelp> SET other val',
  ]);
  expect(terminal.screen.cursor.column).toBe('kelp> SET other v'.length);
  terminal.press(`XX${keys.enter}`);
  await terminal.prompted();
  expect((await client.get('other')).entry?.text()).toBe('vXXal');
  expect(await terminal.type('UNWATCH')).toEqual(['OK']);
  client.close();
});

test('a watch prints above a line of several rows', async () => {
  const { terminal, client } = await shellWithServer(40);
  await terminal.type('WATCH a');
  terminal.press('SET other 123456789 123456789 123456789 123456789 123456789');
  await terminal.until(({ lines }) => lines.at(-1) === '56789 123456789 123456789');
  terminal.press(keys.left.repeat(40));
  // Of the 65 characters 40 stand in the first row.
  const column = 65 - 40;
  await terminal.until(({ cursor }) => cursor.line.startsWith('kelp> SET') && cursor.column === column);
  await client.put('a', '1');
  await terminal.until(
    ({ lines, cursor }) => lines.includes('watch  1  put      a  "1"') && cursor.column === column,
  );
  expect(terminal.screen.lines.slice(-3)).toEqual([
    'watch  1  put      a  "1"',
    'kelp> SET other 123456789 123456789 1234',
    '56789 123456789 123456789',
  ]);
  // Also with the cursor in the last row.
  terminal.press(keys.end);
  await terminal.until(({ cursor }) => cursor.column === 25 && cursor.line.startsWith('56789'));
  await client.put('a', '2');
  await terminal.until(
    ({ lines, cursor }) => lines.includes('watch  2  put      a  "2"') && cursor.line.startsWith('56789'),
  );
  expect(terminal.screen.lines.slice(-4)).toEqual([
    'watch  1  put      a  "1"',
    'watch  2  put      a  "2"',
    'kelp> SET other 123456789 123456789 1234',
    '56789 123456789 123456789',
  ]);
  client.close();
});

test('commands and keys are completed, keys in quotes where they need them', async () => {
  const { terminal, client } = await shellWithServer();
  for (const key of ['user:alice', 'user:bob', 'two words']) await client.put(key, key);
  await terminal.edit('ge', 'ge');
  await terminal.edit(keys.tab, 'get ');
  await terminal.edit('us', 'get us');
  await terminal.edit(keys.tab, 'get user:');
  await terminal.edit('a', 'get user:a');
  await terminal.edit(keys.tab, 'get user:alice ');
  expect(await terminal.type('')).toEqual(['user:alice']);
  await terminal.edit('GET t', 'GET t');
  await terminal.edit(keys.tab, "GET 'two words' ");
  expect(await terminal.type('')).toEqual(['two words']);
  await terminal.edit('DEL user:', 'DEL user:');
  // The first one rings: there are several, and no more that they have in common.
  terminal.press(keys.tab);
  await terminal.until(({ bellCount }) => bellCount === 1);
  terminal.press(keys.tab);
  await terminal.until(
    ({ lines, cursor }) =>
      cursor.line === 'kelp> DEL user:' && lines.some((line) => /^user:alice +user:bob$/.test(line)),
  );
  client.close();
});

test('lines that are pasted run one after the other, each with its reply', async () => {
  const { terminal, client } = await shellWithServer();
  terminal.press('SET a 1\rGET a\rINCR a\rGET');
  await terminal.until(({ cursor }) => cursor.line === 'kelp> GET');
  expect(terminal.screen.lines.slice(1)).toEqual([
    'kelp> SET a 1',
    'OK',
    'kelp> GET a',
    '1',
    'kelp> INCR a',
    '2',
    'kelp> GET',
  ]);
  client.close();
});

test('what was pasted before Ctrl-D runs, and an open transaction is told of', async () => {
  const folder = await temporaryDirectory();
  const terminal = new ShellTerminal({ args: ['shell', '--data-dir', 'data'], cwd: folder });
  await terminal.prompted();
  terminal.press(`SET a 1\rGET a\rBEGIN\rSET a 2\r${keys.endOfInput}`);
  expect(await terminal.ended).toBe(0);
  expect(terminal.screen.lines.slice(1)).toEqual([
    'kelp> SET a 1',
    'OK',
    'kelp> GET a',
    '1',
    'kelp> BEGIN',
    'OK',
    'kelp (transaction)> SET a 2',
    'OK',
    'The open transaction is dropped: nothing of it was written.',
    'Goodbye!',
    '',
  ]);
});

test('the terminal may go while keys are looked for', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const codeFile = join(await temporaryDirectory(), 'code');
  const terminal = new ShellTerminal({ args: ['shell', '--address', `127.0.0.1:${port}`], codeFile });
  await terminal.prompted();
  await terminal.edit('GET ', 'GET ');
  const connected = once(silent, 'connection');
  terminal.press(keys.tab);
  const [socket] = (await connected) as [Socket];
  onTestFinished(() => void socket.destroy());
  terminal.hangUp();
  await eventually(() => existsSync(codeFile) && readFileSync(codeFile, 'utf8')).toBe('129\n');
});

test('the shell outlives its server: a command fails, a watch and the next command find the next server', async () => {
  const server = await startTestServer();
  const { address, dataDir } = server;
  const terminal = new ShellTerminal({ args: ['shell', '--address', address] });
  await terminal.prompted();
  expect(await terminal.type('SET a 1')).toEqual(['OK']);
  expect(await terminal.type('WATCH a')).toEqual(['Watching a']);
  terminal.press('GET');
  await terminal.until(({ cursor }) => cursor.line === 'kelp> GET');
  await server.stop();
  await terminal.until(
    ({ lines, cursor }) =>
      cursor.line === 'kelp> GET' && lines.some((line) => /^watch {2}a: .*; connecting again/.test(line)),
  );
  const [reply = '', ...more] = await terminal.type(' a');
  expect(more.filter((line) => /^(?:error|watch)/.test(line))).toEqual([]);
  expect(reply).toMatch(/^error: .*127\.0\.0\.1/);
  const next = await startTestServer({ flags: { listen: address, 'data-dir': dataDir } });
  await terminal.until(
    ({ lines, cursor }) => cursor.line === 'kelp>' && lines.includes('watch  a: connected again'),
  );
  expect(await terminal.type('GET a')).toEqual(['1']);
  const client = createClient({ address: next.address });
  await client.put('a', '2');
  await terminal.until(({ lines }) => lines.includes('watch  2  put      a  "2"'));
  client.close();
});

test('Ctrl-C gives up a command that does not answer', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const terminal = new ShellTerminal({
    args: ['shell', '--address', `127.0.0.1:${port}`, '--timeout', '1h'],
  });
  await terminal.prompted();
  const connected = once(silent, 'connection');
  const replied = terminal.type('GET a');
  const [socket] = (await connected) as [Socket];
  onTestFinished(() => void socket.destroy());
  terminal.press(keys.interrupt);
  expect(await replied).toEqual([
    'error: given up; a change that was under way may have been made all the same',
  ]);
  terminal.press(keys.endOfInput);
  expect(await terminal.ended).toBe(0);
});

test('when the terminal goes away the shell closes its store and ends', async () => {
  const folder = await temporaryDirectory();
  const codeFile = join(folder, 'code');
  const terminal = new ShellTerminal({ args: ['shell', '--data-dir', 'data'], cwd: folder, codeFile });
  await terminal.prompted();
  await terminal.type('SET a 1');
  terminal.hangUp();
  await eventually(() => existsSync(codeFile) && readFileSync(codeFile, 'utf8')).toBe('129\n');
});

test('a terminal without any abilities has a prompt and replies', async () => {
  const { address } = await startTestServer();
  const terminal = new ShellTerminal({
    args: ['shell', '--address', address],
    environment: { TERM: 'dumb' },
  });
  await terminal.prompted();
  expect(await terminal.type('SET a 1')).toContain('OK');
  terminal.press(keys.endOfInput);
  expect(await terminal.ended).toBe(0);
});
