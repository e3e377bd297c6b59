/** A node of a cluster for tests of its server: a real store, of a folder, and a role that the test sets. */
import { type Store } from '../../src/api.ts';
import type { ClusterEvent } from '../../src/cluster/cluster-event.ts';
import type { ClusterNode, NodeReport, NodeStatus } from '../../src/cluster/node.ts';
import { parseNodeAddress } from '../../src/cluster/node-address.ts';
import { StoreError } from '../../src/errors.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import type { NodeOptions, OpenedNode } from '../../src/cluster/open-node.ts';
import type { NodeParts } from '../../src/server/store-opener.ts';
import type { SharedLog } from '../../src/shared-log/shared-log.ts';

export class StubNode implements ClusterNode {
  role: NodeStatus['role'] = 'follower';
  isReadOnly = false;
  epoch = 1;
  writerAddress = '';
  writerRedisAddress = '';
  nonce = '';
  lagMs = 0;
  handOvers = 0;
  /** The nodes to which it has handed over; '': any. */
  readonly successors: string[] = [];
  isClosed = false;
  readonly reports: NodeReport[] = [];
  readonly ended: Promise<Error>;
  readonly end: (why: Error) => void;
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.ended = promise;
    this.end = resolve;
  }

  readBarrier = (): Promise<void> => Promise.resolve();
  reached = (): Promise<void> => Promise.resolve();

  status(): NodeStatus {
    const { role, epoch, writerAddress, lagMs } = this;
    const { http: address } = parseNodeAddress(this.#address);
    const own = { address, position: 7, snapshotPosition: 3 };
    const place = { position: 7, logPosition: 9, takeoverCount: role === 'writer' ? 1 : 0 };
    return {
      role,
      epoch,
      writerAddress,
      lagMs,
      logBytes: 10,
      logBytesMax: 100,
      ...place,
      nodes: [own, ...this.reports],
    };
  }

  takeReport(report: NodeReport, nonce: string): void {
    if (this.role !== 'writer') throw this.#notWriter();
    if (nonce !== this.nonce) throw new StoreError('invalidArgument', 'it is of no node');
    this.reports.push(report);
  }

  async handOver(successorAddress = ''): Promise<void> {
    if (this.role !== 'writer') throw this.#notWriter();
    this.successors.push(successorAddress);
    this.handOvers++;
    this.role = 'follower';
    this.end(new Error('handed over'));
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.role === 'writer') this.handOvers++;
    this.role = 'follower';
  }

  #notWriter(): StoreError {
    const { writerAddress } = this;
    return new StoreError('notWriter', 'this node is not the writer', { writerAddress });
  }
}

/** The nodes that a server has opened, one after the other. */
export class StubNodes {
  readonly opened: StubNode[] = [];
  readonly addresses: string[] = [];
  /** Set before a node is opened, with what that waits for or rejects with. */
  onOpen: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  /** Stores that are open now; never two. */
  openCount = 0;
  /** What the last node tells its operator. */
  happened: (event: ClusterEvent) => void = () => undefined;
  #onOpened: (() => void)[] = [];

  get parts(): NodeParts {
    return {
      openSharedLog: () => ({ close: () => undefined }) as SharedLog,
      peerTls: undefined,
      peers: { snapshot: noSnapshot, report: () => Promise.resolve() },
      openNode: async (options, signal) => this.#open(options, signal),
    };
  }

  get last(): StubNode {
    const node = this.opened.at(-1);
    if (node === undefined) throw new Error('no node was opened');
    return node;
  }

  /** Resolves when so many were opened. */
  async count(wanted: number): Promise<StubNode> {
    while (this.opened.length < wanted) await new Promise<void>((resolve) => this.#onOpened.push(resolve));
    return this.last;
  }

  async #open({ store: options, address, onEvent }: NodeOptions, signal: AbortSignal): Promise<OpenedNode> {
    if (onEvent !== undefined) this.happened = onEvent;
    await this.onOpen(signal);
    this.openCount++;
    if (this.openCount > 1) throw new Error('two stores are open at once');
    const store = await openUncheckedStore(options);
    this.#countClose(store);
    const node = new StubNode(address);
    this.opened.push(node);
    this.addresses.push(address);
    for (const wake of this.#onOpened.splice(0)) wake();
    return { store, node };
  }

  #countClose(store: Pick<Store, 'close'>): void {
    const close = store.close.bind(store);
    store.close = async (closing) => {
      await close(closing);
      this.openCount--;
    };
  }
}

async function* noSnapshot(): AsyncGenerator<Uint8Array> {
  yield* [];
}
