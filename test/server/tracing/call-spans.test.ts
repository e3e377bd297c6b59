/** The spans that a server makes of the calls of every door, in a process that has registered a tracer. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { type Client, Code, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { connect } from 'node:http2';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { fixed } from '../../../src/limits.ts';
import { type RecordedSpans, registerSpans } from '../../support/recorded-spans.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${spanId}-01`;
const GET = 'kelp.v1.KvService/Get';
const PUT = 'kelp.v1.KvService/Put';
const PIPELINE = 'kelp.v1.KvService/Pipeline';

async function traced(
  flags: Record<string, string> = {},
): Promise<{ spans: RecordedSpans; server: TestServer }> {
  const spans = registerSpans();
  return { spans, server: await startTestServer({ flags }) };
}

function isWithin(span: ReadableSpan): boolean {
  return span.spanContext().traceId === traceId && span.parentSpanContext?.spanId === spanId;
}

type Door = (url: string) => Client<typeof KvService>;

const doors: Readonly<
  Record<string, { readonly system: string; readonly notFound: string; readonly client: Door }>
> = {
  gRPC: {
    system: 'grpc',
    notFound: 'NOT_FOUND',
    client: (baseUrl) => createClient(KvService, createGrpcTransport({ baseUrl })),
  },
  'gRPC-Web': {
    system: 'grpc',
    notFound: 'NOT_FOUND',
    client: (baseUrl) => createClient(KvService, createGrpcWebTransport({ baseUrl, httpVersion: '1.1' })),
  },
  Connect: {
    system: 'connectrpc',
    notFound: 'not_found',
    client: (baseUrl) =>
      createClient(KvService, createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: true })),
  },
  JSON: {
    system: 'connectrpc',
    notFound: 'not_found',
    client: (baseUrl) =>
      createClient(
        KvService,
        createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
      ),
  },
};

describe.each(Object.entries(doors))('a call by %s', (_, { system, notFound, client }) => {
  test('is a span within that of its client, and a write has its wait for the log in it', async () => {
    const { spans, server } = await traced();
    await client(server.url).put({ key: 'a' }, { headers: { traceparent, tracestate: 'a=1' } });
    const span = await spans.span(PUT);
    expect(isWithin(span)).toBe(true);
    expect(span.kind).toBe(SpanKind.SERVER);
    expect(span.spanContext().traceState?.serialize()).toBe('a=1');
    expect(span.attributes).toEqual({
      'rpc.system.name': system,
      'rpc.method': PUT,
      ...(system === 'grpc' && { 'rpc.response.status_code': 'OK' }),
      'db.system.name': 'kelpdb',
    });
    const [commit] = spans.named('commit');
    expect(commit?.parentSpanContext?.spanId).toBe(span.spanContext().spanId);
  });

  test('that fails says by which code', async () => {
    const { spans, server } = await traced();
    await expect(client(server.url).touch({ key: 'a' }, { headers: { traceparent } })).rejects.toMatchObject({
      code: Code.NotFound,
    });
    const span = await spans.span('kelp.v1.KvService/Touch');
    expect(isWithin(span)).toBe(true);
    expect(span.attributes).toMatchObject({ 'rpc.response.status_code': notFound, 'error.type': notFound });
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
  });

  test('that only reads waits for no log', async () => {
    const { spans, server } = await traced();
    await client(server.url).scan({}, { headers: { traceparent } });
    await client(server.url).get({ key: 'a' }, { headers: { traceparent } });
    expect(isWithin(await spans.span(GET))).toBe(true);
    expect(spans.named('commit')).toEqual([]);
  });

  test.each(['x', `${traceparent}-00`, `00-${'0'.repeat(32)}-${spanId}-01`])(
    'begins a trace of its own when its traceparent is %s',
    async (malformed) => {
      const { spans, server } = await traced();
      const headers = { traceparent: malformed, tracestate: 'a=1' };
      await client(server.url).get({ key: 'a' }, { headers });
      const span = await spans.span(GET);
      expect(span.parentSpanContext).toBeUndefined();
      expect(span.spanContext().traceState).toBeUndefined();
    },
  );
});

describe('a call over REST', () => {
  const ROUTE = '/v1/keys/{key}';

  test('is a span named by its route, and says nothing of its key', async () => {
    const { spans, server } = await traced();
    const headers = { traceparent, tracestate: 'a=1' };
    await fetch(`${server.url}/v1/keys/secret?ttl=1h`, { method: 'PUT', headers, body: 'secret' });
    const span = await spans.span(`PUT ${ROUTE}`);
    expect(isWithin(span)).toBe(true);
    expect(span.kind).toBe(SpanKind.SERVER);
    expect(span.attributes).toEqual({
      'http.request.method': 'PUT',
      'http.route': ROUTE,
      'http.response.status_code': 201,
      'db.system.name': 'kelpdb',
    });
    expect((await spans.span('commit')).parentSpanContext?.spanId).toBe(span.spanContext().spanId);
    expect(await server.log.line((line) => line['method'] === `PUT ${ROUTE}`)).toMatchObject({
      trace_id: traceId,
    });
  });

  test('that fails says by which status', async () => {
    const { spans, server } = await traced();
    await fetch(`${server.url}/v1/keys/a`, { headers: { traceparent: 'malformed' } });
    const span = await spans.span(`GET ${ROUTE}`);
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.attributes).toMatchObject({ 'http.response.status_code': 404, 'error.type': '404' });
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(spans.named('commit')).toEqual([]);
  });

  test('by a method that there is not has a name of a set that is fixed', async () => {
    const { spans, server } = await traced();
    const session = connect(server.url);
    onTestFinished(() => session.destroy());
    session.request({ ':method': 'INVENTED', ':path': '/v1/keys/a' }).resume().end();
    expect((await spans.span(`HTTP ${ROUTE}`)).attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.response.status_code': 405,
    });
  });
});

test('a state that is too long is left behind, and the trace goes on', async () => {
  const { spans, server } = await traced();
  const tracestate = `a=${'x'.repeat(fixed.tracestateCharactersMax)}`;
  await doors['gRPC']?.client(server.url).get({ key: 'a' }, { headers: { traceparent, tracestate } });
  const span = await spans.span(GET);
  expect(isWithin(span)).toBe(true);
  expect(span.spanContext().traceState).toBeUndefined();
});

test('a method that is not known has no name of its own', async () => {
  const { spans, server } = await traced();
  const method = { ...KvService.method.get, name: 'Invented' };
  const transport = createGrpcTransport({ baseUrl: server.url });
  await transport.unary(method, undefined, undefined, undefined, {}).catch(() => undefined);
  const span = await spans.span('grpc');
  expect(span.attributes).toMatchObject({ 'rpc.method': '_OTHER', 'error.type': 'UNIMPLEMENTED' });
  expect(span.status.code).toBe(SpanStatusCode.ERROR);
});

test('the log tells of the trace of a call', async () => {
  const { server } = await traced();
  await doors['gRPC']?.client(server.url).get({ key: 'a' }, { headers: { traceparent } });
  await doors['JSON']?.client(server.url).put({ key: 'a' }, { headers: { traceparent } });
  expect(await server.log.line((line) => line['method'] === GET)).toMatchObject({ trace_id: traceId });
  expect(await server.log.line((line) => line['method'] === PUT)).toMatchObject({ trace_id: traceId });
});

test('a probe of health is no call that is traced', async () => {
  const { spans, server } = await traced();
  await fetch(`${server.url}/grpc.health.v1.Health/Check`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent },
    body: '{}',
  });
  const headers = { accept: 'application/json', traceparent };
  for (const path of ['/healthz', '/readyz', '/health', '/metrics'])
    await fetch(`${server.url}${path}`, { headers });
  await doors['JSON']?.client(server.url).get({ key: 'a' });
  await spans.span(GET);
  expect(spans.ended.map(({ name }) => name)).toEqual([GET]);
});

describe('a stream of batches', () => {
  const other = { traceId: 'f'.repeat(32), spanId: 'f'.repeat(16) };

  async function sendBatch(server: TestServer, headers: Record<string, string>): Promise<void> {
    async function* requests() {
      yield {
        operations: [
          { operation: { case: 'put' as const, value: { key: 'a' } } },
          {
            operation: { case: 'get' as const, value: { key: 'a' } },
            traceparent: `00-${other.traceId}-${other.spanId}-01`,
          },
          { operation: { case: 'touch' as const, value: { key: 'b' } }, traceparent: 'malformed' },
          {},
        ],
      };
    }
    const client = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));
    for await (const { results } of client.pipeline(requests(), { headers })) expect(results).toHaveLength(4);
  }

  test('has a span for each operation, in the trace that it names, else in that of the stream', async () => {
    const { spans, server } = await traced();
    await sendBatch(server, { traceparent });
    const stream = await spans.span(PIPELINE);
    expect(isWithin(stream)).toBe(true);
    const put = await spans.span(PUT);
    expect(put.parentSpanContext?.spanId).toBe(stream.spanContext().spanId);
    expect(put.attributes).toMatchObject({ 'kelpdb.in_batch': true, 'rpc.response.status_code': 'OK' });
    expect((await spans.span('commit')).parentSpanContext?.spanId).toBe(put.spanContext().spanId);
    const get = await spans.span(GET);
    expect(get.spanContext().traceId).toBe(other.traceId);
    expect(get.parentSpanContext?.spanId).toBe(other.spanId);
    const touch = await spans.span('kelp.v1.KvService/Touch');
    expect(touch.parentSpanContext).toBeUndefined();
    expect(touch.attributes).toMatchObject({ 'error.type': 'NOT_FOUND' });
    expect((await spans.span('grpc')).attributes).toMatchObject({ 'error.type': 'INVALID_ARGUMENT' });
    expect(spans.named('commit')).toHaveLength(1);
  });

  test('has none of its own when its client says nothing of a trace', async () => {
    const { spans, server } = await traced();
    await sendBatch(server, {});
    expect((await spans.span(PUT)).parentSpanContext).toBeUndefined();
    await server.stop();
    expect(spans.named(PIPELINE)).toEqual([]);
  });
});
