/** The alarm of a store that is full, beside that of an etcd that has no space left. */
import { ConnectError } from '@connectrpc/connect';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  AlarmRequest_AlarmAction as Action,
  AlarmType,
  type AlarmResponse,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { Etcdctl, hasEtcdctl } from '../../peers/etcd/etcdctl.ts';
import { startTestServer } from '../../support/test-server.ts';
import { type EtcdClient, etcdClient } from './support/etcd-client.ts';
import { hasRealEtcd, RealEtcd } from './support/real-etcd.ts';

const VALUE = Buffer.alloc(1_000_000, 'v');
const NO_SPACE = 'etcdserver: mvcc: database space exceeded';

/** Puts until one is refused. @returns the keys that are there. */
async function fill({ kv }: EtcdClient): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const key = `k/${keys.length}`;
    try {
      await kv.put({ key: Buffer.from(key), value: VALUE });
    } catch (error) {
      expect(ConnectError.from(error).rawMessage).toBe(NO_SPACE);
      return keys;
    }
    keys.push(key);
  }
}

/** The alarms while writes are refused: on a machine that is slow, a refusal may be long ago when they are asked for. */
async function alarmsOf(client: EtcdClient, alarm: AlarmType): Promise<AlarmResponse['alarms']> {
  for (;;) {
    await expect(client.kv.put({ key: Buffer.from('more'), value: VALUE })).rejects.toThrow(NO_SPACE);
    const { alarms } = await client.maintenance.alarm({ action: Action.GET, alarm });
    if (alarms.length > 0) return alarms;
  }
}

async function full(): Promise<{
  readonly client: EtcdClient;
  readonly address: string;
  readonly keys: string[];
}> {
  const { url, address } = await startTestServer({ flags: { engine: 'memory', 'memory-limit': '64MiB' } });
  const client = etcdClient(url);
  expect((await client.maintenance.alarm({})).alarms).toEqual([]);
  return { client, address, keys: await fill(client) };
}

test('a store that refuses writes has the alarm NOSPACE, until it takes them again', async () => {
  const { client, keys } = await full();
  const { kv, maintenance } = client;
  const { leader: memberID } = await maintenance.status({});
  for (const alarm of [AlarmType.NONE, AlarmType.NOSPACE])
    expect(await alarmsOf(client, alarm)).toMatchObject([{ memberID, alarm: AlarmType.NOSPACE }]);
  expect((await maintenance.alarm({ alarm: AlarmType.CORRUPT })).alarms).toEqual([]);
  // It goes by itself, not by being disarmed.
  const { alarms } = await maintenance.alarm({ action: Action.DEACTIVATE, alarm: AlarmType.NOSPACE });
  expect(alarms).toEqual([]);
  await kv.deleteRange({ key: Buffer.from('k/'), rangeEnd: Buffer.from('k0') });
  for (let isTaken = false; !isTaken;) {
    isTaken = await kv.put({ key: Buffer.from('more'), value: VALUE }).then(
      () => true,
      () => false,
    );
  }
  expect((await maintenance.alarm({})).alarms).toEqual([]);
  expect((await maintenance.status({})).errors).toEqual([]);
  expect(keys.length).toBeGreaterThan(20);
});

describe.skipIf(!hasRealEtcd || !hasEtcdctl)('as etcd does', () => {
  test('etcdctl lists the alarm, and the status tells it', { timeout: 60_000 }, async () => {
    const real = await RealEtcd.start(['--quota-backend-bytes=3000000']);
    onTestFinished(() => real.stop());
    const etcd = etcdClient(real.url);
    await fill(etcd);
    const { client, address } = await full();
    const told = async (side: EtcdClient, host: string): Promise<unknown> => {
      for (;;) {
        await alarmsOf(side, AlarmType.NONE);
        const { errors, leader } = await side.maintenance.status({});
        const list = await Etcdctl.run(host, 'alarm', 'list');
        if (errors.length === 0 || list.trim() === '') continue;
        return [errors, list].map((each) => JSON.stringify(each).replaceAll(String(leader), 'MEMBER'));
      }
    };
    expect(await told(client, address)).toEqual(await told(etcd, new URL(real.url).host));
  });
});
