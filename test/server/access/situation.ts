/** What the calls of the table find: keys, leases and their owners. */
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { closeAccess, type Principal } from './principals.ts';

/** Leases that are there; those of nobody were granted while access was open. The spare ones are revoked. */
export const leases = { edith: 11n, karl: 12n, nobody: 13n } as const;
export const spareLeases = { edith: 21n, karl: 22n } as const;

const ttl = { seconds: 3600n };
const seeds = ['a/1', 'a/number', 'a/ttl', 'b/1', 'b/number'];

export interface Situation {
  readonly root: Principal;
  readonly principals: readonly Principal[];
  /** Is another one after each change. */
  readonly fingerprint: () => Promise<unknown>;
  /** Makes again what allowed calls have taken away. */
  readonly restore: () => Promise<void>;
}

/** @param url of a server that is empty, and open. */
export async function openSituation(url: string): Promise<Situation> {
  const asNobody = clientsOf(url, undefined);
  await asNobody.lease.grant({ leaseId: leases.nobody, ttl });
  const { root, principals } = await closeAccess(url);
  const asRoot = clientsOf(url, root.authorization);
  const owned = (['edith', 'karl'] as const).flatMap((owner) => {
    const { authorization } = principals.find(({ name }) => name === owner) ?? {};
    const { lease } = clientsOf(url, authorization);
    return [leases[owner], spareLeases[owner]].map((leaseId) => ({ leaseId, ofOwner: lease }));
  });
  const fingerprint = async (): Promise<unknown> => {
    const { revision } = await asRoot.admin.status({});
    const { leases: listed } = await asRoot.lease.list({});
    return { revision, leases: listed.map(({ leaseId, keyCount }) => ({ leaseId, keyCount })) };
  };
  const restore = async (): Promise<void> => {
    for (const key of seeds) await asRoot.kv.put({ key, value: Buffer.from('1') });
    await asRoot.kv.touch({ key: 'a/ttl', ttl });
    const { leases: listed } = await asRoot.lease.list({});
    for (const { leaseId, ofOwner } of owned)
      if (!listed.some((each) => each.leaseId === leaseId)) await ofOwner.grant({ leaseId, ttl });
  };
  await restore();
  return { root, principals, fingerprint, restore };
}

function clientsOf(baseUrl: string, authorization: string | undefined) {
  const transport = createGrpcTransport({
    baseUrl,
    interceptors: [
      (next) => (request) => {
        if (authorization !== undefined) request.header.set('authorization', authorization);
        return next(request);
      },
    ],
  });
  return {
    kv: createClient(KvService, transport),
    lease: createClient(LeaseService, transport),
    admin: createClient(AdminService, transport),
  };
}
