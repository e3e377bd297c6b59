/** `GET /metrics`: what the store and the process say of themselves, in the text format of Prometheus. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Store, StoreStatus } from '../../api.ts';
import type { OperationCounts } from '../calls/operation-counts.ts';
import { processMetrics } from '../metrics/process-metrics.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import { isReading, sendJson } from './probes.ts';
import { pathOf } from '../http/request-target.ts';
import type { ServerState } from './server-state.ts';

interface StoreGauge {
  readonly name: string;
  readonly help: string;
  readonly read: (status: StoreStatus) => number;
}

const storeGauges: readonly StoreGauge[] = [
  { name: 'kelp_revision', help: 'The newest revision.', read: (status) => status.revision },
  {
    name: 'kelp_oldest_revision',
    help: 'The oldest that can be read.',
    read: (status) => status.oldestRevision,
  },
  {
    name: 'kelp_oldest_watch_revision',
    help: 'The lowest at which a watch may start.',
    read: (status) => status.oldestWatchRevision,
  },
  { name: 'kelp_keys', help: 'The keys that are durable.', read: (status) => status.keyCount },
  { name: 'kelp_leases', help: 'The leases that are durable.', read: (status) => status.leaseCount },
  { name: 'kelp_watchers', help: 'The open watches.', read: (status) => status.watcherCount },
  {
    name: 'kelp_data_bytes',
    help: 'Keys and values in memory, in all kept versions.',
    read: (status) => status.dataBytes,
  },
  {
    name: 'kelp_memory_used_bytes',
    help: 'The memory that counts towards the limit.',
    read: (status) => status.memoryBytes,
  },
  {
    name: 'kelp_memory_limit_bytes',
    help: 'Beyond this, writes that need memory are refused.',
    read: (status) => status.memoryBytesMax,
  },
  { name: 'kelp_log_bytes', help: 'The log on disk.', read: (status) => status.logBytes },
  { name: 'kelp_log_segments', help: 'The files of the log.', read: (status) => status.segmentCount },
  { name: 'kelp_snapshot_bytes', help: 'The snapshots on disk.', read: (status) => status.snapshotBytes },
  {
    name: 'kelp_snapshot_revision',
    help: 'The revision of the newest snapshot; 0: none.',
    read: (status) => status.snapshotRevision,
  },
];

export interface MetricsSources {
  readonly state: ServerState;
  /** `undefined` as long as it is not open: then only the process is told of. */
  readonly store: () => Store | undefined;
  readonly droppedLogLines: () => number;
  readonly operationCounts: OperationCounts;
}

export class Metrics {
  readonly #state: ServerState;
  readonly #store: () => Store | undefined;
  readonly #ofProcess = processMetrics();
  readonly #ofServer = new Registry();
  readonly #ofStore = new Registry();
  /** The text that is being made. */
  #making: Promise<string> | undefined;
  readonly #countDroppedLines: () => number;
  readonly #serving: Gauge;
  readonly #droppedLines: Counter;
  readonly #operationCounts: OperationCounts;
  readonly #operations: Counter;
  readonly #gauges: readonly (readonly [Gauge, StoreGauge])[];

  constructor({ state, store, droppedLogLines, operationCounts }: MetricsSources) {
    this.#state = state;
    this.#store = store;
    this.#countDroppedLines = droppedLogLines;
    this.#serving = new Gauge({
      name: 'kelp_serving',
      help: '1: reads and writes are served.',
      registers: [this.#ofServer],
    });
    this.#droppedLines = new Counter({
      name: 'kelp_log_lines_dropped_total',
      help: 'The lines of the log that were not read in time or could not be written.',
      registers: [this.#ofServer],
    });
    this.#operationCounts = operationCounts;
    this.#operations = new Counter({
      name: 'kelp_pipeline_operations_total',
      help: 'The operations of batches of Pipeline that are done, by kind and status code.',
      labelNames: ['operation', 'code'],
      registers: [this.#ofServer],
    });
    this.#gauges = storeGauges.map((each) => [
      new Gauge({ name: each.name, help: each.help, registers: [this.#ofStore] }),
      each,
    ]);
  }

  /** @returns false when the request is for something else. */
  answer(request: HttpRequest, response: HttpResponse): boolean {
    const path = pathOf(request);
    if (path !== '/metrics') return false;
    if (!isReading(request, response, path)) return true;
    // Those that come at once share one text: it takes longer to make than all else that is asked for without a call.
    this.#making ??= this.#text().finally(() => (this.#making = undefined));
    this.#making.then(
      (text) => {
        response.writeHead(200, {
          'content-type': Registry.PROMETHEUS_CONTENT_TYPE,
          'cache-control': 'no-store',
        });
        response.end(text);
      },
      (error: unknown) => sendJson(response, 503, { message: String(error) }),
    );
    return true;
  }

  async #text(): Promise<string> {
    this.#serving.set(this.#state.isServing ? 1 : 0);
    this.#droppedLines.reset();
    this.#droppedLines.inc(this.#countDroppedLines());
    this.#operations.reset();
    for (const { count, ...labels } of this.#operationCounts.all) this.#operations.inc(labels, count);
    const status = await this.#store()?.status();
    const registries = [this.#ofServer, this.#ofProcess];
    if (status === undefined) return Registry.merge(registries).metrics();
    for (const [gauge, { read }] of this.#gauges) gauge.set(read(status));
    return Registry.merge([...registries, this.#ofStore]).metrics();
  }
}
