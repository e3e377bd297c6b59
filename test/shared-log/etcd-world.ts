/** A place for a shared log in a real etcd, of which each has a prefix of its own. */
import { randomBytes } from 'node:crypto';
import { systemClock, systemRandom } from '../../src/clock.ts';
import { parseAddress } from '../../src/client/connection/address.ts';
import { EtcdLogStorage } from '../../src/etcd-log/etcd-log-storage.ts';
import { LogKeys } from '../../src/etcd-log/keys.ts';
import type { LogStorage } from '../../src/shared-log/log-storage.ts';
import type { EtcdClient } from '../server/etcd/support/etcd-client.ts';
import type { LogWorld } from './world.ts';

export interface EtcdWorld extends LogWorld {
  readonly prefix: string;
}

/** @param calls of a member that stays. */
export function etcdWorld(endpoints: readonly string[], { kv }: EtcdClient): EtcdWorld {
  const prefix = `kelp/${randomBytes(8).toString('hex')}`;
  const keys = new LogKeys(prefix);
  const addresses = endpoints.map((endpoint) => parseAddress(endpoint, false));
  const opened: LogStorage[] = [];
  return {
    prefix,
    clock: systemClock,
    random: systemRandom,
    losesChanges: false,
    storage: () => {
      const storage = new EtcdLogStorage({ addresses, prefix, tls: {}, login: undefined });
      opened.push(storage);
      return storage;
    },
    wipe: async () => void (await kv.deleteRange({ key: keys.first, rangeEnd: keys.end })),
    putHead: async (head) => {
      if (head === undefined) await kv.deleteRange({ key: keys.head });
      else await kv.put({ key: keys.head, value: head });
    },
    removeRecord: async (position) => void (await kv.deleteRange({ key: keys.record(position) })),
    forget: async () => {
      const { header } = await kv.range({ key: keys.head });
      // Another test may have done so already.
      await kv.compact({ revision: header?.revision ?? 0n }).catch(() => undefined);
    },
    close: async () => {
      for (const storage of opened) storage.close();
    },
  };
}
