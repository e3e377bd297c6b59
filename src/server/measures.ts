/**
 * What is measured of a server, in one place: what its store and listener tell goes in, and what a scrape and `Activity` ask for is
 * read out.
 */
import { systemClock, systemRandom } from '../clock.ts';
import type { ClusterNode } from '../cluster/node.ts';
import type { KvStore } from '../kv/kv-store.ts';
import { type ServerLimits, limitOptionName } from '../limits.ts';
import type { CallTable } from './calls/call-table.ts';
import type { AddressLimit } from './limits/address-limit.ts';
import { noRateCounts } from './limits/rate.ts';
import type { OpenStoreFigures, ServerFigures } from './metrics/metric.ts';
import { NodeMeter } from './metrics/cluster/node-meter.ts';
import { PrefixActivity } from './metrics/activity/prefix-activity.ts';
import { LoopDelay } from './metrics/process/loop-delay.ts';
import { RedisMeter } from './metrics/redis/redis-meter.ts';
import { StoreMeter } from './metrics/store/store-meter.ts';
import { Traffic } from './metrics/calls/traffic.ts';
import type { ActivityFigures } from './services/activity.ts';
import { turnsOf } from './services/pipeline/turns.ts';

export class Measures {
  readonly traffic = new Traffic();
  readonly storeMeter = new StoreMeter();
  readonly redisMeter = new RedisMeter();
  readonly nodeMeter = new NodeMeter();
  readonly prefixes = new PrefixActivity(systemRandom, () => systemClock.monotonicMs());
  readonly #loopDelay = new LoopDelay(systemClock);
  readonly #calls: CallTable;
  readonly #limits: ServerLimits;
  readonly #addressLimit: AddressLimit;

  constructor(calls: CallTable, limits: ServerLimits, addressLimit: AddressLimit) {
    this.#calls = calls;
    this.#limits = limits;
    this.#addressLimit = addressLimit;
  }

  ofServer(
    rest: Pick<
      ServerFigures,
      'version' | 'isServing' | 'droppedLogLines' | 'certificateExpireTimeMs' | 'spans' | 'access'
    >,
  ): ServerFigures {
    const { streamCount, heldBytes, cutCount, meters, rates } = this.#calls;
    const { callsMax, callBytesMax, connectionsMax } = this.#limits;
    const { connections, bytes } = this.traffic;
    const calls = { streamCount, heldBytes, cutCount, callsMax, callBytesMax };
    const refusedConnections = {
      [limitOptionName('connectionsMax')]: this.traffic.droppedCount,
      [limitOptionName('connectionsPerAddressMax')]: this.#addressLimit.refusedCount,
    };
    const { operationsPerSecondMax, bytesPerSecondMax } = rates?.counts ?? noRateCounts();
    const rateCounts = {
      [limitOptionName('operationsPerSecondMax')]: operationsPerSecondMax,
      [limitOptionName('bytesPerSecondMax')]: bytesPerSecondMax,
    };
    return {
      ...rest,
      redis: this.redisMeter,
      meters,
      calls,
      connectionsMax,
      connections,
      refusedConnections,
      rates: rateCounts,
      bytes,
    };
  }

  async ofStore(store: KvStore, node: ClusterNode | undefined): Promise<OpenStoreFigures> {
    return {
      meter: this.storeMeter,
      status: await store.status(),
      figures: store.figures(),
      node: node && { status: node.status(), meter: this.nodeMeter },
      pipelineRestCount: turnsOf(store).restCount,
    };
  }

  get activity(): ActivityFigures {
    const { connections, bytes } = this.traffic;
    const { meters, streamCount } = this.#calls;
    return {
      meters: meters.used,
      redis: this.redisMeter,
      redisConnectionCount: connections.redis.openCount,
      prefixes: this.prefixes,
      storeMeter: this.storeMeter,
      loopDelay: this.#loopDelay,
      connectionCount: sum(Object.values(connections).map(({ openCount }) => openCount)),
      streamCount,
      receivedBytes: sum(Object.values(bytes).map(({ receivedBytes }) => receivedBytes)),
      sentBytes: sum(Object.values(bytes).map(({ sentBytes }) => sentBytes)),
    };
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
