/** The log in an etcd with TLS, with users, without room, and with members that are not there. */
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { Permission_Type } from '../../gen/etcd/api/authpb/auth_pb.ts';
import { type EtcdLogSettings, openEtcdLog } from '../../src/etcd-log/open-etcd-log.ts';
import type { SharedLog } from '../../src/shared-log/shared-log.ts';
import { etcdClient } from '../server/etcd/support/etcd-client.ts';
import { RealEtcd, hasRealEtcd } from '../server/etcd/support/real-etcd.ts';
import { freePort } from '../support/free-port.ts';
import { batch, readTo, storeId, stored, won } from './world.ts';

const timeoutMs = 20_000;

async function startEtcd(
  options: readonly string[] = [],
): Promise<{ readonly etcd: RealEtcd; readonly endpoint: string }> {
  const etcd = await RealEtcd.start(options);
  onTestFinished(() => etcd.stop());
  return { etcd, endpoint: etcd.url.replace('http://', '') };
}

function open(settings: EtcdLogSettings): SharedLog {
  const log = openEtcdLog(settings);
  onTestFinished(() => log.close());
  return log;
}

/** Each of its calls once. */
async function use(log: SharedLog): Promise<void> {
  const made = await log.init(storeId, { timeoutMs });
  if (made === 'exists') throw new Error('there is a log already');
  let head = won(await log.takeOver(made, 'first', { timeoutMs }));
  for (const name of [1, 2]) head = stored(await log.append(head, batch(name), { timeoutMs }));
  await log.trim(2, { timeoutMs });
  expect(await log.head({ timeoutMs })).toEqual(head);
  expect(await readTo(log, 3, 2)).toEqual(['1 batch 1', '1 batch 2']);
}

test.runIf(hasRealEtcd)(
  'works over TLS, with certificates of both sides, and says what is missing',
  async () => {
    const port = await freePort();
    const { endpoint } = await startEtcd([
      `--listen-client-urls=https://127.0.0.1:${port}`,
      `--advertise-client-urls=https://127.0.0.1:${port}`,
      '--cert-file=test/support/tls/cert.pem',
      '--key-file=test/support/tls/key.pem',
      '--trusted-ca-file=test/support/tls/cert.pem',
      '--client-cert-auth',
    ]);
    expect(endpoint).not.toContain(String(port));
    const address = `etcds://localhost:${port}/kelp/main`;
    const cert = readFileSync('test/support/tls/cert.pem');
    const key = readFileSync('test/support/tls/key.pem');
    await use(open({ address, tls: { ca: cert, cert, key } }));
    const refusal = (settings: EtcdLogSettings): Promise<unknown> => open(settings).head({ timeoutMs });
    await expect(refusal({ address })).rejects.toThrow(/is not trusted.*--log-ca/);
    await expect(refusal({ address, tls: { ca: cert } })).rejects.toThrow(/certificate/);
    await expect(refusal({ address: address.replace('etcds', 'etcd') })).rejects.toThrow(/speaks TLS/);
  },
);

test.runIf(hasRealEtcd)(
  'works for a user that may use its prefix alone, and is refused for others',
  async () => {
    const { etcd, endpoint } = await startEtcd();
    const { auth } = etcdClient(etcd.url);
    const perm = {
      permType: Permission_Type.READWRITE,
      key: Buffer.from('kelp/main/'),
      rangeEnd: Buffer.from('kelp/main0'),
    };
    await auth.userAdd({ name: 'root', password: 'root' });
    await auth.userGrantRole({ user: 'root', role: 'root' });
    await auth.roleAdd({ name: 'log' });
    await auth.roleGrantPermission({ name: 'log', perm });
    await auth.userAdd({ name: 'kelp', password: 'secret' });
    await auth.userGrantRole({ user: 'kelp', role: 'log' });
    await auth.authEnable({});
    const address = `etcd://${endpoint}/kelp/main`;
    const login = { user: 'kelp', password: 'secret' };
    const log = open({ address, login });
    await use(log);

    const refused = { code: 'refused', mayHaveLanded: false };
    await expect(open({ address }).head({ timeoutMs })).rejects.toMatchObject({
      ...refused,
      message: /--log-user with --log-password-file/,
    });
    const wrong = open({ address, login: { user: 'kelp', password: 'wrong' } });
    await expect(wrong.head({ timeoutMs })).rejects.toMatchObject({
      ...refused,
      message: /--log-user, and at the password in --log-password-file/,
    });
    const other = open({ address: `etcd://${endpoint}/kelp/other`, login });
    await expect(other.init(storeId, { timeoutMs })).rejects.toMatchObject(refused);

    // Its tokens are gone with the process.
    await etcd.kill();
    await etcd.startAgain();
    const head = await log.head({ timeoutMs });
    const reading = readTo(log, 4, 4);
    stored(await log.append(head, batch(3), { timeoutMs }));
    expect(await reading).toEqual(['1 batch 3']);
  },
);

test.runIf(hasRealEtcd)('says that etcd is full, and goes on when it has room again', async () => {
  const { etcd, endpoint } = await startEtcd([`--quota-backend-bytes=${8 * 1024 * 1024}`]);
  const { maintenance } = etcdClient(etcd.url);
  const log = open({ address: `etcd://${endpoint}/kelp/main` });
  const made = await log.init(storeId, { timeoutMs });
  if (made === 'exists') throw new Error('there is a log already');
  let head = won(await log.takeOver(made, 'first', { timeoutMs }));
  const long = Buffer.alloc(1024 * 1024, 'x');
  const fill = async (): Promise<void> => {
    for (let count = 0; count < 20; count++) head = stored(await log.append(head, long, { timeoutMs }));
  };
  await expect(fill()).rejects.toMatchObject({
    code: 'full',
    mayHaveLanded: true,
    message: /database space exceeded/,
  });
  // A trim makes room, also where there is none for the smallest put; the operator tells etcd so.
  await log.trim(head.position, { timeoutMs });
  await maintenance.defragment({});
  const { alarms } = await maintenance.alarm({ action: 0 });
  for (const { memberID, alarm } of alarms) await maintenance.alarm({ action: 2, memberID, alarm });
  head = stored(await log.append(head, long, { timeoutMs }));
  expect(await log.head({ timeoutMs })).toEqual(head);
});

test.runIf(hasRealEtcd)(
  'passes over members that are not there, and refuses one of another cluster',
  async () => {
    const { etcd, endpoint } = await startEtcd();
    const { endpoint: stranger } = await startEtcd();
    const nothing = `127.0.0.1:${await freePort()}`;
    const log = open({ address: `etcd://${nothing},${endpoint}/kelp/main` });
    await use(log);
    const mixed = open({ address: `etcd://${endpoint},${stranger}/kelp/main` });
    await mixed.head({ timeoutMs });
    await etcd.kill();
    await expect(mixed.head({ timeoutMs })).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining('of another cluster') as string,
    });
    const alone = open({ address: `etcd://${nothing}/kelp/main` });
    await expect(alone.head({ timeoutMs: 300 })).rejects.toMatchObject({
      code: 'unavailable',
      message: /did not tell its head in time: can't reach etcd at .*connection refused/,
    });
  },
);
