/** Three nodes as processes of their own over a real etcd of three members, on 127.0.0.1 or in a network that a test cuts. */
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFailed, onTestFinished } from 'vitest';
import { createClient, type KelpClient } from '../../../src/client/client.ts';
import { ServerProcess, type ServerProcessOptions } from '../../crash/server-process.ts';
import { freePort } from '../../support/free-port.ts';
import { EtcdCluster, type EtcdMember } from '../../support/etcd-cluster.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { kelp } from './kelp-command.ts';
import { Loopback, type TestNetwork } from './network/test-network.ts';

const NODES = 3;
const MEMBERS = 3;
const PREFIX = '/kelp/test';
/** As short as it may be, so that tests need not wait; a busy machine takes over a little more often than it must. */
const FAILOVER_AFTER = '2s';
/** Of its log, which a node tells when a test fails. */
const LAST_LINES = 15;

type NodeProcess = ServerProcessOptions & { readonly host: string; readonly port: number };

export class RealNode {
  /** As the network calls it. */
  readonly place: string;
  readonly #options: NodeProcess;
  #process: ServerProcess | undefined;

  constructor(place: string, options: NodeProcess) {
    this.place = place;
    this.#options = options;
  }

  /** Where clients reach it. */
  get address(): string {
    return `${this.#options.host}:${this.#options.port}`;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** That runs, or was the last to run. */
  get process(): ServerProcess {
    if (this.#process === undefined) throw new Error(`${this.place} does not run`);
    return this.#process;
  }

  /** The end of its log, for who looks why a test fails. */
  lastWords(lineCount: number): string {
    const lines = this.#process?.lines.slice(-lineCount).map((line) => JSON.stringify(line)) ?? [
      'does not run',
    ];
    return [`${this.place}:`, ...lines].join('\n');
  }

  /** Resolves when it is ready. */
  async start(changes: Partial<ServerProcessOptions> = {}): Promise<void> {
    this.#process = new ServerProcess({ ...this.#options, ...changes });
    await this.#process.logged('ready');
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await process?.end(signal);
  }

  /** It stands still, with all its connections. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }
}

export interface NodeClusterOptions {
  /** Of all nodes. */
  readonly flags?: readonly string[];
  /** What the process of a node has besides; nodes count from 0. */
  readonly ofNode?: (index: number) => Promise<Partial<ServerProcessOptions>>;
  /** By default all is on 127.0.0.1. */
  readonly network?: TestNetwork;
}

/** The places of a cluster, as its network calls them. */
export const places: readonly string[] = [
  ...Array.from({ length: MEMBERS }, (_, index) => memberPlace(index)),
  ...Array.from({ length: NODES }, (_, index) => nodePlace(index)),
];

export class NodeCluster {
  readonly etcd: EtcdCluster;
  readonly network: TestNetwork;
  readonly #options: NodeClusterOptions;
  readonly #nodes: RealNode[] = [];
  readonly #probeByNode = new Map<RealNode, KelpClient>();

  private constructor(etcd: EtcdCluster, network: TestNetwork, options: NodeClusterOptions) {
    this.etcd = etcd;
    this.network = network;
    this.#options = options;
  }

  /** A cluster whose nodes are ready; all of it ends with the test. */
  static async start(options: NodeClusterOptions = {}): Promise<NodeCluster> {
    const { network = new Loopback() } = options;
    const members = Array.from({ length: MEMBERS }, (_, index) => memberPlace(index));
    const etcd = await EtcdCluster.start(
      members.map((place) => ({ host: network.hostOf(place), command: network.commandOf(place) })),
    );
    onTestFinished(() => etcd.stop());
    await Promise.all(etcd.members.map((member) => member.isReady()));
    await kelp('cluster', 'init', `--log=etcd://${etcd.endpoints.join(',')}${PREFIX}`);
    const cluster = new NodeCluster(etcd, network, options);
    onTestFailed(() => {
      process.stderr.write(`${cluster.#nodes.map((node) => node.lastWords(LAST_LINES)).join('\n\n')}\n`);
    });
    for (let index = 0; index < NODES; index++) await cluster.add();
    await Promise.all(cluster.nodes.map((node) => node.start()));
    return cluster;
  }

  get nodes(): readonly RealNode[] {
    return this.#nodes;
  }

  get addresses(): readonly string[] {
    return this.nodes.map(({ address }) => address);
  }

  /** One node more, which is not started yet. */
  async add(): Promise<RealNode> {
    const { network, etcd } = this;
    const index = this.#nodes.length;
    const place = nodePlace(index);
    const { flags = [], ofNode } = this.#options;
    const [port, host] = [await freePort(), network.hostOf(place)];
    const endpoints = await Promise.all(
      etcd.members.map((member, number) => network.addressFor(place, memberPlace(number), member.port)),
    );
    const { flags: ownFlags = [], ...own } = (await ofNode?.(index)) ?? {};
    const node = new RealNode(place, {
      dataDir: own.dataDir ?? (await temporaryDirectory()),
      host,
      port,
      command: network.commandOf(place),
      ...own,
      flags: [
        `--log=etcd://${endpoints.join(',')}${PREFIX}`,
        `--advertise=${await network.advertised(place, port)}`,
        `--failover-after=${FAILOVER_AFTER}`,
        ...(host === '127.0.0.1' ? [] : ['--allow-anonymous', '--allow-plaintext']),
        ...flags,
        ...ownFlags,
      ],
    });
    this.#nodes.push(node);
    const probe = createClient({ address: node.address, deadlineMs: 1000, retries: 0 });
    this.#probeByNode.set(node, probe);
    onTestFinished(() => probe.close());
    return node;
  }

  /** A node that goes for good: it is stopped. */
  async remove(node: RealNode): Promise<void> {
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    this.#probeByNode.delete(node);
    await node.end('SIGTERM');
  }

  /** The node that says that it writes, of the highest epoch; asked until there is one, and it is not the one that is not wanted. */
  async writer(not?: RealNode): Promise<RealNode> {
    return (await this.#writing(not)).node;
  }

  /** How often the cluster has got a writer, by what it says now. */
  async epoch(): Promise<number> {
    return (await this.#writing()).epoch;
  }

  /** Resolves when a node has got so many more batches of the shared log. */
  async goesOn(node: RealNode, batches: number): Promise<void> {
    const probe = this.#probeByNode.get(node);
    if (probe === undefined) throw new Error(`${node.place} is none of the cluster`);
    const { position: first } = await probe.cluster.members();
    while ((await probe.cluster.members()).position < first + batches) await pause();
  }

  others(...without: readonly RealNode[]): readonly RealNode[] {
    return this.nodes.filter((node) => !without.includes(node));
  }

  /** The place of a member of etcd. */
  placeOf(member: EtcdMember): string {
    return memberPlace(this.etcd.members.indexOf(member));
  }

  async #writing(not?: RealNode): Promise<{ readonly node: RealNode; readonly epoch: number }> {
    for (;;) {
      const statuses = await Promise.allSettled(
        [...this.#probeByNode].map(async ([node, probe]) => ({ node, status: await probe.admin.status() })),
      );
      const [found] = statuses
        .flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
        .filter(({ node, status }) => status.role === 'writer' && node.isRunning && node !== not)
        .map(({ node, status }) => ({ node, epoch: status.epoch }))
        .sort((left, right) => right.epoch - left.epoch);
      if (found !== undefined) return found;
      await pause();
    }
  }
}

function pause(): Promise<void> {
  return delay(50);
}

function memberPlace(index: number): string {
  return `etcd-${index + 1}`;
}

function nodePlace(index: number): string {
  return `node-${index + 1}`;
}
