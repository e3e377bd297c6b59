import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exitCode } from '../../src/cli/process/exit-code.ts';
import { defaults, serverDefaults } from '../../src/limits.ts';
import { serverOptions } from '../../src/server/config/server-options.ts';
import { Authority, type Identity } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { KelpProcess } from './kelp-process.ts';
import { Kelp } from './kelp.ts';

async function serve(
  args: string[] = [],
): Promise<{ server: KelpProcess; address: string; dataDir: string }> {
  const dataDir = join(await temporaryDirectory(), 'data');
  const server = new KelpProcess(['serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir, ...args]);
  return { server, address: await server.ready(), dataDir };
}

describe('a signal', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s stops the server, which exits with 0', async (signal) => {
    const { server, address, dataDir } = await serve();
    await new Kelp(address).text('put', 'a', '1');
    server.child.kill(signal);
    expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
    expect(server.stdout).toContain('"stopped"');

    const next = new KelpProcess(['serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir]);
    expect(await new Kelp(await next.ready()).text('get', 'a')).toBe('1');
  });

  test('SIGHUP without TLS is logged and changes nothing', async () => {
    const { server, address } = await serve();
    server.child.kill('SIGHUP');
    await server.until(() => server.stdout.includes('SIGHUP: there are no TLS files to read again'));
    await new Kelp(address).text('put', 'a', '1');
    server.child.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('SIGHUP has the TLS files read again, and the server goes on', async () => {
    const directory = await temporaryDirectory();
    const [cert, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
    const [first, second] = [new Authority(), new Authority()];
    const write = async (identity: Identity): Promise<void> => {
      await writeFile(cert, identity.cert);
      await writeFile(key, identity.key);
    };
    await write(first.server());
    const { server, address } = await serve(['--tls-cert', cert, '--tls-key', key]);
    await write(second.server());
    await writeFile(join(directory, 'ca.pem'), second.identity.cert);
    server.child.kill('SIGHUP');
    await server.until(() => server.stdout.includes('"the TLS files were read again"'));
    const kelp = new Kelp(`https://${address}`);
    expect(await kelp.text('put', 'a', '1', '--tls-ca', join(directory, 'ca.pem'))).toBe('revision 1\n');
    server.child.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('none, but an error that was not foreseen, ends it with a line of the log and a code after which it may be started again', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const fault = 'process.on("SIGUSR2", () => { throw new Error("unforeseen"); });';
    const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}` };
    const args = ['serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir];
    const server = new KelpProcess(args, { environment });
    const address = await server.ready();
    await new Kelp(address).text('put', 'a', '1');
    server.child.kill('SIGUSR2');
    expect(await server.ended).toMatchObject({ code: exitCode.other });
    const [line = ''] = server.stdout.split('\n').filter((each) => each.includes('"fatal"'));
    expect(JSON.parse(line)).toMatchObject({
      msg: 'the server failed unexpectedly, and ends',
      err: { message: 'unforeseen', stack: expect.stringContaining('at ') as string },
    });
    const next = new KelpProcess(args);
    expect(await new Kelp(await next.ready()).text('get', 'a')).toBe('1');
  });

  test('a second time ends the process at once, and loses nothing that was acknowledged', async () => {
    const { server, address, dataDir } = await serve(['--shutdown-timeout', '1h']);
    await new Kelp(address).text('put', 'a', '1');
    // A call that never ends its request holds up the stop.
    const session = connect(`http://${address}`);
    session.on('error', () => undefined);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/kelp.v1.KvService/Get',
      'content-type': 'application/grpc',
    });
    stream.on('error', () => undefined);
    await once(session, 'remoteSettings');
    await new Promise<void>((resolve, reject) =>
      session.ping((error) => (error ? reject(error) : resolve())),
    );

    server.child.kill('SIGTERM');
    await server.until(() => server.stdout.includes('"stopping"'));
    // Right after the first it would count as the same signal.
    const again = setInterval(() => server.child.kill('SIGINT'), 50);
    onTestFinished(() => clearInterval(again));
    expect(await server.ended).toMatchObject({ code: null, signal: 'SIGINT' });
    expect(server.stdout).not.toContain('"stopped"');
    session.destroy();

    const next = new KelpProcess(['serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir]);
    expect(await new Kelp(await next.ready()).text('get', 'a')).toBe('1');
  });
});

test('the second signal ends a process that is stuck', async () => {
  const environment = { NODE_OPTIONS: `--import=${new URL('./stuck-process.ts', import.meta.url).href}` };
  const flags = ['serve', '--listen', '127.0.0.1:0', '--data-dir', join(await temporaryDirectory(), 'data')];
  const server = new KelpProcess(flags, { environment });
  await server.ready();
  server.child.kill('SIGTERM');
  await server.until(() => server.stderr.includes('stuck'));
  server.child.kill('SIGTERM');
  expect(await server.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
});

describe('options', () => {
  test('come from the command line, the environment and kelp.yaml, in this order', async () => {
    const cwd = await temporaryDirectory();
    await writeFile(join(cwd, 'kelp.yaml'), 'listen: not-an-address\nfsync: never\ndata-dir: from-file\n');
    const main = join(process.cwd(), 'src/cli/main.ts');
    const environment = {
      KELP_LISTEN: '127.0.0.1:0',
      KELP_FSYNC: 'always',
      KELP_ADDRESS: 'for:1',
      KELP_TLS_CA: 'clients',
    };
    const server = new KelpProcess(['serve', '--fsync', 'interval'], { main, cwd, environment });
    await server.ready();
    expect(server.stdout).toMatch(/"dataDir":"from-file","engine":"memory","fsync":"interval"/);
  });

  test.each([
    [['--data-dri', 'x'], /^kelp: unknown option '--data-dri' \(Did you mean --data-dir\?\)\n$/],
    [['--fsync', 'sometimes'], /^kelp: --fsync: expected one of always, interval, never, not "sometimes"\n$/],
    [['--listen', 'nonsense'], /^kelp: --listen: expected HOST:PORT/],
    [['--timeout', '1s'], /^kelp: kelp serve has no option --timeout\n$/],
    [['extra'], /^kelp: too many arguments/],
  ])('%j are refused in one line', async (args, message) => {
    const { code, stderr, stdout } = await new KelpProcess(['serve', ...args]).ended;
    expect(stderr).toMatch(message);
    expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
      code: 2,
      stdout: '',
      lines: 1,
    });
  });

  test('of the environment that are unknown are refused with the nearest name', async () => {
    const { code, stderr } = await new KelpProcess(['serve'], { environment: { KELP_FSINC: 'never' } }).ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/KELP_FSINC.*KELP_FSYNC/);
  });

  test('that may be several are given one by one', async () => {
    const { address } = await serve([
      '--cors-origin',
      'https://a.example',
      '--cors-origin',
      'https://b.example',
    ]);
    const statusOf = async (origin: string): Promise<number> =>
      (await fetch(`http://${address}/healthz`, { headers: { origin } })).status;
    const origins = ['https://a.example', 'https://b.example', 'https://c.example'];
    expect(await Promise.all(origins.map(statusOf))).toEqual([200, 200, 403]);
  });

  test('are all shown by the help, with their defaults', async () => {
    const { code, stdout } = await new KelpProcess(['serve', '--help']).ended;
    const words = stdout.replace(/\s+/g, ' ');
    expect(code).toBe(0);
    expect(serverOptions.length).toBeGreaterThan(Object.keys({ ...defaults, ...serverDefaults }).length);
    for (const { name, type, defaultText, description } of serverOptions) {
      expect(words).toContain(type === 'switch' ? `--${name} ${description}` : `--${name} <`);
      expect(words).toContain(description);
      if (defaultText !== undefined) expect(words).toContain(`default: ${defaultText}; env: KELP_`);
    }
  });
});

test('a port that is taken and a directory that is in use are told in one line', async () => {
  const { address, dataDir } = await serve();
  const elsewhere = await temporaryDirectory();
  const samePort = await new KelpProcess(['serve', '--listen', address, '--data-dir', elsewhere]).ended;
  expect(samePort).toMatchObject({ code: 4 });
  expect(samePort.stderr).toMatch(/^kelp: can't listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*\n$/);
  const sameDirectory = await new KelpProcess(['serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir])
    .ended;
  expect(sameDirectory).toMatchObject({ code: 4 });
  expect(sameDirectory.stderr).toMatch(/^kelp: the data directory .* is in use.*\n$/);
});

test.each([
  [['--config', '/no/such/file'], /^kelp: --config: can't read \/no\/such\/file: .*\n$/],
  [
    ['--tls-cert', '/no/such/file', '--tls-key', '/no/such/file'],
    /^kelp: --tls-cert: can't read \/no\/such\/file: ENOENT: no such file or directory\n$/,
  ],
  [['--tls-cert', 'package.json', '--tls-key', 'package.json'], /^kelp: --tls-cert and --tls-key: .*\n$/],
])('%j, whose files can not be used, are mistakes on the command line', async (args, message) => {
  const dataDir = join(await temporaryDirectory(), 'data');
  const serving = ['serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir];
  const { code, stderr } = await new KelpProcess([...serving, ...args]).ended;
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});

describe('an address that other machines reach', () => {
  const tls = ['--tls-cert', 'test/support/tls/cert.pem', '--tls-key', 'test/support/tls/key.pem'];
  const publicly = ['serve', '--listen', '0.0.0.0:0'];

  test('is refused without a decision about access, in one line that names the ways out', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const { code, stdout, stderr } = await new KelpProcess([...publicly, '--data-dir', dataDir]).ended;
    expect(stderr).toMatch(/^kelp: other machines reach 0\.0\.0\.0:\d+, and nothing says .*\n$/);
    for (const way of ['--root-password-file', '--allow-anonymous', '--allow-plaintext', '--tls-cert']) {
      expect(stderr).toContain(way);
    }
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    await expect(readdir(dataDir)).rejects.toThrow('ENOENT');
  });

  test('is refused, too, once a store is found to have no user root', async () => {
    const { server, dataDir } = await serve();
    server.child.kill('SIGTERM');
    await server.ended;
    const refused = await new KelpProcess([...publicly, '--data-dir', dataDir, ...tls]).ended;
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/^kelp: other machines reach .*--root-password-file.*\n$/);
    expect(refused.stdout).not.toContain('"ready"');
  });

  test('is served with what the environment says of it', async () => {
    const folder = await temporaryDirectory();
    const passwordPath = join(folder, 'root-password');
    await writeFile(passwordPath, 'secret\n', { mode: 0o600 });
    const environment = { KELP_ROOT_PASSWORD_FILE: passwordPath, KELP_ALLOW_PLAINTEXT: 'true' };
    const args = [...publicly, '--data-dir', join(folder, 'data')];
    const closed = new KelpProcess(args, { environment });
    await closed.ready();
    expect(closed.stdout).toContain('the user root was made');
    expect(closed.stdout).toContain('passwords and tokens come without TLS');
    closed.child.kill('SIGTERM');
    await closed.ended;
    const open = new KelpProcess([...publicly, '--data-dir', join(folder, 'open'), '--allow-anonymous']);
    await open.ready();
    expect(open.stdout).toContain('access is open');
  });
});

describe('a reader that leaves', () => {
  test('ends a scan quietly', async () => {
    const { address } = await serve();
    const kelp = new Kelp(address);
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => kelp.text('put', `k${index}`, 'x'.repeat(10_000))),
    );
    const scanning = new KelpProcess(['scan', '--json', '--address', address]);
    await scanning.until(() => scanning.stdout !== '');
    scanning.child.stdout?.destroy();
    expect(await scanning.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('ends a watch quietly at the next event', async () => {
    const { address } = await serve();
    const watching = new KelpProcess(['watch', '--current', '--address', address]);
    await watching.until(() => watching.stderr.includes('watching'));
    watching.child.stdout?.destroy();
    // The system may take the first event or two before it says that nobody reads.
    while (watching.child.exitCode === null) await new Kelp(address).text('incr', 'n');
    expect(await watching.ended).toMatchObject({ code: 0 });
  });
});

test('a watch goes on when the server comes back', async () => {
  const { server, address, dataDir } = await serve();
  const watching = new KelpProcess(['watch', '--address', address]);
  await watching.until(() => watching.stderr.includes('watching'));
  await new Kelp(address).text('put', 'a', '1');
  await watching.until(() => watching.stdout.includes('put'));
  server.child.kill('SIGKILL');
  await server.ended;
  await watching.until(() => watching.stderr.includes('connecting again'));
  await new KelpProcess(['serve', '--listen', address, '--data-dir', dataDir]).ready();
  await new Kelp(address).text('put', 'b', '2');
  await watching.until(() => watching.stdout.includes('b'));
  expect(watching.stderr).toContain('connected again');
  expect(watching.stdout).toBe('1  put      a  "1"\n2  put      b  "2"\n');
  watching.child.kill('SIGINT');
  expect(await watching.ended).toMatchObject({ signal: 'SIGINT' });
});
