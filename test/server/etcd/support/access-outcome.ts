/** How a call of an etcd client ended, in the words of the tables of rights. */
import { type Code, ConnectError } from '@connectrpc/connect';
import type { Outcome } from '../../access/principals.ts';

export async function failureOf(
  call: Promise<unknown>,
): Promise<{ code: Code; message: string } | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return { code, message: rawMessage };
  }
}

export async function accessOutcome(call: Promise<unknown>): Promise<Outcome> {
  const failure = await failureOf(call);
  if (failure?.message === 'etcdserver: permission denied') return 'denied';
  const isUnknown = ['etcdserver: user name is empty', 'etcdserver: invalid auth token'];
  return failure !== undefined && isUnknown.includes(failure.message) ? 'unauthenticated' : 'allowed';
}
