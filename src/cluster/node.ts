/** What a node of a cluster is to the process that runs it: see `open-node.ts`. */
import type { ClusterView, Role } from './cluster-view.ts';

/** What a follower tells its writer, every second. */
export interface NodeReport {
  /** Where the node's clients and the other nodes reach it. */
  readonly address: string;
  /** Of the newest batch of the shared log that it has applied. */
  readonly position: number;
  /** Of the newest batch that its newest snapshot covers; 0: it has none. */
  readonly snapshotPosition: number;
}

/** A report on its way to the writer. */
export interface SentReport extends NodeReport {
  /** 32 hexadecimal digits: by a stale address the writer of another cluster may be reached. */
  readonly storeId: string;
  /** Of the newest head of the shared log (`LogHead`): only a node has read it. */
  readonly nonce: string;
}

/** How a node reaches the others. Both reject when that fails, with an error for the log. */
export interface Peers {
  /** A backup of the node at an address, as the bytes of a snapshot file. */
  snapshot(address: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  report(address: string, report: SentReport, signal: AbortSignal): Promise<void>;
}

export interface NodeStatus {
  readonly role: Role;
  readonly epoch: number;
  /** '': there is none, or it is not known. */
  readonly writerAddress: string;
  /** Of the newest batch that is applied here, ... */
  readonly position: number;
  /** ... and of the newest one that is known to be in the shared log. */
  readonly logPosition: number;
  /** For how long this node has not held all that was in the shared log; 0: it holds it. */
  readonly lagMs: number;
  /** The takeovers that this node has won since it was started. */
  readonly takeoverCount: number;
  /** Of the writer: how many bytes the shared log takes, `limits.sharedLog.recordOverheadBytes` for each record included, ... */
  readonly logBytes: number;
  /** ... and of how many it may; 0: there is no shared log. */
  readonly logBytesMax: number;
  /** The nodes that have reported of late, this one included: the writer knows them, a follower only itself. */
  readonly nodes: readonly NodeReport[];
}

export interface ClusterNode extends ClusterView {
  status(): NodeStatus;
  /** Settled once this node was overtaken as writer, or its state has a gap: it is to be closed, and opened again. */
  readonly ended: Promise<Error>;
  /**
   * Of another node, when this one is the writer. Where access is open anyone may send one, and the shared log is trimmed by what nodes
   * say: so it counts only with the nonce of this writer.
   * Throws StoreError `notWriter`, and `invalidArgument` when it is of no node.
   */
  takeReport(report: NodeReport, nonce: string): void;
  /**
   * Lets another node take over: writes the handover and goes on as a follower, by way of `ended`. Resolves when the handover is
   * in the shared log. Throws StoreError `notWriter`.
   * @param successorAddress the node that is to take over, as it reports itself: the others leave it to that one for as long as they would
   * wait for a writer that is silent. Left out: any may, at once.
   */
  handOver(successorAddress?: string): Promise<void>;
  /** Hands over when it is the writer; then lets go of the shared log. The store is closed by who has opened it. */
  close(): Promise<void>;
}
