/** Three nodes as processes of their own over a real etcd of three members, all on 127.0.0.1. */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createClient, type KelpClient } from '../../../src/client/client.ts';
import { ServerProcess } from '../../crash/server-process.ts';
import { freePort } from '../../support/free-port.ts';
import { EtcdCluster } from '../../support/etcd-cluster.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

const NODES = 3;
const PREFIX = '/kelp/test';
/** As short as it may be, so that tests need not wait; a busy machine takes over a little more often than it must. */
const FAILOVER_AFTER = '2s';

export class RealNode {
  readonly port: number;
  readonly #dataDir: string;
  readonly #flags: readonly string[];
  #process: ServerProcess | undefined;

  constructor(port: number, dataDir: string, flags: readonly string[]) {
    this.port = port;
    this.#dataDir = dataDir;
    this.#flags = flags;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    const { port } = this;
    this.#process = await ServerProcess.start({ dataDir: this.#dataDir, port, flags: this.#flags });
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

export class NodeCluster {
  readonly etcd: EtcdCluster;
  readonly nodes: readonly RealNode[];
  readonly #probes: readonly KelpClient[];

  private constructor(etcd: EtcdCluster, nodes: readonly RealNode[]) {
    this.etcd = etcd;
    this.nodes = nodes;
    this.#probes = nodes.map(({ address }) => createClient({ address, deadlineMs: 1000, retries: 0 }));
  }

  /** A cluster whose nodes are ready; all of it ends with the test. */
  static async start(flags: readonly string[] = []): Promise<NodeCluster> {
    const etcd = await EtcdCluster.start();
    onTestFinished(() => etcd.stop());
    await Promise.all(etcd.members.map((member) => member.isReady()));
    const log = `etcd://${etcd.endpoints.join(',')}${PREFIX}`;
    await kelp('cluster', 'init', `--log=${log}`);
    const nodes: RealNode[] = [];
    for (let index = 0; index < NODES; index++) {
      const port = await freePort();
      const options = [`--log=${log}`, `--failover-after=${FAILOVER_AFTER}`, ...flags];
      nodes.push(new RealNode(port, await temporaryDirectory(), options));
    }
    await Promise.all(nodes.map((node) => node.start()));
    const cluster = new NodeCluster(etcd, nodes);
    onTestFinished(() => {
      for (const probe of cluster.#probes) probe.close();
    });
    return cluster;
  }

  get addresses(): readonly string[] {
    return this.nodes.map(({ address }) => address);
  }

  /** The node that says that it writes, of the highest epoch; asked until there is one, and it is not the one that is not wanted. */
  async writer(not?: RealNode): Promise<RealNode> {
    for (;;) {
      const statuses = await Promise.allSettled(this.#probes.map((probe) => probe.admin.status()));
      const found = statuses
        .flatMap((status, index) => {
          const node = this.nodes[index];
          if (status.status === 'rejected' || node === undefined || !node.isRunning) return [];
          return status.value.role === 'writer' && node !== not ? [{ node, epoch: status.value.epoch }] : [];
        })
        .sort((left, right) => right.epoch - left.epoch);
      if (found[0] !== undefined) return found[0].node;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  others(...without: readonly RealNode[]): readonly RealNode[] {
    return this.nodes.filter((node) => !without.includes(node));
  }
}

/** Runs the command to its end. Rejects with what it said when it fails. @returns its output. */
export async function kelp(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(process.cwd(), 'src/cli/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`kelp ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}
