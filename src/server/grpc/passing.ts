/** Which calls of plain gRPC a follower of a cluster passes on to its writer, found by their heads. */
import { type RequestHead, fieldOf } from '../../http2/contract/fields.ts';
import type { ServerStream } from '../../http2/contract/stream.ts';
import type { Logins } from '../access/logins.ts';
import { NOTHING_SHOWN, type ShownCredentials } from '../calls/call.ts';
import { type ClusterDoors, isFollower } from '../cluster/cluster-doors.ts';
import { forwardedFields, isForwarded } from '../cluster/forwarded-fields.ts';
import type { UpstreamOptions } from '../cluster/upstream.ts';
import { atWriter } from '../cluster/writer-calls.ts';
import type { PassedOn, ServedMethod } from './routes.ts';

/** @returns where it goes, or what it is refused with; `undefined`: it runs here. */
export function passedOn(
  cluster: ClusterDoors,
  logins: Logins,
  served: ServedMethod,
  head: RequestHead,
  stream: ServerStream,
  memo: { passedOn: PassedOn | undefined },
): UpstreamOptions | Error | undefined {
  if (!isFollower(cluster)) return undefined;
  try {
    const shown = shownIn(logins, served, head, stream);
    const to = atWriter(cluster, served.method.runsAt, shown, isForwarded(head));
    if (to === undefined) return undefined;
    const { address, isRead } = to;
    const { peers } = cluster;
    if (memo.passedOn?.address !== address) {
      memo.passedOn = {
        address,
        fields: forwardedFields(head, address, peers.hasTls, peers.clientFields(stream.connection)),
      };
    }
    return { peers, address, fields: memo.passedOn.fields, isRead };
  } catch (error) {
    return error as Error;
  }
}

/** What the client of a head has shown. */
export function shownIn(
  logins: Logins,
  { dialect, isOpen }: ServedMethod,
  { fields }: RequestHead,
  { connection }: ServerStream,
): ShownCredentials {
  if (isOpen) return NOTHING_SHOWN;
  const field = (name: string): string | undefined => fieldOf(fields, name);
  const authorization = dialect === undefined ? field('authorization') : dialect.authorizationIn(field);
  return logins.shownBy(authorization, connection);
}
