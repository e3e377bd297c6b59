/** Passwords that are asked for: the real command in a pseudo-terminal. */
import { expect, test, vi } from 'vitest';
import { readCreateUserRequest } from '../../../gen/kelp/v1/access_codec.ts';
import { KelpTerminal } from '../kelp-terminal.ts';
import { KelpProcess } from '../kelp-process.ts';
import { type FakeServer, basic, startFakeServer } from './fake-server.ts';

// Processes of their own, one after the other.
vi.setConfig({ testTimeout: 120_000 });

/** What `stty -g` says before the command and after it. */
function settings({ output }: KelpTerminal): { before: string | undefined; after: string | undefined } {
  const lines = output.split(/\r?\n/).filter((line) => /^[0-9a-f:]{20,}$/.test(line));
  return { before: lines[0], after: lines[1] };
}

/** A command of user alice, when it asks for the password. */
async function asked(server: FakeServer, ...args: string[]): Promise<KelpTerminal> {
  const terminal = new KelpTerminal([...args, '--user', 'alice', '--address', server.address]);
  await terminal.until((output) => output.includes('Password of alice: '));
  return terminal;
}

async function ended(terminal: KelpTerminal): Promise<string> {
  await terminal.ended;
  const { before, after } = settings(terminal);
  expect(before).toBeDefined();
  expect(after).toBe(before);
  return terminal.output;
}

test('the password is asked for once, before the first call, and is not seen', async () => {
  const server = await startFakeServer();
  const terminal = await asked(server, 'keys');
  expect(server.calls).toEqual([]);
  terminal.press('wrong\u0015s\u00e4creX\u007ft\r');
  const output = await ended(terminal);
  expect(output).not.toMatch(/wrong|\u00e4/);
  expect(output.split('Password of alice').length - 1).toBe(1);
  expect(server.calls.map(({ authorization }) => authorization)).toEqual([basic('alice', 's\u00e4cret')]);
});

test('what is pasted at once, with the line break, is one password', async () => {
  const server = await startFakeServer();
  const terminal = await asked(server, 'keys');
  terminal.press('correct horse battery staple\r');
  expect(await ended(terminal)).not.toContain('horse');
  expect(server.calls[0]?.authorization).toBe(basic('alice', 'correct horse battery staple'));
});

test.each([
  ['Ctrl-C', 'abc\u0003', 'kelp: interrupted by SIGINT', 130],
  ['Ctrl-D alone', '\u0004', 'kelp: no password was typed', 2],
  ['Enter alone', '\r', 'kelp: no password was typed', 2],
])('%s calls nothing and leaves the terminal as it was', async (_, keys, message, code) => {
  const server = await startFakeServer();
  const terminal = await asked(server, 'keys');
  terminal.press(keys);
  const output = await ended(terminal);
  expect(output).toContain(message);
  expect(output).toContain(`code ${code}`);
  expect(output).not.toContain('abc');
  expect(server.calls).toEqual([]);
});

test('behind the question the terminal is as it was: Ctrl-C ends the call', async () => {
  const server = await startFakeServer();
  const { promise: isCalled, resolve } = Promise.withResolvers<void>();
  server.onCall = () => {
    resolve();
    return new Promise(() => undefined);
  };
  const terminal = await asked(server, 'keys');
  terminal.press('secret\r');
  await isCalled;
  terminal.press('\u0003');
  // The shell that runs the command is interrupted with it.
  expect(await terminal.ended).toBe(130);
});

test('a new password is asked for twice', async () => {
  const server = await startFakeServer();
  const terminal = new KelpTerminal(['user', 'add', 'bob', '--role', 'r', '--address', server.address]);
  await terminal.until((output) => output.includes('Password for bob: '));
  terminal.press('secret\r');
  await terminal.until((output) => output.includes('Password for bob once more: '));
  terminal.press('secret\r');
  const output = await ended(terminal);
  expect(output).toContain('made user bob, roles r');
  expect(output).not.toContain('secret');
  const [{ method, message }] = server.calls as [FakeServer['calls'][number]];
  expect(method).toBe('AccessService/CreateUser');
  expect(readCreateUserRequest(message, 0, message.length)).toEqual({
    name: 'bob',
    password: 'secret',
    roles: ['r'],
  });
});

test('a new password that is typed in two ways changes nothing', async () => {
  const server = await startFakeServer();
  const terminal = new KelpTerminal(['user', 'add', 'bob', '--address', server.address]);
  await terminal.until((output) => output.includes('Password for bob: '));
  // The second may be typed before it is asked for.
  terminal.press('secret\rsacret\r');
  const output = await ended(terminal);
  expect(output).toContain('kelp: the two are not the same; nothing was changed');
  expect(output).not.toMatch(/s.cret/);
  expect(server.calls).toEqual([]);
});

test('without a terminal the command says how else to give a password', async () => {
  const kelp = new KelpProcess(['get', 'a', '--user', 'alice', '--address', '127.0.0.1:1']);
  kelp.child.stdin?.end('secret\n');
  expect(await kelp.ended).toMatchObject({
    code: 2,
    stdout: '',
    stderr:
      'kelp: there is no terminal to ask for the password of alice; give it with --password-file FILE, or use a token\n',
  });
  const adding = new KelpProcess(['user', 'add', 'bob', '--address', '127.0.0.1:1']);
  adding.child.stdin?.end('secret\n');
  expect((await adding.ended).stderr).toBe(
    'kelp: there is no terminal to ask for the password for bob; give it with --password-stdin, or --no-password for none\n',
  );
});
