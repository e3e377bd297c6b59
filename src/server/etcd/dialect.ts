/** How etcd's services differ from our own, whatever the method. */
import { Auth } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { Dialect } from '../calls/dialect.ts';
import { toEtcdError } from './errors.ts';

export const etcdDialect: Dialect = {
  toError: toEtcdError,
  authorizationIn,
  openMethods: new Set([Auth.method.authenticate]),
};

/**
 * etcd's clients send what `Authenticate` gave them, as it is, as `token`, or as `authorization` where they come by way of HTTP. The
 * forms of our own clients are taken, too.
 */
function authorizationIn(field: (name: string) => string | undefined): string | undefined {
  const token = field('token');
  if (token !== undefined) return `Bearer ${token}`;
  const authorization = field('authorization');
  return authorization === undefined || authorization.includes(' ')
    ? authorization
    : `Bearer ${authorization}`;
}
