/** Two servers of which one is told that it follows the other. Each has a store of its own: what a test reads says where it ran. */
import { onTestFinished } from 'vitest';
import type { ClusterView, Role } from '../../../src/cluster/cluster-view.ts';
import { systemClock } from '../../../src/clock.ts';
import type { ClusterDoors } from '../../../src/server/cluster/cluster-doors.ts';
import { PeerConnections } from '../../../src/server/cluster/peer-connections.ts';
import { ReadGate } from '../../../src/server/cluster/read-gate.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../../support/test-server.ts';

/** What a test says of the cluster. */
export class FakeView implements ClusterView {
  readonly isReadOnly = false;
  role: Role;
  writerAddress = '';
  readonly writerRedisAddress = '';
  /** How often it was asked whether the node has caught up. */
  barrierCount = 0;
  /** What barriers wait for. */
  barrier: Promise<void> = Promise.resolve();
  /** The revisions that were waited for. */
  readonly asked: number[] = [];
  reach: Promise<void> = Promise.resolve();

  constructor(role: Role) {
    this.role = role;
  }

  readBarrier(): Promise<void> {
    this.barrierCount++;
    return this.barrier;
  }

  reached(revision: number, signal?: AbortSignal): Promise<void> {
    this.asked.push(revision);
    const { promise: aborted, reject } = Promise.withResolvers<void>();
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
    return Promise.race([this.reach, aborted]);
  }
}

/** What a node shows to others, and for how long its calls wait for a writer; left out: they do not. */
export interface DoorOptions {
  readonly token?: string | undefined;
  readonly writerWaitMs?: number;
}

export function doorsOf(view: ClusterView, { token, writerWaitMs = 0 }: DoorOptions = {}): ClusterDoors {
  const peers = new PeerConnections({
    clock: systemClock,
    tls: undefined,
    token,
    writerAddress: () => view.writerAddress,
    writerWaitMs,
  });
  onTestFinished(() => peers.close());
  return { view: () => view, gate: new ReadGate(() => view, systemClock), peers };
}

export interface Node extends TestServer {
  readonly view: FakeView;
}

export async function startNode(
  role: Role,
  options: TestServerOptions = {},
  doors: DoorOptions = {},
): Promise<Node> {
  const view = new FakeView(role);
  const server = await startTestServer({ ...options, cluster: doorsOf(view, doors) });
  return { ...server, view };
}

export interface Nodes {
  readonly writer: Node;
  readonly follower: Node;
}

export async function startNodes(options: TestServerOptions = {}): Promise<Nodes> {
  const writer = await startNode('writer', options);
  const follower = await startNode('follower', options);
  writer.view.writerAddress = writer.address;
  follower.view.writerAddress = writer.address;
  return { writer, follower };
}
