/** `kelp export` and `kelp import`: what they print, how they end, and what a signal or a kill leaves. */
import { execFileSync } from 'node:child_process';
import { open, readFile, readdir, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { openStore } from '../../src/index.ts';
import { type TestServer, startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { Kelp, jsonLines } from './kelp.ts';
import { KelpProcess } from './kelp-process.ts';

let server: TestServer;
let kelp: Kelp;
let folder: string;

beforeEach(async () => {
  server = await startTestServer();
  kelp = new Kelp(server.address);
  folder = await temporaryDirectory();
});

function linesOf(from: number, to: number): string {
  let lines = '';
  for (let index = from; index < to; index++) lines += `{"key":"key${index}","value":"${index}"}\n`;
  return lines;
}

describe('export', () => {
  test('to standard output is JSON Lines unless told otherwise, and nothing else', async () => {
    await kelp.text('put', 'user/1', 'Alice');
    await kelp.text('put', 'other', 'x');
    for (const args of [
      ['export', '--prefix', 'user/'],
      ['export', '-', '--prefix', 'user/', '--json'],
    ]) {
      expect(await kelp.run(args)).toMatchObject({
        code: 0,
        stdout: '{"key":"user/1","value":"Alice"}\n',
        stderr: '',
      });
    }
    const { stdout } = await kelp.run(['export', '--format', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, data: { other: 'x', 'user/1': 'Alice' } });
    expect(await kelp.text('export', '--revision', '1')).toBe('{"key":"user/1","value":"Alice"}\n');
    // With an engine on disk it is a backup, which shortens history.
    expect((await kelp.run(['export', '--format', 'binary'])).bytes.subarray(0, 8).toString()).toBe(
      'KELPSNP1',
    );
    expect(await kelp.text('export', '--hex-keys', '--prefix', '6f')).toBe('{"key":"other","value":"x"}\n');
  });

  test('to a file says what is in it', async () => {
    await kelp.text('put', 'a', '1');
    const path = join(folder, 'keys.json');
    expect(await kelp.text('export', path)).toMatch(/^revision 1, 1 key, \d+ B\n$/);
    expect(await kelp.run(['export', path])).toMatchObject({
      code: 2,
      stderr: `kelp: ${path} exists; an export overwrites a file only with overwrite (kelp export --force)\n`,
    });
    const { size } = Object.fromEntries([['size', (await readFile(path)).length]]);
    expect(await kelp.json('export', path, '--force')).toEqual([
      { format: 'json', bytes: size, revision: 1, entryCount: 1, leasedCount: 0, collectionCount: 0 },
    ]);
  });

  test('tells of the keys of leases that it leaves out', async () => {
    const [lease] = (await kelp.json('lease', 'grant', '60s')) as { leaseId: number }[];
    await kelp.text('put', 'lock', 'mine', '--lease', String(lease?.leaseId));
    expect(await kelp.run(['export'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'kelp: 1 key of leases left out; kelp backup holds leases and their keys\n',
    });
  });

  test('to a terminal escapes what could do it harm, and stays what it is', async () => {
    await kelp.text('put', 'a\u009b', '\u202e\u007f é\n');
    const { stdout } = await kelp.run(['export'], { isTerminal: true });
    expect(stdout).toBe('{"key":"a\\u009b","value":"\\u202e\\u007f é\\n"}\n');
    expect(JSON.parse(stdout)).toEqual({ key: 'a\u009b', value: '\u202e\u007f é\n' });
    expect(await kelp.run(['export', '--format', 'binary'], { isTerminal: true })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is no text') as string,
    });
  });

  test.each([
    [['export', 'keys'], /the name keys does not tell the form/],
    [['export', '--format', 'xml'], /Allowed choices are jsonl, json, binary/],
    [['export', '--prefix', ''], /--prefix is empty/],
    [['export', '--ttl', 'remaining', '--format', 'binary'], /ttl: a snapshot file/],
    [['export', '--data-dir', '/none', '--address', ':1'], /kelp export has no option --address/],
    [['export', '--data-dir', '/none/at/all'], /there is no store in \/none\/at\/all/],
    [['import', '/none/keys.json'], /can't read \/none\/keys.json: ENOENT/],
    [['import', '--on-conflict', 'ask'], /Allowed choices are fail, skip, replace/],
  ])('%j is refused', async (args, message) => {
    expect(await kelp.run(args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) as string });
  });

  test('whose reader has had enough ends without a word', async () => {
    await kelp.run(['import'], { stdin: linesOf(0, 20_000) });
    const process = new KelpProcess(['export'], { environment: { KELP_ADDRESS: server.address } });
    await process.until(() => process.stdout.length > 0);
    process.child.stdout?.destroy();
    expect(await process.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('without a server is refused with where it was sought', async () => {
    const lost = new Kelp('127.0.0.1:1');
    const outcomes = await Promise.all([
      lost.run(['export']),
      lost.run(['import'], { stdin: linesOf(0, 2) }),
    ]);
    for (const { code, stderr } of outcomes) {
      expect({ code, stderr }).toEqual({
        code: 3,
        stderr: expect.stringContaining("can't reach the server") as string,
      });
    }
    expect(outcomes[1].stderr).toContain('; nothing was imported\n');
  });
});

describe('import', () => {
  test('says what it has done, as text and as JSON', async () => {
    await kelp.text('put', 'key1', 'mine');
    const lines = `${linesOf(0, 3)}{"key":"over","value":"","expireTime":"2020-01-01T00:00:00Z"}\n{"key":"lock","value":"","leaseId":5}\n`;
    const path = join(folder, 'keys.jsonl');
    await writeFile(path, lines);
    expect(await kelp.text('import', path, '--on-conflict', 'skip', '--dry-run')).toBe(
      '2 keys would be written, 1 left as they are, 1 left out, whose time is over, 1 of leases left out; 0 B read\n'.replace(
        '0 B',
        `${lines.length} B`,
      ),
    );
    expect(await kelp.json('import', path, '--on-conflict', 'skip')).toEqual([
      {
        format: 'jsonl',
        bytes: lines.length,
        entryCount: 5,
        writtenCount: 2,
        skippedCount: 1,
        expiredCount: 1,
        leasedCount: 1,
        collectionCount: 0,
        revision: 2,
      },
    ]);
    expect(await kelp.text('get', 'key1')).toBe('mine');
    expect(await kelp.text('import', path, '--on-conflict', 'replace')).toMatch(/^3 keys written, /);
    expect(await kelp.text('get', 'key1')).toBe('1');
  });

  test('stops at a key that is there, names it, and goes on where it was', async () => {
    await kelp.text('put', 'key1500', 'mine');
    const stdin = linesOf(0, 2500);
    const { code, stderr } = await kelp.run(['import'], { stdin });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^kelp: the key "key1500" \(entry 1501\) is there already; .*; the first 1000 entries are done \(1000 written\), nothing after them; to go on, --resume-after 1000\n$/,
    );
    const again = await kelp.run(['import', '--resume-after', '1000', '--on-conflict', 'skip', '--json'], {
      stdin,
    });
    expect(jsonLines(again.stdout)).toMatchObject([
      { entryCount: 2500, writtenCount: 1499, skippedCount: 1 },
    ]);
  });

  test('stops at a broken line and says where, with JSON as well', async () => {
    const stdin = `${linesOf(0, 2)}{"key":"b"\n`;
    const place = 'line 4, byte 1: expected a comma, or the end of the object, found the end of the input';
    expect(await kelp.run(['import'], { stdin })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `kelp: ${place}; the first 2 entries are done (2 written), nothing after them; to go on, --resume-after 2\n`,
    });
    const { stderr } = await kelp.run(['import', '--json', '--on-conflict', 'replace'], { stdin });
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        code: 'invalid_argument',
        message: expect.stringContaining(place) as string,
        entryCount: 2,
        writtenCount: 2,
      },
    });
  });

  test('that is to pass over more than there is says so, and nothing of how to go on', async () => {
    expect(await kelp.run(['import', '--resume-after', '5'], { stdin: linesOf(0, 3) })).toMatchObject({
      code: 2,
      stderr: 'kelp: the input has 3 entries; there is nothing behind the first 5\n',
    });
  });

  test('takes what kelp scan --json prints', async () => {
    const store = createClient({ address: server.address });
    await store.put('text', 'é');
    await store.put(Buffer.from([255, 1]), Buffer.from([0, 255]));
    await store.put('session', 'x', { ttlMs: 3_600_000 });
    store.close();
    const stdin = await kelp.text('scan', '--json');
    const other = new Kelp((await startTestServer()).address);
    expect(await other.run(['import'], { stdin })).toMatchObject({ code: 0 });
    const withoutTimes = (text: string): string => text.replace(/"expireTime":"[^"]*"/g, '');
    expect(withoutTimes(await other.text('export'))).toBe(withoutTimes(await kelp.text('export')));
    expect(await other.text('export', '--prefix', 'session')).toMatch(/"expireTime":"/);
  });

  test('goes from one server to another through a pipe', async () => {
    const other = await startTestServer();
    await kelp.run(['import'], { stdin: linesOf(0, 3000) });
    const { bytes } = await kelp.run(['export', '--format', 'json']);
    expect(await new Kelp(other.address).run(['import'], { stdin: bytes })).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await new Kelp(other.address).text('export')).toBe(await kelp.text('export'));
  });
});

describe('with --data-dir', () => {
  test('there is no server: a store is made by an import, and read by an export', async () => {
    const dataDir = join(folder, 'data');
    const lost = new Kelp('127.0.0.1:1');
    expect(await lost.run(['import', '--data-dir', dataDir, '--dry-run'])).toMatchObject({ code: 2 });
    expect(await readdir(folder)).toEqual([]);
    expect(await lost.run(['import', '--data-dir', dataDir], { stdin: linesOf(0, 3) })).toMatchObject({
      code: 0,
    });
    expect(await lost.text('export', '--data-dir', dataDir, '--prefix', 'key')).toBe(linesOf(0, 3));
    const store = await openStore({ dataDir });
    expect((await store.count()).count).toBe(3);
    await store.close();
  });

  test('a store that a server has open is refused, and its address asked for', async () => {
    expect(await kelp.run(['export', '--data-dir', server.dataDir])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('give its --address in place of --data-dir') as string,
    });
  });
});

describe('an import that is ended', () => {
  const KEY_COUNT = 20_000;

  /** One that has written some of the keys, and waits for more. */
  async function underWay(): Promise<KelpProcess> {
    const importing = new KelpProcess(['import'], { environment: { KELP_ADDRESS: server.address } });
    importing.child.stdin?.on('error', () => undefined).write(linesOf(0, KEY_COUNT / 2));
    await using client = createClient({ address: server.address });
    for await (const message of client.watch({ includeCurrent: true, keysOnly: true })) {
      if (message.kind === 'events' || (message.kind === 'current' && message.entries.length > 0)) break;
    }
    return importing;
  }

  async function expectAll(): Promise<void> {
    await using client = createClient({ address: server.address });
    expect((await client.count()).count).toBe(KEY_COUNT);
    for (const index of [0, 999, 1000, KEY_COUNT / 2, KEY_COUNT - 1]) {
      expect((await client.get(`key${index}`)).entry?.text()).toBe(String(index));
    }
  }

  test.each(['skip', 'replace'])('by kill -9 is run again with %s', async (rule) => {
    const importing = await underWay();
    importing.child.kill('SIGKILL');
    await importing.ended;
    const again = await kelp.run(['import', '--on-conflict', rule], { stdin: linesOf(0, KEY_COUNT) });
    expect(again).toMatchObject({ code: 0, stderr: '' });
    await expectAll();
  });

  test('by a signal tells how far it came, and goes on behind that', async () => {
    const importing = await underWay();
    importing.child.kill('SIGINT');
    const { code, stderr } = await importing.ended;
    expect(code).toBe(130);
    const [, count = ''] =
      /^kelp: interrupted by SIGINT; the first (\d+) entries are done .*--resume-after \1\n$/.exec(stderr) ??
      [];
    expect(Number(count)).toBeGreaterThan(0);
    const again = await kelp.run(['import', '--resume-after', count], { stdin: linesOf(0, KEY_COUNT) });
    expect(again).toMatchObject({ code: 0, stderr: '' });
    await expectAll();
  });
});

describe('a signal ends', () => {
  /** As a shell sees it. */
  function exitCodeOf({ child }: KelpProcess): Promise<number> {
    return new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    });
  }

  test('an export whose reader has stopped to read', async () => {
    await using client = createClient({ address: server.address });
    await client.put('long', 'x'.repeat(8 * 1024 * 1024));
    const exporting = new KelpProcess(['export'], { environment: { KELP_ADDRESS: server.address } });
    const { stdout } = exporting.child;
    stdout?.once('data', () => stdout.pause());
    await exporting.until(() => exporting.stdout !== '');
    const exited = exitCodeOf(exporting);
    exporting.child.kill('SIGTERM');
    expect(await exited).toBe(143);
    expect(exporting.stderr).toBe('kelp: interrupted by SIGTERM\n');
    stdout?.resume();
  });

  test('an import from a pipe that nothing is written to', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const importing = new KelpProcess(['import', pipe], { environment: { KELP_ADDRESS: server.address } });
    const writing = await open(pipe, 'w');
    await writing.write(linesOf(0, 2000));
    await using client = createClient({ address: server.address });
    for await (const message of client.watch({ includeCurrent: true, keysOnly: true })) {
      if (message.kind === 'events' || (message.kind === 'current' && message.entries.length > 0)) break;
    }
    const exited = exitCodeOf(importing);
    importing.child.kill('SIGINT');
    expect(await exited).toBe(130);
    expect(importing.stderr).toMatch(/^kelp: interrupted by SIGINT; the first \d+ entries are done/);
    await writing.close();
  });
});
