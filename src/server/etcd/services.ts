/** The services of etcd's API that are served. One that is not here is UNIMPLEMENTED. */
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { type ServerLimits, serverFixed } from '../../limits.ts';
import type { Logins } from '../access/logins.ts';
import { clustered } from '../services/clustered.ts';
import { limited } from '../services/limited.ts';
import type { Method } from '../services/method.ts';
import type { ServiceParts } from '../services/service-parts.ts';
import type { ServedService } from '../services/services.ts';
import { authMethods } from './auth.ts';
import { clusterMethods } from './cluster.ts';
import { etcdDialect } from './dialect.ts';
import { kvMethods } from './kv.ts';
import { leaseMethods } from './lease.ts';
import { maintenanceMethods } from './maintenance.ts';
import { watchMethods } from './watch.ts';

/** What etcd's services stand on besides the store. */
export interface EtcdParts extends ServiceParts {
  /** Of the store. */
  readonly valueBytesMax: number;
  /** Where passwords are checked. */
  readonly logins: Pick<Logins, 'show'>;
  /** Whether access may be open at the addresses of the server. */
  readonly mayOpenAccess: () => boolean;
  /** Where clients reach the server, once it listens. */
  readonly clientUrl: () => string;
}

export function etcdServices(
  { requestBytesMax }: Pick<ServerLimits, 'requestBytesMax'>,
  parts: EtcdParts,
): readonly ServedService[] {
  const inCluster = (methods: Readonly<Record<string, Method>>): Method[] =>
    Object.values(methods).map((method) => clustered(method, parts.cluster));
  const served = (desc: ServedService['desc'], methods: Readonly<Record<string, Method>>): ServedService => ({
    desc,
    methods: parts.areRatesLimited ? inCluster(methods).map(limited) : inCluster(methods),
    requestBytesMax,
    dialect: etcdDialect,
  });
  return [
    served(KV, kvMethods(parts)),
    served(Lease, leaseMethods()),
    served(Watch, watchMethods()),
    served(Cluster, clusterMethods(parts)),
    served(Maintenance, maintenanceMethods(parts)),
    {
      desc: Auth,
      // Their rate is not limited, so that operators get in.
      methods: inCluster(authMethods(parts)),
      requestBytesMax: serverFixed.accessRequestBytesMax,
      dialect: etcdDialect,
    },
  ];
}
