/** `Authenticate`: a token for a user and a password, which counts as a login: checked in the line of all logins, late when it is wrong. */
import type { AuthenticateRequestShape } from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { Access } from '../../../access/access.ts';
import { isUser } from '../../../access/checks.ts';
import { RefusedLogin } from '../../../access/login/refused-login.ts';
import type { Logins } from '../../access/logins.ts';
import type { Call } from '../../calls/call.ts';
import { etcdError } from '../errors.ts';

/** Rejects with `authNotEnabled` while access is open, and with `authFailed`. */
export async function tokenFor(
  access: Access,
  logins: Pick<Logins, 'show'>,
  { name, password }: AuthenticateRequestShape,
  call: Pick<Call, 'client' | 'login' | 'logIn'>,
): Promise<string> {
  if (!access.table.isClosed) throw etcdError('authNotEnabled');
  try {
    const login = logins.show({ kind: 'password', userName: name, password }, call.client ?? {});
    await call.logIn(Promise.resolve(login));
  } catch (error) {
    throw error instanceof RefusedLogin ? etcdError('authFailed') : error;
  }
  // The password may be another one since it was shown: the token would stand for the new one.
  const token = isUser(call.login) ? access.logins.sessionToken(name) : undefined;
  if (token === undefined) throw etcdError('authFailed');
  return token;
}
