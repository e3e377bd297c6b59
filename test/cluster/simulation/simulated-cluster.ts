/** Three nodes of a cluster, on machines of their own, over one simulated shared log. */
import type { Limits } from '../../../src/limits.ts';
import type { SeededRandom } from '../../support/random.ts';
import { simulateCompression } from '../../simulation/simulated-compression.ts';
import { checkState } from './checks.ts';
import { SimulatedNode, type SimulatedNodeOptions } from './simulated-node.ts';
import { World } from './world.ts';

export interface ClusterOptions {
  readonly seed: number;
  readonly nodeCount?: number;
  readonly isTraced?: boolean;
  readonly limits?: Partial<Limits>;
  readonly node?: Partial<SimulatedNodeOptions>;
  /** By how much the clocks of machines may differ. */
  readonly skewMsMax?: number;
}

const NAMES = ['one', 'two', 'three', 'four', 'five'];

export class SimulatedCluster {
  readonly world: World;
  readonly nodes: readonly SimulatedNode[];

  constructor({ seed, nodeCount = 3, isTraced, limits = {}, node = {}, skewMsMax = 5000 }: ClusterOptions) {
    const world = new World(seed, isTraced);
    this.world = world;
    const { random } = world;
    this.nodes = NAMES.slice(0, nodeCount).map((name) => {
      const skew = {
        wallMs: random.between(-skewMsMax, skewMsMax),
        monotonicMs: random.below(1_000_000),
      };
      return new SimulatedNode(world, { name, skew, limits, ...node }, () => this.nodes);
    });
  }

  get random(): SeededRandom {
    return this.world.random;
  }

  /** The one that believes that it writes; of several any. */
  get writer(): SimulatedNode | undefined {
    return this.nodes.find((node) => node.isWriter);
  }

  node(name: string): SimulatedNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`there is no node ${name}`);
    return found;
  }

  /** Makes the log and starts all nodes; one of them writes when it resolves. */
  async start(): Promise<void> {
    await this.world.init();
    for (const node of this.nodes) node.start();
    await this.world.until(() => this.writer !== undefined);
  }

  /** All is well with machines and ways. */
  heal(): void {
    for (const node of this.nodes) {
      node.faults = { lostAnswer: 0, lostCall: 0, late: 0 };
      node.resume();
      node.hangDisk(false);
      node.cut(false);
      node.start();
    }
  }

  /** Resolves when all nodes that are up are open, one of them writes, and all show what lies in the log. */
  async settle(msMax?: number): Promise<void> {
    const { truth } = this.world;
    await this.world.until(
      () =>
        this.nodes.filter((node) => node.isWriter).length === 1 &&
        this.nodes.every((node) => !node.isUp || node.opened?.node.status().position === truth.position),
      msMax,
    );
  }

  /** All nodes that are open show the same, which is true, at the newest revision. */
  checkStates(): void {
    for (const { name, store } of this.nodes) {
      if (store !== undefined)
        this.world.checked(() => checkState(name, store, this.world.truth, store.seam.visibleRevision));
    }
  }
}

/** Runs something in a simulated world: the thread pool takes part in its time, and nothing that goes wrong is missed. */
export async function inCluster<Result>(
  options: ClusterOptions,
  run: (cluster: SimulatedCluster) => Promise<Result>,
): Promise<Result> {
  const cluster = new SimulatedCluster(options);
  const { world } = cluster;
  process.on('unhandledRejection', world.fail);
  const restore = simulateCompression((action) => world.time.within(0.1, action));
  try {
    return await run(cluster);
  } catch (error) {
    if (options.isTraced === true) process.stderr.write(`${world.trace.join('\n')}\n`);
    throw error;
  } finally {
    world.time.end();
    restore();
    process.off('unhandledRejection', world.fail);
  }
}
