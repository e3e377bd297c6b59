/** Passwords and tokens from files, variables and standard input: what is sent, and what is refused. */
import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readCreateUserRequest } from '../../../gen/kelp/v1/access_codec.ts';
import { fixed } from '../../../src/limits.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { Kelp } from '../kelp.ts';
import { basic, startFakeServer } from './fake-server.ts';

async function secretFile(content: string | Uint8Array, mode = 0o600): Promise<string> {
  const path = join(await temporaryDirectory(), 'secret');
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

const TOKEN = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I';

test.each([
  ['secret', 'secret'],
  ['secret\n', 'secret'],
  ['secret\r\n', 'secret'],
  ['secret\n\n', 'secret\n'],
  [' two  words ', ' two  words '],
  ['s\u00e4cret\n', 's\u00e4cret'],
])('the password in a file with %j is %j', async (content, password) => {
  const server = await startFakeServer();
  const kelp = new Kelp(server.address);
  const file = await secretFile(content);
  expect(await kelp.run(['keys', '--user', 'alice', '--password-file', file])).toMatchObject({
    stderr: '',
  });
  const environment = { KELP_USER: 'alice', KELP_PASSWORD_FILE: file };
  await kelp.run(['keys'], { environment });
  const expected = basic('alice', password);
  expect(server.calls.map(({ authorization }) => authorization)).toEqual([expected, expected]);
});

test('a token comes from a file or a variable, and the options go before', async () => {
  const server = await startFakeServer();
  const kelp = new Kelp(server.address);
  const file = await secretFile(`${TOKEN}\n`);
  await kelp.run(['keys', '--token-file', file], { environment: { KELP_TOKEN: 'other' } });
  await kelp.run(['keys'], { environment: { KELP_TOKEN_FILE: file } });
  await kelp.run(['keys'], { environment: { KELP_TOKEN: TOKEN } });
  const bearer = `Bearer ${TOKEN}`;
  expect(server.calls.map(({ authorization }) => authorization)).toEqual([bearer, bearer, bearer]);
  const password = await secretFile('secret');
  await kelp.run(['keys', '--user', 'alice', '--password-file', password], {
    environment: { KELP_TOKEN: TOKEN },
  });
  expect(server.calls.at(-1)?.authorization).toBe(basic('alice', 'secret'));
});

test('a pipe that can be read once is a file, too', async () => {
  const server = await startFakeServer({ refuses: true });
  const kelp = `'${process.execPath}' src/cli/main.ts keys --address ${server.address}`;
  const script = `echo ${TOKEN} | ${kelp} --token-file /dev/stdin`;
  const failed = (error: { code: number }): { code: number } => error;
  const outcome = await promisify(execFile)('sh', ['-c', script]).catch(failed);
  expect(outcome).toMatchObject({ code: 4 });
  expect(server.calls.map(({ authorization }) => authorization)).toEqual([`Bearer ${TOKEN}`]);
});

test('a file is read again when what it held is refused', async () => {
  const server = await startFakeServer({ refuses: true });
  const file = await secretFile('first');
  server.onCall = () => writeFile(file, 'second');
  const { code } = await new Kelp(server.address).run(['keys', '--token-file', file]);
  expect(code).toBe(4);
  const tokens = server.calls.map(({ authorization }) => authorization);
  expect(tokens).toEqual(['Bearer first', 'Bearer second']);
});

test('a file that others may read is told, and used', async () => {
  const server = await startFakeServer();
  const kelp = new Kelp(server.address);
  const file = await secretFile(TOKEN, 0o644);
  const { stderr } = await kelp.run(['keys', '--token-file', file]);
  expect(stderr).toBe(`kelp: --token-file: every user of this machine may read ${file}; chmod 600 it\n`);
  expect(server.calls).toHaveLength(1);
  expect(await kelp.run(['keys', '--json', '--token-file', file])).toMatchObject({ stderr: '' });
});

test.each<[string, string | Uint8Array, string]>([
  ['is empty', '', 'is empty'],
  ['holds a line break alone', '\n', 'is empty'],
  [
    'is too long',
    'x'.repeat(fixed.passwordBytesMax + 1),
    `holds more than ${fixed.passwordBytesMax} bytes, the longest password`,
  ],
  ['is not UTF-8', Uint8Array.of(0xff, 0xfe), 'is not UTF-8 text'],
])('a file that %s is refused before any call', async (_, content, message) => {
  const server = await startFakeServer();
  const kelp = new Kelp(server.address);
  const file = await secretFile(content);
  for (const args of [
    ['--token-file', file],
    ['--user', 'alice', '--password-file', file],
  ]) {
    const kind = args[0] === '--token-file' ? 'token' : 'password';
    const { code, stderr } = await kelp.run(['keys', ...args]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `kelp: ${args.at(-2)}: ${file} ${message}; it must hold the ${kind} and nothing else\n`,
    });
  }
  expect(server.calls).toEqual([]);
});

test('what is no token is refused without showing it', async () => {
  const kelp = new Kelp('127.0.0.1:1');
  const file = await secretFile('two words\n');
  const message = 'holds no token; a token is one word, as kelp token create prints it';
  expect(await kelp.run(['keys', '--token-file', file])).toMatchObject({
    code: 2,
    stderr: `kelp: --token-file: ${file} ${message}\n`,
  });
  expect(await kelp.run(['keys'], { environment: { KELP_TOKEN: 'two words' } })).toMatchObject({
    code: 2,
    stderr: `kelp: KELP_TOKEN ${message}\n`,
  });
});

test.each(['--token-file', '--password-file'])('a %s that is not there is named', async (option) => {
  const { code, stderr } = await new Kelp('127.0.0.1:1').run([
    'keys',
    ...(option === '--password-file' ? ['--user', 'alice'] : []),
    option,
    '/no/such',
  ]);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `kelp: ${option}: can't read /no/such: ENOENT: no such file or directory\n`,
  });
});

test('a new password is read from standard input to its end', async () => {
  const server = await startFakeServer();
  const kelp = new Kelp(server.address);
  await kelp.run(['user', 'add', 'bob', '--password-stdin'], { stdin: 'sec\nret\r\n' });
  await kelp.run(['user', 'add', 'bob', '--no-password']);
  const passwords = server.calls.map(
    ({ message }) => readCreateUserRequest(message, 0, message.length).password,
  );
  expect(passwords).toEqual(['sec\nret', '']);
  for (const [stdin, message] of [
    ['\n', 'is empty'],
    ['x'.repeat(100_000), `holds more than ${fixed.passwordBytesMax} bytes, the longest password`],
  ] as const) {
    expect(await kelp.run(['user', 'add', 'bob', '--password-stdin'], { stdin })).toMatchObject({
      code: 2,
      stderr: `kelp: standard input ${message}; it must hold the password and nothing else\n`,
    });
  }
  expect(server.calls).toHaveLength(2);
});

test('a login that is refused says which it is and how to log in, and never the secret', async () => {
  const server = await startFakeServer({ refuses: true });
  const kelp = new Kelp(server.address);
  const advice = 'log in with --user NAME, --token-file FILE or KELP_TOKEN';
  const file = await secretFile(TOKEN);
  for (const [args, environment, login] of [
    [[], {}, ''],
    [[], { KELP_TOKEN: TOKEN }, ' (token of KELP_TOKEN)'],
    [['--token-file', file], {}, ` (token of ${file})`],
    [['--user', 'alice', '--password-file', file], {}, ' (user alice)'],
  ] as const) {
    const message = `no${login}; ${advice}`;
    expect(await kelp.run(['keys', ...args], { environment })).toMatchObject({
      code: 4,
      stdout: '',
      stderr: `kelp: ${message}\n`,
    });
    const json = await kelp.run(['keys', '--json', ...args], { environment });
    expect(JSON.parse(json.stderr)).toEqual({
      error: { code: 'unauthenticated', reason: 'UNAUTHENTICATED', message },
    });
  }
});

test('what is no name of a user with a password is told of the user, before a password is read', async () => {
  const kelp = new Kelp('127.0.0.1:1');
  for (const [name, why] of [
    ['a:b', 'has a colon, which no user with a password has in its name'],
    ['a b', 'has a space or a control character, which no name of a user has'],
  ] as const) {
    for (const [args, environment] of [
      [['--user', name, '--password-file', 'no-file'], {}],
      [['--user', name], {}],
      [[], { KELP_USER: name }],
    ] as const) {
      const outcome = await kelp.run(['get', 'a', ...args], { environment });
      expect(outcome).toMatchObject({ code: 2, stderr: `kelp: the user to log in as ${why}\n` });
    }
  }
});

test('secrets that are typed as arguments are not repeated', async () => {
  const kelp = new Kelp('127.0.0.1:1');
  for (const args of [
    ['user', 'add', 'bob', 'hunter2'],
    ['user', 'password', 'bob', 'hunter2'],
    ['get', 'a', '--password=hunter2'],
    ['get', 'a', '--token=hunter2'],
    ['get', 'a', '--password', 'hunter2'],
    ['get', 'a', '--tokn-file=hunter2'],
  ]) {
    for (const more of [[], ['--json']]) {
      const { code, stdout, stderr } = await kelp.run([...args, ...more]);
      expect({ code, stdout }, args.join(' ')).toEqual({ code: 2, stdout: '' });
      expect(stderr, args.join(' ')).not.toContain('hunter2');
    }
  }
});

test('a login does not leave the machine in plain text unless that is asked for', async () => {
  const kelp = new Kelp('192.0.2.1:7379');
  const refused = await kelp.run(['keys', '--user', 'alice']);
  expect(refused).toMatchObject({
    code: 2,
    stderr:
      'kelp: the login would go to http://192.0.2.1:7379 in plain text, which everyone on the way can read; use --tls, or allow it with --allow-plaintext-login\n',
  });
  for (const more of [['--tls'], ['--allow-plaintext-login']]) {
    // Comes as far as to the question for the password.
    const { stderr } = await kelp.run(['keys', '--user', 'alice', ...more]);
    expect(stderr).toMatch(/^kelp: there is no terminal to ask/);
  }
});

test('a client certificate needs TLS, and its key', async () => {
  const file = await secretFile('pem');
  const plain = await new Kelp('127.0.0.1:1').run(['keys', '--tls-client-cert', file]);
  expect(plain).toMatchObject({
    code: 2,
    stderr: 'kelp: --tls-client-cert is for TLS; add --tls, or https:// to the address\n',
  });
  const keyless = await new Kelp('https://127.0.0.1:1').run(['keys', '--tls-client-cert', file]);
  expect(keyless).toMatchObject({
    code: 2,
    stderr:
      'kelp: --tls-client-cert needs a --tls-client-key beside it: a certificate logs in with its key\n',
  });
});
