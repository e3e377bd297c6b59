/** Which calls at a follower are for the writer, and where that is. */
import { sessionClaimIn } from '../../access/login/session-tokens.ts';
import { ReadReplicaError, StoreError } from '../../errors.ts';
import type { ShownCredentials } from '../calls/call.ts';
import { type ClusterDoors, type RunsAt, isFollower } from './cluster-doors.ts';
import { forwardedTwiceError } from './writer-errors.ts';

/** Where a call goes that does not run here. */
export interface AtWriter {
  /** '': there is no writer now, which the call waits for. */
  readonly address: string;
  /** It can't change anything. */
  readonly isRead: boolean;
}

/**
 * @param isForwarded another node has passed it on.
 * @returns `undefined`: it runs here. Throws as `addressOfWriter` does.
 */
export function atWriter(
  doors: Pick<ClusterDoors, 'view' | 'peers'>,
  runsAt: RunsAt,
  shown: ShownCredentials,
  isForwarded: boolean,
): AtWriter | undefined {
  if (!isFollower(doors) || !runsAtWriter(doors, runsAt, shown)) return undefined;
  return { address: addressOfWriter(doors, shown, isForwarded), isRead: runsAt === 'caughtUp' };
}

/**
 * Whether a call at a follower goes to the writer. So does what else its client asks for whom the writer alone knows: the tokens that
 * etcd's clients are given for their passwords are good at the process that gave them, which is the writer's.
 */
function runsAtWriter(
  { view }: Pick<ClusterDoors, 'view'>,
  runsAt: RunsAt,
  { authorization }: ShownCredentials,
): boolean {
  if (runsAt === 'writer') return true;
  return runsAt !== 'here' && view()?.isReadOnly !== true && isSessionToken(authorization);
}

function isSessionToken(authorization: string | undefined): boolean {
  if (authorization === undefined) return false;
  const [, token = ''] = authorization.split(' ', 2);
  return sessionClaimIn(token) !== undefined;
}

/**
 * Throws `notWriter` when another node has passed the call on to this one, and `unauthenticated` when the writer can't be shown whose
 * call it is.
 * @returns '': there is no writer now, which the call waits for.
 */
export function addressOfWriter(
  doors: { readonly view: ClusterDoors['view']; readonly peers: Pick<ClusterDoors['peers'], 'hasToken'> },
  shown: ShownCredentials | undefined,
  isForwarded: boolean,
): string {
  const address = doors.view()?.writerAddress ?? '';
  if (doors.view()?.isReadOnly === true) throw new ReadReplicaError(address);
  if (isForwarded) throw forwardedTwiceError(address);
  if (shown?.isByConnection === true && !doors.peers.hasToken) {
    throw new StoreError(
      'unauthenticated',
      `this node follows the writer of its cluster, which it can't tell of the certificate of its client, since it has no token for that (--peer-token-file): call the writer at ${address}, or log in by a token or a password`,
    );
  }
  return address;
}
