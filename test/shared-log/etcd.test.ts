import { afterAll, beforeAll, describe } from 'vitest';
import { hasRealEtcd } from '../server/etcd/support/real-etcd.ts';
import { EtcdCluster } from '../support/etcd-cluster.ts';
import { sharedLogTests } from './contract-tests.ts';
import { etcdWorld } from './etcd-world.ts';

describe.runIf(hasRealEtcd)('beside three members of etcd', () => {
  let cluster: EtcdCluster;
  beforeAll(async () => {
    cluster = await EtcdCluster.start();
    await cluster.leader();
  });
  afterAll(() => cluster.stop());

  sharedLogTests('in etcd', async () => etcdWorld(cluster.endpoints, (await cluster.leader()).calls));
});
