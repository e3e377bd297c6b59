/** For operators of a cluster. Against a server that is alone each call rejects with `notClustered`. */
import { type StatusResponseShape, StatusResponse_Role as Role } from '../../gen/kelp/v1/admin_codec.ts';
import { named, required, text } from '../arguments/check.ts';
import { count } from '../arguments/count.ts';
import { noOptions, shape } from '../arguments/shape.ts';
import { optionsByCall } from './arguments.ts';
import { refuse } from './errors/refuse.ts';
import type { Caller } from './calls/caller.ts';
import { clusterMethods } from './calls/method.ts';
import { toMilliseconds } from './messages/scalar.ts';
import type { CallOptions, ClusterStatus, Member, Members, ServerRole } from './messages/types.ts';

type Report = Member & { readonly storeId: string };

const isReport = shape<Report>({
  address: required(text),
  position: required(count),
  snapshotPosition: required(count),
  storeId: required(text),
});

export class Cluster {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** What the server that answers knows of its cluster. */
  async members(options: CallOptions = noOptions): Promise<Members> {
    refuse(optionsByCall['cluster.members'](options));
    const reply = await this.#caller.read(clusterMethods.members, {}, options);
    const { address, position, logPosition, members } = reply;
    return { ...toClusterStatus(reply), address, position, logPosition, members };
  }

  /**
   * Has the writer hand over to another node; resolves when that is in the shared log, so that this one writes nothing any more.
   * Rejects with `notWriter` where the server is a follower.
   */
  async handover(options: CallOptions = noOptions): Promise<void> {
    refuse(optionsByCall['cluster.handover'](options));
    await this.#caller.write(clusterMethods.handover, {}, options);
  }

  /** @internal Nodes tell their writer how far they are. */
  async report(report: Report, options: CallOptions = noOptions): Promise<void> {
    refuse(named('report', isReport(report)) ?? optionsByCall['cluster.report'](options));
    const { storeId, ...member } = report;
    await this.#caller.read(clusterMethods.report, { member, storeId }, options);
  }
}

const roleByNumber = new Map<number, ServerRole>([
  [Role.WRITER, 'writer'],
  [Role.FOLLOWER, 'follower'],
]);

/** @internal A server of before there were clusters is alone. */
export function toClusterStatus({
  role,
  epoch,
  writerAddress,
  lag,
  takeoverCount,
}: Pick<StatusResponseShape, 'role' | 'epoch' | 'writerAddress' | 'lag' | 'takeoverCount'>): ClusterStatus {
  const lagMs = toMilliseconds(lag);
  return { role: roleByNumber.get(role) ?? 'single', epoch, writerAddress, lagMs, takeoverCount };
}
