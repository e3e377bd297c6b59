/** redis-cli and redis-benchmark of Debian, as people use them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { found } from '../../support/installed.ts';
import { openDoor, type RedisDoor } from './redis-server-under-test.ts';

const hasCli = found('redis-cli', spawnSync('redis-cli', ['--version']).status === 0);
const hasBenchmark = found('redis-benchmark', spawnSync('redis-benchmark', ['--version']).status === 0);

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

function start(program: string, port: number, args: readonly string[]): ChildProcess {
  const child = spawn(program, ['-p', String(port), ...args], { env: { ...process.env, NO_COLOR: '1' } });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function run(program: string, port: number, args: readonly string[], input?: Buffer): Promise<Ran> {
  const child = start(program, port, args);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

describe.runIf(hasCli)('redis-cli', { timeout: 120_000 }, () => {
  let door: RedisDoor;
  const open = async (flags: Readonly<Record<string, string>> = {}): Promise<void> => {
    door = await openDoor(flags);
  };
  const cli = async (...args: readonly string[]): Promise<string> =>
    (await run('redis-cli', door.port, args)).output;

  test('shows replies, and errors by their text', async () => {
    await open();
    expect(await cli('set', 'a', 'b c')).toBe('OK\n');
    expect(await cli('get', 'a')).toBe('b c\n');
    expect(await cli('-3', 'hset', 'h', 'f', 'v')).toBe('1\n');
    expect(await cli('--no-raw', '-3', 'hgetall', 'h')).toBe('1# "f" => "v"\n');
    expect(await cli('--no-raw', 'zadd', 'z', '1.5', 'm')).toBe('(integer) 1\n');
    expect(await cli('--no-raw', '-3', 'zscore', 'z', 'm')).toBe('(double) 1.5\n');
    expect(await cli('--json', 'lrange', 'none', '0', '-1')).toBe('[]\n');
    expect(await cli('get')).toBe("ERR wrong number of arguments for 'get' command\n\n");
    expect(await cli('-e', 'replicaof', 'no', 'one')).toMatch(/^ERR unknown command 'replicaof'/);
    expect(await cli('-n', '3', 'set', 'a', 'x')).toBe('OK\n');
    expect(await cli('-n', '3', 'dbsize')).toBe('1\n');
  });

  test('takes lines as they are typed', async () => {
    await open();
    const lines = ['SET a "x\\ty"', 'MULTI', 'INCR n', 'GET a', 'EXEC', 'get a'];
    const { output } = await run('redis-cli', door.port, ['--no-raw'], Buffer.from(`${lines.join('\n')}\n`));
    for (const part of ['OK', 'QUEUED', '1) (integer) 1', '2) "x\\ty"']) expect(output).toContain(part);
  });

  test('takes a value from its input', async () => {
    await open();
    const value = Buffer.from('line\nof text\n');
    expect((await run('redis-cli', door.port, ['-x', 'set', 'a'], value)).output).toBe('OK\n');
    expect(await cli('strlen', 'a')).toBe(`${value.length}\n`);
    const tagged = ['-X', 'tag', 'mset', 'b', 'tag', 'c', '1'];
    expect((await run('redis-cli', door.port, tagged, value)).output).toBe('OK\n');
    expect(await cli('--no-raw', 'get', 'b')).toBe('"line\\nof text\\n"\n');
  });

  test('pipes 100,000 commands into a durable server', async () => {
    await open({ fsync: 'always' });
    const count = 100_000;
    const lines = Array.from({ length: count }, (_, index) => {
      const [key, value] = [`key:${index % 5000}`, `value ${index}`];
      return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
    });
    const { output, code } = await run('redis-cli', door.port, ['--pipe'], Buffer.from(lines.join('')));
    expect(output).toContain(`errors: 0, replies: ${count}`);
    expect(code).toBe(0);
    expect(await cli('dbsize')).toBe('5000\n');
    const keys = (await cli('--scan', '--pattern', 'key:*')).trim().split('\n');
    expect(new Set(keys).size).toBe(5000);
    expect(await cli('get', 'key:4999')).toBe(`value ${count - 1}\n`);
  });

  test('looks for what is large', async () => {
    await open();
    await cli('set', 'text', 'x'.repeat(1000));
    await cli('rpush', 'list', ...Array.from({ length: 300 }, (_, index) => `e${index}`));
    await cli('hset', 'hash', 'f', 'v');
    await cli('sadd', 'set', 'a', 'b');
    await cli('zadd', 'zset', '1', 'a');
    const big = await cli('--bigkeys');
    expect(big).toContain('Sampled 5 keys in the keyspace!');
    expect(big).toMatch(/Biggest +list found '"list"' has 300 items/);
    expect(big).toMatch(/Biggest string found '"text"' has 1000 bytes/);
    const memory = await cli('--memkeys');
    expect(memory).toMatch(/Biggest string found '"text"' has \d{4} bytes/);
    expect(memory).not.toContain('error');
  });

  test('measures latency, and shows figures', async () => {
    await open();
    expect(await cli('--latency', '--raw', '-i', '1')).toMatch(/^\d+ \d+ \d+\.\d+ \d+\n$/);
    // Into a pipe it would write once it has a page of them.
    const child = spawn('script', ['-qec', `redis-cli -p ${door.port} --stat -i 0.1`, '/dev/null']);
    onTestFinished(() => void child.kill());
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    while (!/\n\d+ +\d+\.\d\d[KMG] +\d/.test(output)) await once(child.stdout, 'data');
    expect(output).toContain('keys');
  });

  test('shows what others do', async () => {
    await open();
    const child = start('redis-cli', door.port, ['monitor']);
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    while (!output.includes('OK')) await once(child.stdout ?? child, 'data');
    await cli('set', 'a', 'b "c"');
    while (!output.includes('set')) await once(child.stdout ?? child, 'data');
    expect(output).toMatch(/\n\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "set" "a" "b \\"c\\""\n/);
  });

  test('hears what is published', async () => {
    await open();
    const child = start('redis-cli', door.port, ['--no-raw', 'psubscribe', 'n*']);
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    while (!output.includes('psubscribe')) await once(child.stdout ?? child, 'data');
    expect(await cli('publish', 'news', 'good')).toBe('1\n');
    while (!output.includes('good')) await once(child.stdout ?? child, 'data');
    expect(output).toContain('1) "pmessage"\n2) "n*"\n3) "news"\n4) "good"');
  });

  test('tells what a command takes', async () => {
    await open();
    // Only where it runs commands as they are typed it asks the server for them.
    const { output } = await run('redis-cli', door.port, [], Buffer.from('HELP zadd\nHELP @hash\n'));
    expect(output).toContain('key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]');
    expect(output).toContain('HSET');
    expect(await cli('COMMAND', 'COUNT')).toMatch(/^\d{3}\n$/);
    expect(await cli('COMMAND', 'GETKEYS', 'MSET', 'a', '1', 'b', '2')).toBe('a\nb\n');
  });
});

describe.runIf(hasBenchmark)('redis-benchmark', { timeout: 300_000 }, () => {
  test.each([
    ['all its tests', ['-n', '2000', '-q'], /^[A-Z_ ()0-9a-z]+: \d+\.\d+ requests per second/],
    ['pipelines, as CSV', ['-n', '2000', '-P', '16', '--csv'], /^"[A-Z_ ()0-9a-z]+","\d+\.\d+"/],
    [
      'large values and RESP3',
      ['-n', '500', '-d', '20000', '-r', '100', '-3', '-q', '-t', 'set,get'],
      /^[SG]ET: /,
    ],
  ])('runs %s', async (_, args, line) => {
    const { port } = await openDoor();
    const { output, code } = await run('redis-benchmark', port, args);
    expect(output.toLowerCase()).not.toContain('err');
    const lines = output.split('\n').filter((text) => text !== '' && !text.startsWith('"test"'));
    const told = lines
      .map((text) => text.slice(text.lastIndexOf('\r') + 1).trimEnd())
      .filter((text) => text !== '');
    expect(told.length).toBeGreaterThanOrEqual(2);
    for (const text of told) expect(text).toMatch(line);
    expect(code).toBe(0);
  });
});
