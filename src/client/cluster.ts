/** For operators of a cluster. Against a server that is alone each call rejects with `notClustered`. */
import { type StatusResponseShape, StatusResponse_Role as Role } from '../../gen/kelp/v1/admin_codec.ts';
import type { FollowResponseShape, LogHeadShape } from '../../gen/kelp/v1/cluster_codec.ts';
import { named, required, text } from '../arguments/check.ts';
import { count } from '../arguments/count.ts';
import { noOptions, shape } from '../arguments/shape.ts';
import { optionsByCall } from './arguments.ts';
import { refuse } from './errors/refuse.ts';
import type { Caller } from './calls/caller.ts';
import { clusterMethods } from './calls/method.ts';
import { toMilliseconds } from './messages/scalar.ts';
import type {
  CallOptions,
  ClusterStatus,
  HandoverOptions,
  Member,
  Members,
  ServerRole,
} from './messages/types.ts';

type Report = Member & { readonly storeId: string; readonly nonce: string };

const isReport = shape<Report>({
  address: required(text),
  position: required(count),
  snapshotPosition: required(count),
  storeId: required(text),
  nonce: required(text),
});

/** Where a server is that follows another one. */
interface FollowFrom {
  /** As it lies on disk, 32 hexadecimal digits. */
  readonly storeId: string;
  readonly afterRevision: number;
  /** That wrote the revision; '': it is not known. */
  readonly incarnation: string;
  /** See `FollowRequest`. */
  readonly noteCount: number;
  readonly noteChecksum: number;
  readonly snapshotLife?: string | undefined;
}

const isFollowFrom = shape<FollowFrom>({
  storeId: required(text),
  afterRevision: required(count),
  incarnation: required(text),
  noteCount: required(count),
  noteChecksum: required(count),
  snapshotLife: text,
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
   * Has the writer hand over to another node; resolves when that is in the shared log, so that this one writes nothing any more; with `to`
   * when that node is the writer. Rejects with `notWriter` where the server is a follower, and with `notHandedOver` where the node that is
   * named is not the writer afterwards.
   */
  async handover(options: HandoverOptions = noOptions): Promise<void> {
    refuse(optionsByCall['cluster.handover'](options));
    await this.#caller.write(clusterMethods.handover, { to: options.to ?? '' }, options);
  }

  /** @internal For servers that follow the one that answers: how far its store is. */
  async head(options: CallOptions = noOptions): Promise<LogHeadShape> {
    refuse(optionsByCall['cluster.head'](options));
    const { head } = await this.#caller.read(clusterMethods.head, {}, options);
    if (head === undefined) throw new TypeError('a Head is answered with a head');
    return head;
  }

  /** @internal For them, too: one try, without a deadline. What it gives are views of what has come. */
  async *follow(
    from: FollowFrom,
    options: CallOptions = noOptions,
  ): AsyncGenerator<FollowResponseShape, void, undefined> {
    refuse(named('from', isFollowFrom(from)) ?? optionsByCall['cluster.follow'](options));
    const { signal } = options;
    const caller = this.#caller;
    const ended = signal === undefined ? caller.closed : AbortSignal.any([caller.closed, signal]);
    const { snapshotLife } = from;
    const request = { ...from, storeId: Buffer.from(from.storeId, 'hex'), snapshotLife };
    await caller.authorized(caller.deadlineMs, signal);
    try {
      yield* caller.stream(clusterMethods.follow, request, undefined, ended);
    } catch (reason) {
      throw caller.errorOf(reason, false, signal);
    }
  }

  /** @internal Nodes tell their writer how far they are. */
  async report(report: Report, options: CallOptions = noOptions): Promise<void> {
    refuse(named('report', isReport(report)) ?? optionsByCall['cluster.report'](options));
    const { storeId, nonce, ...member } = report;
    await this.#caller.read(clusterMethods.report, { member, storeId, nonce }, options);
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
