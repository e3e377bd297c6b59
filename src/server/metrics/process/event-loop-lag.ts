/**
 * How late the event loop is, for the metrics, under the names that dashboards for Node know. prom-client has the same
 * metrics, but between two scrapes without a measurement it gives the figures of an empty histogram: NaN, and a least
 * delay of 9.2e15 s.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

type DelayHistogram = ReturnType<typeof monitorEventLoopDelay>;

const NANOSECONDS_PER_SECOND = 1e9;

interface LagGauge {
  readonly name: string;
  readonly help: string;
  readonly read: (histogram: DelayHistogram) => number;
}

const lagGauges: readonly LagGauge[] = [
  {
    name: 'nodejs_eventloop_lag_min_seconds',
    help: 'The minimum recorded event loop delay.',
    read: ({ min }) => min,
  },
  {
    name: 'nodejs_eventloop_lag_max_seconds',
    help: 'The maximum recorded event loop delay.',
    read: ({ max }) => max,
  },
  {
    name: 'nodejs_eventloop_lag_mean_seconds',
    help: 'The mean of the recorded event loop delays.',
    read: ({ mean }) => mean,
  },
  {
    name: 'nodejs_eventloop_lag_stddev_seconds',
    help: 'The standard deviation of the recorded event loop delays.',
    read: ({ stddev }) => stddev,
  },
  ...[50, 90, 99].map((percentile) => ({
    name: `nodejs_eventloop_lag_p${percentile}_seconds`,
    help: `The ${percentile}th percentile of the recorded event loop delays.`,
    read: (histogram: DelayHistogram) => histogram.percentile(percentile),
  })),
];

/** Puts its gauges in the place of those that `collectDefaultMetrics` has registered. */
export function registerEventLoopLag(register: Registry): void {
  const histogram = monitorEventLoopDelay({ resolution: 10 });
  histogram.enable();
  const gauges = lagGauges.map(({ name, help, read }, index) => {
    register.removeSingleMetric(name);
    // A registry asks its metrics one after the other, so the first one fills them all.
    const collect = index === 0 ? { collect: fill } : {};
    return { gauge: new Gauge({ name, help, registers: [register], ...collect }), read };
  });

  function fill(): void {
    const isMeasured = histogram.count > 0;
    for (const { gauge, read } of gauges) {
      if (isMeasured) gauge.set(read(histogram) / NANOSECONDS_PER_SECOND);
      else gauge.remove();
    }
    histogram.reset();
  }
}
