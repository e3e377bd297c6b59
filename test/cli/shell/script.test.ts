/** The shell without a person: scripts, their output and their exit codes. */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openEmbeddedStore } from '../../../src/cli/shell/store/embedded-store.ts';
import { linesOf } from '../../../src/cli/shell/script.ts';
import { shell as limits } from '../../../src/limits.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { KelpProcess } from '../kelp-process.ts';
import { Kelp, jsonLines } from '../kelp.ts';
import { type RunScript, jsonReplies, replies, scriptsWith } from './shells.ts';

vi.setConfig({ testTimeout: 120_000 });

let kelp: Kelp;
let options: readonly string[];
let run: RunScript;
beforeEach(async () => {
  kelp = new Kelp(':1');
  options = ['--data-dir', join(await temporaryDirectory(), 'data')];
  run = scriptsWith(kelp, options);
});

test('all commands run, and the exit code is that of the first that failed', async () => {
  expect((await run(['SET a 1', 'GET a'])).code).toBe(0);
  expect(await run(['GET b', 'NONSENSE', 'GET a'])).toMatchObject({ code: 1, stdout: 'key not found\n1\n' });
  expect(await run(['NONSENSE', 'GET b', 'GET a'])).toMatchObject({ code: 2, stdout: 'key not found\n1\n' });
  expect((await run(['SET t x', 'INCR t', 'NONSENSE'])).code).toBe(4);
});

test('without a server the code says that it can not be reached', async () => {
  const server = await startTestServer();
  await server.stop();
  const { code, stderr } = await scriptsWith(new Kelp(server.address), [])(['GET a', 'GET b']);
  expect(code).toBe(3);
  expect(stderr).toMatch(/^kelp: line 1: .*\nkelp: line 2: .*\n$/);
});

test('EXIT ends a script, empty lines and comments do nothing, and lines may end as on Windows', async () => {
  const { stdout, code } = await run([
    '# a comment',
    '',
    '  ',
    'SET a 1\r',
    'GET a',
    'EXIT',
    'GET a',
    'NONSENSE',
  ]);
  expect(stdout).toBe('OK\n1\nGoodbye!\n');
  expect(code).toBe(0);
});

test('the last line needs no end, and there is no prompt', async () => {
  const outcome = await kelp.run(['shell', ...options], { stdin: 'SET a 1\nGET a' });
  expect(outcome).toMatchObject({ code: 0, stdout: 'OK\n1\n', stderr: '' });
});

test('with --json each command prints one line, also one that fails', async () => {
  const { stdout, stderr, code } = await run(
    ['SET a 1', 'GET a', 'GET b', 'NONSENSE', '', 'KEYS', 'INCR a', 'BEGIN', 'COMMIT', 'QUIT'],
    { isJson: true },
  );
  expect(jsonLines(stdout)).toEqual([
    { set: true },
    { entry: { key: 'a', value: '1', createRevision: 1, modRevision: 1, version: 1 } },
    {},
    {
      error: {
        code: 'invalid_argument',
        reason: 'INVALID_ARGUMENT',
        message: 'unknown command NONSENSE; HELP lists the commands',
      },
    },
    { keys: ['a'] },
    { value: '2' },
    { transaction: 'begun' },
    { transaction: 'committed' },
    { goodbye: true },
  ]);
  expect(stderr).toBe('');
  expect(code).toBe(1);
});

test('a list in JSON is one line, however many pages it has', async () => {
  const store = await openEmbeddedStore(options[1] ?? '');
  const success = Array.from({ length: 2500 }, (_, index) => ({
    kind: 'put' as const,
    key: `k${index}`,
    value: String(index),
  }));
  await store.txn({ success });
  await store[Symbol.asyncDispose]();
  const [listed, entries] = (await jsonReplies(run, 'KEYS k*', 'LIST')) as [
    { keys: string[] },
    { entries: { value: string }[] },
  ];
  expect(listed.keys.length).toBe(2500);
  expect(new Set(entries.entries.map(({ value }) => value)).size).toBe(2500);
});

test('bytes that are not UTF-8 are refused, since others would be written', async () => {
  const outcome = await kelp.run(['shell', ...options], {
    stdin: Buffer.from('SET a \xff\nGET a\n', 'latin1'),
  });
  expect(outcome.stderr).toContain('kelp: line 1: the line holds bytes that are not UTF-8');
  expect(outcome).toMatchObject({ code: 2, stdout: 'key not found\n' });
});

test('a line that is too long ends the script', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  let madeBytes = 0;
  const endless = (function* () {
    for (;;) {
      madeBytes += chunk.length;
      yield chunk;
    }
  })();
  const stdin = Readable.from(endless, { objectMode: false });
  const lines = linesOf(stdin, new AbortController().signal);
  await expect(lines.next()).rejects.toThrow(`more than ${limits.lineBytesMax} bytes`);
  expect(madeBytes).toBeLessThan(2 * limits.lineBytesMax);
  expect(stdin.destroyed).toBe(true);
});

describe('as a process', () => {
  test('a signal ends it, and the store is closed and can be opened again', async () => {
    const shell = new KelpProcess(['shell', ...options]);
    shell.child.stdin?.write('SET a 1\n');
    await shell.until(() => shell.stdout === 'OK\n');
    shell.child.kill('SIGTERM');
    const { code, stderr } = await shell.ended;
    expect(stderr).toBe('kelp: interrupted by SIGTERM\n');
    expect(code).toBe(143);
    expect(await replies(run, 'GET a')).toEqual(['1']);
  });

  test('EXIT ends it while its input is still open', async () => {
    const shell = new KelpProcess(['shell', ...options]);
    shell.child.stdin?.write('EXIT\n');
    expect(await shell.ended).toMatchObject({ code: 0, stdout: 'Goodbye!\n', stderr: '' });
  });

  test('a watch of a script tells what others change, line by line', async () => {
    const { address } = await startTestServer();
    const shell = new KelpProcess(['shell', '--address', address, '--json']);
    shell.child.stdin?.write('WATCH a*\n');
    await shell.until(() => shell.stdout.includes('\n'));
    await new Kelp(address).text('put', 'a1', 'x');
    await shell.until(() => jsonLines(shell.stdout).length === 2);
    shell.child.stdin?.end('UNWATCH\n');
    const { code, stdout } = await shell.ended;
    expect(jsonLines(stdout)).toMatchObject([
      { watching: 'a*' },
      { watch: 'a*', kind: 'events', events: [{ type: 'put', entry: { key: 'a1', value: 'x' } }] },
      { ended: ['a*'] },
    ]);
    expect(code).toBe(0);
  });
});
