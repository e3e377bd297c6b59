/** What happens to a simulated cluster: at times that the seed draws, to nodes that it picks. Each mishap has an end. */
import type { SeededRandom } from '../../support/random.ts';
import type { LinkFaults } from './log-link.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import type { SimulatedNode } from './simulated-node.ts';

export type MishapKind =
  | 'endProcess'
  | 'losePower'
  | 'stop'
  | 'pause'
  | 'cut'
  | 'stall'
  | 'hang'
  | 'handOver'
  | 'snapshot'
  | 'loseDisk'
  | 'damage';

export interface Plan {
  readonly kinds: readonly MishapKind[];
  readonly mishapCount: number;
  /** Between one and the next. */
  readonly restMsMax: number;
  readonly writerCount: number;
  readonly faults: LinkFaults;
  readonly snapshotLogBytes: number;
  /** Short ones are removed soon, so that a node has no other way back than its snapshots. */
  readonly hasShortSegments: boolean;
  /** Writes are refused when the shared log is longer. */
  readonly sharedLogBytesMax: number;
}

const ALL: readonly MishapKind[] = [
  'endProcess',
  'losePower',
  'stop',
  'pause',
  'cut',
  'stall',
  'hang',
  'handOver',
  'snapshot',
  'loseDisk',
  'damage',
];

/** A directory in which no file tells of which cluster it is would not be used. */
const HEADER_BYTES = 128;

export function planOf(random: SeededRandom): Plan {
  const isFaulty = random.chance(0.5);
  return {
    kinds: random.chance(0.3) ? [random.pick(ALL), random.pick(ALL)] : ALL,
    mishapCount: random.between(1, 8),
    restMsMax: random.pick([200, 1000, 3000]),
    writerCount: random.between(1, 3),
    faults: {
      lostAnswer: isFaulty ? random.pick([0, 0.02, 0.1]) : 0,
      lostCall: isFaulty ? random.pick([0, 0.02, 0.1]) : 0,
      late: isFaulty ? random.pick([0, 0.02, 0.1]) : 0,
    },
    snapshotLogBytes: random.pick([1024, 4096, 100_000]),
    sharedLogBytesMax: random.pick([100_000, 1_000_000]),
    hasShortSegments: random.chance(0.5),
  };
}

/** Lets the mishaps of a plan happen, one begun after the other; resolves when the last has begun. */
export async function happen(cluster: SimulatedCluster, plan: Plan): Promise<void> {
  const { random, world } = cluster;
  let disksLeft = 1;
  for (let count = 0; count < plan.mishapCount; count++) {
    await world.pass(random.below(plan.restMsMax));
    const kind = random.pick(plan.kinds);
    // The writer is hit more often than chance would.
    const node = random.chance(0.5)
      ? (cluster.writer ?? random.pick(cluster.nodes))
      : random.pick(cluster.nodes);
    if ((kind === 'loseDisk' || kind === 'damage') && disksLeft-- <= 0) continue;
    befall(cluster, node, kind);
  }
}

function befall(cluster: SimulatedCluster, node: SimulatedNode, kind: MishapKind): void {
  const { random, world } = cluster;
  const after = (msMax: number, run: () => void): void => void world.time.in(random.below(msMax), run);
  switch (kind) {
    case 'endProcess':
    case 'losePower':
      node.crash(kind);
      return after(4000, () => node.start());
    case 'loseDisk':
      node.crash('losePower');
      node.loseDisk();
      return after(2000, () => node.start());
    case 'damage': {
      node.crash('losePower');
      const { log, snapshots } = node.files;
      for (const path of [
        ...(log.length === 0 ? [] : [random.pick(log)]),
        ...(random.chance(0.5) ? snapshots : []),
      ])
        node.damage(path, random.below(1000) / 1000, HEADER_BYTES);
      return after(2000, () => node.start());
    }
    case 'stop':
      node.stop().then(() => after(2000, () => node.start()), world.fail);
      return;
    case 'pause':
      node.pause();
      return after(6000, () => node.resume());
    case 'cut':
      node.cut(true);
      return after(6000, () => node.cut(false));
    case 'stall':
      return world.stall(random.below(4000));
    case 'hang':
      node.hangDisk(true);
      return after(20_000, () => node.hangDisk(false));
    case 'handOver':
      // It is refused where the node writes no more, and lost with the process.
      node.opened?.node.handOver().catch(() => undefined);
      return;
    case 'snapshot':
      node.store?.snapshot().catch(() => undefined);
      return;
  }
}
