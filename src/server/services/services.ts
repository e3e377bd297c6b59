/** The services of `kelp.v1`, for all doors: what is served, and how long a request of theirs may be. */
import type { DescService } from '@bufbuild/protobuf';
import { AccessService } from '../../../gen/kelp/v1/access_pb.ts';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { ClusterService } from '../../../gen/kelp/v1/cluster_pb.ts';
import { HashService } from '../../../gen/kelp/v1/hash_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { ListService } from '../../../gen/kelp/v1/list_pb.ts';
import { SetService } from '../../../gen/kelp/v1/set_pb.ts';
import { SketchService } from '../../../gen/kelp/v1/sketch_pb.ts';
import { SortedSetService } from '../../../gen/kelp/v1/sorted_set_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { type ServerLimits, serverFixed } from '../../limits.ts';
import type { Dialect } from '../calls/dialect.ts';
import { accessMethods } from './access.ts';
import { adminMethods } from './admin.ts';
import { clusterMethods } from './cluster.ts';
import { hashMethods } from './data-types/hash.ts';
import { listMethods } from './data-types/list.ts';
import { setMethods } from './data-types/set.ts';
import { sketchMethods } from './data-types/sketch.ts';
import { sortedSetMethods } from './data-types/sorted-set.ts';
import { kvMethods } from './kv/kv.ts';
import { clustered } from './clustered.ts';
import { limited } from './limited.ts';
import { leaseMethods } from './lease.ts';
import type { Method } from './method.ts';
import type { ServiceParts } from './service-parts.ts';
import { watchMethods } from './watch/watch.ts';

export interface ServedService {
  readonly desc: DescService;
  readonly methods: readonly Method[];
  /** Of one request message, as sent and as decompressed. */
  readonly requestBytesMax: number;
  /** Of a foreign API. Left out: it is one of our own. */
  readonly dialect?: Dialect;
}

export function servedServices(
  { requestBytesMax }: Pick<ServerLimits, 'requestBytesMax'>,
  { version, activity, access, node, audit, onNodeSeen, cluster, areRatesLimited }: ServiceParts,
): readonly ServedService[] {
  const { smallRequestBytesMax, accessRequestBytesMax } = serverFixed;
  const methodsOfOperators = (methods: Readonly<Record<string, Method>>): readonly Method[] =>
    Object.values(methods).map((method) => clustered(method, cluster));
  const methodsOf = (methods: Readonly<Record<string, Method>>): readonly Method[] => {
    const each = methodsOfOperators(methods);
    return areRatesLimited ? each.map(limited) : each;
  };
  return [
    // Values come in requests and pages of them in replies; the latter are limited before they are made.
    { desc: KvService, methods: methodsOf(kvMethods), requestBytesMax },
    { desc: HashService, methods: methodsOf(hashMethods), requestBytesMax },
    { desc: ListService, methods: methodsOf(listMethods), requestBytesMax },
    { desc: SetService, methods: methodsOf(setMethods), requestBytesMax },
    { desc: SortedSetService, methods: methodsOf(sortedSetMethods), requestBytesMax },
    { desc: SketchService, methods: methodsOf(sketchMethods), requestBytesMax },
    { desc: WatchService, methods: methodsOf(watchMethods), requestBytesMax },
    { desc: LeaseService, methods: methodsOf(leaseMethods), requestBytesMax: smallRequestBytesMax },
    // These count for no user: operators get in however much is done.
    {
      desc: AdminService,
      methods: methodsOfOperators(adminMethods({ version, activity, node, audit })),
      requestBytesMax: smallRequestBytesMax,
    },
    {
      desc: ClusterService,
      methods: methodsOfOperators(clusterMethods({ node, audit, onNodeSeen })),
      requestBytesMax: smallRequestBytesMax,
    },
    {
      desc: AccessService,
      methods: methodsOfOperators(accessMethods(access, audit)),
      requestBytesMax: accessRequestBytesMax,
    },
  ];
}
