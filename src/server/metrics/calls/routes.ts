/**
 * What calls are counted by: doors and methods, closed sets both, so that no client can make rows of metrics. A method has one name
 * whatever door it is called through.
 */
import type { DescMethod } from '@bufbuild/protobuf';
import * as etcd from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { AccessService } from '../../../../gen/kelp/v1/access_pb.ts';
import { AdminService } from '../../../../gen/kelp/v1/admin_pb.ts';
import { KvService } from '../../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../../../gen/kelp/v1/watch_pb.ts';

/** What a call comes through, with what the documentation says of it. */
export const doors = {
  grpc: 'gRPC, plain or compressed',
  grpc_web: 'gRPC-Web',
  connect: "Connect's own protocol, in JSON or binary",
  rest: 'REST',
  scripts: 'the HTTP interfaces for existing scripts',
  http: 'all other HTTP: probes, metrics, paths at which nothing is served, and what browsers are told before a request gets to its door',
  pipeline:
    'the operations of batches of `Pipeline`, through whatever door their stream came, each as the call that it stands for',
} as const satisfies Readonly<Record<string, string>>;

export type Door = keyof typeof doors;

/** What stands before the names of some services' methods, which others have too. */
const prefixByService: Readonly<Record<string, string>> = {
  [LeaseService.typeName]: 'Lease',
  'grpc.health.v1.Health': 'Health',
  [etcd.KV.typeName]: 'Etcd',
  [etcd.Watch.typeName]: 'Etcd',
  [etcd.Lease.typeName]: 'Etcd',
  [etcd.Cluster.typeName]: 'Etcd',
  [etcd.Maintenance.typeName]: 'Etcd',
  [etcd.Auth.typeName]: 'Etcd',
};

/** How metrics name a method of an RPC service. */
export function methodNameOf({
  parent,
  name,
}: Pick<DescMethod, 'name'> & { readonly parent: { readonly typeName: string } }): string {
  if (parent.typeName.startsWith('grpc.reflection.')) return 'Reflection';
  return `${prefixByService[parent.typeName] ?? ''}${name}`;
}

const served = [
  KvService,
  WatchService,
  LeaseService,
  AdminService,
  AccessService,
  etcd.KV,
  etcd.Watch,
  etcd.Lease,
  etcd.Cluster,
  etcd.Maintenance,
  etcd.Auth,
].flatMap(({ methods }) => methods.map(methodNameOf));

/** What is no method of `kelp.v1` or of etcd's services. */
const others = {
  HealthCheck: '`grpc.health.v1`',
  HealthList: '`grpc.health.v1`',
  HealthWatch: '`grpc.health.v1`',
  Reflection: 'gRPC reflection, in both versions',
  healthz: '`/healthz`',
  readyz: '`/readyz`',
  metrics: '`/metrics`',
  health: '`/health`, for scripts',
  openapi: 'the OpenAPI document',
  other: 'all else: unknown methods and paths, and operations that say nothing known',
} as const satisfies Readonly<Record<string, string>>;

export const otherMethods: Readonly<Record<string, string>> = others;

/** All methods: a name that is not among them is counted as `other`. */
export const methodNames: readonly string[] = [...served, ...Object.keys(others)];

/** The classes of HTTP's status, by their first digit. */
export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
