/** Watches that a user may not have, on a stream with one that it may: they are refused as by a real etcd, and the other one goes on. */
import { expect, test } from 'vitest';
import { AuthSideBySide } from './support/auth-side-by-side.ts';
import type { EtcdClient } from './support/etcd-client.ts';
import { hasRealEtcd } from './support/real-etcd.ts';
import { Watched } from './support/watched.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function closeAccess({ auth }: EtcdClient): Promise<void> {
  await auth.userAdd({ name: 'root', password: 'top' });
  await auth.roleAdd({ name: 'root' });
  await auth.userGrantRole({ user: 'root', role: 'root' });
  await auth.userAdd({ name: 'ann', password: 'word' });
  await auth.roleAdd({ name: 'r' });
  await auth.roleGrantPermission({ name: 'r', perm: { permType: 2, key: bytes('a'), rangeEnd: bytes('b') } });
  await auth.userGrantRole({ user: 'ann', role: 'r' });
  await auth.authEnable({});
}

/** What the stream tells, without revisions: changes of access take them here. */
async function told(client: EtcdClient): Promise<unknown[]> {
  const watched = new Watched(client);
  const replies: unknown[] = [];
  const next = async (): Promise<void> => {
    const { watchId, created, canceled, cancelReason, events } = await watched.next();
    replies.push({ watchId, created, canceled, cancelReason, keys: events?.map(({ kv }) => kv?.key) });
  };
  watched.create({ key: bytes('a') });
  await next();
  for (const request of [
    { key: bytes('b') },
    { key: bytes('a'), rangeEnd: bytes('c') },
    { key: bytes('\0'), rangeEnd: bytes('\0') },
    { key: bytes('b'), watchId: 7n },
  ]) {
    watched.create(request);
    await next();
  }
  await client.kv.put({ key: bytes('a') });
  await next();
  watched.stop();
  return replies;
}

test.skipIf(!hasRealEtcd)('a watch of others is refused, and one that is allowed goes on', async () => {
  const pair = await AuthSideBySide.start();
  await closeAccess(pair.etcd);
  await closeAccess(pair.kelp);
  await pair.logIn('ann', 'word');
  const wanted = await told(pair.etcd);
  expect(wanted).toHaveLength(6);
  expect(await told(pair.kelp)).toEqual(wanted);
});
