/**
 * The text format of Prometheus, read strictly: each metric has one HELP and one TYPE before its samples, and a value is
 * a number (https://prometheus.io/docs/instrumenting/exposition_formats/). What is none is refused.
 */
import { assert } from '../../../src/errors.ts';

export interface Metric {
  readonly name: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** With the labels, as written. */
  readonly name: string;
  readonly value: number;
}

export async function metricsOf(url: string): Promise<Metric[]> {
  const response = await fetch(`${url}/metrics`);
  assert(response.status === 200, `the metrics are answered with ${response.status}`);
  return parseMetrics(await response.text());
}

export function parseMetrics(text: string): Metric[] {
  assert(text.endsWith('\n'), 'the last line is ended');
  const metrics: { name: string; type: string; samples: Sample[] }[] = [];
  let helped = '';
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, help] = /^# HELP (\w+) \S.*$/.exec(line) ?? [];
    const [, typed, type] = /^# TYPE (\w+) (counter|gauge|histogram|summary)$/.exec(line) ?? [];
    const last = metrics.at(-1);
    if (help !== undefined) {
      helped = help;
    } else if (typed !== undefined && type !== undefined) {
      assert(typed === helped, `${typed} has a HELP right before its TYPE`);
      metrics.push({ name: typed, type, samples: [] });
    } else {
      assert(last !== undefined, `a metric is declared before "${line}"`);
      last.samples.push(parseSample(line, last.name));
    }
  }
  return metrics;
}

function parseSample(line: string, metric: string): Sample {
  const [, name, labels = '', value = ''] =
    /^(\w+)(\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line) ?? [];
  assert(name !== undefined, `"${line}" is a sample`);
  assert(
    name.replace(/_(sum|count|bucket)$/, '') === metric || name === metric,
    `${name} belongs to ${metric}`,
  );
  return { name: name + labels, value: Number(value) };
}
