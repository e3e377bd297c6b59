/** What a row of the table of metrics is. */
import type { RedisMeter } from './redis/redis-meter.ts';
import type { StoreStatus } from '../../api.ts';
import type { NodeStatus } from '../../cluster/node.ts';
import type { NodeMeter } from './cluster/node-meter.ts';
import type { StoreFigures } from '../../store/figures.ts';
import type { CallMeters } from './calls/call-meters.ts';
import type { Histogram } from './histogram.ts';
import type { StoreMeter } from './store/store-meter.ts';
import type { ByteFigures, ConnectionFigures, Protocol, SpokenProtocol } from './calls/traffic.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  readonly histogram: Histogram;
}

/** The calls under way, and what bounds them. */
export interface CallFigures {
  readonly streamCount: number;
  readonly heldBytes: number;
  /** Replies that were broken off since they were not read. */
  readonly cutCount: number;
  readonly callsMax: number;
  readonly callBytesMax: number;
}

/** Who was let in, who was not, and what that takes. */
export interface AccessFigures {
  /** By the kind of credentials, then by outcome. */
  readonly loginCounts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly deniedCount: number;
  readonly passwords: Readonly<Record<'begunCount' | 'runningCount' | 'waitingCount', number>>;
}

/** What the metrics of a server are read from. */
export interface ServerFigures {
  readonly version: string;
  readonly isServing: boolean;
  readonly droppedLogLines: number;
  /** Of the certificate or its chain; `undefined`: there is no TLS. */
  readonly certificateExpireTimeMs: number | undefined;
  /** Of traces: those that were received, and those that will not be. */
  readonly spans: { readonly sentCount: number; readonly lostCount: number };
  readonly meters: CallMeters;
  readonly calls: CallFigures;
  readonly access: AccessFigures;
  readonly redis: Pick<RedisMeter, 'commandCounts' | 'errorCounts' | 'gauges'>;
  readonly connectionsMax: number;
  readonly connections: Readonly<Record<Protocol, ConnectionFigures>>;
  /** Connections that were refused, by the option that sets the limit. */
  readonly refusedConnections: Readonly<Record<string, number>>;
  /** What users were held up by, by the option that sets the limit. */
  readonly rates: Readonly<Record<string, { readonly refusedCount: number; readonly waitedCount: number }>>;
  readonly bytes: Readonly<Record<SpokenProtocol, ByteFigures>>;
}

/** ... and those of its store. */
export interface OpenStoreFigures {
  readonly meter: StoreMeter;
  readonly status: StoreStatus;
  readonly figures: StoreFigures;
  /** `undefined`: the server is alone. */
  readonly node: { readonly status: NodeStatus; readonly meter: NodeMeter } | undefined;
  /** How often the pipelines of a turn rested. */
  readonly pipelineRestCount: number;
}

/** What the documentation says of a metric. */
export interface MetricFacts {
  /** https://prometheus.io/docs/practices/naming/ */
  readonly name: string;
  /** One line, as the exposition and the documentation have it. */
  readonly help: string;
  /** The values that each label may have, or where they are told. */
  readonly labels?: Labels;
  readonly type: 'gauge' | 'counter' | 'histogram';
}

interface ValueMetric<Figures> extends MetricFacts {
  readonly type: 'gauge' | 'counter';
  /** One number stands for one sample without labels. */
  readonly read: (figures: Figures) => number | readonly Sample[];
}

interface HistogramMetric<Figures> extends MetricFacts {
  readonly type: 'histogram';
  readonly read: (figures: Figures) => Histogram | readonly HistogramSample[];
}

export type Metric<Figures> = ValueMetric<Figures> | HistogramMetric<Figures>;
