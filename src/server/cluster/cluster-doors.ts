/**
 * What the doors of a server know of its cluster. A server that is alone has none of this, and its doors look no further than that.
 *
 * - A call that changes something runs at the writer alone. At a follower it is passed on whole, as it came (`Upstream`), once.
 * - A call that reads runs at any node, once that holds all that was acknowledged before the call came (`ReadGate`), unless its
 *   request says that it need not.
 * - A call about the process itself runs where it comes.
 */
import type { ClusterView } from '../../cluster/cluster-view.ts';
import type { PeerConnections } from './peer-connections.ts';
import type { ReadGate } from './read-gate.ts';

export interface ClusterDoors {
  /** `undefined` until the node is open, and while it is opened again. */
  readonly view: () => ClusterView | undefined;
  readonly gate: ReadGate;
  /** The way to the writer. */
  readonly peers: PeerConnections;
}

/** Where in a cluster a call runs. To a store that is alone it makes no difference. */
export type RunsAt =
  /** It changes something: at the writer. */
  | 'writer'
  /** It reads the state: at any node that has caught up. */
  | 'caughtUp'
  /** It sees to it itself, or any node will do: where it comes, unless the writer alone knows who asks. */
  | 'anywhere'
  /** It is about this process. */
  | 'here';

export function isFollower({ view }: Pick<ClusterDoors, 'view'>): boolean {
  return view()?.role === 'follower';
}
