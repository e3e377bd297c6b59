/** What a server is in its cluster, in words. */
import { type StatusResponse, StatusResponse_Role as Role } from '../../../gen/kelp/v1/admin_pb.ts';

export function roleName(role: Role): string {
  switch (role) {
    case Role.WRITER:
      return 'writer';
    case Role.FOLLOWER:
      return 'follower';
    default:
      return 'alone';
  }
}

export function roleText({ role, epoch, writerAddress }: StatusResponse): string {
  switch (role) {
    case Role.WRITER:
      return `Writer of its cluster, epoch ${epoch}`;
    case Role.FOLLOWER:
      return writerAddress === '' ? 'Follower; no writer is known now' : `Follower of ${writerAddress}`;
    default:
      return 'Alone, not in a cluster';
  }
}

/** For how long it has lacked what was written in its cluster; 0: it lacks nothing. */
export function lagMs({ lag }: Pick<StatusResponse, 'lag'>): number {
  return lag === undefined ? 0 : 1000 * Number(lag.seconds) + lag.nanos / 1e6;
}
