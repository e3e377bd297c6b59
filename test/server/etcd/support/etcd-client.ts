/** Calls of etcd's API, without a client's own ideas of them: to KelpDB and to a real etcd in the same way. */
import { type DescMessage, type MessageShape, toJson } from '@bufbuild/protobuf';
import { type Client, Code, ConnectError, type Interceptor, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  Auth,
  Cluster,
  KV,
  Lease,
  Maintenance,
  Watch,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';

export interface EtcdClient {
  readonly kv: Client<typeof KV>;
  readonly watch: Client<typeof Watch>;
  readonly lease: Client<typeof Lease>;
  readonly cluster: Client<typeof Cluster>;
  readonly maintenance: Client<typeof Maintenance>;
  readonly auth: Client<typeof Auth>;
}

/** @param headers sent with every call, such as `token`. */
export function etcdClient(baseUrl: string, headers: Readonly<Record<string, string>> = {}): EtcdClient {
  const withHeaders: Interceptor = (next) => (request) => {
    for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
    return next(request);
  };
  const transport = createGrpcTransport({ baseUrl, interceptors: [withHeaders] });
  return {
    kv: createClient(KV, transport),
    watch: createClient(Watch, transport),
    lease: createClient(Lease, transport),
    cluster: createClient(Cluster, transport),
    maintenance: createClient(Maintenance, transport),
    auth: createClient(Auth, transport),
  };
}

/** What came of a call: its reply, or the code and text of its error. */
export type EtcdOutcome = { readonly reply: unknown } | { readonly code: string; readonly message: string };

/**
 * Of a call to either server, in a form that can be compared: JSON of the reply without what names the server (ids and terms in
 * headers), or the error.
 */
export async function outcomeOf<Output extends DescMessage>(
  schema: Output,
  call: Promise<MessageShape<Output>>,
): Promise<EtcdOutcome> {
  try {
    return { reply: comparable(toJson(schema, await call)) };
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return { code: Code[code], message: rawMessage };
  }
}

/** JSON of a message of either server, without what names the server. */
export function comparable(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(comparable);
  if (typeof json !== 'object' || json === null) return json;
  const members = Object.entries(json).filter(([name]) => !namesOfServer.has(name));
  return Object.fromEntries(members.map(([name, value]) => [name, comparable(value)]));
}

const namesOfServer: ReadonlySet<string> = new Set(['clusterId', 'memberId', 'raftTerm']);
