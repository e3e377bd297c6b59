/** When a server refuses to start, when it makes the user root, and what it says of it. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Access } from '../../../src/access/access.ts';
import { holdOpen } from '../../../src/access/records/open-hold.ts';
import { makeRoot } from '../../../src/access/root.ts';
import { systemClock, systemRandom } from '../../../src/clock.ts';
import { openUncheckedStore } from '../../../src/kv/open-store.ts';
import { createLogger } from '../../../src/server/logging/logger.ts';
import { SafeStart } from '../../../src/server/access/safe-start.ts';
import { type ConfigSources, loadConfig } from '../../../src/server/config/config.ts';
import type { ListenAddress } from '../../../src/server/config/option-values.ts';
import { opened } from '../../access/opened.ts';
import { etcdClient } from '../etcd/support/etcd-client.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { optionsOfEngine } from '../../support/test-engine.ts';
import { TestLog, startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { slowDisk } from '../../support/troubled-disk.ts';

const PUBLIC = '192.0.2.1';
const TLS = { 'tls-cert': 'test/support/tls/cert.pem', 'tls-key': 'test/support/tls/key.pem' };
const ANONYMOUS = { 'allow-anonymous': 'true' };
const PLAINTEXT = { 'allow-plaintext': 'true' };

type Flags = NonNullable<ConfigSources['flags']>;

async function start(flags: Flags, bound: ListenAddress): Promise<SafeStart> {
  const config = await loadConfig({ flags: { 'data-dir': '/data', ...flags } });
  return new SafeStart(config, [{ address: bound, hasTls: config.tls !== undefined }]);
}

async function passwordFile(content: string | Uint8Array, mode = 0o600): Promise<string> {
  const path = join(await temporaryDirectory(), 'root-password');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** What a rejected promise says; `''`: it was none. */
async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return '';
  } catch (error) {
    expect(error).toMatchObject({ name: 'OptionError' });
    return (error as Error).message;
  }
}

/** What a server at a public address says about a store, with a user root or without: before it is opened, and then. */
async function refusals(
  flags: Flags,
  hasRoot: boolean | 'heldOpen',
): Promise<{ early: string; late: string }> {
  const disk = new SimulatedDisk({ seed: 1 });
  const { access } = await opened(disk);
  if (hasRoot !== false) await makeRoot(access, 'secret');
  if (hasRoot === 'heldOpen') await access.change((draft) => holdOpen(draft, 1));
  const safeStart = await start(flags, { host: PUBLIC, port: 7379 });
  const logger = createLogger({ level: 'info', format: 'json' }, new TestLog());
  return {
    early: await refusal(safeStart.refuseEarly(disk)),
    late: await refusal(safeStart.settle(access, logger)),
  };
}

const namesBoth =
  /--root-password-file.*--tls-cert.*--allow-plaintext.*--allow-anonymous.*KELP_ROOT_PASSWORD_FILE/;
const namesAccess = /--root-password-file(?!.*--tls-cert).*--allow-anonymous.*KELP_ALLOW_ANONYMOUS/;
const namesTls = /--tls-cert.*--allow-plaintext.*KELP_ALLOW_PLAINTEXT/;

describe('at an address that other machines reach', () => {
  test.each([
    ['nothing', {}, false, namesBoth, namesBoth],
    ['nothing, but root in the store', {}, true, namesBoth, namesTls],
    ['TLS alone', TLS, false, /^$/, namesAccess],
    ['TLS and root in the store', TLS, true, /^$/, /^$/],
    ['consent to plain text alone', PLAINTEXT, false, /^$/, namesAccess],
    ['consent to plain text and root in the store', PLAINTEXT, true, /^$/, /^$/],
    ['consent to anonymous access', ANONYMOUS, false, /^$/, /^$/],
    ['consent to anonymous access, but root in the store', ANONYMOUS, true, /^$/, namesTls],
    ['consent to both, and root in the store', { ...ANONYMOUS, ...PLAINTEXT }, true, /^$/, /^$/],
    ['a root password without TLS', { 'root-password-file': '/nowhere' }, false, namesTls, namesTls],
    ['the same, and root in the store', { 'root-password-file': '/nowhere' }, true, namesTls, namesTls],
    ['nothing, and access that is held open', {}, 'heldOpen', namesBoth, namesBoth],
    ['TLS and access that is held open', TLS, 'heldOpen', /^$/, namesAccess],
    ['consent to anonymous access, which is held open', ANONYMOUS, 'heldOpen', /^$/, /^$/],
  ] as const)('with %s', async (_, flags, hasRoot, early, late) => {
    const told = await refusals(flags, hasRoot);
    expect(told.early).toMatch(early);
    expect(told.late).toMatch(late);
  });

  test('a store that is not there yet is known to have no root', async () => {
    const refuseEarly = async (flags: Flags): Promise<string> =>
      refusal((await start(flags, { host: PUBLIC, port: 1 })).refuseEarly(new SimulatedDisk({ seed: 1 })));
    expect(await refuseEarly(TLS)).toMatch(namesAccess);
    expect(await refuseEarly({ ...TLS, 'root-password-file': '/nowhere' })).toMatch(
      /^--root-password-file: can't read \/nowhere: /,
    );
    expect(await refuseEarly(ANONYMOUS)).toBe('');
  });

  test.each<[ListenAddress, boolean]>([
    [{ host: '0.0.0.0', port: 1 }, true],
    [{ host: '::', port: 1 }, true],
    [{ host: '10.0.0.5', port: 1 }, true],
    [{ host: 'fe80::1%eth0', port: 1 }, true],
    [{ host: '::ffff:10.0.0.5', port: 1 }, true],
    [{ host: '127.0.0.1', port: 1 }, false],
    [{ host: '127.8.9.10', port: 1 }, false],
    [{ host: '::1', port: 1 }, false],
    [{ host: '::ffff:127.0.0.1', port: 1 }, false],
    [{ path: '/run/kelp.sock' }, false],
  ])('%j is one: %s', async (bound, isExposed) => {
    const safeStart = await start({}, bound);
    expect((await refusal(safeStart.refuseEarly(new SimulatedDisk({ seed: 1 })))) !== '').toBe(isExposed);
  });
});

describe('a server', () => {
  test.each(['0.0.0.0:0', '[::]:0', ':0'])('does not start on %s without a decision', async (listen) => {
    expect(await refusal(startTestServer({ flags: { listen } }))).toMatch(namesBoth);
  });

  test.each(['127.0.0.1:0', 'localhost:0', '127.0.0.2:0'])('needs no decision on %s', async (listen) => {
    const { log } = await startTestServer({ flags: { listen } });
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('that leaves access open says so', async () => {
    const { log } = await startTestServer({ flags: ANONYMOUS });
    expect(await log.message('access is open: all who reach the address may do everything')).toMatchObject({
      level: 'warn',
    });
  });

  test('makes root durably before it serves, once', async () => {
    const { disk, goOn } = slowDisk();
    const path = await passwordFile('secret\n');
    const first = await startTestServer({
      flags: { 'root-password-file': path },
      storeOptions: { disk },
      waitUntilReady: false,
    });
    expect((await fetch(`${first.url}/readyz`)).status).toBe(503);
    goOn();
    await first.ready;
    const messages = first.log.lines.map(({ msg }) => msg);
    expect(messages.indexOf('the user root was made')).toBeGreaterThan(0);
    expect(messages.indexOf('the user root was made')).toBeLessThan(messages.indexOf('ready'));
    await first.stop();
    expect(await isRootPassword(first.dataDir, 'secret')).toBe(true);

    writeFileSync(path, 'another');
    const flags = { 'data-dir': first.dataDir, 'root-password-file': path };
    const second = await startTestServer({ flags });
    expect(await second.log.message('there is a user root: --root-password-file is not used')).toMatchObject({
      level: 'info',
      rootPasswordFile: path,
    });
    await second.stop();
    expect(await isRootPassword(first.dataDir, 'secret')).toBe(true);
    expect(JSON.stringify([first.log.lines, second.log.lines])).not.toMatch(/secret|another/);
  });

  test('does not need the file once there is root', async () => {
    const path = await passwordFile('secret');
    const server = await startTestServer({ flags: { 'root-password-file': path } });
    await server.stop();
    const { dataDir } = server;
    await startTestServer({ flags: { 'data-dir': dataDir, 'root-password-file': '/nowhere' } });
  });

  test('that finds access held open says so, and closes it where a root password is given', async () => {
    const first = await startTestServer();
    const { dataDir } = first;
    await etcdClient(first.url).auth.userAdd({ name: 'root', password: 'theirs' });
    await first.stop();
    const open = await startTestServer({ flags: { 'data-dir': dataDir } });
    await open.log.line(
      ({ level, msg }) => level === 'warn' && String(msg).startsWith('access is held open'),
    );
    await etcdClient(open.url).kv.put({ key: Buffer.from('a') });
    await open.stop();
    const path = await passwordFile('ours');
    const closed = await startTestServer({ flags: { 'data-dir': dataDir, 'root-password-file': path } });
    await closed.log.line(({ event, method }) => event === 'access.changed' && method === 'SetPassword');
    await expect(etcdClient(closed.url).kv.put({ key: Buffer.from('a') })).rejects.toThrow(
      'user name is empty',
    );
    await closed.stop();
    expect(await isRootPassword(dataDir, 'ours')).toBe(true);
  });

  test('that other machines reach does not open access without consent', async () => {
    const listen = { listen: '0.0.0.0:0', ...PLAINTEXT };
    const path = await passwordFile('secret');
    const closed = await startTestServer({ flags: { ...listen, 'root-password-file': path } });
    const disabling = async (port: number): Promise<unknown> => {
      const url = `http://127.0.0.1:${port}`;
      const { token } = await etcdClient(url).auth.authenticate({ name: 'root', password: 'secret' });
      return etcdClient(url, { token }).auth.authDisable({});
    };
    await expect(disabling(closed.port)).rejects.toThrow('--allow-anonymous');
    await closed.stop();
    const flags = { ...listen, ...ANONYMOUS, 'data-dir': closed.dataDir };
    await disabling((await startTestServer({ flags })).port);
  });

  test('takes the password from a pipe, which is read once', async () => {
    const path = join(await temporaryDirectory(), 'pipe');
    const { execFileSync, spawn } = await import('node:child_process');
    execFileSync('mkfifo', ['-m', '600', path]);
    const writer = spawn('sh', ['-c', 'printf "secret" > "$0"', path], { stdio: 'ignore' });
    onTestFinished(() => void writer.kill());
    const server = await startTestServer({ flags: { 'root-password-file': path } });
    await server.stop();
    expect(await isRootPassword(server.dataDir, 'secret')).toBe(true);
  });

  test('warns when every user of the machine may read the file', async () => {
    const path = await passwordFile('secret', 0o644);
    const { log } = await startTestServer({ flags: { 'root-password-file': path } });
    expect(
      await log.message('every user of this machine may read the file of the root password'),
    ).toMatchObject({ level: 'warn' });
  });

  test.each([
    ['', /is empty/],
    ['\n', /is empty/],
    ['x'.repeat(1025), /holds more than 1024 bytes/],
    ['x'.repeat(5000), /holds more than 1024 bytes/],
    [Uint8Array.of(0xff, 0xfe), /is not UTF-8 text/],
  ])('refuses a file that holds %j', async (content, message) => {
    const flags = { 'root-password-file': await passwordFile(content) };
    expect(await refusal(startTestServer({ flags }))).toMatch(message);
    // The same once there is a store, which is closed again and free for the next start.
    const server = await startTestServer();
    await server.stop();
    const { dataDir } = server;
    const again = await startTestServer({
      flags: { ...flags, 'data-dir': dataDir },
      waitUntilReady: false,
    });
    expect(await refusal(again.ready)).toMatch(message);
    await expect(fetch(`${again.url}/healthz`)).rejects.toThrow();
    await startTestServer({ flags: { 'data-dir': dataDir } });
  });

  test.each(['secret\r\n', 'secret\n', 'secret'])('takes one line break off %j', async (content) => {
    const flags = { 'root-password-file': await passwordFile(content) };
    const server = await startTestServer({ flags });
    await server.stop();
    expect(await isRootPassword(server.dataDir, 'secret')).toBe(true);
    expect(readFileSync(flags['root-password-file'], 'utf8')).toBe(content);
  });
});

/** Of a store that no server has open. */
async function isRootPassword(dataDir: string, password: string): Promise<boolean> {
  const [clock, random] = [systemClock, systemRandom];
  const store = await openUncheckedStore({ dataDir, ...optionsOfEngine() });
  try {
    const { table, logins } = new Access({ store, clock, random });
    return await logins.passwords.verify(password, table.user('root')?.password);
  } finally {
    await store.close();
  }
}
