/** PromQL as panels ask for it: series of the chosen servers alone, and quantiles of histograms. */

/** The range that Grafana takes for rates: four scrapes at least. */
export const RATE_RANGE = '[$__rate_interval]';

/** The series of a metric, of the servers that are chosen; `matchers` such as `door!="http"`. */
export function series(metric: string, matchers = ''): string {
  return `${metric}{instance=~"$instance"${matchers === '' ? '' : `, ${matchers}`}}`;
}

/** How much a counter grows in a second. */
export function rate(metric: string, matchers = ''): string {
  return `rate(${series(metric, matchers)}${RATE_RANGE})`;
}

/** What a share of the values of a histogram does not exceed; `by`: labels that stay apart. */
export function quantile(share: number, histogram: string, matchers = '', by = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${share}, sum by (${labels}) (${rate(`${histogram}_bucket`, matchers)}))`;
}

/** How many values fell into each bucket, for a heat map. */
export function buckets(histogram: string, matchers = ''): string {
  return `sum by (le) (increase(${series(`${histogram}_bucket`, matchers)}${RATE_RANGE}))`;
}
