/** What a scrape gets: the table of metrics in the text format of Prometheus, version 0.0.4. */
import type { Histogram } from './histogram.ts';
import type { Labels, Metric } from './metric.ts';

export function exposed<Figures>(metrics: readonly Metric<Figures>[], figures: Figures): string {
  let text = '';
  for (const metric of metrics) {
    const { name, type, help } = metric;
    text += `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
    if (metric.type === 'histogram') {
      const read = metric.read(figures);
      const samples = 'bounds' in read ? [{ labels: {}, histogram: read }] : read;
      for (const { labels, histogram } of samples) text += histogramText(name, labels, histogram);
    } else {
      const read = metric.read(figures);
      const samples = typeof read === 'number' ? [{ labels: {}, value: read }] : read;
      for (const { labels, value } of samples) text += sampleText(name, labels, value);
    }
  }
  return text;
}

function histogramText(name: string, labels: Labels, { bounds, counts, sum }: Histogram): string {
  let text = '';
  let total = 0;
  for (const [index, count] of counts.entries()) {
    total += count;
    const le = index < bounds.length ? `${bounds[index]}` : '+Inf';
    text += sampleText(`${name}_bucket`, { ...labels, le }, total);
  }
  return text + sampleText(`${name}_sum`, labels, sum) + sampleText(`${name}_count`, labels, total);
}

function sampleText(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`,
  );
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
