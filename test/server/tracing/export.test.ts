/** `--otlp-endpoint`: what a collector gets, and what becomes of calls when there is none that answers. */
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { CallSpans } from '../../../src/client/tracing/call-spans.ts';
import { systemPace } from '../../../src/client/calls/pace.ts';
import { serverFixed } from '../../../src/limits.ts';
import { ServerTraces } from '../../../src/server/tracing/server-traces.ts';
import { exportSpans } from '../../../src/server/tracing/span-export.ts';
import { startCollector } from '../../support/fake-collector.ts';
import { eventually } from '../../support/eventually.ts';
import { registerSpans, within } from '../../support/recorded-spans.ts';
import { startTestServer } from '../../support/test-server.ts';
import { metricsOf } from '../metrics/exposition.ts';
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { pino } from 'pino';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const PUT = 'kelp.v1.KvService/Put';
/** As OTLP numbers them. */
const SERVER = 2;
const INTERNAL = 1;

function clientOf(address: string) {
  const client = createClient({ address }, systemPace, (named) => new CallSpans(named));
  onTestFinished(() => client.close());
  return client;
}

test('the spans of a put reach the collector, down to its flush, in the trace of its client', async () => {
  const collector = await startCollector();
  const server = await startTestServer({
    flags: { 'otlp-endpoint': collector.url, fsync: 'always' },
  });
  const spans = registerSpans();
  await within(traceId, spanId, () => clientOf(server.address).put('a', '1'));
  const call = await spans.span(PUT, SpanKind.CLIENT);
  await server.stop();

  const served = await collector.span(PUT, SERVER);
  expect([served.traceId, served.parentSpanId]).toEqual([traceId, call.spanContext().spanId]);
  const commit = await collector.span('commit', INTERNAL);
  expect([commit.traceId, commit.parentSpanId]).toEqual([traceId, served.spanId]);
  const flush = await collector.span('flush', INTERNAL);
  expect([flush.traceId, flush.parentSpanId]).toEqual([traceId, commit.spanId]);
  const times = [served.startNs, commit.startNs, flush.startNs, flush.endNs, commit.endNs, served.endNs];
  expect(times).toEqual(times.toSorted((a, b) => Number(a - b)));
  expect(collector.paths).toEqual(['/v1/traces']);
  expect([...collector.services]).toEqual(['kelpdb']);
});

test('a share of the traces that begin at the server is recorded, and all that their clients record', async () => {
  const collector = await startCollector();
  const flags = { 'otlp-endpoint': collector.url, 'trace-sample': '0.0001%' };
  const server = await startTestServer({ flags });
  const client = clientOf(server.address);
  for (let index = 0; index < 20; index++) await client.get('a');
  registerSpans();
  await within(traceId, spanId, () => client.get('a'));
  await server.stop();
  await collector.request();
  expect(collector.spans.map((span) => span.traceId)).toEqual([traceId]);
});

test.each([
  ['that is not there', undefined],
  ['that refuses what it is sent', 400],
])('a collector %s costs a line of the log and no call', async (_, status) => {
  const collector = await startCollector();
  collector.status = status;
  const endpoint = status === undefined ? 'http://127.0.0.1:1' : collector.url;
  const server = await startTestServer({
    flags: { 'otlp-endpoint': endpoint, 'shutdown-timeout': '500ms' },
  });
  const client = clientOf(server.address);
  for (let index = 0; index < 10; index++) expect((await client.get('a')).entry).toBeUndefined();
  await server.stop();
  const lines = server.log.lines.filter(({ msg }) => msg === 'spans of traces were lost');
  expect(lines).toEqual([
    expect.objectContaining({ level: 'warn', endpoint: `${endpoint}/v1/traces`, lostSpans: 10 }),
  ]);
});

test('the metrics say how many spans the collector has received, and how many were lost', async () => {
  const collector = await startCollector();
  const server = await startTestServer({ flags: { 'otlp-endpoint': collector.url } });
  const client = clientOf(server.address);
  const spans = async (what: string): Promise<number | undefined> =>
    (await metricsOf(server.url)).find(({ name }) => name === `kelp_trace_spans_${what}_total`)?.samples[0]
      ?.value;
  for (let index = 0; index < 3; index++) await client.get('a');
  await eventually(() => spans('sent')).toBe(3);
  expect(await spans('lost')).toBe(0);
  collector.status = 400;
  for (let index = 0; index < 2; index++) await client.get('a');
  await eventually(() => spans('lost')).toBe(2);
  expect(await spans('sent')).toBe(3);
});

test('while as many spans wait as may, calls make no more, and are counted as lost', async () => {
  const collector = await startCollector();
  collector.status = undefined;
  const losses: unknown[] = [];
  const write = (line: string): number => losses.push((JSON.parse(line) as { lostSpans: number }).lostSpans);
  const logger = pino({}, { write });
  const spanExport = exportSpans({ endpoint: collector.url, sampleShare: 1, version: '0', logger });
  const traces = new ServerTraces(spanExport);
  let made = 0;
  for (; made < 2 * serverFixed.spanQueueMax && traces.mayRecord(ROOT_CONTEXT); made++)
    spanExport.tracer.startSpan('a').end();
  // The first message is on its way.
  expect(made).toBe(serverFixed.spanQueueMax + serverFixed.spanBatchMax);
  const unsampled = { traceId, spanId, traceFlags: TraceFlags.NONE };
  expect(traces.mayRecord(trace.setSpanContext(ROOT_CONTEXT, unsampled))).toBe(false);
  for (let index = 0; index < 4; index++) expect(traces.mayRecord(ROOT_CONTEXT)).toBe(false);
  await spanExport.stop(1);
  expect(losses).toEqual([1, 4 + made]);
});

test('a collector that does not answer holds up neither calls nor the stop, and what waits for it is bounded', async () => {
  const collector = await startCollector();
  collector.status = undefined;
  const server = await startTestServer({
    flags: { 'otlp-endpoint': collector.url, 'shutdown-timeout': '300ms', 'log-level': 'info' },
  });
  const client = clientOf(server.address);
  const count = serverFixed.spanQueueMax + 2 * serverFixed.spanBatchMax;
  for (let made = 0; made < count; made += 256) {
    await Promise.all(Array.from({ length: 256 }, () => client.get('a')));
  }
  const line = await server.log.message('spans of traces were lost');
  expect(line).toMatchObject({ level: 'warn', reason: 'more than are sent in time' });
  await server.stop();
  const lines = server.log.lines.filter(({ msg }) => msg === 'spans of traces were lost');
  expect(lines).toHaveLength(2);
  expect(lines.reduce((sum, { lostSpans }) => sum + Number(lostSpans), 0)).toBe(count);
});
