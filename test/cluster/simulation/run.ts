/** One run of a simulated cluster: clients at work, mishaps, and then peace, in which all must come right. */
import { SeededRandom } from '../../support/random.ts';
import { Clients } from './clients.ts';
import { happen, type Plan, planOf } from './mishaps.ts';
import { inCluster, type SimulatedCluster } from './simulated-cluster.ts';
import type { SimulatedNodeOptions } from './simulated-node.ts';

export interface RunOptions {
  readonly seed: number;
  readonly isTraced?: boolean;
  /** In place of what the seed draws. */
  readonly plan?: Partial<Plan>;
  /** For faults that are put in by hand. */
  readonly node?: Partial<SimulatedNodeOptions>;
}

export interface RunResult {
  readonly ackedCount: number;
  readonly readCount: number;
  readonly watchedCount: number;
  readonly epoch: number;
  readonly eventCount: number;
}

/** Throws what is wrong, with the seed. */
export async function runSeed({
  seed,
  isTraced = false,
  plan: changes,
  node,
}: RunOptions): Promise<RunResult> {
  const plan = { ...planOf(new SeededRandom(seed)), ...changes };
  const { faults, sharedLogBytesMax, snapshotLogBytes, hasShortSegments } = plan;
  const limits = {
    snapshotLogBytes,
    ...(hasShortSegments ? { segmentBytes: 4096, logRetentionBytes: 0 } : {}),
  };
  try {
    return await inCluster(
      { seed, isTraced, limits, node: { faults, sharedLogBytesMax, ...node } },
      (cluster) => run(cluster, plan),
    );
  } catch (error) {
    const told = new Error(`seed ${seed}: ${(error as Error).message}; ${JSON.stringify(plan)}`, {
      cause: error,
    });
    told.stack = (error as Error).stack ?? '';
    throw told;
  }
}

async function run(cluster: SimulatedCluster, plan: Plan): Promise<RunResult> {
  const { world } = cluster;
  await cluster.start();
  const clients = new Clients(cluster);
  clients.start(plan.writerCount);
  await happen(cluster, plan);
  await world.pass(cluster.random.below(3000));

  world.note(() => 'peace');
  cluster.heal();
  await cluster.settle();
  const { ackedCount } = clients;
  // Writes go on, unless the log is too long for that, and nothing makes it shorter.
  await world.until(() => clients.ackedCount > ackedCount || clients.isRefused);
  clients.stopWriting();
  await cluster.settle();
  cluster.checkStates();
  clients.checkRefused();
  await world.until(() => clients.hasSeenAll);
  if (isQuiet(plan) && world.truth.epochs.at(-1) !== 1)
    throw new Error('another node took over, though the writer was well');
  return {
    ackedCount: clients.ackedCount,
    readCount: clients.readCount,
    watchedCount: clients.watchedCount,
    epoch: world.truth.epochs.at(-1) ?? 0,
    eventCount: world.time.eventCount,
  };
}

/** Whether nothing befalls the nodes: the log alone stands still now and then. */
function isQuiet({ kinds, faults }: Plan): boolean {
  const { lostAnswer, lostCall, late } = faults;
  return lostAnswer + lostCall + late === 0 && kinds.every((kind) => kind === 'stall' || kind === 'snapshot');
}
