/** Bytes that are not UTF-8 must not silently become another key, value or file. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { Kelp } from './kelp.ts';

let kelp: Kelp;
beforeEach(async () => {
  kelp = new Kelp((await startTestServer()).address);
  await kelp.text('put', 'a', '1');
});

const bad = 'x\ufffd';

test.each([
  [['get', bad], 'key'],
  [['exists', 'a', bad], 'keys'],
  [['keys', bad], 'pattern'],
  [['scan', '--prefix', bad], '--prefix'],
  [['scan', '--start', 'a', '--end', bad], '--end'],
  [['scan', `--start=${bad}`], '--start'],
  [['put', bad, '1'], 'key'],
  [['delete', bad], 'key'],
  [['delete', '--prefix', bad], '--prefix'],
  [['incr', bad], 'key'],
  [['touch', bad, '--ttl', '1h'], 'key'],
  [['watch', 'a', bad], 'keys'],
  [['watch', '--prefix', 'a', '--prefix', bad], '--prefix'],
])('%j is refused', async (args, name) => {
  expect(await kelp.run(args)).toEqual({
    code: 2,
    stdout: '',
    stderr: `kelp: ${name}: it holds bytes that are not UTF-8, or U+FFFD, which stands for them; ${name === 'pattern' ? 'a pattern is UTF-8 text' : 'give a key or name that is not UTF-8 in hexadecimal digits, with --hex-keys'}\n`,
    bytes: Buffer.of(),
  });
  expect(await kelp.text('keys')).toBe('a\n');
});

test('a value is refused with where to give it instead', async () => {
  const { code, stderr } = await kelp.run(['put', 'a', bad]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^kelp: value: .* on standard input, with - in its place, or with --file\n$/);
  await kelp.run(['put', 'a', '-'], { stdin: Buffer.from(bad) });
  expect(await kelp.text('get', 'a')).toBe(bad);
});

test('the bytes of a shell are seen as such', async () => {
  const main = resolve('src/cli/main.ts');
  const cwd = await temporaryDirectory();
  const run = (command: string) =>
    spawnSync('sh', ['-c', command, process.execPath, main], { cwd, encoding: 'utf8' });
  expect(run('"$0" "$1" put "$(printf \'\\377\')" v --address 127.0.0.1:1')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^kelp: key: it holds bytes/),
  });
  expect(run('"$0" "$1" serve --listen 127.0.0.1:0 --data-dir "$(printf \'\\377\')"')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^kelp: --data-dir: it holds bytes/),
  });
  expect(readdirSync(cwd)).toEqual([]);
});

test('a transaction that is not UTF-8 is refused', async () => {
  const transaction = Buffer.from('{"success": [{"put": {"key": "b?", "value": "1"}}]}');
  transaction[transaction.indexOf('?')] = 0xff;
  expect(await kelp.run(['txn', '-'], { stdin: transaction })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: 'kelp: standard input is not UTF-8 text\n',
  });
  const path = join(await temporaryDirectory(), 'txn.json');
  await writeFile(path, transaction);
  expect(await kelp.run(['txn', path])).toMatchObject({
    code: 2,
    stderr: `kelp: ${path} is not UTF-8 text\n`,
  });
  expect(await kelp.text('keys')).toBe('a\n');
});

test('a transaction may hold U+FFFD itself, but no half of a surrogate pair', async () => {
  const put = (value: string) => `{"success": [{"put": {"key": "${bad}", "value": "${value}"}}]}`;
  expect(await kelp.run(['txn', '-'], { stdin: put('\\ud800') })).toMatchObject({ code: 2, stdout: '' });
  expect(await kelp.run(['txn', '-'], { stdin: put(bad) })).toMatchObject({ code: 0 });
  expect(await kelp.json('get', '--json', 'a')).toHaveLength(1);
  expect(await kelp.text('keys')).toBe(`a\n${bad}\n`);
});
