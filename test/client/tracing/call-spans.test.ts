/** The spans of a client's calls, and what the server is told of them. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { ParentBasedSampler, type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import { createConnectTransport } from '@connectrpc/connect-node';
import { expect, onTestFinished, test } from 'vitest';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/index.ts';
import { client as limits } from '../../../src/limits.ts';
import { type RecordedSpans, registerSpans, within } from '../../support/recorded-spans.ts';
import { startTestServer } from '../../support/test-server.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const GET = 'kelp.v1.KvService/Get';
const PUT = 'kelp.v1.KvService/Put';

async function clientOfServer(): Promise<{ client: KelpClient; port: number }> {
  const { address, port } = await startTestServer();
  const client = createClient({ address });
  onTestFinished(() => client.close());
  return { client, port };
}

/** The span of the server that a client's span is the parent of. */
async function servedBy(spans: RecordedSpans, name: string): Promise<unknown> {
  const call = await spans.span(name, SpanKind.CLIENT);
  const served = await spans.span(name, SpanKind.SERVER);
  return {
    isOfTrace: served.spanContext().traceId === call.spanContext().traceId,
    isChild: served.parentSpanContext?.spanId === call.spanContext().spanId,
  };
}

test('a call is a span within the one that is active, and the server goes on with it', async () => {
  const spans = registerSpans();
  const { client, port } = await clientOfServer();

  await within(traceId, spanId, () => client.put('a secret key', 'a secret value'));

  const call = await spans.span(PUT, SpanKind.CLIENT);
  expect(call.spanContext().traceId).toBe(traceId);
  expect(call.parentSpanContext?.spanId).toBe(spanId);
  expect(call.attributes).toEqual({
    'rpc.system.name': 'grpc',
    'rpc.method': PUT,
    'rpc.response.status_code': 'OK',
    'db.system.name': 'kelpdb',
    'db.operation.name': 'Put',
    'server.address': '127.0.0.1',
    'server.port': port,
  });
  expect(call.status.code).toBe(SpanStatusCode.UNSET);
  expect(await servedBy(spans, PUT)).toEqual({ isOfTrace: true, isChild: true });
});

test('a call that fails says by which code, and nothing of its key', async () => {
  const spans = registerSpans();
  const { client } = await clientOfServer();

  await client.put('a secret key', '1', { condition: { kind: 'mustExist' } }).catch(() => undefined);

  const call = await spans.span(PUT, SpanKind.CLIENT);
  expect(call.status).toEqual({ code: SpanStatusCode.ERROR });
  expect(call.attributes).toMatchObject({
    'rpc.response.status_code': 'FAILED_PRECONDITION',
    'error.type': 'conditionFailed',
  });
  const served = await spans.span(PUT, SpanKind.SERVER);
  expect(served.attributes).toMatchObject({
    'rpc.response.status_code': 'FAILED_PRECONDITION',
    'error.type': 'FAILED_PRECONDITION',
  });
  // A condition that is not met is no fault of the server.
  expect(served.status.code).toBe(SpanStatusCode.UNSET);
  const said = JSON.stringify(
    spans.ended.map(({ name, attributes, events, status }) => [name, attributes, events, status]),
  );
  expect(said).not.toContain('secret');
});

test('a call that is sampled out is not recorded, nor does the server begin a trace in its place', async () => {
  // The server would record what nobody has decided about.
  const root: Sampler = {
    shouldSample: (_context, _traceId, _name, kind) => ({
      decision: kind === SpanKind.CLIENT ? SamplingDecision.NOT_RECORD : SamplingDecision.RECORD_AND_SAMPLED,
    }),
    toString: () => 'those of no client',
  };
  const spans = registerSpans(new ParentBasedSampler({ root }));
  const { client } = await clientOfServer();
  const burst = (): Promise<unknown> =>
    Promise.all(
      Array.from({ length: 4 * limits.pipelineCallsMin }, (_, index) => client.get(`key ${index}`)),
    );
  await client.get('a');
  for (let turn = 0; turn < 3; turn++) await burst();
  await client.put('b', '1');
  expect(spans.ended).toEqual([]);
});

test('calls that travel together keep their own traces, and one of each is recorded where it was made', async () => {
  const spans = registerSpans();
  const { client } = await clientOfServer();
  const count = 4 * limits.pipelineCallsMin;
  const burst = (): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, (_, index) => client.get(`key ${index}`)));
  // The first shows that batches are answered.
  await burst();
  await burst();
  await burst();

  const served = await spans.spans(SpanKind.SERVER, 3 * count);
  const calls = spans.ended.filter(({ kind }) => kind === SpanKind.CLIENT);
  expect(served.some(({ attributes }) => attributes['kelpdb.in_batch'] === true)).toBe(true);
  const parents = served.map((span) => `${span.spanContext().traceId} ${span.parentSpanContext?.spanId}`);
  expect(parents.toSorted()).toEqual(
    calls.map((span) => `${span.spanContext().traceId} ${span.spanContext().spanId}`).toSorted(),
  );
  expect(new Set(calls.map((span) => span.spanContext().traceId)).size).toBe(3 * count);
  expect(new Set(served.map(({ name }) => name))).toEqual(new Set([GET]));
});

test('a watch is one span, which ends when its user has enough', async () => {
  const spans = registerSpans();
  const { client } = await clientOfServer();
  const watch = client.watch();
  for await (const message of watch) if (message.kind === 'synced') break;

  const call = await spans.span('kelp.v1.WatchService/Watch', SpanKind.CLIENT);
  expect(call.status.code).toBe(SpanStatusCode.UNSET);
  expect(await servedBy(spans, 'kelp.v1.WatchService/Watch')).toEqual({ isOfTrace: true, isChild: true });
});

test('a scan is one span, which ends with its last entry', async () => {
  const spans = registerSpans();
  const { client } = await clientOfServer();
  for (let index = 0; index < 10; index++) await client.put(`key ${index}`, 'x');
  let count = 0;
  for await (const _ of client.scan()) count++;
  expect(count).toBe(10);

  const call = await spans.span('kelp.v1.KvService/ScanStream', SpanKind.CLIENT);
  expect(call.attributes).toMatchObject({ 'rpc.response.status_code': 'OK' });
  expect(await servedBy(spans, 'kelp.v1.KvService/ScanStream')).toEqual({ isOfTrace: true, isChild: true });
});

test('a scan that is left is a span that has ended', async () => {
  const spans = registerSpans();
  const { client } = await clientOfServer();
  for (let index = 0; index < 10; index++) await client.put(`key ${index}`, 'x');
  for await (const _ of client.scan()) break;
  const call = await spans.span('kelp.v1.KvService/ScanStream', SpanKind.CLIENT);
  expect(call.status.code).toBe(SpanStatusCode.UNSET);
});

test('a call that is tried again is one span, with an event for each try that failed', async () => {
  const spans = registerSpans();
  const client = createClient({ address: '127.0.0.1:1', deadlineMs: 300 });
  onTestFinished(() => client.close());
  await client.get('a').catch(() => undefined);

  const call = await spans.span(GET, SpanKind.CLIENT);
  expect(call.events.length).toBeGreaterThan(0);
  expect(call.events[0]).toMatchObject({ name: 'retry', attributes: { 'error.type': 'unavailable' } });
  expect(call.attributes).toMatchObject({
    'rpc.response.status_code': 'UNAVAILABLE',
    'error.type': 'unavailable',
  });
});

test('a transport of its user carries the trace on, for calls and for streams', async () => {
  const spans = registerSpans();
  const { url } = await startTestServer();
  const transport = createConnectTransport({ baseUrl: url, httpVersion: '1.1' });
  const client = createClient({ address: 'some name', transport });
  onTestFinished(() => client.close());
  await client.put('a', '1');
  for await (const _ of client.scan()) break;
  expect((await spans.span(PUT, SpanKind.CLIENT)).attributes).toMatchObject({
    'server.address': 'some name',
  });
  for (const name of [PUT, 'kelp.v1.KvService/ScanStream']) {
    expect(await servedBy(spans, name)).toEqual({ isOfTrace: true, isChild: true });
  }
});

test.each([
  ['https://someone:secret@proxy.example/kelp?token=secret', 'proxy.example'],
  ['someone:secret@proxy.example', undefined],
  ['proxy.example/kelp?token=secret', undefined],
])('of the address %s of a transport no more than the host is told', async (address, host) => {
  const spans = registerSpans();
  const { url } = await startTestServer();
  const client = createClient({
    address,
    transport: createConnectTransport({ baseUrl: url, httpVersion: '1.1' }),
  });
  onTestFinished(() => client.close());
  await client.get('a');
  const { attributes } = await spans.span(GET, SpanKind.CLIENT);
  expect(attributes['server.address']).toBe(host);
});

test('a client that was made before anyone wanted spans makes them from then on', async () => {
  const { client } = await clientOfServer();
  await client.get('before');
  const spans = registerSpans();
  await client.get('after');
  expect((await spans.span(GET, SpanKind.CLIENT)).name).toBe(GET);
  expect(spans.ended.filter(({ kind }) => kind === SpanKind.CLIENT)).toHaveLength(1);
});
