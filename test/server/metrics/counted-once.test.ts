/** Each request counts once: under the door that it came by, with the code that its client was told. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { describe, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startTestServer } from '../../support/test-server.ts';
import { metricsOf } from './exposition.ts';

interface Case {
  readonly what: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Door, method and code. */
  readonly counts: readonly [string, string, string];
}

const GET = '/kelp.v1.KvService/Get';
const UNKNOWN = '/kelp.v1.KvService/Nothing';
const WATCH = '/kelp.v1.WatchService/Watch';
const grpc = { 'content-type': 'application/grpc', te: 'trailers' };
const grpcWeb = { 'content-type': 'application/grpc-web+proto' };
const connectStream = { 'content-type': 'application/connect+json' };
/** A `GetRequest` of the key `a`, with its prefix. */
const getA = Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x61]);
const envelope = Buffer.from([0, 0, 0, 0, 2, 0x7b, 0x7d]);

const scriptCases: readonly Case[] = [
  { what: 'a blob', method: 'POST', path: '/blobs/a', body: 'b', counts: ['scripts', 'Put', 'Ok'] },
  { what: 'an absent blob', path: '/blobs/b', counts: ['scripts', 'Get', 'NotFound'] },
  { what: 'the list of blobs', path: '/blobs', counts: ['scripts', 'Keys', 'Ok'] },
  { what: 'an absent value', path: '/get/b', counts: ['scripts', 'Get', 'NotFound'] },
  { what: 'the health of scripts', path: '/health', counts: ['scripts', 'health', 'Ok'] },
  {
    what: 'metrics in JSON',
    path: '/metrics',
    headers: { accept: 'application/json' },
    counts: ['scripts', 'metrics', 'Ok'],
  },
  {
    what: 'a path of scripts with a slash in a key',
    path: '/blobs/a/b',
    counts: ['scripts', 'other', 'NotFound'],
  },
  {
    what: 'a method that blobs have not',
    method: 'PATCH',
    path: '/blobs/a',
    counts: ['scripts', 'other', 'Unimplemented'],
  },
];

const otherCases: readonly Case[] = [
  { what: 'REST', path: '/v1/keys/absent', counts: ['rest', 'Get', 'NotFound'] },
  { what: 'a probe', path: '/healthz', counts: ['http', 'healthz', 'Ok'] },
  { what: 'a path at which nothing is', path: '/nothing', counts: ['http', 'other', 'NotFound'] },
];

/** What Connect's handlers refuse before a service sees it, by a status of gRPC behind one of HTTP that is 200. */
const rpcCases: readonly Case[] = (
  [
    ['grpc', grpc],
    ['grpc_web', grpcWeb],
  ] as const
).flatMap(([door, headers]): Case[] => [
  {
    what: `${door}, a compression that is not known`,
    path: GET,
    headers: { ...headers, 'grpc-encoding': 'lz4' },
    body: getA,
    counts: [door, 'Get', 'Unimplemented'],
  },
  {
    what: `${door}, a timeout that is none`,
    path: GET,
    headers: { ...headers, 'grpc-timeout': 'soon' },
    body: getA,
    counts: [door, 'Get', 'InvalidArgument'],
  },
  {
    what: `${door}, half a message`,
    path: GET,
    headers,
    body: getA.subarray(0, 6),
    counts: [door, 'Get', 'InvalidArgument'],
  },
  {
    what: `${door}, an unknown method`,
    path: UNKNOWN,
    headers,
    body: getA,
    counts: [door, 'other', 'Unimplemented'],
  },
]);

const connectCases: readonly Case[] = [
  {
    what: 'a stream of Connect with a timeout that is none',
    path: WATCH,
    headers: { ...connectStream, 'connect-timeout-ms': 'soon' },
    body: envelope,
    counts: ['connect', 'Watch', 'InvalidArgument'],
  },
  {
    what: 'a stream of Connect with a compression that is not known',
    path: WATCH,
    headers: { ...connectStream, 'connect-content-encoding': 'lz4' },
    body: envelope,
    counts: ['connect', 'Watch', 'Unimplemented'],
  },
];

const cases = [...scriptCases, ...otherCases, ...rpcCases, ...connectCases];

/** `DOOR METHOD CODE` of each call; scrapes of this test are left out. */
async function countsOf(url: string): Promise<Record<string, number>> {
  const calls = (await metricsOf(url)).find(({ name }) => name === 'kelp_calls_total');
  const counts = (calls?.samples ?? [])
    .filter(({ name, value }) => value > 0 && !name.includes('door="http",method="metrics"'))
    .map(({ name, value }) => {
      const [, door, method, code] = /door="(\w+)",method="(\w+)",code="(\w+)"/.exec(name) ?? [];
      return [`${door} ${method} ${code}`, value] as const;
    });
  return Object.fromEntries(counts);
}

async function overHttp1(url: string, { path, method, headers = {}, body }: Case): Promise<void> {
  const { te: _, ...rest } = headers as Record<string, string>;
  const init = { method: method ?? (body === undefined ? 'GET' : 'POST'), headers: rest };
  const response = await fetch(url + path, body === undefined ? init : { ...init, body });
  await response.arrayBuffer();
}

async function overHttp2(url: string, { path, method, headers = {}, body }: Case): Promise<void> {
  const session = connect(url);
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ':path': path,
    ':method': method ?? (body === undefined ? 'GET' : 'POST'),
    ...headers,
  });
  stream.end(body);
  stream.resume();
  await once(stream, 'close');
}

describe.each([
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
] as const)('over %s', (_, send) => {
  test.each(cases)('$what', async (request) => {
    const { url } = await startTestServer();
    await send(url, request);
    await eventually(() => countsOf(url)).toEqual({ [request.counts.join(' ')]: 1 });
  });
});
