/** The services of `kelp.v1`, for all doors: what is served, and how long a request of theirs may be. */
import type { DescService } from '@bufbuild/protobuf';
import { AccessService } from '../../../gen/kelp/v1/access_pb.ts';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { type ServerLimits, serverFixed } from '../../limits.ts';
import { accessMethods } from './access.ts';
import { adminMethods } from './admin.ts';
import { kvMethods } from './kv.ts';
import { leaseMethods } from './lease.ts';
import type { Method } from './method.ts';
import type { ServiceParts } from './service-parts.ts';
import { watchMethods } from './watch.ts';

export interface ServedService {
  readonly desc: DescService;
  readonly methods: readonly Method[];
  /** Of one request message, as sent and as decompressed. */
  readonly requestBytesMax: number;
}

export function servedServices(
  { requestBytesMax }: Pick<ServerLimits, 'requestBytesMax'>,
  { version, activity, access, audit }: ServiceParts,
): readonly ServedService[] {
  const { smallRequestBytesMax, accessRequestBytesMax } = serverFixed;
  return [
    // Values come in requests and pages of them in replies; the latter are limited before they are made.
    { desc: KvService, methods: Object.values(kvMethods), requestBytesMax },
    { desc: WatchService, methods: Object.values(watchMethods), requestBytesMax },
    { desc: LeaseService, methods: Object.values(leaseMethods), requestBytesMax: smallRequestBytesMax },
    {
      desc: AdminService,
      methods: Object.values(adminMethods({ version, activity, audit })),
      requestBytesMax: smallRequestBytesMax,
    },
    {
      desc: AccessService,
      methods: Object.values(accessMethods(access, audit)),
      requestBytesMax: accessRequestBytesMax,
    },
  ];
}
