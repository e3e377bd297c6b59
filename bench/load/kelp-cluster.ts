/** Nodes of KelpDB over an etcd, all on 127.0.0.1, each a process that may be killed, halted and started again. */
import { createClient, type KelpClient } from '../../src/client/client.ts';
import { freePort } from '../../test/support/free-port.ts';
import type { CaseContext } from '../bench-case.ts';
import type { ChildServer } from './child-server.ts';
import { runKelp, startKelp } from './kelp-server.ts';

const ASKED_AGAIN_MS = 50;
const STATUS_MS = 1000;

export class KelpNode {
  readonly address: string;
  /** Of this node alone. */
  readonly client: KelpClient;
  readonly #start: () => Promise<ChildServer>;
  #child: ChildServer | undefined;

  constructor(address: string, start: () => Promise<ChildServer>) {
    this.address = address;
    this.#start = start;
    this.client = createClient({ address, deadlineMs: STATUS_MS, retries: 0 });
  }

  get child(): ChildServer {
    if (this.#child === undefined) throw new Error(`the node at ${this.address} does not run`);
    return this.#child;
  }

  get processId(): number {
    return this.child.processId;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    this.#child = await this.#start();
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    await child?.stop(signal);
  }
}

export class KelpCluster {
  readonly nodes: readonly KelpNode[];

  private constructor(nodes: readonly KelpNode[]) {
    this.nodes = nodes;
  }

  /** Makes the shared log, and starts so many nodes. @param log as `--log` takes it. */
  static async start(
    context: CaseContext,
    directory: string,
    log: string,
    nodeCount: number,
  ): Promise<KelpCluster> {
    await runKelp('cluster', 'init', `--log=${log}`);
    const nodes: KelpNode[] = [];
    for (let index = 0; index < nodeCount; index++) {
      const port = await freePort();
      const start = (): Promise<ChildServer> =>
        startKelp(context, `${directory}/${index}`, undefined, { port, options: [`--log=${log}`] });
      nodes.push(new KelpNode(`127.0.0.1:${port}`, start));
    }
    await Promise.all(nodes.map((node) => node.start()));
    return new KelpCluster(nodes);
  }

  get addresses(): readonly string[] {
    return this.nodes.map(({ address }) => address);
  }

  /** The node that says that it writes, of the highest epoch; asked until all that run agree on where it is. */
  async writer(): Promise<KelpNode> {
    for (;;) {
      const running = this.nodes.filter(({ isRunning }) => isRunning);
      const statuses = await Promise.allSettled(running.map(({ client }) => client.admin.status()));
      const told = statuses.flatMap((status) => (status.status === 'fulfilled' ? [status.value] : []));
      const epoch = Math.max(...told.map((status) => status.epoch));
      const index = told.findIndex((status) => status.role === 'writer' && status.epoch === epoch);
      const isAgreed =
        told.length === running.length &&
        told.every((status) => status.epoch === epoch) &&
        told.filter(({ role }) => role === 'writer').length === 1;
      const writer = running[index];
      if (isAgreed && writer !== undefined) return writer;
      await new Promise((resolve) => setTimeout(resolve, ASKED_AGAIN_MS));
    }
  }

  followersOf(writer: KelpNode): readonly KelpNode[] {
    return this.nodes.filter((node) => node !== writer);
  }

  async stop(): Promise<void> {
    for (const { client } of this.nodes) client.close();
    await Promise.all(this.nodes.map((node) => node.end('SIGKILL')));
  }
}
